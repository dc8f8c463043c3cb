//! Logins, and what happens when they fail.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use compute_domain::{ErrorKind, job::JobFile};
use futures::future::join_all;
use tokio::{io::AsyncWriteExt as _, net::TcpListener, process::Command};

use crate::{
    parts::{Site, kill, unknown_job},
    waiting::{eventually, remote_processes_that_name},
};

#[tokio::test]
async fn a_check_says_what_is_there() {
    let site = Site::start().await;
    let items = site.client.check().await.unwrap();
    assert!(items.iter().all(|finding| finding.ok), "{items:?}");
    let subjects: Vec<&str> = items
        .iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    let expected = [
        "login",
        "scheduler",
        "accounting",
        "container runtime",
        "root path",
    ];
    assert_eq!(subjects, expected);
    assert!(items[0].detail.starts_with(site.facts.text("user")));
    assert!(items[1].detail.contains("slurm"), "{items:?}");
    site.stop().await;
}

#[tokio::test]
async fn a_check_says_what_is_wrong() {
    let site = Site::start_with(|hpc| {
        hpc.root_path = "/proc/none".to_owned();
        hpc.container_runtime = compute_domain::site::ContainerRuntime::Charliecloud;
    })
    .await;
    let items = site.client.check().await.unwrap();
    let root = items
        .iter()
        .find(|finding| finding.subject == "root path")
        .unwrap();
    assert!(
        !root.ok && root.detail.contains("/proc/none is not a folder"),
        "{root:?}"
    );
    let folder = site.client.make_folder("/proc/none/1").await.unwrap_err();
    assert_eq!(
        folder.kind(),
        ErrorKind::Unavailable,
        "a file system that is not mounted: {folder}"
    );
    site.stop().await;
}

/// Banners before and after the reply, on both outputs, with and without a line break.
#[tokio::test]
async fn a_login_shell_that_talks() {
    let site = Site::start().await;
    let account = Command::new("getent")
        .args(["passwd", site.facts.text("user")])
        .output()
        .await;
    let account = String::from_utf8(account.unwrap().stdout).unwrap();
    let rc = std::path::Path::new(account.split(':').nth(5).unwrap()).join(".bashrc");
    let silent = std::fs::read_to_string(&rc).unwrap();
    let noise = "echo 'cgc-0 begin'; echo '1|RUNNING|0||'; echo 'sbatch: error: quota' >&2; \
                 trap 'printf bye' EXIT; printf 'no end of line'\n";
    std::fs::write(&rc, format!("{noise}{silent}")).unwrap();
    let job = site.job_with("exit 3").await;
    let submitted = site.submit(&job).await;
    let seen = site.client.job_states(&[unknown_job("1")]).await;
    let read = site
        .client
        .read_job_file(&job.mark.job, JobFile::Script, 11)
        .await;
    std::fs::write(&rc, silent).unwrap();
    assert!(submitted.unwrap().slurm_id.parse::<u32>().is_ok());
    assert_ne!(seen.unwrap()[0].phase, compute_domain::job::Phase::Running);
    assert_eq!(read.unwrap().content, b"#!/bin/bash");
    site.stop().await;
}

#[tokio::test]
async fn a_wrong_host_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("other");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.await.unwrap().success());
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let known_hosts = folder.path().join("known hosts");
    let site = Site::start_with(|hpc| {
        let mut file = std::fs::File::create(&known_hosts).unwrap();
        writeln!(file, "[{}]:{} {public}", hpc.ip, hpc.port).unwrap();
        hpc.known_hosts = known_hosts.clone();
    })
    .await;
    let path = site.new_folder();
    let error = site.client.make_folder(&path).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.message.contains("its host key is not the one in"),
        "{error}"
    );

    std::fs::write(&known_hosts, "").unwrap();
    // Logins are paused for a moment after the failed one.
    eventually("the check names the command", async || {
        let findings = site.client.check().await.unwrap();
        assert_eq!(findings.len(), 1);
        assert!(!findings[0].ok);
        findings[0].detail.contains("hpc trust local_hpc")
    })
    .await;
    assert!(!std::path::Path::new(&path).exists());
    site.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("id");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key)
        .status();
    assert!(made.await.unwrap().success());
    let site = Site::start_with(|hpc| {
        hpc.community_login.as_mut().unwrap().private_key_path = key.clone();
    })
    .await;
    let items = site.client.check().await.unwrap();
    assert!(
        items[0].detail.contains("does not accept the key"),
        "{items:?}"
    );
    assert!(items[0].detail.contains(key.to_str().unwrap()), "{items:?}");
    site.stop().await;
}

