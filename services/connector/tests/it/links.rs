//! Races with a program that swaps a folder with a link while the connector uses it:
//! nothing outside of the folder is read, written or removed.
//!
//! Each operation is repeated for `CYBERGIS_RACE_SECONDS` (2 by default).

use std::{
    fs,
    io::Cursor,
    os::unix::fs::{chown, symlink},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use compute_proto::RemoteError;

use crate::parts::Site;

const CANARY: &str = "nobody outside of this folder may read this";

/// Swaps `sub` in a folder with a link to a folder outside, until it is dropped.
struct Race {
    folder: String,
    outside: PathBuf,
    swaps: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Race {
    async fn begin(site: &Site) -> Self {
        let (folder, outside) = (site.new_folder(), PathBuf::from(site.new_folder()));
        for path in [&format!("{folder}/sub"), &outside.display().to_string()] {
            site.write(path, "file", "inside").await;
            site.write(path, "deep/er", "inside").await;
        }
        fs::write(outside.join("file"), CANARY).unwrap();
        fs::write(outside.join("deep/er"), CANARY).unwrap();
        let (swaps, stop) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let (counted, stopped) = (Arc::clone(&swaps), Arc::clone(&stop));
        let (of, to) = (PathBuf::from(&folder), outside.clone());
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::SeqCst) {
                swap(&of, &to);
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            folder,
            outside,
            swaps,
            stop,
            thread: Some(thread),
        }
    }

    /// Repeats `operation` while the folder is swapped.
    #[expect(clippy::print_stdout, reason = "its figures are there to be read")]
    async fn against(
        &self,
        what: &str,
        mut operation: impl AsyncFnMut() -> Result<(), RemoteError>,
    ) {
        let limit = std::env::var("CYBERGIS_RACE_SECONDS").ok();
        let limit = limit.and_then(|text| text.parse().ok()).unwrap_or(2);
        let (begun, before) = (Instant::now(), self.swaps.load(Ordering::SeqCst));
        let (mut done, mut refused) = (0, 0);
        while begun.elapsed() < Duration::from_secs(limit) {
            match operation().await {
                Ok(()) => done += 1,
                Err(_) => refused += 1,
            }
            self.outside_is_untouched(what);
        }
        let swaps = self.swaps.load(Ordering::SeqCst) - before;
        println!("{what}: {swaps} swaps in {limit} s; done {done} times, refused {refused} times");
        assert!(swaps > 0, "nothing was swapped");
        assert!(done + refused > 0);
    }

    fn outside_is_untouched(&self, what: &str) {
        let mut names: Vec<_> = fs::read_dir(&self.outside)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        names.sort();
        assert_eq!(names, ["deep", "file"], "{what}");
        let deep = self.outside.join("deep");
        assert_eq!(fs::read_dir(&deep).unwrap().count(), 1, "{what}");
        for file in [self.outside.join("file"), deep.join("er")] {
            assert_eq!(fs::read_to_string(file).unwrap(), CANARY, "{what}");
        }
    }
}

impl Drop for Race {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Replaces the folder `sub` by a link for a moment. If it has been removed meanwhile,
/// creates it again.
fn swap(folder: &Path, outside: &Path) {
    let (sub, kept) = (folder.join("sub"), folder.join("kept"));
    drop(fs::rename(&sub, &kept));
    drop(symlink(outside, &sub));
    drop(fs::remove_file(&sub));
    if fs::rename(&kept, &sub).is_err() && fs::create_dir(&sub).is_ok() {
        drop(fs::write(sub.join("file"), "inside"));
        if let Ok(owner) = fs::metadata(outside) {
            use std::os::unix::fs::MetadataExt as _;
            drop(chown(&sub, Some(owner.uid()), Some(owner.gid())));
        }
    }
}

/// A tar stream of `file` and `deep/er`.
fn archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for name in ["file", "deep/er"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(3);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, &b"new"[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

fn holds_canary(folder: &Path) -> bool {
    fs::read_dir(folder).into_iter().flatten().any(|entry| {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).unwrap().file_type();
        match kind {
            kind if kind.is_dir() => holds_canary(&path),
            kind if kind.is_file() => fs::read_to_string(&path).unwrap() == CANARY,
            _ => false,
        }
    })
}

#[tokio::test]
async fn reading_and_listing() {
    let site = Site::start().await;
    let race = Race::begin(&site).await;
    let (folder, client) = (format!("{}/sub", race.folder), site.client.clone());
    let file = format!("{folder}/file");
    race.against("read", async || {
        let part = client.read_file(&file, 0, 0).await?;
        assert_ne!(part.content, CANARY.as_bytes());
        Ok(())
    })
    .await;
    race.against("list", async || {
        let listed = client.list_folder(&race.folder).await?;
        // `deep` is there only where `sub` is the folder itself.
        assert!(listed.folders.iter().all(|path| !path.contains("outside")));
        client.list_folder(&folder).await.map(drop)
    })
    .await;
    drop(race);
    site.stop().await;
}

#[tokio::test]
async fn writing_and_unpacking() {
    let site = Site::start().await;
    let race = Race::begin(&site).await;
    let (folder, client) = (format!("{}/sub", race.folder), site.client.clone());
    let file = format!("{folder}/file");
    race.against("write", async || {
        client.write_file(&file, b"new".to_vec()).await
    })
    .await;
    race.against("make folder", async || {
        client.make_folder(&format!("{folder}/deep/new")).await
    })
    .await;
    race.against("upload", async || {
        let sent = client.upload_folder(&folder, Cursor::new(archive()));
        sent.await.map(drop)
    })
    .await;
    drop(race);
    site.stop().await;
}

#[tokio::test]
async fn copying_and_storing_logs() {
    let site = Site::start().await;
    let race = Race::begin(&site).await;
    let client = site.client.clone();
    let copy = site.new_folder();
    race.against("copy", async || {
        let copied = client.copy_folder(&race.folder, &copy).await;
        assert!(!holds_canary(Path::new(&copy)));
        copied
    })
    .await;
    let job = site.job_with("exit 0").await;
    job.leave("job.stdout", "hello");
    let folder = format!("{}/sub", race.folder);
    race.against("store logs", async || {
        client.store_logs(&job.mark.job, &folder).await
    })
    .await;
    drop(race);
    site.stop().await;
}

#[tokio::test]
async fn removing() {
    let site = Site::start().await;
    let race = Race::begin(&site).await;
    let (folder, client) = (format!("{}/sub", race.folder), site.client.clone());
    race.against("remove a file's folder", async || {
        client.remove_folder(&format!("{folder}/deep")).await
    })
    .await;
    race.against("remove", async || client.remove_folder(&folder).await)
        .await;
    race.against("remove all", async || {
        let removed = client.remove_folder(&race.folder).await;
        drop(fs::create_dir(&race.folder));
        removed
    })
    .await;
    drop(race);
    site.stop().await;
}
