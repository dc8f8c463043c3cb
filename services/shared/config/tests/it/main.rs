//! The configuration folder: the legacy server's files, and every mistake in them.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails where something is not as expected; also in what tests share"
)]

mod ranges;
mod reasons;
mod secrets;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use compute_config::{Loaded, Mistakes, Stores, load};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

type Variables = BTreeMap<String, String>;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// A copy of the recorded folder, its one mistake mended.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for file in fs::read_dir(fixtures().join("golden")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.0.path().join(file.file_name())).unwrap();
        }
        folder.edit("maintainer.json", |maintainers| {
            maintainers.as_object_mut().unwrap().remove("baddefault");
        });
        folder
    }

    fn edit(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let path = self.0.path().join(name);
        let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Loaded, Mistakes> {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        load(
            self.0.path(),
            &variables.iter().map(own).collect::<Variables>(),
            Stores::All,
        )
    }

    fn load_for(&self, stores: Stores) -> Result<Loaded, Mistakes> {
        load(self.0.path(), &Variables::new(), stores)
    }

    /// `file key` of each mistake, in order.
    fn mistakes(&self) -> Vec<String> {
        let mistakes = self.load(&[]).expect_err("there are mistakes").0;
        let mut found: Vec<_> = mistakes
            .iter()
            .map(|m| format!("{} {}", m.file, m.key))
            .collect();
        assert!(mistakes.iter().all(|m| m.reason.len() > 5), "{mistakes:?}");
        found.sort();
        found
    }
}

fn fixture(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixtures().join(name)).unwrap()).unwrap()
}

#[test]
fn the_older_files_are_shown_as_the_older_server_showed_them() {
    let site = Folder::new().load(&[]).unwrap().site;
    let hpcs: BTreeMap<_, _> = site
        .hpcs
        .iter()
        .map(|(k, v)| (k, v.public.clone()))
        .collect();
    assert_eq!(json!(hpcs), fixture("hpc-shown.json"));
    let containers: BTreeMap<_, _> = site
        .containers
        .iter()
        .map(|(k, v)| (k, v.public.clone()))
        .collect();
    assert_eq!(json!(containers), fixture("container-shown.json"));
    let recorded = fixture("maintainer-shown.json");
    let shown = &site.maintainers["community_contribution"].public;
    assert_eq!(json!(shown), recorded["community_contribution"]);
    // The client's list wants a number where the legacy server gave none.
    assert!(site.maintainers["ghost"].public["job_pool_capacity"].is_number());
}

#[test]
fn what_the_older_files_say() {
    let folder = Folder::new();
    let site = folder.load(&[]).unwrap().site;
    let url = site.server.database.url.expose_secret();
    assert_eq!(
        url,
        "mysql://cybergis_compute:cgpw@127.0.0.1:3306/cybergis_compute"
    );
    let login = site.hpcs["local_hpc"].community_login.as_ref().unwrap();
    assert_eq!(
        (login.user.as_str(), login.private_key_path.as_path()),
        ("cg", Path::new("/keys/cg.key"))
    );
    assert_eq!(
        site.hpcs["local_hpc"].known_hosts,
        folder.0.path().join("known_hosts")
    );
    assert!(site.hpcs["private_hpc"].community_login.is_none());
    assert!(
        !format!("{site:?}").contains("cgpw"),
        "a secret is not shown"
    );
}

#[test]
fn the_recorded_mistake() {
    let folder = Folder::new();
    fs::copy(
        fixtures().join("golden/maintainer.json"),
        folder.0.path().join("maintainer.json"),
    )
    .unwrap();
    assert_eq!(
        folder.mistakes(),
        ["maintainer.json baddefault.default_hpc"]
    );
}

