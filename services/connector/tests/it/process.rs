//! The service as a process: started, called, stopped, killed.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use compute_proto::ConnectorClient;
use compute_testing::Facts;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::{Child, Command},
};

use crate::parts::{HPC, client_of, kill, processes_that_name};

/// A configuration folder, and a folder with a short path for control sockets.
struct Place {
    config: TempDir,
    control: TempDir,
    root_path: String,
}

/// A connector process.
struct Process {
    child: Child,
    client: ConnectorClient,
    health: String,
}

impl Process {
    /// Stops it as an operator does.
    async fn stop(mut self) {
        kill("-TERM", &[self.child.id().unwrap()]).await;
        let ended = tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await;
        assert!(ended.unwrap().unwrap().success());
    }
}

impl Place {
    fn new() -> Self {
        let facts = Facts::of("hpc");
        let config = tempfile::tempdir().unwrap();
        let write = |name: &str, content: Value| {
            std::fs::write(config.path().join(name), content.to_string()).unwrap();
        };
        let maintainer = json!({"hpc": [HPC], "default_hpc": HPC, "job_pool_capacity": 5,
            "maintainer": "HelloWorldSingularityMaintainer"});
        write(
            "config.json",
            json!({"redis": {"host": "127.0.0.1", "port": 6379, "password": null}}),
        );
        write("maintainer.json", json!({"hello": maintainer}));
        write("jupyter-globus-map.json", json!({}));
        let login = json!({"private_key_path": facts.text("private_key_path"), "passphrase": null});
        write(
            "hpc.json",
            json!({HPC: {
                "ip": facts.text("ip"), "port": facts.port(), "is_community_account": true,
                "community_login": {"user": facts.text("user"), "use_local_key": false,
                    "external_key": login},
                "root_path": facts.text("root_path"), "job_pool_capacity": 5,
                "known_hosts": facts.text("known_hosts"), "container_runtime": "none",
            }}),
        );
        let control = tempfile::Builder::new()
            .prefix("cgc-it-")
            .tempdir_in("/tmp")
            .unwrap();
        Self {
            config,
            control,
            root_path: facts.text("root_path").to_owned(),
        }
    }

    async fn start(&self) -> Process {
        let (address_file, log) = (self.path("address"), self.path("log"));
        let _ = std::fs::remove_file(&address_file);
        let mut command = Command::new(env!("CARGO_BIN_EXE_compute-connector"));
        command
            .args([
                "--listen",
                "127.0.0.1:0",
                "--health-listen",
                "127.0.0.1:0",
                "--config",
            ])
            .arg(self.config.path())
            .arg("--address-file")
            .arg(&address_file)
            .arg("--control-directory")
            .arg(self.control.path())
            .env("CYBERGIS_LOG_FORMAT", "json")
            .stdout(Stdio::from(std::fs::File::create(&log).unwrap()))
            .kill_on_drop(true);
        let child = command.spawn().unwrap();
        let begun = Instant::now();
        while !address_file.exists() {
            let said = std::fs::read_to_string(&log).unwrap();
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "it does not start: {said}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let address = std::fs::read_to_string(&address_file).unwrap();
        let client = client_of(&format!("http://{address}"), HPC);
        Process {
            child,
            client,
            health: health_address(&log),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.config.path().join(name)
    }

    fn masters(&self) -> Vec<u32> {
        let control = format!("{}/", self.control.path().display());
        processes_that_name(&format!("-S\0{control}"))
    }

    fn is_clean(&self) -> bool {
        std::fs::read_dir(self.control.path())
            .unwrap()
            .next()
            .is_none()
    }
}

fn health_address(log: &Path) -> String {
    let said = std::fs::read_to_string(log).unwrap();
    let line: Value = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "health and metrics")
        .unwrap();
    line["address"].as_str().unwrap().to_owned()
}

async fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn until(wanted: impl Fn() -> bool, what: &str) {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn it_measures_what_it_does_and_leaves_nothing_behind() {
    let place = Place::new();
    let process = place.start().await;
    let items = process.client.check().await.unwrap();
    assert!(items.iter().all(|finding| finding.ok), "{items:?}");
    assert!(
        get(&process.health, "/livez")
            .await
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        get(&process.health, "/readyz")
            .await
            .starts_with("HTTP/1.1 200")
    );
    let metrics = get(&process.health, "/metrics").await;
    for expected in [
        r#"cybergis_connector_ssh_connections{hpc="local_hpc"} 1"#,
        r#"cybergis_connector_ssh_sessions{hpc="local_hpc"} 0"#,
        r#"cybergis_connector_logins_total{hpc="local_hpc",outcome="ok"} 1"#,
        r#"cybergis_connector_remote_commands_total{hpc="local_hpc",kind="check",outcome="answered"} 1"#,
        r#"cybergis_connector_remote_command_seconds_count{hpc="local_hpc",kind="check"} 1"#,
        "# HELP cybergis_connector_logins_paused",
    ] {
        assert!(
            metrics.contains(expected),
            "{expected} is not in\n{metrics}"
        );
    }
    let masters = place.masters();
    assert_eq!(masters.len(), 1);
    process.stop().await;
    assert!(place.is_clean());
    until(|| place.masters().is_empty(), "its login is still up").await;
}

#[tokio::test]
async fn what_a_killed_one_left_is_cleared_by_the_next() {
    let place = Place::new();
    let process = place.start().await;
    let folder = format!("{}/{}", place.root_path, std::process::id());
    process.client.make_folder(&folder).await.unwrap();
    let orphans = place.masters();
    assert_eq!(orphans.len(), 1);
    kill("-KILL", &[process.child.id().unwrap()]).await;
    drop(process);
    assert_eq!(place.masters(), orphans, "a login outlives a kill -9");
    let process = place.start().await;
    until(|| place.masters().is_empty(), "the orphan is still up").await;
    process.client.remove_folder(&folder).await.unwrap();
    assert_eq!(place.masters().len(), 1);
    process.stop().await;
}
