//! The deployment's proxy: nginx with the configuration of the compose file, as an account
//! without rights, on a socket and without TLS, so that a test can choose and see every byte
//! of a request and its response.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context as _;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use crate::eventually;

/// The account `nobody` of Debian.
const ACCOUNT: &str = "65534";

/// Long enough for a busy machine.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A running proxy. Stopped when dropped.
#[derive(Debug)]
pub struct Proxy {
    child: Child,
    folder: tempfile::TempDir,
}

impl Proxy {
    /// Starts a proxy for the gateway at `ip:port`. In the configuration, the first text of each
    /// of `changes`, which occurs once, is replaced by the second.
    ///
    /// # Errors
    /// If nginx is not installed or does not start, or if a text to replace does not occur once in its
    /// configuration.
    pub async fn start(gateway: &str, changes: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("proxy").tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777))?;
        let at = |name: &str| folder.path().join(name).display().to_string();
        let (listen, run, tmp) = (at("socket"), at("nginx.pid"), at(""));
        let own = [
            ("listen 443 ssl http2", format!("listen unix:{listen}")),
            ("gateway:3030", gateway.to_owned()),
            ("/run/nginx.pid", run),
            ("/dev/stdout", at("access.log")),
            ("/dev/stderr", at("error.log")),
            ("ssl_certificate /run/secrets/proxy.crt;", String::new()),
            ("ssl_certificate_key /run/secrets/proxy.key;", String::new()),
        ];
        let own = own.iter().map(|(from, to)| (*from, to.as_str()));
        let text = fs::read_to_string(configuration())?;
        let mut text = text.replace(" /tmp/", &format!(" {tmp}"));
        for (from, to) in own.chain(changes.iter().copied()) {
            let found = text.matches(from).count();
            anyhow::ensure!(found == 1, "{from} is {found} times in nginx.conf");
            text = text.replace(from, to);
        }
        fs::write(at("nginx.conf"), text)?;
        let child = Command::new("setpriv")
            .args([
                &format!("--reuid={ACCOUNT}"),
                &format!("--regid={ACCOUNT}"),
                "--clear-groups",
            ])
            .args(["/usr/sbin/nginx", "-g", "daemon off;", "-p", &tmp])
            .args(["-e", &at("error.log"), "-c", &at("nginx.conf")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start nginx: run deploy/local/install proxy")?;
        let mut proxy = Self { child, folder };
        eventually("the proxy listens", TIMEOUT, async || {
            if let Some(status) = proxy.child.try_wait()? {
                anyhow::bail!("nginx ended with {status}: {}", proxy.log());
            }
            Ok(proxy.connect().await.ok())
        })
        .await?;
        Ok(proxy)
    }

    /// Opens a connection as a client.
    ///
    /// # Errors
    /// If the proxy does not accept it.
    pub async fn connect(&self) -> anyhow::Result<UnixStream> {
        Ok(UnixStream::connect(self.folder.path().join("socket")).await?)
    }

    /// Sends these bytes, and reads until the proxy closes the connection.
    ///
    /// # Errors
    /// If the proxy does not close it within a minute.
    pub async fn send(&self, request: &[u8]) -> anyhow::Result<Answer> {
        let mut stream = self.connect().await?;
        let mut answer = Vec::new();
        let talk = async {
            // A request that is rejected early can be cut while it is sent.
            let _ = stream.write_all(request).await;
            let _ = stream.read_to_end(&mut answer).await;
        };
        tokio::time::timeout(TIMEOUT, talk)
            .await
            .with_context(|| format!("no end of the answer to {}", request.escape_ascii()))?;
        Answer::read(&answer)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // nginx ends its workers on SIGTERM, not when it is killed.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

/// A parsed response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Status; 0 if the connection was closed without a response.
    pub status: u16,
    /// The head, in lower case.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = match head.split(' ').nth(1) {
            None => 0,
            Some(status) => status
                .parse()
                .with_context(|| format!("no status: {head}"))?,
        };
        Ok(Self {
            status,
            head: head.to_lowercase(),
            body: body.to_owned(),
        })
    }
}

fn configuration() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/compose/nginx.conf")
}
