//! The services as child processes: the real binaries, stopped or killed by a
//! scenario.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::Context as _;

/// A running service.
#[derive(Debug)]
pub struct Service {
    name: String,
    binary: PathBuf,
    args: Vec<String>,
    envs: Vec<(String, String)>,
    folder: PathBuf,
    child: Child,
    address: String,
}

/// The folder of the binaries of this build, seen from a test or from one of the binaries.
///
/// # Errors
/// If the path of this program is not known.
pub fn binaries() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().context("no folder of binaries")?;
    let folder = if folder.ends_with("deps") {
        folder.parent().context("no folder of binaries")?
    } else {
        folder
    };
    Ok(folder.to_owned())
}

impl Service {
    /// Starts the program at `binary` and waits until it has bound its address. Its log
    /// is `log/NAME.log` in `folder`.
    ///
    /// # Errors
    /// If it exits, or does not bind within 120 s; the error contains the end of its log.
    pub fn start(
        folder: &Path,
        name: &str,
        binary: &Path,
        args: &[String],
        envs: &[(String, String)],
    ) -> anyhow::Result<Self> {
        let (child, address) = launch(folder, name, binary, args, envs, "127.0.0.1:0")?;
        Ok(Self {
            name: name.to_owned(),
            binary: binary.to_owned(),
            args: args.to_vec(),
            envs: envs.to_vec(),
            folder: folder.to_owned(),
            child,
            address,
        })
    }

    /// `ip:port` that it has bound.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The id of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether its process has ended.
    ///
    /// # Errors
    /// If the process cannot be asked.
    pub fn has_exited(&mut self) -> anyhow::Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Kills it, as `kill -9` does.
    ///
    /// # Errors
    /// If it could not be killed.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Sends SIGTERM and waits until it has exited.
    ///
    /// # Errors
    /// If the signal fails, or the exit status is not 0.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        self.ask_to_stop()?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "{} ended with {status}", self.name);
        Ok(())
    }

    fn ask_to_stop(&self) -> anyhow::Result<()> {
        self.signal("TERM")
    }

    /// Sends it the signal of that name, e.g. `STOP`.
    ///
    /// # Errors
    /// If the signal fails.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status()?;
        anyhow::ensure!(sent.success(), "cannot signal {}", self.name);
        Ok(())
    }

    /// Sends SIGTERM and waits up to `limit`. Succeeds at once if the service has already
    /// exited.
    ///
    /// # Errors
    /// If the signal fails, or the service still runs after `limit`.
    pub fn stop_within(&mut self, limit: Duration) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        self.ask_to_stop()?;
        let began = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(began.elapsed() < limit, "{} does not stop", self.name);
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Stops it and starts the program of that name in `folder` on the same address.
    ///
    /// # Errors
    /// As [`Self::stop`] and [`Self::start`].
    pub fn replace(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.stop()?;
        let name = self.binary.file_name().context("no name of a program")?;
        self.binary = folder.join(name);
        self.restart()
    }

    /// Starts it again on the same address.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn restart(&mut self) -> anyhow::Result<()> {
        let listen = self.address.clone();
        let (child, address) = launch(
            &self.folder,
            &self.name,
            &self.binary,
            &self.args,
            &self.envs,
            &listen,
        )?;
        (self.child, self.address) = (child, address);
        Ok(())
    }

    /// `ip:port` of its health and metrics: from its log, or else the address of the
    /// service itself.
    pub fn health_address(&self) -> String {
        let log = self.log();
        let said = log
            .lines()
            .rfind(|line| line.contains("health and metrics"));
        let address = said.and_then(|line| {
            let (_, address) = line.split_once("127.0.0.1:")?;
            let port = address.split(|c: char| !c.is_ascii_digit()).next()?;
            Some(format!("127.0.0.1:{port}"))
        });
        address.unwrap_or_else(|| self.address.clone())
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(log_path(&self.folder, &self.name)).unwrap_or_default()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.kill();
    }
}

fn log_path(folder: &Path, name: &str) -> PathBuf {
    folder.join("log").join(format!("{name}.log"))
}

fn launch(
    folder: &Path,
    name: &str,
    binary: &Path,
    args: &[String],
    envs: &[(String, String)],
    listen: &str,
) -> anyhow::Result<(Child, String)> {
    fs::create_dir_all(folder.join("log"))?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(log_path(folder, name))?;
    let address_file = folder.join(format!("{name}.address"));
    let _ = fs::remove_file(&address_file);
    let mut child = Command::new(binary)
        .args(["--listen", listen, "--address-file"])
        .arg(&address_file)
        .args(args)
        .envs(envs.iter().map(|(key, value)| (key, value)))
        .env(
            "CYBERGIS_LOG",
            "info,compute_maintainer=debug,compute_connector=debug,compute_runtime=debug",
        )
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}: `cargo build` first", binary.display()))?;
    let began = Instant::now();
    loop {
        if let Ok(address) = fs::read_to_string(&address_file)
            && !address.trim().is_empty()
        {
            return Ok((child, address.trim().to_owned()));
        }
        let ended = child.try_wait()?;
        if ended.is_some() || began.elapsed() > Duration::from_secs(120) {
            let _ = child.kill();
            let log = fs::read_to_string(log_path(folder, name)).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(20).collect();
            let tail: Vec<_> = tail.into_iter().rev().collect();
            anyhow::bail!("{name} did not start:\n{}", tail.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
