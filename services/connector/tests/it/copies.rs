//! Copies of folders: complete, and with nothing from outside.

use std::{fs, os::unix::fs::symlink, path::Path};

use compute_domain::ErrorKind;

use crate::parts::Site;

#[tokio::test]
async fn a_copy_is_whole_and_holds_nothing_from_outside() {
    let site = Site::start().await;
    let [from, neighbour, to] = [(); 3].map(|()| site.new_folder());
    site.write(&neighbour, "secret", "x").await;
    site.write(&from, "a/main.py", "print(1)").await;
    site.write(&from, "job.sbatch", "exit 1").await;
    site.write(&from, ".cgc-slurm-id", "7").await;
    for (target, link) in [
        ("main.py", "a/inside"),
        ("/etc/passwd", "a/absolute"),
        (neighbour.as_str(), "neighbour"),
        ("../../../etc", "a/up"),
    ] {
        symlink(target, format!("{from}/{link}")).unwrap();
    }
    for _ in 0..2 {
        site.client.copy_folder(&from, &to).await.unwrap();
    }
    let mut names: Vec<_> = fs::read_dir(&to)
        .unwrap()
        .chain(fs::read_dir(format!("{to}/a")).unwrap())
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["a", "inside", "main.py"]);
    let copied = fs::read_to_string(format!("{to}/a/inside")).unwrap();
    assert_eq!(copied, "print(1)");
    let (none, second) = (format!("{from}-none"), format!("{to}-2"));
    let missing = site.client.copy_folder(&none, &second);
    assert_eq!(missing.await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!Path::new(&second).exists());
    site.stop().await;
}

/// A sparse file takes no room where it is, and all of its length in a copy.
#[tokio::test]
async fn a_folder_that_is_too_large_is_not_copied() {
    let site = Site::start().await;
    let (from, to) = (site.new_folder(), site.new_folder());
    site.write(&from, "main.py", "print(1)").await;
    let file = fs::File::create(format!("{from}/huge")).unwrap();
    file.set_len((10 << 30) + 1).unwrap();
    let refused = site.client.copy_folder(&from, &to).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    assert!(
        refused.message.contains("the limit is 10240 MiB"),
        "{refused}"
    );
    assert!(!Path::new(&to).exists());
    site.stop().await;
}

#[tokio::test]
async fn a_link_in_the_place_of_a_folder_is_not_followed() {
    let site = Site::start().await;
    let (from, to) = (site.new_folder(), site.new_folder());
    symlink("/etc", &from).unwrap();
    let refused = site.client.copy_folder(&from, &to).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    assert!(!Path::new(&to).exists());
    site.stop().await;
}
