//! Templates that the operator removes while their jobs are queued.

use std::{fs, path::Path, process::Command};

use compute_db::Pinned;
use compute_domain::job::State;
use compute_maintainer::intake::Claimed;
use rstest::rstest;
use serde_json::json;

use crate::world::{HPC, TEMPLATES, World};

fn git(repository: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[rstest]
#[case::its_address_is_pinned(true, State::Ended)]
#[case::a_job_of_an_older_version(false, State::Failed)]
#[tokio::test]
async fn a_removed_template_is_fetched_from_its_pinned_address(
    #[case] has_address: bool,
    #[case] state: State,
) {
    let world = World::new().await;
    let repository = world.folder.path().join("repository");
    fs::create_dir(&repository).unwrap();
    let manifest = json!({"name": "t", "container": "python", "execution_stage": "true"});
    fs::write(repository.join("manifest.json"), manifest.to_string()).unwrap();
    git(&repository, &["init", "--quiet", "--initial-branch=main"]);
    git(&repository, &["add", "--all"]);
    git(&repository, &["commit", "--quiet", "--message=t"]);
    let address = format!("file://{}", repository.display());
    let pinned = Pinned {
        template_id: Some("t".to_owned()),
        template_sha: Some(git(&repository, &["rev-parse", "HEAD"])),
        template_address: has_address.then_some(address),
        manifest: Some(manifest),
        ..Pinned::default()
    };
    let job = world.created(TEMPLATES, HPC).await;
    let id = world.submit(&job, pinned).await;
    assert_eq!(world.claim(&id).await, Claimed::Taken);
    let job = world.until_over(&id).await;
    assert_eq!(job.state, state, "{:?}", job.cause);
    let uploads = world.connector.calls_of("upload_folder");
    assert_eq!(uploads, usize::from(has_address));
    if !has_address {
        let cause = job.cause.unwrap();
        assert!(cause.contains("template t has been removed"), "{cause}");
    }
}
