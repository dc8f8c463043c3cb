//! `import`: a legacy database on a real MariaDB, taken over into SQLite and into
//! PostgreSQL.

use std::fs;

use compute_db::ListedUntil;
use compute_domain::{
    ids::{JobId, UserId},
    job::State,
};
use compute_runtime::seal::{SealingKey, globus_purpose};
use compute_testing::{Database, Kind};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::{
    legacy_database::{FOLDERS, JOBS, Legacy, id, job},
    operator::Operator,
};

/// Jobs of each kind.
const EACH: usize = JOBS / 12;

fn import(operator: &Operator, legacy: &Legacy, more: &[&str]) -> Value {
    fs::write(operator.path("password"), format!("{}\n", legacy.password)).unwrap();
    let file = operator.path("password");
    let args = [
        "import",
        "--from",
        &legacy.address,
        "--from-password-file",
        file.to_str().unwrap(),
    ];
    let said = operator.json(&[&args[..], more].concat());
    assert!(!said.to_string().contains(&legacy.password));
    let tables = said["tables"].as_array().unwrap().iter();
    let by_name = tables.map(|table| (table["table"].as_str().unwrap().to_owned(), table.clone()));
    Value::Object(by_name.collect())
}

async fn takes_over_everything(operator: Operator) {
    let legacy = Legacy::filled().await;
    let dry = import(&operator, &legacy, &["--dry-run"]);
    assert!(!operator.path("config/seal.key").exists());
    let nothing = operator.store().await;
    assert!(
        nothing
            .jobs_of(&UserId::from_text("alice@hub"), None)
            .await
            .unwrap()
            .is_empty()
    );

    let first = import(&operator, &legacy, &[]);
    for (table, report) in first.as_object().unwrap() {
        let number = |key: &str| report[key].as_u64().unwrap();
        let left_out: u64 = report["leftOut"]
            .as_object()
            .unwrap()
            .values()
            .map(|n| n.as_u64().unwrap())
            .sum();
        assert_eq!(
            number("older"),
            number("imported") + left_out,
            "{table}: {report}"
        );
        let added = report["notes"]["added, to close a job"]
            .as_u64()
            .unwrap_or(0);
        assert_eq!(
            number("after"),
            number("imported") + added,
            "{table}: {report}"
        );
        assert_eq!(
            (number("before"), number("alreadyHere")),
            (0, 0),
            "{table}: {report}"
        );
        for key in ["older", "imported", "leftOut", "notes"] {
            assert_eq!(
                dry[table][key], report[key],
                "a dry run of {table} says the same"
            );
        }
        assert_eq!(
            dry[table]["after"], 0,
            "a dry run writes nothing into {table}"
        );
    }
    assert_eq!(first["jobs"]["leftOut"], json!({"ownerless": EACH}));
    assert_eq!(first["jobs"]["imported"], json!(JOBS - EACH));
    assert_eq!(
        first["folders"]["leftOut"],
        json!({"ownerless": FOLDERS / 10})
    );
    assert_eq!(
        first["jobs"]["notes"]["unfinished, reported as failed"],
        json!(2 * EACH)
    );
    assert_eq!(
        first["jobs"]["notes"]["columns without readable JSON, emptied"],
        json!(EACH)
    );
    assert_eq!(
        first["globus_transfer_refresh_token"]["leftOut"],
        json!({"deleted": 1})
    );
    assert_eq!(first["gits"]["imported"], 4);
    holds_what_the_legacy_server_had(&operator).await;

    let again = import(&operator, &legacy, &[]);
    for (table, report) in again.as_object().unwrap() {
        assert_eq!(report["imported"], 0, "{table}: {report}");
        assert_eq!(report["before"], report["after"], "{table}: {report}");
        assert_eq!(
            report["alreadyHere"], first[table]["imported"],
            "{table}: {report}"
        );
    }

    // What came later is taken over, what is here stays as it is here.
    let mut later = String::new();
    job(&mut later, JOBS + 2);
    later.push_str("UPDATE jobs SET name='renamed';");
    legacy.execute(&later).await;
    let third = import(&operator, &legacy, &[]);
    assert_eq!(
        (&third["jobs"]["imported"], &third["events"]["imported"]),
        (&json!(1), &json!(3))
    );
    let store = operator.store().await;
    let untouched = store.job(&JobId::from_text(id(1))).await.unwrap().unwrap();
    assert_eq!(untouched.name.as_deref(), Some("job 1"));
}

