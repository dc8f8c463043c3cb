//! Floods: more than one user, or one address, should be able to request.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::{Client, Template, World, WorldOptions, attack};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

/// Draft bytes of a user, MiB.
const DRAFT_MB: usize = 32;
const DRAFTS: usize = 1000;

/// A field of `/proc/PID/status`, MiB.
fn memory(world: &World, field: &str) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", world.gateway.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.trim_matches(':').split_whitespace().next());
    let kib: u64 = kib.context("no such field")?.parse()?;
    Ok(kib / 1024)
}

/// The status of `GET /user/job` and the size of its response in bytes, which is not stored.
async fn list(world: &World, client: &Client) -> anyhow::Result<(u16, usize)> {
    let url = format!("http://{}/user/job", world.gateway.address());
    let body = json!({"jupyterhubApiToken": client.token()});
    let mut answer = reqwest::Client::new().get(url).json(&body).send().await?;
    let mut bytes = 0;
    while let Some(chunk) = answer.chunk().await? {
        bytes += chunk.len();
    }
    Ok((answer.status().as_u16(), bytes))
}

#[tokio::test]
async fn the_largest_drafts_do_not_fill_the_gateway() -> anyhow::Result<()> {
    let world = World::start(WorldOptions {
        maintainers: 0,
        config: json!({"limits": {"draft_mb": DRAFT_MB}}),
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let before = memory(&world, "VmRSS")?;
    let full = |letters: usize| {
        let half = "x".repeat(letters / 2);
        json!({"param": {"a": half, "b": half}})
    };
    let share = (DRAFT_MB << 20) / DRAFTS - 200;
    let made: Vec<String> = stream::iter(0..DRAFTS)
        .map(async |_| {
            let made = alice.post("/job", json!({})).await?;
            let id = made.body["id"].as_str().context("no id")?.to_owned();
            let changed = alice.put(&format!("/job/{id}"), full(share)).await?;
            anyhow::ensure!(changed.status == 200, "{changed:?}");
            Ok(id)
        })
        .buffer_unordered(8)
        .try_collect()
        .await?;
    let more = alice.post("/job", json!({})).await?;
    assert_eq!(more.status, 402, "one draft more: {more:?}");
    let mut larger = more;
    for id in made.iter().take(4) {
        larger = alice
            .put(&format!("/job/{id}"), json!({"env": full(65_000)["param"]}))
            .await?;
    }
    assert_eq!(larger.status, 402, "{larger:?}");
    let larger = larger.body["error"].to_string();
    assert!(larger.contains("33554432 bytes"), "{larger}");
    let filled = memory(&world, "VmRSS")?;
    let asked = stream::iter(0..50)
        .map(|_| list(&world, &alice))
        .buffer_unordered(50)
        .try_collect::<Vec<_>>()
        .await?;
    let (peak, after) = (memory(&world, "VmHWM")?, memory(&world, "VmRSS")?);
    let whole = asked.iter().filter(|(status, _)| *status == 200);
    let (answered, late) = (
        whole.clone().count(),
        asked.iter().filter(|a| a.0 == 429).count(),
    );
    assert_eq!(answered + late, asked.len(), "{asked:?}");
    assert!(answered >= 2, "{asked:?}");
    for (_, bytes) in whole {
        assert!(*bytes > share * DRAFTS, "{bytes} bytes are not all jobs");
    }
    println!(
        "memory of the gateway, MiB: {before} before, {filled} with {DRAFTS} drafts of {share} bytes, {peak} \
         peak during 50 parallel GET /user/job ({answered} answered, {late} answered 429), {after} after"
    );
    assert!(peak < before + 200, "{before} MiB before, peak {peak} MiB");
    attack::report(
        "huge lists",
        "1,000 largest drafts, then 50 parallel GET /user/job",
        format!("{before} MiB before, peak {peak} MiB; {larger}"),
    );
    Ok(())
}

#[tokio::test]
async fn a_draft_holds_no_huge_value() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let alice = world.client("alice")?;
    let id = alice.post("/job", json!({})).await?.body["id"].clone();
    let path = format!("/job/{}", id.as_str().context("no id")?);
    let many = |bytes: usize| {
        let names = (0..5).map(|n| (format!("n{n}"), json!("x".repeat(bytes / 5))));
        Value::Object(names.collect())
    };
    // Each number is 4 bytes in the request, and 18 as stored.
    let grows = json!({"type": "local", "numbers": vec![json!(1e15); 3000]});
    for (name, body, limit) in [
        ("param", json!({"param": many(300_000)}), "262144"),
        ("env", json!({"env": many(300_000)}), "262144"),
        ("slurm", json!({"slurm": many(20_000)}), "16384"),
        (
            "localDataFolder",
            json!({"localDataFolder": {"type": "local", "path": "x".repeat(900_000)}}),
            "8192",
        ),
        (
            "localDataFolder that grows",
            json!({"localDataFolder": grows}),
            "8192",
        ),
        (
            "localExecutableFolder",
            json!({"localExecutableFolder": {"type": "git", "gitId": "x".repeat(9000)}}),
            "8192",
        ),
    ] {
        let refused = alice.put(&path, body).await?;
        assert_eq!(refused.status, 402, "{name}: {refused:?}");
        let words = refused.body["error"].to_string();
        assert!(words.contains(limit), "{words}");
        attack::report(&format!("huge {name}"), "PUT /job/:id", words);
    }
    Ok(())
}

#[tokio::test]
async fn wrong_tokens_in_a_row_do_not_ask_the_hub_each_time() -> anyhow::Result<()> {
    // So few that the bucket does not fill up again while a slow hub responds.
    let world = World::start(WorldOptions {
        config: json!({"limits": {"refused_tokens_per_minute": 6}}),
        ..WorldOptions::default()
    })
    .await?;
    let hub = world.parts.text("hub", "host")?;
    let (alice, bob) = (world.client("alice")?, world.client("bob")?);
    assert_eq!(alice.get("/user").await?.status, 200);
    let (mut asked, mut limited) = (0, 0);
    for number in 0..60 {
        let token = BASE64_STANDARD.encode(format!("{hub}@wrong{number}"));
        let answer = alice.with_token(&token).get("/user").await?;
        match answer.status {
            402 => asked += 1,
            429 => {
                let words = answer.body["error"].to_string();
                assert!(words.contains("try again in"), "{words}");
                limited += 1;
            }
            _ => anyhow::bail!("{answer:?}"),
        }
    }
    // The bucket leaks while the requests are sent.
    assert!(
        limited > 0 && asked < 60,
        "{asked} asked, {limited} limited"
    );
    assert_eq!(
        alice.get("/user").await?.status,
        200,
        "who is known is not held back"
    );
    let stranger = bob.get("/user").await?.status;
    assert!([200, 429].contains(&stranger), "{stranger}");
    // The gateway does not trust the address that a client claims.
    let url = format!("http://{}/user", world.gateway.address());
    let mut forged = 0;
    for number in 0..40 {
        let token = BASE64_STANDARD.encode(format!("{hub}@forged{number}"));
        let answer = reqwest::Client::new()
            .get(&url)
            .header("X-Forwarded-For", format!("192.0.2.{number}"))
            .json(&json!({"jupyterhubApiToken": token}))
            .send()
            .await?;
        forged += usize::from(answer.status() == 429);
    }
    assert!(forged > 0, "a forged X-Forwarded-For opens a new account");
    attack::report(
        "guessed tokens",
        "60 wrong tokens in a row, then 40 with forged X-Forwarded-For",
        format!("429 after {asked}; {forged} of the forged ones were 429 as well"),
    );
    Ok(())
}

#[tokio::test]
async fn half_a_header_does_not_keep_a_gateway_that_stops() -> anyhow::Result<()> {
    let mut world = World::with([Template::bare("program", "true")]).await?;
    let mut half = Vec::new();
    for sent in ["", "GET /hpc HTTP/1.1\r\nHost: x\r\nX-Half: ", "POST"] {
        let mut stream = TcpStream::connect(world.gateway.address())?;
        stream.write_all(sent.as_bytes())?;
        half.push(stream);
    }
    // When a later connection gets a response, all earlier ones have been accepted.
    assert_eq!(world.client("alice")?.get("/user").await?.status, 200);
    let begun = Instant::now();
    world.gateway.stop_within(Duration::from_secs(20))?;
    let took = begun.elapsed();
    for mut stream in half {
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut rest = Vec::new();
        // Closed or reset, but not open.
        if let Err(error) = stream.read_to_end(&mut rest) {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
        }
        assert!(rest.is_empty(), "{rest:?}");
    }
    attack::report(
        "half headers",
        "three connections with nothing or half a header, then SIGTERM",
        format!("the gateway ended within {took:?}"),
    );
    Ok(())
}
