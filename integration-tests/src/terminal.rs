//! Runs the commands of a document, as its reader would.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::{World, document::Block, service::binaries};

/// Printed before the output of each block; no other line begins like this.
const BLOCK: &str = "\u{1}block";

/// The shell of a document's reader.
#[derive(Debug, Clone)]
pub struct Terminal {
    folder: PathBuf,
    envs: Vec<(String, String)>,
}

impl Terminal {
    /// A shell in `folder`, whose operator's command is that of this build and uses
    /// `world`.
    ///
    /// # Errors
    /// If the binaries are not where they should be.
    pub fn new(world: &World, folder: impl Into<PathBuf>) -> anyhow::Result<Self> {
        let mut path = vec![binaries()?];
        path.extend(env::split_paths(&env::var_os("PATH").unwrap_or_default()));
        let path = env::join_paths(path)?.to_string_lossy().into_owned();
        let config = world.folder().join("config").display().to_string();
        let connector = format!("http://{}", world.connector.address());
        let terminal = Self {
            folder: folder.into(),
            envs: Vec::new(),
        };
        Ok(terminal
            .with("PATH", &path)
            .with("CYBERGIS_CONFIG", &config)
            .with("CYBERGIS__CONNECTOR_ADDRESS", &connector))
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.envs.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs `blocks` one after another in one shell, so that a later block can use
    /// variables of an earlier one, and returns the output of each. A request by curl that
    /// is rejected is a failure.
    ///
    /// # Errors
    /// At the first command that fails; the error contains all output.
    pub fn run(&self, blocks: &[Block]) -> anyhow::Result<Vec<String>> {
        let mut script = "set -euo pipefail\n\
            curl() { command curl --silent --show-error --fail-with-body \"$@\"; }\n"
            .to_owned();
        for block in blocks {
            script.push_str(&format!("printf '%s\\n' '{BLOCK}'\n{}", block.text));
        }
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(&self.folder)
            .envs(self.envs.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()?;
        let stdout = String::from_utf8_lossy(&output.stdout);
        anyhow::ensure!(
            output.status.success(),
            "{script}\n{stdout}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let printed = stdout.split(BLOCK).skip(1);
        Ok(printed.map(|text| text.trim().to_owned()).collect())
    }
}