async fn holds_what_the_legacy_server_had(operator: &Operator) {
    let store = operator.store().await;
    let get = async |n: usize| store.job(&JobId::from_text(id(n))).await.unwrap().unwrap();
    for (n, state) in [
        (0, State::Created),
        (1, State::Failed),
        (2, State::Failed),
        (3, State::Cancelled),
        (5, State::Ended),
        (11, State::Ended),
        (12, State::Created),
        (JOBS - 1, State::Ended),
    ] {
        let job = get(n).await;
        assert_eq!(job.state, state, "{n}");
        let events = store.events_of(&job.id).await.unwrap();
        let closing = events
            .iter()
            .filter(|e| matches!(e.kind.as_str(), "JOB_ENDED" | "JOB_FAILED"));
        assert_eq!(
            closing.count(),
            usize::from(job.state.is_terminal()),
            "{n}: {events:?}"
        );
        if job.state.is_terminal() {
            assert_eq!(
                events[0].kind, "JOB_QUEUED",
                "{n}: the order in which it happened"
            );
            assert_eq!(events[0].message, format!("JOB_QUEUED of {n} 🗻"));
        }
    }
    assert_eq!(
        get(1).await.cause.as_deref(),
        Some("the legacy server did not finish this job")
    );
    assert_eq!(get(7).await.param["ville"], "Zürich 🗻");
    assert!(get(6).await.param.is_empty());
    assert!(get(9).await.deleted_at.is_some());
    assert!(
        get(7).await.remote_result_folder_id.is_none(),
        "its folder is nobody's"
    );
    assert_eq!(get(5).await.user_id.as_str(), "bob@hub");
    let logs = store.logs_of(&JobId::from_text(id(5))).await.unwrap();
    let logs: Vec<_> = logs.iter().map(|log| log.message.as_str()).collect();
    assert_eq!(logs, ["stdout of 5\nété", "stderr of 5\nété"]);
    let alice = UserId::from_text("alice@hub");
    let (mut listed, mut after) = (0, None);
    loop {
        let page = store.jobs_of(&alice, after.as_ref()).await.unwrap();
        let Some(last) = page.last() else { break };
        listed += page.len();
        after = Some(ListedUntil::of(last));
    }
    assert_eq!(listed, 9 * EACH, "deleted ones are not listed");
    assert_eq!(
        store.folders_of(&alice).await.unwrap().len(),
        FOLDERS * 8 / 10
    );
    let templates = store.templates().await.unwrap();
    let names: Vec<_> = templates
        .iter()
        .map(|t| (t.id.as_str(), t.is_approved))
        .collect();
    assert_eq!(
        names,
        [("hello_world", true), ("pinned", true), ("waiting", false)]
    );

    let key = SealingKey::load_or_create(&operator.path("config/seal.key")).unwrap();
    let identities = store.globus_identities().await.unwrap();
    assert_eq!(identities, ["alice@example.org", "bob@example.org"]);
    for (identity, token) in identities
        .iter()
        .zip(["Ag-refresh-of-alice", "Ag-refresh-of-bob"])
    {
        let sealed = store.globus_token(identity).await.unwrap().unwrap();
        assert!(!sealed.contains("refresh"), "it is sealed");
        let opened = key.open(&sealed, &globus_purpose(identity)).unwrap();
        assert_eq!(opened.expose_secret(), token);
    }
}

#[tokio::test]
async fn everything_is_taken_over_into_sqlite() {
    takes_over_everything(Operator::new().await).await;
}

#[tokio::test]
async fn everything_is_taken_over_into_postgresql() {
    let database = Database::empty(Kind::Postgres).await;
    takes_over_everything(Operator::on_database(database.url.expose_secret()).await).await;
}

#[tokio::test]
async fn everything_is_taken_over_into_mariadb() {
    let database = Database::empty(Kind::MariaDb).await;
    takes_over_everything(Operator::on_database(database.url.expose_secret()).await).await;
}

#[tokio::test]
async fn no_password_is_taken_from_the_command_line_or_repeated() {
    let operator = Operator::new().await;
    let with_password = "mysql://cybergis:swordfish@127.0.0.1:1/legacy";
    let error = operator.bad(&["import", "--from", with_password]);
    assert!(error.contains("it contains a password"), "{error}");
    assert!(!error.contains("swordfish"), "{error}");
    fs::write(operator.path("password"), "swordfish").unwrap();
    let file = operator.path("password");
    let file = file.to_str().unwrap();
    let nowhere = "mysql://cybergis@127.0.0.1:1/legacy";
    let error = operator.bad(&["import", "--from", nowhere, "--from-password-file", file]);
    assert!(
        error.contains("the legacy database: the database does not respond"),
        "{error}"
    );
    assert!(!error.contains("swordfish"), "{error}");
    let error = operator.bad(&["import", "--from", "postgres://cybergis@127.0.0.1/legacy"]);
    assert!(error.contains("expected mysql://"), "{error}");
}

#[tokio::test]
async fn a_database_that_is_none_of_the_legacy_server_is_refused() {
    let operator = Operator::new().await;
    let legacy = Legacy::empty().await;
    legacy.execute("DROP TABLE logs").await;
    fs::write(operator.path("password"), &legacy.password).unwrap();
    let file = operator.path("password");
    let error = operator.bad(&[
        "import",
        "--from",
        &legacy.address,
        "--from-password-file",
        file.to_str().unwrap(),
    ]);
    assert!(error.contains("logs"), "{error}");
}
