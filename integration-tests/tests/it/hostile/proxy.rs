//! What the proxy rejects itself, and what it passes on to the gateway.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Instant,
};

use compute_integration_tests::{Proxy, attack::report, proxy::Answer};
use serde_json::Value;
use tokio::net::{TcpListener, TcpSocket};

use super::operator_routes::request;

/// An address that refuses connections: its port is bound, and nobody listens on it.
/// No other process gets the port while this lives.
struct Closed {
    address: String,
    _bound: TcpSocket,
}

impl Closed {
    fn bind() -> anyhow::Result<Self> {
        let bound = TcpSocket::new_v4()?;
        bound.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            address: bound.local_addr()?.to_string(),
            _bound: bound,
        })
    }
}

fn assert_json(answer: &Answer, status: u16) -> anyhow::Result<()> {
    assert_eq!(answer.status, status, "{answer:?}");
    let is_json = answer.head.contains("content-type: application/json");
    assert!(is_json, "{answer:?}");
    let body: Value = serde_json::from_str(&answer.body)?;
    assert!(
        body["error"].as_str().is_some_and(|text| text.len() > 5),
        "{body}"
    );
    assert_eq!(body["messages"][0], body["error"]);
    assert!(!answer.head.contains("nginx/"), "no version: {answer:?}");
    Ok(())
}

#[tokio::test]
async fn what_the_proxy_refuses_itself_is_json() -> anyhow::Result<()> {
    let nowhere = Closed::bind()?;
    let proxy = Proxy::start(&nowhere.address, &[]).await?;
    let long = "x".repeat(40_000);
    let post = "POST / HTTP/1.1\r\nHost: x\r\n";
    for (what, asked, status) in [
        (
            "2 MiB",
            format!("{post}Content-Length: 2097152\r\n\r\n"),
            413,
        ),
        (
            "an address of 40 kB",
            format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
            414,
        ),
        (
            "a header of 40 kB",
            format!("{post}Cookie: {long}\r\n\r\n"),
            400,
        ),
        ("no HTTP", "hello\r\n\r\n".to_owned(), 400),
        (
            "a path with a zero",
            "GET /metrics%00 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            400,
        ),
        ("no host", "GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        (
            "two lengths",
            format!("{post}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            400,
        ),
        (
            "a length and chunks",
            format!("{post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400,
        ),
        (
            "TRACE",
            "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
            405,
        ),
        (
            "no gateway",
            "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".to_owned(),
            502,
        ),
    ] {
        let answer = proxy.send(asked.as_bytes()).await?;
        assert_json(&answer, status)?;
        report(
            "errors of the proxy",
            what,
            format!("{status} {}", answer.body),
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_flood_from_one_address_is_refused_before_the_gateway() -> anyhow::Result<()> {
    let few = [("rate=200r/s", "rate=1r/m"), ("burst=600", "burst=5")];
    let nowhere = Closed::bind()?;
    let proxy = Proxy::start(&nowhere.address, &few).await?;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = proxy.send(&request("GET", "/hpc")).await?;
        if answer.status == 429 {
            assert_json(&answer, 429)?;
            assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
        }
        statuses.push(answer.status);
    }
    // No gateway is there to pass them on to. On a slow machine the bucket may have a
    // place more while this runs.
    assert_eq!(statuses[..6], [502; 6], "{statuses:?}");
    assert!(
        statuses[6..].iter().filter(|&&s| s == 429).count() >= 3,
        "{statuses:?}"
    );
    report(
        "flood",
        "12 requests where 6 may come at once",
        format!("{statuses:?}"),
    );
    Ok(())
}

/// A gateway that responds with the headers of the request.
async fn repeating() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let app = axum::Router::new()
        .fallback(async |request: axum::extract::Request| format!("{:?}", request.headers()));
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

#[tokio::test]
async fn nobody_says_for_itself_where_it_comes_from() -> anyhow::Result<()> {
    let proxy = Proxy::start(&repeating().await?, &[]).await?;
    let claims = "X-Forwarded-For: 10.6.6.6\r\nX-Real-IP: 10.6.6.6\r\n\
        Forwarded: for=10.6.6.6\r\nX-Request-Id: [31m 10.6.6.6";
    let asked = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{claims}\r\n\r\n");
    let answer = proxy.send(asked.as_bytes()).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.body.contains("x-forwarded-for"), "{answer:?}");
    assert!(!answer.body.contains("10.6.6.6"), "{answer:?}");
    report(
        "the address of another",
        claims,
        "the gateway gets the proxy's own word alone",
    );
    Ok(())
}

#[tokio::test]
async fn half_a_request_ends() -> anyhow::Result<()> {
    let soon = [
        ("client_header_timeout 10s", "client_header_timeout 1s"),
        ("client_body_timeout 15s", "client_body_timeout 1s"),
        ("keepalive_timeout 30s", "keepalive_timeout 1s"),
    ];
    let proxy = Proxy::start(&repeating().await?, &soon).await?;
    for (what, half) in [
        ("half a header", "GET / HTTP/1.1\r\nHost: x\r\nX-Half:"),
        ("no byte at all", ""),
        (
            "half a body",
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        ),
        (
            "nothing after an answer",
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        ),
    ] {
        let began = Instant::now();
        let answer = proxy.send(half.as_bytes()).await?;
        assert!(matches!(answer.status, 0 | 200 | 408), "{what}: {answer:?}");
        let took = began.elapsed().as_secs_f64();
        report(
            "a held connection",
            what,
            format!("closed after {took:.1} s"),
        );
    }
    Ok(())
}
