//! The checks of the legacy server's own tests: which routes exist,
//! responses without a token, and one job from its creation to its logs.

use compute_integration_tests::{Client, Template, World};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

/// Path prefixes of the interface.
const PREFIXES: [&str; 2] = ["", "/v2"];

/// All spellings of a path that the legacy server treats as one.
fn spellings(path: &str) -> Vec<String> {
    let upper = path.to_uppercase();
    PREFIXES
        .iter()
        .flat_map(|prefix| {
            [
                format!("{prefix}{path}"),
                format!("{prefix}{path}/"),
                format!("{prefix}{upper}"),
            ]
        })
        .collect()
}

#[tokio::test]
async fn public_routes() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let base = format!("http://{}", world.gateway.address());
    let http = reqwest::Client::new();
    for (path, key) in [
        ("/", "message"),
        ("/hpc", "hpc"),
        ("/maintainer", "maintainer"),
        ("/container", "container"),
        ("/git", "git"),
        ("/allowlist", "allowlist"),
        ("/whitelist", "whitelist"),
        ("/announcement", "announcements"),
        ("/statistic", "runtime_in_seconds"),
    ] {
        for spelling in spellings(path) {
            let answer = http.get(format!("{base}{spelling}")).send().await?;
            assert_eq!(answer.status().as_u16(), 200, "{spelling}");
            let body: Value = answer.json().await?;
            assert!(body.get(key).is_some(), "{spelling}: {body}");
            let head = http.head(format!("{base}{spelling}")).send().await?;
            assert_eq!(head.status().as_u16(), 200, "HEAD {spelling}");
            assert!(head.text().await?.is_empty(), "HEAD {spelling}");
        }
    }
    Ok(())
}

/// Routes that need a token, with an otherwise complete body.
fn routes_with_token(job: &str) -> Vec<(&'static str, String, Value)> {
    let of_job = |rest: &str| format!("/job/{job}{rest}");
    vec![
        ("GET", "/user".to_owned(), json!({})),
        ("GET", "/user/jupyter-globus".to_owned(), json!({})),
        ("GET", "/user/job".to_owned(), json!({})),
        ("GET", "/user/slurm-usage".to_owned(), json!({})),
        ("GET", "/folder".to_owned(), json!({})),
        ("GET", "/folder/nosuchfolder".to_owned(), json!({})),
        (
            "PUT",
            "/folder/nosuchfolder".to_owned(),
            json!({"name": "n"}),
        ),
        ("DELETE", "/folder/nosuchfolder".to_owned(), json!({})),
        ("POST", "/job".to_owned(), json!({"hpc": "local_hpc"})),
        ("GET", of_job(""), json!({})),
        ("PUT", of_job(""), json!({"param": {"a": 1}})),
        ("GET", of_job("/events"), json!({})),
        ("GET", of_job("/logs"), json!({})),
        ("GET", of_job("/result-folder-content"), json!({})),
        ("GET", format!("/statistic/job/{job}"), json!({})),
        ("PUT", of_job("/cancel"), json!({})),
        ("PUT", of_job("/pause"), json!({})),
        ("PUT", of_job("/resume"), json!({})),
        ("POST", of_job("/submit"), json!({})),
    ]
}

