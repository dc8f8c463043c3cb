//! A configuration folder with its database, gone when dropped.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    sync::Arc,
};

use compute_db::Store;
use compute_domain::SystemClock;
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) struct Operator {
    folder: tempfile::TempDir,
    database: Option<String>,
}

/// What a command has said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Operator {
    pub(crate) async fn new() -> Self {
        let operator = Self {
            folder: tempfile::tempdir().unwrap(),
            database: None,
        };
        fs::create_dir(operator.path("config")).unwrap();
        let ssh = json!({"user": "cg", "external_key": {"private_key_path": "key"}});
        operator.write(
            "config.json",
            &json!({"template_local_roots": ["../repositories"]}),
        );
        operator.write(
            "hpc.json",
            &json!({"local_hpc": {"ip": "127.0.0.1", "port": 1, "is_community_account": true,
                "community_login": ssh, "root_path": "/scratch", "job_pool_capacity": 1,
                "connector_address": "http://127.0.0.1:1"}}),
        );
        operator.write(
            "maintainer.json",
            &json!({"community_contribution": {"hpc": ["local_hpc"], "default_hpc": "local_hpc",
                "maintainer": "CommunityContributionMaintainer"}}),
        );
        operator.write(
            "container.json",
            &json!({"python": {"hpc_path": {"local_hpc": "/images/python"}, "mount": {}}}),
        );
        operator.write("jupyter-globus-map.json", &json!({}));
        fs::write(operator.path("config/key"), "").unwrap();
        compute_migrations::up(&operator.database()).await.unwrap();
        operator
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// The same with an empty database at `url` instead of a file.
    pub(crate) async fn on_database(url: &str) -> Self {
        let mut operator = Self::new().await;
        operator.write("config.json", &json!({"database": {"url": url}}));
        operator.database = Some(url.to_owned());
        compute_migrations::up(&operator.database()).await.unwrap();
        operator
    }

    pub(crate) fn write(&self, file: &str, content: &Value) {
        fs::write(self.path("config").join(file), content.to_string()).unwrap();
    }

    pub(crate) fn database(&self) -> SecretString {
        if let Some(url) = &self.database {
            return SecretString::from(url.as_str());
        }
        let file = self.path("config/compute.sqlite");
        SecretString::from(format!("sqlite://{}?mode=rwc", file.display()))
    }

    pub(crate) async fn store(&self) -> Store {
        Store::connect(&self.database(), Arc::new(SystemClock))
            .await
            .unwrap()
    }

    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_cybergis-compute"))
            .arg("--config")
            .arg(self.path("config"))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Said {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The output of a command that must do well.
    pub(crate) fn good(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{args:?}: {} {}", said.stdout, said.stderr);
        said.stdout
    }

    /// The error of a command that must not.
    pub(crate) fn bad(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(
            (said.code, said.stdout.as_str()),
            (1, ""),
            "{args:?}: {}",
            said.stderr
        );
        let text = said.stderr.strip_prefix("error: ");
        text.unwrap_or_else(|| panic!("{args:?}: {}", said.stderr))
            .trim_end()
            .to_owned()
    }

    /// The answer for programs of a command that must do well.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let said = self.run(&[&["--json"], args].concat());
        assert_eq!(said.code, 0, "{args:?}: {} {}", said.stdout, said.stderr);
        said.json()
    }
}
