//! The outermost wall: what a stranger asks the proxy, and the public address of a gateway.

use std::{collections::BTreeSet, time::Instant};

use compute_integration_tests::{Proxy, World, attack::report, proxy::Answer};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::SOON;

/// What is for the operator, and what would be seen of it.
const INSIDE: [(&str, &str); 3] = [
    ("metrics", "cybergis_"),
    ("readyz", "\"ready\""),
    ("livez", "\"live\""),
];

const BEFORE: [&str; 23] = [
    "/",
    "//",
    "///",
    "/./",
    "/../",
    "/%2e/",
    "/%2e%2e/",
    "/%2f",
    "/;/",
    "/\\",
    "/v2/",
    "/V2/",
    "//v2//",
    "/v2/./",
    "/v2/../",
    "/v2/v2/",
    "/v2/v2/../",
    "/hpc/../",
    "/v2/hpc/../",
    "/%76%32/",
    "/v2%2f",
    "/api-docs/../",
    "/api-docs/..%2f",
];

const AFTER: [&str; 10] = [
    "", "/", "//", "/.", "/..", "/../", "?", "?a=/", "#x", "/x/..",
];

/// The word in spellings that somebody on the way may take for the same.
fn words(word: &str) -> Vec<String> {
    let mixed = word.char_indices().map(|(at, c)| match at % 2 {
        0 => c.to_ascii_uppercase(),
        _ => c,
    });
    let encoded: String = word.bytes().map(|b| format!("%{b:02x}")).collect();
    let (first, rest) = word.split_at(1);
    vec![
        word.to_owned(),
        word.to_uppercase(),
        mixed.collect(),
        format!("%{:02x}{rest}", first.as_bytes()[0]),
        format!("%{:02X}{rest}", first.to_uppercase().as_bytes()[0]),
        encoded.replace('%', "%25"),
        encoded,
        format!("{word}%00"),
        format!("{word}%20"),
        format!("{word};a=b"),
        format!("{word}."),
    ]
}

/// Targets of a request that might lead to the word.
fn targets(word: &str) -> BTreeSet<String> {
    let mut targets = BTreeSet::new();
    for before in BEFORE {
        for spelled in words(word) {
            targets.insert(format!("{before}{spelled}"));
            targets.insert(format!("{before}{spelled}/"));
        }
        for after in AFTER {
            targets.insert(format!("{before}{word}{after}"));
        }
    }
    for base in [
        "http://proxy",
        "http://127.0.0.1:9090",
        "HTTPS://Proxy:443",
        "http://gateway:9090",
    ] {
        targets.insert(format!("{base}/{word}"));
        targets.insert(format!("{base}/v2/{word}/"));
    }
    targets
}

fn request(method: &str, target: &str) -> Vec<u8> {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n");
    text.into_bytes()
}

/// As [`Proxy::send`], to an address.
async fn send(address: &str, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    // One that cuts the connection has said nothing either.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A proxy that refuses nobody for the number of requests.
async fn patient(gateway: &str) -> anyhow::Result<Proxy> {
    let many = [
        ("rate=200r/s", "rate=100000r/s"),
        ("burst=600", "burst=100000"),
    ];
    Proxy::start(gateway, &many).await
}

#[tokio::test]
async fn no_spelling_leads_to_health_or_metrics() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let gateway = world.gateway.address();
    let proxy = patient(gateway).await?;
    for (word, shown) in INSIDE {
        // It is there, for whoever may see it.
        let asked = request("GET", &format!("/{word}"));
        let inside = send(&world.gateway.health_address(), &asked).await?;
        assert!(inside.contains(shown), "{inside}");
        let (targets, mut statuses) = (targets(word), BTreeSet::new());
        for target in &targets {
            let answer = proxy.send(&request("GET", target)).await?;
            assert!(!answer.body.contains(shown), "{target}: {answer:?}");
            statuses.insert(answer.status);
            let direct = send(gateway, &request("GET", target)).await?;
            assert!(!direct.contains(shown), "{target}: {direct}");
        }
        let plain = [
            format!("/{word}"),
            format!("/{}", word.to_uppercase()),
            format!("/v2/{word}/"),
            format!("//{word}"),
        ];
        for target in plain {
            let answer = proxy.send(&request("GET", &target)).await?;
            assert_eq!(answer.status, 404, "{target}: {answer:?}");
        }
        report(
            &format!("{word} from outside"),
            &format!("{} spellings", targets.len()),
            format!("no route of that name; statuses {statuses:?}"),
        );
    }
    Ok(())
}

#[tokio::test]
async fn no_method_tells_them_from_what_is_not_there() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let proxy = patient(world.gateway.address()).await?;
    let methods = [
        "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND",
    ];
    for method in methods {
        for before in ["/", "/v2/", "//V2/"] {
            let nowhere = proxy
                .send(&request(method, &format!("{before}nowhere")))
                .await?;
            for (word, shown) in INSIDE {
                let answer = proxy
                    .send(&request(method, &format!("{before}{word}")))
                    .await?;
                assert_eq!(answer.status, nowhere.status, "{method} {before}{word}");
                assert!(!answer.body.contains(shown), "{method} {word}: {answer:?}");
            }
            let said = format!("{}, as for /nowhere", nowhere.status);
            report(
                "health and metrics",
                &format!("{method} {before}metrics"),
                said,
            );
        }
    }
    Ok(())
}

/// An address on which nobody listens.
async fn closed() -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?.to_string())
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
    let proxy = Proxy::start(&closed().await?, &[]).await?;
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
    let proxy = Proxy::start(&closed().await?, &few).await?;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = proxy.send(&request("GET", "/hpc")).await?;
        if answer.status == 429 {
            assert_json(&answer, 429)?;
            assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
        }
        statuses.push(answer.status);
    }
    // Nobody is there to whom they could be passed on. A slow machine may have a place
    // more to give while this runs.
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

/// A gateway that says how it was asked.
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
