//! Host keys of an SSH server, and the file that pins them (sshd(8),
//! SSH_KNOWN_HOSTS FILE FORMAT). OpenSSH's own programs fetch them, find them in
//! a file that may be hashed, and take their fingerprints.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tokio::{io::AsyncWriteExt as _, process::Command, time::timeout};

const LIMIT: Duration = Duration::from_secs(30);

/// A host key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostKey {
    /// E.g. `ssh-ed25519`.
    pub(crate) kind: String,
    /// Base64.
    pub(crate) key: String,
}

impl HostKey {
    /// Reads `HOSTS TYPE KEY`, perhaps with a marker before or a comment after it.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line
            .split_ascii_whitespace()
            .skip_while(|field| field.starts_with('@'));
        let (_hosts, kind, key) = (fields.next()?, fields.next()?, fields.next()?);
        let good = !line.starts_with('#');
        good.then(|| Self {
            kind: kind.to_owned(),
            key: key.to_owned(),
        })
    }

    fn line(&self, host: &str) -> String {
        format!("{host} {} {}", self.kind, self.key)
    }

    /// As sites publish it: `SHA256:…`.
    pub(crate) async fn fingerprint(&self) -> anyhow::Result<String> {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-l", "-E", "sha256", "-f", "-"]);
        let output = run(keygen, &self.line("host")).await?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let fingerprint = text.split_ascii_whitespace().nth(1);
        fingerprint
            .map(str::to_owned)
            .context("ssh-keygen gave no fingerprint")
    }
}

/// How a host stands in the file: `HOST`, or `[HOST]:PORT` off the usual port.
pub(crate) fn name_in_file(host: &str, port: u16) -> String {
    if port == 22 {
        host.to_owned()
    } else {
        format!("[{host}]:{port}")
    }
}

/// The keys that the server shows now.
pub(crate) async fn fetch(host: &str, port: u16) -> anyhow::Result<Vec<HostKey>> {
    let mut scan = Command::new("ssh-keyscan");
    scan.args(["-T", "10", "-p", &port.to_string(), "--", host]);
    let output = run(scan, "").await?;
    let keys = keys_of(&output.stdout);
    if keys.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said
            .lines()
            .rfind(|line| !line.starts_with('#'))
            .unwrap_or("nothing was said");
        bail!("no host key came from {host} port {port}: {said}");
    }
    Ok(keys)
}

/// The keys that `file` pins for a host.
pub(crate) async fn pinned(file: &Path, name: &str) -> anyhow::Result<Vec<HostKey>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-F", name, "-f"]).arg(file);
    // It ends with 1 when there is none.
    Ok(keys_of(&run(keygen, "").await?.stdout))
}

/// Removes all keys of a host from `file`; OpenSSH keeps the old file as `.old`.
pub(crate) async fn forget(file: &Path, name: &str) -> anyhow::Result<()> {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-R", name, "-f"]).arg(file);
    let output = run(keygen, "").await?;
    if !output.status.success() {
        bail!(
            "ssh-keygen -R failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}

/// Adds keys of a host to `file`, whole or not at all.
pub(crate) fn pin(file: &Path, name: &str, keys: &[HostKey]) -> io::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| *folder != Path::new(""))
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut content = match fs::read_to_string(file) {
        Ok(content) => content,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    for key in keys {
        content.push_str(&key.line(name));
        content.push('\n');
    }
    let mut part = tempfile::Builder::new()
        .permissions(readable(file))
        .tempfile_in(folder)?;
    part.write_all(content.as_bytes())?;
    part.as_file().sync_all()?;
    part.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// The connector may run as another account: host keys are no secret.
fn readable(file: &Path) -> fs::Permissions {
    use std::os::unix::fs::PermissionsExt as _;
    let as_before = fs::metadata(file).map(|metadata| metadata.permissions());
    as_before.unwrap_or_else(|_| fs::Permissions::from_mode(0o644))
}

fn keys_of(output: &[u8]) -> Vec<HostKey> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(HostKey::read)
        .collect()
}

async fn run(mut command: Command, input: &str) -> anyhow::Result<Output> {
    let program = command.as_std().get_program().to_owned();
    let program = Path::new(OsStr::new(&program)).display().to_string();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = command
        .spawn()
        .with_context(|| format!("{program} cannot be run"))?;
    let mut stdin = child.stdin.take().context("no pipe")?;
    let ended = timeout(LIMIT, async {
        // A program that does not read its input is not an error.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        child.wait_with_output().await
    });
    let ended = ended
        .await
        .with_context(|| format!("{program} did not end in time"))?;
    Ok(ended?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn key(kind: &str, key: &str) -> HostKey {
        HostKey {
            kind: kind.to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn lines() {
        let expected = Some(key("ssh-rsa", "AAAA"));
        assert_eq!(HostKey::read("host ssh-rsa AAAA"), expected);
        assert_eq!(
            HostKey::read("@revoked [host]:2222,1.2.3.4 ssh-rsa AAAA a comment"),
            expected
        );
        assert_eq!(
            HostKey::read("# host:22 SSH-2.0-OpenSSH_9.2p1 Debian"),
            None
        );
        assert_eq!(HostKey::read(""), None);
        assert_eq!(name_in_file("login.hpc", 22), "login.hpc");
        assert_eq!(name_in_file("login.hpc", 2222), "[login.hpc]:2222");
    }

    #[tokio::test]
    async fn a_fingerprint_is_what_sites_publish() {
        // GitHub's, as its documentation has it.
        let github = key("ssh-ed25519", ED25519);
        assert_eq!(
            github.fingerprint().await.unwrap(),
            "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
        );
    }

    #[tokio::test]
    async fn what_is_pinned_is_found_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/known_hosts");
        let (one, other) = (
            key("ssh-ed25519", ED25519),
            key("ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQAB"),
        );
        assert_eq!(pinned(&file, "a").await.unwrap(), []);
        pin(&file, "a", std::slice::from_ref(&one)).unwrap();
        pin(&file, "[a]:2222", std::slice::from_ref(&other)).unwrap();
        assert_eq!(pinned(&file, "a").await.unwrap(), [one]);
        assert_eq!(
            pinned(&file, "[a]:2222").await.unwrap(),
            std::slice::from_ref(&other)
        );
        forget(&file, "a").await.unwrap();
        assert_eq!(pinned(&file, "a").await.unwrap(), []);
        assert_eq!(pinned(&file, "[a]:2222").await.unwrap(), [other]);
    }
}
