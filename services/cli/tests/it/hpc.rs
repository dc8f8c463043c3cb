//! `hpc`.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use crate::operator::Operator;

/// A real SSH server that nobody can log in to; it shows its host key.
struct Sshd(Child);

impl Sshd {
    fn start(operator: &Operator, key: &str) -> (Self, u16) {
        let key = operator.path(key);
        if !key.exists() {
            let mut keygen = Command::new("ssh-keygen");
            keygen
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&key);
            assert!(keygen.status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let child = Command::new("/usr/sbin/sshd")
            .args(["-D", "-f", "/dev/null", "-p", &port.to_string(), "-h"])
            .arg(key)
            .args(["-o", "ListenAddress=127.0.0.1", "-o", "PidFile=none"])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        for _ in 0..100 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (server, port);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("sshd does not answer");
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn at_port(operator: &Operator, port: u16) {
    let path = operator.path("config/hpc.json");
    let mut hpc: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    hpc["local_hpc"]["port"] = json!(port);
    operator.write("hpc.json", &hpc);
}

#[tokio::test]
async fn a_host_key_is_shown_before_it_is_pinned() {
    let operator = Operator::new().await;
    let (_server, port) = Sshd::start(&operator, "host_key");
    at_port(&operator, port);
    let known_hosts = operator.path("config/known_hosts");
    let said = operator.run(&["hpc", "trust", "local_hpc"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(
        said.stdout.contains("SHA256:") && said.stdout.contains("--yes"),
        "{}",
        said.stdout
    );
    assert!(!known_hosts.exists(), "nobody has agreed");

    let pinned = operator.json(&["hpc", "trust", "local_hpc", "--yes"]);
    assert_eq!(
        (&pinned["written"], &pinned["keys"][0]["standing"]),
        (&json!(true), &json!("new"))
    );
    let public = fs::read_to_string(operator.path("host_key.pub")).unwrap();
    let key = public
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    let line = format!("[127.0.0.1]:{port} {key}\n");
    assert_eq!(fs::read_to_string(&known_hosts).unwrap(), line);

    let again = operator.json(&["hpc", "trust", "local_hpc"]);
    assert_eq!(
        (&again["written"], &again["keys"][0]["standing"]),
        (&json!(false), &json!("pinned"))
    );
}

#[tokio::test]
async fn a_changed_host_key_is_an_alarm() {
    let operator = Operator::new().await;
    let (server, port) = Sshd::start(&operator, "host_key");
    at_port(&operator, port);
    operator.good(&["hpc", "trust", "local_hpc", "--yes"]);
    drop(server);
    let known_hosts = operator.path("config/known_hosts");
    let before = fs::read_to_string(&known_hosts).unwrap();
    let other = before.replace(&format!("[127.0.0.1]:{port}"), "[127.0.0.1]:1");
    let (_server, port) = Sshd::start(&operator, "other_key");
    at_port(&operator, port);
    fs::write(
        &known_hosts,
        other.replace("[127.0.0.1]:1", &format!("[127.0.0.1]:{port}")),
    )
    .unwrap();

    let said = operator.run(&["hpc", "trust", "local_hpc", "--yes"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stdout.contains("CHANGED") && said.stdout.contains("--replace"),
        "{}",
        said.stdout
    );
    operator.good(&["hpc", "trust", "local_hpc", "--yes", "--replace"]);
    let after = fs::read_to_string(&known_hosts).unwrap();
    assert_eq!(after.lines().count(), 1, "{after}");
    assert_eq!(
        operator.json(&["hpc", "trust", "local_hpc"])["keys"][0]["standing"],
        "pinned"
    );
}

#[tokio::test]
async fn what_does_not_answer_is_named() {
    let operator = Operator::new().await;
    let error = operator.bad(&["hpc", "trust", "local_hpc", "--yes"]);
    assert!(
        error.starts_with("no host key came from 127.0.0.1 port 1: "),
        "{error}"
    );
    let error = operator.bad(&["hpc", "trust", "nowhere"]);
    assert_eq!(error, "hpc.json has no nowhere; it has local_hpc");
    let error = operator.bad(&["hpc", "check", "local_hpc"]);
    assert!(
        error.starts_with("the connector at http://127.0.0.1:1 does not answer"),
        "{error}"
    );
}
