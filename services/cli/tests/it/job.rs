//! `job`.

use compute_db::{Checked, JobPatch, NewJob, Pinned};
use compute_domain::ids::{JobId, UserId};
use serde_json::{Value, json};

use crate::operator::Operator;

async fn job(operator: &Operator, user: &str, submitted: bool) -> JobId {
    let (store, user) = (operator.store().await, UserId::from_text(user));
    let new = NewJob {
        id: store.new_job_id(),
        account: None,
        secret_token: None,
        user_id: user.clone(),
        maintainer: "community_contribution".to_owned(),
        hpc: "local_hpc".to_owned(),
    };
    let id = store.create_job(new).await.unwrap().id;
    let Value::Object(env) = json!({"SECRET": "swordfish"}) else {
        unreachable!()
    };
    let patch = JobPatch {
        name: Some("a\u{1b}[2Jb".to_owned()),
        env: Some(env),
        ..JobPatch::default()
    };
    store.change_job(&user, &id, patch).await.unwrap();
    if submitted {
        let job = store.job_of(&user, &id).await.unwrap().unwrap();
        store
            .submit_job(&Checked::of(&job), Pinned::default())
            .await
            .unwrap();
    }
    id
}

#[tokio::test]
async fn jobs_are_listed_by_what_they_are() {
    let operator = Operator::new().await;
    let (of_alice, of_bob) = (
        job(&operator, "alice@hub", true).await,
        job(&operator, "bob@hub", false).await,
    );
    let table = operator.good(&["job", "list"]);
    assert!(
        table.contains(of_alice.as_str()) && table.contains(of_bob.as_str()),
        "{table}"
    );
    for (args, expected) in [
        (vec!["--state", "queued"], vec![&of_alice]),
        (vec!["--user", "bob@hub"], vec![&of_bob]),
        (vec!["--hpc", "other"], vec![]),
        (vec!["--limit", "0"], vec![]),
    ] {
        let listed = operator.json(&[&["job", "list"], args.as_slice()].concat());
        let ids: Vec<_> = listed["jobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|j| &j["id"])
            .collect();
        let expected: Vec<_> = expected.iter().map(|id| json!(id.as_str())).collect();
        assert_eq!(ids, expected.iter().collect::<Vec<_>>(), "{args:?}");
    }
    let said = operator.run(&["job", "list", "--state", "asleep"]);
    assert_eq!(said.code, 2, "{}", said.stderr);
}

#[tokio::test]
async fn a_job_is_shown_with_its_events() {
    let operator = Operator::new().await;
    let id = job(&operator, "alice@hub", true).await;
    let shown = operator.json(&["job", "show", id.as_str()]);
    assert_eq!(shown["job"]["state"], "queued");
    assert_eq!(shown["events"][0]["type"], "JOB_QUEUED");
    let text = operator.good(&["job", "show", id.as_str()]);
    assert!(
        text.contains("JOB_QUEUED") && text.contains("alice@hub"),
        "{text}"
    );
    assert!(
        !text.contains('\u{1b}'),
        "a name must not reach the terminal as it is: {text}"
    );
    assert!(
        !text.contains("swordfish"),
        "values of the environment may be secrets: {text}"
    );
    assert_eq!(
        operator.bad(&["job", "show", "nothing"]),
        "there is no job nothing"
    );
}

#[tokio::test]
async fn a_job_is_cancelled() {
    let operator = Operator::new().await;
    let id = job(&operator, "alice@hub", true).await;
    let text = operator.good(&["job", "cancel", id.as_str()]);
    assert!(
        text.contains("will be cancelled as soon as a maintainer of local_hpc"),
        "{text}"
    );
    let shown = operator.json(&["job", "show", id.as_str()]);
    assert_eq!(
        (&shown["job"]["intent"], &shown["job"]["intentBy"]),
        (&json!("cancel"), &json!("the operator"))
    );
    let created = job(&operator, "alice@hub", false).await;
    let error = operator.bad(&["job", "cancel", created.as_str()]);
    assert!(error.contains("was never submitted"), "{error}");
}

#[tokio::test]
async fn an_old_schema_is_named() {
    let operator = Operator::new().await;
    // With the files of its write-ahead log: without them SQLite takes what is left for damage.
    for file in std::fs::read_dir(operator.path("config")).unwrap() {
        let path = file.unwrap().path();
        if path.to_string_lossy().contains("compute.sqlite") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let error = operator.bad(&["job", "list"]);
    assert!(error.ends_with("run `compute-migrate up`"), "{error}");
}
