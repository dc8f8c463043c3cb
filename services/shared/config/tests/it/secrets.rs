//! Secrets, and the files that hold them: found relative to the folder, shown
//! nowhere.

use std::fs;

use compute_config::Stores;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::Folder;

#[test]
fn relative_paths_are_relative_to_the_folder() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["local_key"]["private_key_path"] = json!("keys/own");
        config["local_file_system"]["cache_path"] = json!("mirrors");
        config["template_local_roots"] = json!(["templates", "/elsewhere"]);
    });
    folder.edit("hpc.json", |hpc| {
        hpc["bare_hpc"]["community_login"]["external_key"]["private_key_path"] = json!("keys/bare");
        hpc["bare_hpc"]["known_hosts"] = json!("hosts/bare");
    });
    let site = folder.load(&[]).unwrap().site;
    let root = folder.0.path();
    let key = |hpc: &str| {
        let login = site.hpcs[hpc].community_login.as_ref().unwrap();
        login.private_key_path.clone()
    };
    assert_eq!(key("local_hpc"), root.join("keys/own"));
    assert_eq!(key("bare_hpc"), root.join("keys/bare"));
    assert_eq!(site.hpcs["bare_hpc"].known_hosts, root.join("hosts/bare"));
    assert_eq!(site.server.mirrors.root, root.join("mirrors/templates"));
    assert_eq!(
        site.server.mirrors.local_roots,
        [root.join("templates"), "/elsewhere".into()]
    );
}

#[test]
fn a_program_needs_no_password_of_a_store_that_it_does_not_open() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["password_file"] = json!("redis-secret");
        config["database"] = json!({"url_file": "url"});
    });
    assert_eq!(
        folder.mistakes(),
        [
            "config.json database.url_file",
            "config.json redis.password_file"
        ]
    );
    let server = folder.load_for(Stores::None).unwrap().site.server;
    assert_eq!(server.database.url.expose_secret(), "");
    fs::write(folder.0.path().join("url"), "postgres://compute@db/compute").unwrap();
    let server = folder.load_for(Stores::Database).unwrap().site.server;
    let url = server.database.url.expose_secret();
    assert_eq!(url, "postgres://compute@db/compute");
    folder.load_for(Stores::All).unwrap_err();
}

#[test]
fn no_secret_is_shown() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("redis-secret"), "hidden-redis\n").unwrap();
    fs::write(
        folder.0.path().join("url"),
        "postgres://compute:hidden-url@db/compute\n",
    )
    .unwrap();
    folder.edit("config.json", |config| {
        config["local_key"]["passphrase"] = json!("hidden-own");
        config["redis"]["password_file"] = json!("redis-secret");
        config["database"] = json!({"url_file": "url"});
    });
    folder.edit("hpc.json", |hpc| {
        hpc["bare_hpc"]["community_login"]["external_key"]["passphrase"] = json!("hidden-bare");
    });
    let loaded = folder.load(&[]).unwrap();
    let server = &loaded.site.server;
    let passphrase = |hpc: &str| {
        let login = loaded.site.hpcs[hpc].community_login.as_ref().unwrap();
        login.passphrase.as_ref().unwrap().expose_secret()
    };
    // They were read, so that there is something to hide.
    assert_eq!(
        server.redis.password.as_ref().unwrap().expose_secret(),
        "hidden-redis"
    );
    assert_eq!(
        server.database.url.expose_secret(),
        "postgres://compute:hidden-url@db/compute"
    );
    assert_eq!(passphrase("local_hpc"), "hidden-own");
    assert_eq!(passphrase("bare_hpc"), "hidden-bare");
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("hidden"), "{shown}");
}

#[test]
fn a_secret_file_that_is_not_there_is_a_mistake() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["password_file"] = json!("no-such-file");
    });
    assert_eq!(folder.mistakes(), ["config.json redis.password_file"]);
}

#[test]
fn a_secret_of_the_wrong_type_is_not_repeated() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["password"] = json!(987_654_321);
        config["database"] = json!({"url": 987_654_321});
        config["mysql"]["password"] = json!(987_654_321);
    });
    folder.edit("hpc.json", |hpc| {
        hpc["bare_hpc"]["community_login"]["external_key"]["passphrase"] = json!(987_654_321);
    });
    assert_eq!(
        folder.mistakes(),
        [
            "config.json database.url",
            "config.json mysql.password",
            "config.json redis.password",
            "hpc.json bare_hpc.community_login.external_key.passphrase",
        ]
    );
    let said = folder.load(&[]).unwrap_err().to_string();
    assert!(!said.contains("987654321"), "{said}");
}

#[test]
fn the_environment_sets_truth_values_and_lists() {
    let variables = [
        ("CYBERGIS__IS_TESTING", "false"),
        ("CYBERGIS__TEMPLATE_LOCAL_ROOTS", r#"["/templates"]"#),
    ];
    let server = Folder::new().load(&variables).unwrap().site.server;
    assert!(!server.is_testing);
    assert_eq!(
        server.mirrors.local_roots,
        [std::path::PathBuf::from("/templates")]
    );
}
