//! An sshd that authenticates through PAM.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use compute_testing::Facts;

/// A login node where PAM asks for the password.
pub(crate) struct PamNode {
    sshd: Child,
    pub(crate) port: u16,
    folder: tempfile::TempDir,
}

impl PamNode {
    pub(crate) fn start(facts: &Facts) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("host_key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&key)
            .status();
        assert!(made.unwrap().success());
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let known_hosts = folder.path().join("known_hosts");
        fs::write(&known_hosts, format!("[127.0.0.1]:{port} {public}")).unwrap();
        let config = folder.path().join("sshd_config");
        let lines = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nPidFile none\nUsePAM yes\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication yes\nUseDNS no\n\
             SetEnv SLURM_CONF={}\n",
            key.display(),
            facts.text("slurm_conf"),
        );
        fs::write(&config, lines).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let sshd = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let node = Self { sshd, port, folder };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(5), "{}", node.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        node
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.folder.path().join("known_hosts")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for PamNode {
    fn drop(&mut self) {
        self.sshd.kill().unwrap();
        self.sshd.wait().unwrap();
    }
}
