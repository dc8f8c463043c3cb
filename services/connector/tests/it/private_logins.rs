//! Private accounts: each user logs in with a password.

use std::{
    fs,
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{JobFile, SlurmJob, private_path},
    site::Hpc,
};
use compute_proto::RemoteError;
use compute_testing::Facts;
use futures::future::join_all;
use secrecy::SecretString;

use crate::{
    pam_node::PamNode,
    parts::{HPC, Site, kill, processes_that_name},
};

fn private(facts: &Facts, hpc: &mut Hpc) {
    hpc.is_community_account = false;
    hpc.community_login = None;
    hpc.root_path = facts.text("private_root_path").to_owned();
}

async fn site() -> Site {
    let facts = Facts::of("hpc");
    Site::start_with(|hpc| private(&facts, hpc)).await
}

/// An account and its password. Those after the fourth are for the scenarios; only those
/// that no other test takes are counted on.
fn account(site: &Site, at: usize) -> (String, SecretString) {
    let all = site.facts.value("private_passwords").as_object().unwrap();
    let (user, password) = all.iter().nth(at).unwrap();
    let password = password.as_str().unwrap();
    (user.clone(), SecretString::from(password))
}

/// A new folder for a job.
fn new_job(site: &Site) -> (JobId, String) {
    let job = site.new_job().mark.job;
    let folder = format!("{}/{job}", site.facts.text("private_root_path"));
    (job, folder)
}

async fn check(
    site: &Site,
    job: &JobId,
    user: &str,
    password: &str,
) -> Result<String, RemoteError> {
    let password = SecretString::from(password);
    site.client.check_login(job, user, &password).await
}

/// Number of lines with `text` about the account in the log of the login node.
fn node_says(site: &Site, text: &str, user: &str) -> usize {
    let log = fs::read_to_string(site.facts.path("sshd_log")).unwrap();
    log.lines()
        .filter(|line| line.contains(text) && line.contains(&format!(" {user} ")))
        .count()
}