#[tokio::test]
async fn a_key_with_a_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("id");
    let passphrase = "correct 'horse' $HOME \\n \"staple\"";
    let (copy, phrase) = (key.clone(), passphrase.to_owned());
    let site = Site::start_with(|hpc| {
        let login = hpc.community_login.as_mut().unwrap();
        std::fs::copy(&login.private_key_path, &copy).unwrap();
        let changed = std::process::Command::new("ssh-keygen")
            .args(["-q", "-p", "-P", "", "-N", &phrase, "-f"])
            .arg(&copy)
            .status()
            .unwrap();
        assert!(changed.success());
        login.private_key_path = copy.clone();
        login.passphrase = Some(phrase.clone().into());
    })
    .await;
    let items = site.client.check().await.unwrap();
    assert!(items.iter().all(|finding| finding.ok), "{items:?}");

    let wrong = Site::start_with(|hpc| {
        let login = hpc.community_login.as_mut().unwrap();
        login.private_key_path = key.clone();
        login.passphrase = Some("wrong".to_owned().into());
    })
    .await;
    let items = wrong.client.check().await.unwrap();
    assert!(
        items[0].detail.contains("does not accept the key"),
        "{items:?}"
    );
    site.stop().await;
    wrong.stop().await;
}

#[tokio::test]
async fn a_login_that_died_is_made_again() {
    let site = Site::start().await;
    let folder = site.new_folder();
    site.client.make_folder(&folder).await.unwrap();
    let before = site.masters();
    assert_eq!(before.len(), 1);
    kill("-KILL", &before).await;
    site.client.make_folder(&folder).await.unwrap();
    let after = site.masters();
    assert_eq!(after.len(), 1);
    assert_ne!(before, after);
    site.stop().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_leaves_uncertainty_and_the_next_call_works() {
    let site = Site::start().await;
    let folder = site.new_folder();
    site.client.make_folder(&folder).await.unwrap();
    let name = folder.rsplit('/').next().unwrap();
    let (mut sender, receiver) = tokio::io::duplex(1024);
    let (uploaded, ()) = tokio::join!(site.client.upload_folder(&folder, receiver), async {
        sender.write_all(&[0; 100]).await.unwrap();
        eventually("the upload runs over there", async || {
            remote_processes_that_name(name) > 0
        })
        .await;
        kill("-KILL", &site.masters()).await;
        eventually("the login is gone", async || site.masters().is_empty()).await;
        drop(sender);
    });
    let error = uploaded.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
    site.client.make_folder(&folder).await.unwrap();
    site.stop().await;
}

#[tokio::test]
async fn logins_are_few_however_much_is_asked_for() {
    let site = Site::start_with(|hpc| {
        hpc.max_connections = 2;
        hpc.max_sessions_per_connection = 3;
    })
    .await;
    let folders: Vec<String> = (0..60).map(|_| site.new_folder()).collect();
    let made = join_all(folders.iter().map(|folder| site.client.make_folder(folder))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(site.masters().len(), 2);
    let control = site.control.path().to_owned();
    let masters = site.masters();
    site.stop().await;
    assert_eq!(
        std::fs::read_dir(control).map_or(0, Iterator::count),
        0,
        "no process is left"
    );
    let begun = Instant::now();
    let alive = |pid: &u32| std::path::Path::new(&format!("/proc/{pid}/cwd")).exists();
    while masters.iter().any(alive) {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "logins are still up"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A login node that accepts and closes connections sees few login attempts.
#[tokio::test]
async fn a_sick_login_node_is_not_hammered() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let login_attempts = tokio::spawn(async move {
        let mut login_attempts = 0;
        while let Ok(accepted) =
            tokio::time::timeout(Duration::from_secs(4), listener.accept()).await
        {
            drop(accepted);
            login_attempts += 1;
        }
        login_attempts
    });
    let site = Site::start_with(|hpc| hpc.port = port).await;
    let folder = site.new_folder();
    let begun = Instant::now();
    let mut refused = 0;
    while begun.elapsed() < Duration::from_secs(3) {
        let errors = join_all((0..20).map(|_| site.client.make_folder(&folder))).await;
        assert!(errors.iter().all(|made| {
            made.as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Unavailable)
        }));
        refused += errors.len();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let login_attempts = login_attempts.await.unwrap();
    assert!(
        (2..=6).contains(&login_attempts),
        "{login_attempts} logins for {refused} calls"
    );
    site.stop().await;
}
