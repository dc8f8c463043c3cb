//! A deployment that was imported from the legacy server: users find their jobs.

use std::{fs, process::Command};

use compute_integration_tests::{
    Terminal, World,
    client::{event_types, log_text},
    document::typed_by,
    python,
};
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../../../../services/cli/tests/fixtures/legacy_schema.sql");

/// One job that ended, one that failed, one that the legacy server left running, and
/// one of another user.
const ROWS: &str = r#"
INSERT INTO folders VALUES ('1795457920SYpcR',NULL,'local_hpc','/scratch/1795457920SYpcR','/1795457920SYpcR','USER',0,1795457919766,NULL,NULL);
INSERT INTO jobs (id,userId,maintainer,hpc,localExecutableFolder,param,env,slurm,slurmId,createdAt,initializedAt,finishedAt,queuedAt,isFailed,remoteResultFolderId) VALUES
 ('1795457917ended','USER','community_contribution','local_hpc','{"type":"git","gitId":"hello_world"}','{"ville":"Zürich 🗻"}','{}','{}','20',1795457916794,1795457919925,1795457920814,1795457916853,0,'1795457920SYpcR'),
 ('1795457918faild','USER','community_contribution','local_hpc','{"type":"git","gitId":"hello_world"}','{broken','{}','{}','21',1795457917794,1795457919925,1795457920814,1795457916853,1,NULL),
 ('1795457919going','USER','community_contribution','local_hpc','{"type":"git","gitId":"hello_world"}','{}','{}','{}','22',1795457918794,1795457919925,NULL,1795457916853,0,NULL),
 ('1795457920other','bob@HOST','community_contribution','local_hpc',NULL,NULL,NULL,NULL,NULL,1795457918794,NULL,NULL,NULL,0,NULL);
INSERT INTO events (jobId,type,message,createdAt) VALUES
 ('1795457917ended','JOB_QUEUED','job [1795457917ended] is queued, waiting for registration',1795457916853),
 ('1795457917ended','JOB_ENDED','job [1795457917ended] finished',1795457920830),
 ('1795457918faild','JOB_QUEUED','queued',1795457916853),
 ('1795457918faild','JOB_FAILED','no space left',1795457920830),
 ('1795457919going','JOB_QUEUED','queued',1795457916853),
 ('1795457919going','JOB_INIT','running',1795457919979);
INSERT INTO logs (jobId,message,createdAt) VALUES ('1795457917ended','running été\n',1795457920823);
"#;

/// Runs SQL on the server of the parts, in the database `name` if there is one.
fn sql(world: &World, name: &str, statements: &str) -> anyhow::Result<()> {
    let file = world.folder().join("statements.sql");
    fs::write(&file, statements)?;
    let output = Command::new("mariadb")
        .args([
            "--no-defaults",
            "-h",
            "127.0.0.1",
            "--default-character-set=utf8mb4",
        ])
        .args(["-P", &world.parts.fact("mariadb", "port")?.to_string()])
        .args(["-u", &world.parts.text("mariadb", "user")?, name])
        .env("MYSQL_PWD", world.parts.text("mariadb", "password")?)
        .stdin(fs::File::open(file)?)
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{stderr}");
    Ok(())
}

#[tokio::test]
async fn researchers_find_the_jobs_of_the_legacy_server() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let host = world.parts.text("hub", "host")?;
    let name = format!("cybergis_legacy_{}", std::process::id());
    sql(
        &world,
        "",
        &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
    )?;
    let rows = ROWS.replace("USER", &format!("alice@{host}"));
    let rows = rows.replace("HOST", &host);
    sql(
        &world,
        &name,
        &format!("SET FOREIGN_KEY_CHECKS=0; {SCHEMA} {rows}"),
    )?;
    let password = world.folder().join("password");
    fs::write(&password, world.parts.text("mariadb", "password")?)?;
    let address = format!(
        "mysql://{}@127.0.0.1:{}/{name}",
        world.parts.text("mariadb", "user")?,
        world.parts.fact("mariadb", "port")?
    );
    let password = password.display().to_string();
    let words = [
        ("mysql://USER@HOST:3306/DATABASE", address.as_str()),
        ("FILE", &password),
    ];
    let test = "import::researchers_find_the_jobs_of_the_legacy_server";
    let table = Terminal::new(&world, world.folder())?
        .run(&typed_by(test, &words)?)?
        .concat();
    assert!(
        table.contains("1 unfinished, reported as failed"),
        "{table}"
    );

    let said = python::drive(&world, "alice", "list_jobs.py", Value::Null).await?;
    assert_eq!(said["error"], Value::Null, "{said}");
    let jobs = said["jobs"].as_array().cloned().unwrap_or_default();
    let seen: Vec<_> = jobs.iter().map(|job| (&job["id"], &job["state"])).collect();
    assert_eq!(
        seen,
        [
            (&json!("1795457917ended"), &json!("ended")),
            (&json!("1795457918faild"), &json!("failed")),
            (&json!("1795457919going"), &json!("failed")),
        ]
    );
    for job in &jobs {
        let id = job["id"].as_str().unwrap_or_default();
        let table = said["table"].as_str().unwrap_or_default();
        assert!(table.contains(id), "{table}");
        let watched = said["watched"][id].as_str().unwrap_or_default();
        assert!(watched.contains("JOB_QUEUED"), "{watched}");
    }

    let client = world.client("alice")?;
    let ended = client.job("1795457917ended").await?;
    assert_eq!(event_types(&ended), ["JOB_QUEUED", "JOB_ENDED"]);
    assert_eq!(log_text(&ended), "running été\n");
    assert_eq!(ended["param"]["ville"], "Zürich 🗻");
    assert_eq!(ended["slurmId"], "20");
    assert_eq!(ended["remoteResultFolder"]["id"], "1795457920SYpcR");
    let going = client.job("1795457919going").await?;
    assert_eq!(
        event_types(&going),
        ["JOB_QUEUED", "JOB_INIT", "JOB_FAILED"]
    );
    assert_eq!(going["cause"], "the legacy server did not finish this job");
    let refused = client.get("/job/1795457920other").await?;
    assert_eq!(refused.status, 401, "somebody else's job: {refused:?}");
    Ok(())
}