#[test]
fn all_mistakes_are_found_at_once() {
    let folder = Folder::new();
    folder.edit("config.json", |config| {
        config["redis"]["port"] = json!(70_000)
    });
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["port"] = json!("twenty-two");
        hpc["local_hpc"]["container_runtime"] = json!("docker");
        hpc["bare_hpc"].as_object_mut().unwrap().remove("ip");
        hpc["down_hpc"]["root_path"] = json!("relative; path");
    });
    folder.edit("container.json", |c| {
        c["python"]["hpc_path"]["no_such"] = json!("/x")
    });
    folder.edit("maintainer.json", |m| {
        m["ghost"]["maintainer"] = json!("NoSuchMaintainer")
    });
    fs::write(folder.0.path().join("jupyter-globus-map.json"), "{broken").unwrap();
    assert_eq!(
        folder.mistakes(),
        [
            "config.json redis.port",
            "container.json python.hpc_path.no_such",
            "hpc.json bare_hpc.ip",
            "hpc.json down_hpc.root_path",
            "hpc.json local_hpc.container_runtime",
            "hpc.json local_hpc.port",
            "jupyter-globus-map.json ",
            "maintainer.json ghost.maintainer",
        ]
    );
}

#[test]
fn a_missing_file_is_named_and_an_unknown_key_is_a_warning() {
    let folder = Folder::new();
    folder.edit("hpc.json", |hpc| hpc["local_hpc"]["prot"] = json!(22));
    let warnings = folder.load(&[]).unwrap().warnings;
    assert!(
        warnings.iter().any(|w| w.key == "local_hpc.prot"),
        "{warnings:?}"
    );
    fs::remove_file(folder.0.path().join("hpc.json")).unwrap();
    assert!(folder.mistakes().contains(&"hpc.json ".to_owned()));
}

#[test]
fn the_environment_and_secret_files_override() {
    let folder = Folder::new();
    fs::write(folder.0.path().join("secret"), "from-a-file\n").unwrap();
    folder.edit("config.json", |config| {
        config["redis"] = json!({"host": "redis", "port": 1, "password_file": "secret"});
    });
    let variables = [
        ("CYBERGIS__REDIS__PORT", "6380"),
        ("CYBERGIS__LEASE_SECONDS", "7"),
    ];
    let server = folder.load(&variables).unwrap().site.server;
    assert_eq!(
        (server.redis.host.as_str(), server.redis.port),
        ("redis", 6380)
    );
    assert_eq!(
        server.redis.password.unwrap().expose_secret(),
        "from-a-file"
    );
    assert_eq!(server.lease.as_secs(), 7);
    let wrong = folder.load(&[("CYBERGIS__REDIS__PORT", "x")]).unwrap_err();
    assert_eq!(wrong.0[0].key, "redis.port");
}

#[test]
fn programs_are_contained_where_one_account_is_everybodys() {
    let folder = Folder::new();
    let contained = |name: &str| folder.load(&[]).unwrap().site.hpcs[name].containment;
    assert!(contained("local_hpc"), "a community account");
    assert!(!contained("private_hpc"), "accounts of their own");
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["containment"] = json!(false);
        hpc["private_hpc"]["containment"] = json!(true);
    });
    assert!(!contained("local_hpc"), "as it is said");
    assert!(contained("private_hpc"), "as it is said");

    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["container_runtime"] = json!("none");
        hpc["private_hpc"]["container_runtime"] = json!("none");
        hpc["private_hpc"]
            .as_object_mut()
            .unwrap()
            .remove("containment");
    });
    assert!(!contained("private_hpc"), "nothing could contain them");
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["containment"] = json!(true);
    });
    assert_eq!(folder.mistakes(), ["hpc.json local_hpc.containment"]);
}

#[test]
fn one_user_leaves_places_to_others_unless_it_is_said() {
    let folder = Folder::new();
    let places = || {
        let site = folder.load(&[]).unwrap().site;
        let hpc = &site.hpcs["local_hpc"];
        (hpc.job_pool_capacity, hpc.jobs_per_user)
    };
    for (capacity, of_one) in [(10, 8), (5, 4), (2, 1), (1, 1)] {
        folder.edit("hpc.json", |hpc| {
            hpc["local_hpc"]["job_pool_capacity"] = json!(capacity);
        });
        assert_eq!(places(), (capacity, of_one));
    }
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["jobs_per_user"] = json!(7)
    });
    assert_eq!(places(), (1, 7));
    folder.edit("hpc.json", |hpc| {
        hpc["local_hpc"]["jobs_per_user"] = json!(0)
    });
    assert_eq!(folder.mistakes(), ["hpc.json local_hpc.jobs_per_user"]);
}
