//! The gateway asks listed hubs about a token, and no other host, whatever the token
//! contains.

use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_integration_tests::{Client, World, WorldOptions};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A service on the inner network that must not be reached.
struct Trap(TcpListener);

impl Trap {
    fn set() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    fn is_untouched(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}

/// The statuses of `GET /user` with a token of `host`, sent in each possible way.
async fn asked(world: &World, host: &str) -> anyhow::Result<Vec<u16>> {
    let url = format!("http://{}/user", world.gateway.address());
    let both = BASE64_STANDARD.encode(format!("{host}@token"));
    let http = reqwest::Client::new();
    let in_body = json!({"jupyterhubApiToken": both});
    let mut statuses = Vec::new();
    for request in [
        http.get(&url).json(&in_body),
        http.get(&url)
            .header("Authorization", format!("Bearer {both}")),
        http.get(&url)
            .header("Authorization", "Bearer token")
            .header("X-Jupyterhub-Host", host),
    ] {
        statuses.push(request.send().await?.status().as_u16());
    }
    Ok(statuses)
}

#[tokio::test]
async fn only_listed_hubs_are_asked_whatever_a_token_says() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let trap = Trap::set()?;
    let (inner, hub) = (trap.address()?, world.parts.text("hub", "host")?);
    let port = inner.port();
    for host in [
        inner.to_string(),
        format!("localhost:{port}"),
        format!("http://{inner}"),
        format!("{inner}/hub/api/user?"),
        format!("{hub}/../../{inner}"),
        format!("{hub}@{inner}"),
        format!("{hub}#@{inner}"),
        format!("{inner}#{hub}"),
        format!("{inner}\\{hub}"),
        format!("{hub}:{port}"),
        format!("{hub}."),
        format!(" {hub}"),
        hub.replace("127.0.0.1", "2130706433"),
        "169.254.169.254".to_owned(),
        world.parts.fact("redis", "port")?.to_string(),
        String::new(),
    ] {
        for (way, status) in asked(&world, &host).await?.into_iter().enumerate() {
            // A token's host ends at the first `@`, and white space around the value of a
            // header is not part of it (RFC 9110, 5.5).
            let may_be_listed = match way {
                0 | 1 => host.contains('@'),
                _ => host.trim() == hub,
            };
            let refusals = if may_be_listed { 402..=404 } else { 404..=404 };
            assert!(refusals.contains(&status), "{host:?} ({way}): {status}");
        }
    }
    assert!(trap.is_untouched(), "something was connected to");
    // A listed hub is asked, and does not know this token.
    assert_eq!(asked(&world, &hub).await?, [402, 402, 402]);
    Ok(())
}

/// A hub that redirects, and the first lines of the requests that it received.
async fn sends_elsewhere(to: SocketAddr) -> anyhow::Result<(SocketAddr, Questions)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let (sender, questions) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 4096];
            let size = stream.read(&mut asked).await.unwrap_or_default();
            let asked = String::from_utf8_lossy(asked.get(..size).unwrap_or_default());
            let _ = sender.send(asked.lines().next().unwrap_or_default().to_owned());
            let answer = format!(
                "HTTP/1.1 302 Found\r\nLocation: http://{to}/hub/api/user\r\nContent-Length: 0\r\n\
                 Connection: close\r\n\r\n"
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Ok((address, questions))
}

type Questions = tokio::sync::mpsc::UnboundedReceiver<String>;

#[tokio::test]
async fn a_hub_that_sends_elsewhere_is_not_followed() -> anyhow::Result<()> {
    let trap = Trap::set()?;
    let (hub, mut questions) = sends_elsewhere(trap.address()?).await?;
    let mut hubs = serde_json::Map::new();
    hubs.insert(hub.to_string(), json!({"scheme": "http"}));
    let world = World::start(WorldOptions {
        files: [("jupyter-globus-map.json".to_owned(), Value::Object(hubs))].into(),
        ..WorldOptions::default()
    })
    .await?;
    let gateway = format!("http://{}", world.gateway.address());
    let caller = Client::new(&gateway, &hub.to_string(), "token");
    let answer = caller.get("/user").await?;
    assert_eq!(answer.status, 503, "{answer:?}");
    let asked = questions.recv().await.unwrap_or_default();
    assert_eq!(asked, "GET /hub/api/user HTTP/1.1");
    assert!(trap.is_untouched(), "it was followed");
    Ok(())
}
