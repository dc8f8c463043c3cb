//! Job templates as git repositories, made for a scenario.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

/// A template that is not committed yet.
#[derive(Debug, Clone)]
pub struct Template {
    /// Its id in the gateway.
    pub id: String,
    /// Whether the world approves it for MPI.
    pub is_for_mpi: bool,
    manifest: Value,
    files: Vec<(String, String)>,
}

impl Template {
    /// A template whose main stage is `command`, in the Python container.
    pub fn new(id: &str, command: &str) -> Self {
        let manifest = json!({
            "name": id, "container": "python", "execution_stage": command,
            "supported_hpc": ["local_hpc", "charlie_hpc", "private_hpc"], "default_hpc": "local_hpc",
        });
        Self {
            id: id.to_owned(),
            is_for_mpi: false,
            manifest,
            files: Vec::new(),
        }
    }

    /// Reads the template in a folder.
    ///
    /// # Errors
    /// If it cannot be read, or its manifest is not JSON.
    pub fn of_folder(id: &str, folder: &Path) -> anyhow::Result<Self> {
        let mut template = Self::new(id, "");
        for file in fs::read_dir(folder)? {
            let file = file?;
            let content = fs::read_to_string(file.path())?;
            let name = file.file_name().to_string_lossy().into_owned();
            if name == "manifest.json" {
                template.manifest = serde_json::from_str(&content)?;
            } else {
                template.files.push((name, content));
            }
        }
        Ok(template)
    }

    /// A template whose main stage is `command`, without a container: it starts faster.
    pub fn bare(id: &str, command: &str) -> Self {
        Self::new(id, command).with("connector", json!("SlurmConnector"))
    }

    /// A template with exactly this manifest.
    pub fn of_manifest(id: &str, manifest: Value) -> Self {
        Self {
            id: id.to_owned(),
            is_for_mpi: false,
            manifest,
            files: Vec::new(),
        }
    }

    /// Sets a key of the manifest.
    #[must_use]
    pub fn with(mut self, key: &str, value: Value) -> Self {
        if let Some(manifest) = self.manifest.as_object_mut() {
            manifest.insert(key.to_owned(), value);
        }
        self
    }

    /// Approved for MPI.
    #[must_use]
    pub fn for_mpi(mut self) -> Self {
        self.is_for_mpi = true;
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    /// Commits it below `folder` and returns its address.
    ///
    /// # Errors
    /// If it cannot be written, or git fails.
    pub fn write(&self, folder: &Path) -> anyhow::Result<String> {
        let at = folder.join(&self.id);
        fs::create_dir_all(&at)?;
        fs::write(
            at.join("manifest.json"),
            serde_json::to_vec_pretty(&self.manifest)?,
        )?;
        for (name, content) in &self.files {
            fs::write(at.join(name), content)?;
        }
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["add", "--all"],
            &[
                "-c",
                "user.name=scenario",
                "-c",
                "user.email=scenario@localhost",
                "commit",
                "--quiet",
                "--message=a template",
            ],
        ] {
            let output = Command::new("git").arg("-C").arg(&at).args(args).output()?;
            let stderr = String::from_utf8_lossy(&output.stderr);
            anyhow::ensure!(output.status.success(), "git {args:?}: {stderr}");
        }
        Ok(format!("file://{}", at.display()))
    }
}
