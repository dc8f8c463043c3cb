//! What an operator reads: file, key and reason of every mistake.

use serde_json::json;

use crate::Folder;

#[test]
fn a_mistake_says_where_it_is_and_what_would_be_right() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["port"] = json!(70_000);
        config["trusted_proxies"] = json!(["10.0.0.0/8", "proxy"]);
    });
    folder.edit("hpc.json", |hpc| {
        hpc["bare_hpc"]["root_path"] = json!("relative; path");
        hpc["local_hpc"]["container_runtime"] = json!("docker");
        hpc["local_hpc"]["port"] = json!("twenty-two");
        hpc["local_hpc"]["modules"] = json!(["gcc/12", "/opt/modules/gcc"]);
        hpc["local_hpc"]["mail_domains"] = json!(["alice@example.org"]);
    });
    folder.edit("container.json", |containers| {
        containers["python"]["hpc_path"]["no_such"] = json!("/x");
    });
    folder.edit("maintainer.json", |maintainers| {
        let ghost = maintainers["ghost"].as_object_mut().unwrap();
        ghost.remove("default_hpc");
    });
    folder.edit("jupyter-globus-map.json", |hubs| {
        hubs["hub.example.org"] = json!({"scheme": "gopher"});
    });
    let mut said: Vec<_> = folder
        .load(&[])
        .expect_err("there are mistakes")
        .to_string()
        .lines()
        .map(str::to_owned)
        .collect();
    said.sort();
    assert_eq!(
        said,
        [
            "config.json: redis.port: must be a number from 1 to 65535, is 70000",
            "config.json: trusted_proxies: must be IP addresses or networks like 10.0.0.0/8, \"proxy\" \
             is neither",
            "container.json: python.hpc_path.no_such: no_such is not in hpc.json",
            "hpc.json: bare_hpc.root_path: must be an absolute path of letters, digits and _./-+@",
            "hpc.json: local_hpc.container_runtime: must be one of apptainer, singularity, \
             charliecloud, none, is \"docker\"",
            "hpc.json: local_hpc.mail_domains: must be domains, like example.org",
            "hpc.json: local_hpc.modules: must be names of modules, like gcc or gcc/12.2, no paths",
            "hpc.json: local_hpc.port: must be a number from 1 to 65535, is \"twenty-two\"",
            "jupyter-globus-map.json: hub.example.org.scheme: must be one of https, http, is \
             \"gopher\"",
            "maintainer.json: ghost.default_hpc: is missing",
        ]
    );
}

#[test]
fn an_unknown_key_is_named_at_any_depth_and_stops_nothing() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["prot"] = json!(6379)
    });
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["globus"]["endpiont"] = json!("x");
    });
    let loaded = folder.load(&[]).unwrap();
    let mut said: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    said.sort();
    assert_eq!(
        said,
        [
            "config.json: redis.prot: is unknown and has no effect",
            "hpc.json: local_hpc.globus.endpiont: is unknown and has no effect",
        ]
    );
}

#[test]
fn tls_wants_all_its_files_and_addresses_that_say_so() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["connector_address"] = json!("http://connector:7100");
        config["tls"] = json!({"ca_file": "ca.crt", "certificate_file": "service.crt"});
    });
    let said = folder.load(&[]).expect_err("a mistake").to_string();
    assert!(
        said.contains("config.json: tls.key_file: is missing"),
        "{said}"
    );
    folder.edit("config.json", |config| {
        config["tls"]["key_file"] = json!("/run/tls/service.key");
    });
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["connector_address"] = json!("http://other:7100");
    });
    let said = folder.load(&[]).expect_err("two mistakes").to_string();
    for key in [
        "config.json: connector_address",
        "hpc.json: local_hpc.connector_address",
    ] {
        let line = format!("{key}: must begin with https:// with tls in config.json");
        assert!(said.contains(&line), "{said}");
    }
    folder.edit("config.json", |config| {
        config["connector_address"] = json!(null);
    });
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["connector_address"] = json!("https://other:7100");
    });
    let server = folder.load(&[]).unwrap().site.server;
    assert_eq!(server.connector_address, "https://127.0.0.1:7100");
    let files = server.tls.unwrap();
    assert!(files.authority.is_absolute() && files.authority.ends_with("ca.crt"));
    assert_eq!(files.key.to_str(), Some("/run/tls/service.key"));
}

#[test]
fn collections_for_users_are_checked_and_never_those_of_an_hpc() {
    let folder = Folder::new();
    let hpcs_own = "11111111-2222-3333-4444-555555555555";
    folder.edit("config.json", |config| {
        config["globus_collections"] = json!([
            {"id": "{11111111222233334444555555555555}"},
            {"path": "/x"},
            {"id": "a", "path": "x"},
            {"id": "b", "path": "/x/../y"},
            {"id": "c", "paths": ["/x"]},
            "d",
        ]);
    });
    folder.edit("jupyter-globus-map.json", |hubs| {
        hubs["127.0.0.1:8000"]["services"] = json!("reporter");
        hubs["localhost:8000"]["endpoint"] = json!(hpcs_own.to_uppercase());
    });
    let mut said = folder.mistakes();
    said.dedup();
    assert_eq!(
        said,
        [
            "config.json globus_collections",
            "jupyter-globus-map.json 127.0.0.1:8000.services"
        ]
    );
    let words = folder.load(&[]).expect_err("mistakes").to_string();
    for reason in [
        "the collection of local_hpc, which no user may name",
        "must be an object with an id, is {\"path\":\"/x\"}",
        "path \"x\" must be absolute and without ..",
        "path \"/x/../y\" must be absolute and without ..",
        "an entry has the unknown key paths",
        "must be an object with an id, is \"d\"",
    ] {
        assert!(words.contains(reason), "{reason}: {words}");
    }
    folder.edit("config.json", |config| {
        config["globus_collections"] =
            json!([{"id": "a", "path": "/public", "comment": "open data"}]);
    });
    folder.edit("jupyter-globus-map.json", |hubs| {
        hubs["127.0.0.1:8000"]["services"] = json!(["reporter"]);
    });
    let loaded = folder.load(&[]).unwrap();
    assert_eq!(loaded.site.hubs["127.0.0.1:8000"].services, ["reporter"]);
    let open = &loaded.site.server.globus_collections;
    assert_eq!(
        (open[0].id.as_str(), open[0].path.as_deref()),
        ("a", Some("/public"))
    );
    let said: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    let warned = "jupyter-globus-map.json: localhost:8000.endpoint: is the collection of local_hpc";
    assert!(said.iter().any(|said| said.starts_with(warned)), "{said:?}");
}