#[tokio::test]
async fn a_job_of_a_private_account_runs_as_its_owner() {
    let site = site().await;
    let (user, password) = account(&site, 3);
    let mark = site.new_job().mark;
    let job = mark.job.clone();
    let before = node_says(&site, "Accepted password", &user);
    let sealed = site
        .client
        .check_login(&job, &user, &password)
        .await
        .unwrap();
    let client = site.client.with_credential(&job, &sealed);
    let root = site.facts.text("private_root_path");
    let out = private_path(root, Some(&user), &job, JobFile::Stdout);
    let script = format!(
        "#!/bin/bash\n#SBATCH --output={out}\n#SBATCH --comment={mark}\n#SBATCH --mem=50M\nid -un; pwd\n"
    );
    client
        .write_job_file(&job, JobFile::Script, script.into_bytes())
        .await
        .unwrap();
    let slurm_id = client.submit(&mark, None, true).await.unwrap().slurm_id;
    let submitted = SlurmJob { slurm_id, mark };
    let begun = Instant::now();
    loop {
        let seen = client
            .job_states(std::slice::from_ref(&submitted))
            .await
            .unwrap();
        if matches!(seen[0].phase, compute_domain::job::Phase::Ended(_)) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{seen:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let out = client
        .read_job_file(&job, JobFile::Stdout, 0)
        .await
        .unwrap();
    assert!(String::from_utf8_lossy(&out.content).starts_with(&user));
    assert_eq!(
        node_says(&site, "Accepted password", &user) - before,
        1,
        "the login that was checked is the one that is used"
    );
    let masters = site.masters();
    assert_eq!(masters.len(), 1);
    let found = client.check().await.unwrap();
    assert!(found[0].detail.starts_with(&user), "{found:?}");
    site.stop().await;
}

#[tokio::test]
async fn the_password_is_nowhere_to_be_seen() {
    let site = site().await;
    let (user, password) = account(&site, 0);
    let secret = secrecy::ExposeSecret::expose_secret(&password).to_owned();
    let (job, _) = new_job(&site);
    let watching = async {
        let mut seen = 0;
        for _ in 0..200 {
            seen += usize::from(!processes_that_name("ssh-").is_empty());
            assert!(processes_that_name(&secret).is_empty());
            assert!(environments_that_name(&secret).is_empty());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert!(seen > 0);
    };
    let (sealed, ()) = tokio::join!(site.client.check_login(&job, &user, &password), watching);
    assert!(!sealed.unwrap().contains(&secret));
    let in_files = Command::new("grep")
        .args(["-rlF", &secret, "--devices=skip"])
        .arg(site.control.path())
        .output()
        .unwrap();
    assert!(in_files.stdout.is_empty(), "{in_files:?}");
    site.stop().await;
}

fn environments_that_name(text: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(text)
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let site = site().await;
    let (user, password) = account(&site, 1);
    let (job, folder) = new_job(&site);
    let failed = |site: &Site| node_says(site, "Failed password", &user);
    let before = failed(&site);
    let error = check(&site, &job, &user, "wrong").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    let expected = format!("HPC {HPC} refuses the password of {user}");
    assert_eq!(error.message, expected);
    assert_eq!(failed(&site) - before, 1);

    // The password has changed since it was sealed: one login attempt, however many calls
    // need it.
    let sealed = site
        .client
        .check_login(&job, &user, &password)
        .await
        .unwrap();
    chpasswd(&user, "changed");
    kill("-KILL", &site.masters()).await;
    let client = site.client.with_credential(&job, &sealed);
    let before = failed(&site);
    for _ in 0..3 {
        let made = join_all((0..10).map(|_| client.make_folder(&folder))).await;
        let refused = |made: &Result<(), RemoteError>| {
            made.as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Unauthenticated)
        };
        assert!(made.iter().all(refused), "{made:?}");
    }
    assert_eq!(failed(&site) - before, 1);

    // The new password works; the old one stays rejected.
    let sealed_anew = check(&site, &job, &user, "changed").await.unwrap();
    let anew = site.client.with_credential(&job, &sealed_anew);
    anew.make_folder(&folder).await.unwrap();
    let error = client.make_folder(&folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(failed(&site) - before, 1);

    // The account gets the old password back, and the user gives it again.
    use secrecy::ExposeSecret as _;
    chpasswd(&user, password.expose_secret());
    check(&site, &job, &user, password.expose_secret())
        .await
        .unwrap();
    client.make_folder(&folder).await.unwrap();
    site.stop().await;
}

fn chpasswd(user: &str, password: &str) {
    let mut child = Command::new("chpasswd")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let line = format!("{user}:{password}");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), line.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn a_credential_is_for_one_job_and_needed() {
    let site = site().await;
    let (user, password) = account(&site, 0);
    let ((job, folder), (other, _)) = (new_job(&site), new_job(&site));
    let sealed = site
        .client
        .check_login(&job, &user, &password)
        .await
        .unwrap();
    let moved = site.client.with_credential(&other, &sealed);
    let error = moved.make_folder(&folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    let error = site.client.make_folder(&folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    for user in ["-oProxyCommand=touch /tmp/x", "root;id", ""] {
        let error = check(&site, &job, user, "p").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    let error = check(&site, &job, &user, "two\nlines").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let items = site.client.check().await.unwrap();
    assert!(items[0].detail.starts_with("private accounts"));
    site.stop().await;
}

#[tokio::test]
async fn a_login_node_that_is_away_is_no_wrong_password() {
    let facts = Facts::of("hpc");
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let site = Site::start_with(|hpc| {
        private(&facts, hpc);
        hpc.port = port;
    })
    .await;
    let (job, _) = new_job(&site);
    let error = check(&site, &job, "alice", "p").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("refused"), "{error}");
    site.stop().await;
}

#[tokio::test]
async fn where_pam_asks_for_the_password() {
    let facts = Facts::of("hpc");
    let node = PamNode::start(&facts);
    let site = Site::start_with(|hpc| {
        private(&facts, hpc);
        hpc.port = node.port;
        hpc.known_hosts = node.known_hosts();
    })
    .await;
    let (user, password) = account(&site, 2);
    let (job, _) = new_job(&site);
    let right = site.client.check_login(&job, &user, &password).await;
    right.unwrap_or_else(|error| panic!("{error}: {}", node.log()));
    let begun = Instant::now();
    while !node.log().contains("Accepted keyboard-interactive/pam") {
        assert!(begun.elapsed() < Duration::from_secs(5), "{}", node.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = check(&site, &job, &user, "wrong").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    let failures = node.log().matches("authentication failure").count();
    assert!(failures <= 1, "one try: {}", node.log());
    site.stop().await;
}