#[tokio::test]
async fn nothing_of_a_user_without_a_token() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice = world.client("alice")?;
    let job = alice.prepare("quick", json!({})).await?;
    let base = format!("http://{}", world.gateway.address());
    let http = reqwest::Client::new();
    for (method, path, body) in routes_with_token(&job) {
        for prefix in PREFIXES {
            let url = format!("{base}{prefix}{path}");
            for (sent, message) in [
                (None, "requires property \"jupyterhubApiToken\""),
                (Some(Value::Null), "is not of a type(s) string"),
                (Some(json!(5)), "is not of a type(s) string"),
            ] {
                let mut body = body.clone();
                if let Some(token) = sent {
                    body["jupyterhubApiToken"] = token;
                }
                let answer = http
                    .request(method.parse()?, &url)
                    .json(&body)
                    .send()
                    .await?;
                assert_eq!(answer.status().as_u16(), 402, "{method} {path}");
                let expected = json!({"error": "invalid input", "messages": [message]});
                assert_eq!(answer.json::<Value>().await?, expected, "{method} {path}");
            }
            // A token in the address is ignored: addresses end up in logs.
            let token = "jupyterhubApiToken=MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg%3D%3D";
            let answer = http
                .request(method.parse()?, format!("{url}?{token}"))
                .send()
                .await?;
            assert_eq!(answer.status().as_u16(), 402, "{method} {path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn what_is_a_users_own_with_a_token() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice = world.client("alice")?;
    for (method, path, key) in [
        ("GET", "/user", "username"),
        ("GET", "/user/jupyter-globus", "root_path"),
        ("GET", "/user/job", "job"),
        ("GET", "/user/slurm-usage", "cpuTime"),
        ("GET", "/folder", "folder"),
        ("POST", "/job", "secretToken"),
    ] {
        for spelling in spellings(path) {
            let answer = alice.call(method.parse()?, &spelling, json!({})).await?;
            assert_eq!(answer.status, 200, "{spelling}: {answer:?}");
            assert!(answer.body.get(key).is_some(), "{spelling}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn another_method_is_another_route() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    for (method, path) in [
        ("GET", "/job/nosuchjob/submit"),
        ("PUT", "/job/nosuchjob/submit"),
        ("GET", "/job/nosuchjob/cancel"),
        ("POST", "/job/nosuchjob/cancel"),
        ("POST", "/job/nosuchjob"),
        ("DELETE", "/job/nosuchjob"),
        ("GET", "/job"),
        ("POST", "/folder"),
        ("POST", "/user"),
        ("POST", "/hpc"),
        ("POST", "/"),
        ("PATCH", "/git"),
        ("DELETE", "/statistic"),
    ] {
        let answer = alice.call(method.parse()?, path, json!({})).await?;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        let error = json!({"error": format!("unknown route {path}")});
        assert_eq!(answer.body, error, "{method} {path}");
    }
    let http = reqwest::Client::new();
    let base = format!("http://{}", world.gateway.address());
    for (path, methods) in [
        ("/hpc", "GET,HEAD"),
        ("/v2/HPC/", "GET,HEAD"),
        ("/job", "POST"),
        ("/job/x", "GET,HEAD,PUT"),
        ("/folder/x", "GET,HEAD,PUT,DELETE"),
    ] {
        let answer = http
            .request(Method::OPTIONS, format!("{base}{path}"))
            .send()
            .await?;
        assert_eq!(answer.status().as_u16(), 200, "{path}");
        assert_eq!(answer.headers()["allow"], methods, "{path}");
        assert_eq!(answer.text().await?, methods, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn a_job_from_its_making_to_its_logs() -> anyhow::Result<()> {
    let world = World::with([Template::bare("hello", "echo hello $param_name")]).await?;
    let alice = world.client("alice")?;
    for prefix in PREFIXES {
        one_job(&alice, prefix).await?;
    }
    Ok(())
}

async fn one_job(alice: &Client, prefix: &str) -> anyhow::Result<()> {
    let made = alice
        .post(
            &format!("{prefix}/job/"),
            json!({"maintainer": "community_contribution", "hpc": "local_hpc"}),
        )
        .await?;
    assert_eq!(made.status, 200, "{made:?}");
    let id = made.body["id"].as_str().unwrap_or_default().to_owned();
    let of_job = |rest: &str| format!("{prefix}/JOB/{id}{rest}");
    for rest in ["/events", "/Logs", "/result-folder-content/"] {
        let empty = alice.get(&of_job(rest)).await?;
        assert_eq!((empty.status, empty.body), (200, json!([])), "{rest}");
    }
    let settings = json!({
        "param": {"name": "world"}, "env": {"E": "x"}, "slurm": {"time": "00:05:00"},
        "localExecutableFolder": {"type": "git", "gitId": "hello"},
    });
    let changed = alice.put(&of_job("/"), settings.clone()).await?;
    assert_eq!(changed.status, 200, "{changed:?}");
    for (key, value) in settings.as_object().into_iter().flatten() {
        assert_eq!(&changed.body[key], value);
    }
    let submitted = alice.post(&of_job("/Submit"), json!({})).await?;
    assert_eq!((submitted.status, &submitted.body["id"]), (200, &json!(id)));
    let again = alice.post(&of_job("/submit"), json!({})).await?;
    assert_eq!(again.status, 401);
    assert_eq!(
        again.body,
        json!({"error": "job already submitted or in queue", "messages": []})
    );
    let job = alice.over(&id, SOON).await?;
    for (rest, key) in [("/events", "events"), ("/logs/", "logs")] {
        assert_eq!(alice.get(&of_job(rest)).await?.body, job[key], "{rest}");
    }
    let events = job["events"].as_array().cloned().unwrap_or_default();
    assert_eq!(
        events.first().map(|event| &event["type"]),
        Some(&json!("JOB_QUEUED"))
    );
    assert_eq!(
        events.last().map(|event| &event["type"]),
        Some(&json!("JOB_ENDED"))
    );
    assert_eq!(job["logs"][0]["message"], "hello world\n");
    let folders = alice.get(&of_job("/Result-Folder-Content")).await?;
    assert_eq!(folders.body, json!(["/", "/slurm_log"]));
    let jobs = alice.get(&format!("{prefix}/user/job")).await?.body;
    let listed = jobs["job"]
        .as_array()
        .into_iter()
        .flatten()
        .any(|job| job["id"] == *id);
    assert!(listed, "{jobs}");
    Ok(())
}
