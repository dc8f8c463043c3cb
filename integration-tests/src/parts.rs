//! The real parts of a test run: addresses and credentials from their `facts.json`.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::Value;

/// The folder of parts of this test run.
#[derive(Debug, Clone)]
pub struct Parts {
    folder: PathBuf,
}

impl Parts {
    /// The parts that `CYBERGIS_PARTS` names.
    ///
    /// # Errors
    /// If the variable is not set: a scenario without parts fails, it is not skipped.
    pub fn of_this_run() -> anyhow::Result<Self> {
        let folder = env::var_os("CYBERGIS_PARTS")
            .context("CYBERGIS_PARTS is not set: run the scenarios with `make test`")?;
        Ok(Self {
            folder: PathBuf::from(folder),
        })
    }

    /// Parts that run in the subfolders of `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// One fact of one part, e.g. `("hpc", "root_path")`.
    ///
    /// # Errors
    /// If the part is not running or has no such fact.
    pub fn fact(&self, part: &str, key: &str) -> anyhow::Result<Value> {
        fact_in(&self.folder.join(part), key)
    }

    /// A fact that is text.
    ///
    /// # Errors
    /// As [`Self::fact`], or if it is not text.
    pub fn text(&self, part: &str, key: &str) -> anyhow::Result<String> {
        let value = self.fact(part, key)?;
        let text = value
            .as_str()
            .with_context(|| format!("{part}.{key} is no text"))?;
        Ok(text.to_owned())
    }

    /// The base address of a user's JupyterLab.
    pub fn home(&self, user: &str) -> PathBuf {
        self.folder.join("hub/home").join(user)
    }

    /// The hub's token of a user.
    ///
    /// # Errors
    /// If the hub has no such user.
    pub fn hub_token(&self, user: &str) -> anyhow::Result<String> {
        let tokens = self.fact("hub", "tokens")?;
        let token = tokens.get(user).and_then(Value::as_str);
        Ok(token
            .with_context(|| format!("the hub has no user {user}"))?
            .to_owned())
    }
}

impl Parts {
    /// The token of a service of the hub: `alice`, which has the name of a user, or `reporter`.
    ///
    /// # Errors
    /// If the hub has no such service.
    pub fn service_token(&self, service: &str) -> anyhow::Result<String> {
        let tokens = self.fact("hub", "service_tokens")?;
        let token = tokens.get(service).and_then(Value::as_str);
        Ok(token
            .with_context(|| format!("the hub has no service {service}"))?
            .to_owned())
    }
}

/// A private account on the HPC, and its password.
#[derive(Debug, Clone)]
pub struct PrivateAccount {
    /// Its name.
    pub user: String,
    /// Its password.
    pub password: String,
}

impl Parts {
    /// One of the private accounts: each scenario uses a different one.
    ///
    /// # Errors
    /// If there are fewer accounts.
    pub fn private_account(&self, at: usize) -> anyhow::Result<PrivateAccount> {
        let all = self.fact("hpc", "private_passwords")?;
        let one = all.as_object().and_then(|all| all.iter().nth(at));
        let (user, password) = one.with_context(|| format!("no private account {at}"))?;
        Ok(PrivateAccount {
            user: user.clone(),
            password: password.as_str().unwrap_or_default().to_owned(),
        })
    }
}

/// One fact of the part in `folder`.
///
/// # Errors
/// If the part is not running or has no such fact.
pub fn fact_in(folder: &Path, key: &str) -> anyhow::Result<Value> {
    let path = folder.join("facts.json");
    let text = fs::read_to_string(&path).with_context(|| format!("no {}", path.display()))?;
    let facts: Value = serde_json::from_str(&text)?;
    facts
        .get(key)
        .cloned()
        .with_context(|| format!("{} has no {key}", path.display()))
}

/// A script of `deploy/local`.
pub fn local_script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../deploy/local")
        .join(name)
}
