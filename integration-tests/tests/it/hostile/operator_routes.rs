//! Health and metrics from outside: through the proxy, and at the public address of a gateway.

use std::collections::BTreeSet;

use compute_integration_tests::{Proxy, World, attack::report};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::SOON;

/// Routes for the operator, each with text that its response contains.
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

/// Spellings of the word that a server on the way may take for the same.
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

/// Targets of a request that might reach the route.
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

/// Like [`Proxy::send`], to an address.
async fn send(address: &str, request: &[u8]) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    // A connection that was cut has shown nothing either.
    let _ = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A proxy without limits on the number of requests.
async fn unlimited(gateway: &str) -> anyhow::Result<Proxy> {
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
    let proxy = unlimited(gateway).await?;
    for (word, shown) in INSIDE {
        // The operator reaches it.
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
    let proxy = unlimited(world.gateway.address()).await?;
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

/// A request without a body, after which the connection is closed.
pub(super) fn request(method: &str, target: &str) -> Vec<u8> {
    let text = format!("{method} {target} HTTP/1.1\r\nHost: proxy\r\nConnection: close\r\n\r\n");
    text.into_bytes()
}
