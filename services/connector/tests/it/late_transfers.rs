//! Transfers that come to their end after another one, or after the job was submitted.

use std::{io, path::Path, process::Stdio};

use compute_domain::ErrorKind;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
    sync::oneshot,
};

use crate::{
    parts::{Site, kill, processes_that_name},
    waiting::eventually,
};

/// A tar stream of one file.
async fn tar_of(name: &str, content: &str) -> Vec<u8> {
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join(name), content).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["-c", "-f", "-", "-C"])
        .arg(source.path())
        .arg(".")
        .stdout(Stdio::piped());
    tar.output().await.unwrap().stdout
}

/// A reader of `tar` that gives its second half once it is told to.
fn in_two_halves(
    tar: Vec<u8>,
) -> (
    impl tokio::io::AsyncRead + Send + Unpin,
    oneshot::Sender<()>,
) {
    let (mut writer, reader) = tokio::io::duplex(1 << 20);
    let (sender, told) = oneshot::channel();
    tokio::spawn(async move {
        let (first, second) = tar.split_at(tar.len() / 2);
        writer.write_all(first).await.unwrap();
        let _ = told.await;
        writer.write_all(second).await.unwrap();
    });
    (reader, sender)
}

/// The `tar` on the login node that unpacks into `folder`.
fn remote_tar(folder: &str) -> Option<u32> {
    let name = Path::new(folder).file_name()?.to_str()?;
    let parent = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit(')')
            .next()?
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    };
    let of_folder = processes_that_name(name);
    let mut tars = processes_that_name("tar\0-x").into_iter();
    tars.find(|pid| parent(pid).is_some_and(|parent: u32| of_folder.contains(&parent)))
}

fn content(folder: &str) -> String {
    std::fs::read_to_string(format!("{folder}/file")).unwrap()
}

/// The connector is killed while the tar of an upload hangs; the upload is repeated, the job is
/// submitted, and then the tar goes on.
#[tokio::test]
async fn a_tar_that_hung_replaces_no_files_of_a_running_program() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    let holder = site.holder(&job, 1);
    let folder = site.new_folder();
    let (reader, go_on) = in_two_halves(tar_of("file", "old").await);
    let hung = tokio::spawn({
        let (holder, folder) = (holder.clone(), folder.clone());
        async move { holder.upload_folder(&folder, reader).await }
    });
    eventually("tar runs", async || remote_tar(&folder).is_some()).await;
    let tar = remote_tar(&folder).unwrap();
    kill("-STOP", &[tar]).await;
    go_on.send(()).unwrap();
    kill("-KILL", &site.masters()).await;
    assert!(hung.await.unwrap().is_err());

    let new = io::Cursor::new(tar_of("file", "new").await);
    holder.upload_folder(&folder, new).await.unwrap();
    holder.submit(&job.mark, None, true).await.unwrap();
    kill("-CONT", &[tar]).await;
    let script = format!("/proc/{tar}");
    eventually("tar has ended", async || !Path::new(&script).exists()).await;
    let name = Path::new(&folder).file_name().unwrap().to_str().unwrap();
    eventually("its script has ended", async || {
        crate::waiting::remote_processes_that_name(&format!("\0{name}\0")) == 0
    })
    .await;
    assert_eq!(content(&folder), "new");
    site.stop().await;
}

/// Of two transfers of one job, the one that began last wins, whichever comes to its end last.
#[tokio::test]
async fn the_transfer_that_began_last_wins() {
    let site = Site::start().await;
    let job = site.job_with("exit 0").await;
    let holder = site.holder(&job, 1);
    let folder = site.new_folder();
    let (reader, go_on) = in_two_halves(tar_of("file", "first").await);
    let first = holder.upload_folder(&folder, reader);
    let other = async {
        eventually("tar runs", async || remote_tar(&folder).is_some()).await;
        let second = io::Cursor::new(tar_of("file", "second").await);
        holder.upload_folder(&folder, second).await.unwrap();
        go_on.send(()).unwrap();
    };
    let (first, ()) = tokio::join!(first, other);
    assert_eq!(first.unwrap_err().kind, ErrorKind::Uncertain);
    assert_eq!(content(&folder), "second");
    site.stop().await;
}

/// A transfer that began before the submission is not completed after it.
#[tokio::test]
async fn nothing_is_transferred_after_the_submission() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    let holder = site.holder(&job, 1);
    let folder = site.new_folder();
    let (reader, go_on) = in_two_halves(tar_of("file", "late").await);
    let late = holder.upload_folder(&folder, reader);
    let other = async {
        eventually("tar runs", async || remote_tar(&folder).is_some()).await;
        holder.submit(&job.mark, None, true).await.unwrap();
        go_on.send(()).unwrap();
    };
    let (late, ()) = tokio::join!(late, other);
    assert_eq!(late.unwrap_err().kind, ErrorKind::Uncertain);
    assert!(!Path::new(&folder).exists());
    site.stop().await;
}

/// A stream that was cut is not renamed although tar takes it for complete, and its unpacked
/// files are removed.
#[tokio::test]
async fn what_was_cut_is_discarded() {
    let site = Site::start().await;
    let folder = site.new_folder();
    let name = Path::new(&folder).file_name().unwrap().to_str().unwrap();
    let whole = tar_of(name, "x").await;
    let failing = cut_after(whole);
    site.client
        .upload_folder(&folder, failing)
        .await
        .unwrap_err();
    assert!(!Path::new(&folder).exists());
    let private = format!("{}/.cgc", site.facts.text("root_path"));
    let is_discarded = async || {
        let found = Command::new("find")
            .args([&private, "-name", name])
            .output()
            .await
            .unwrap();
        found.stdout.is_empty()
    };
    eventually("the unpacked files are removed", is_discarded).await;
    site.stop().await;
}

/// A reader that gives all of `tar`, and then fails.
fn cut_after(tar: Vec<u8>) -> impl tokio::io::AsyncRead + Send + Unpin {
    io::Cursor::new(tar).chain(Failing)
}

struct Failing;

impl tokio::io::AsyncRead for Failing {
    fn poll_read(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        _: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::task::Poll::Ready(Err(io::Error::other("git archive failed")))
    }
}
