use std::time::Instant;

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::*;

/// Longer than any machine makes a test wait.
const MINUTE: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);

const LONG: Timeouts = Timeouts {
    header: MINUTE,
    write: MINUTE,
    stop: MINUTE,
};

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    service: JoinHandle<()>,
}

async fn served(app: Router, timeouts: Timeouts) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let listener = DrainingListener::new(listener, stop.clone()).unwrap();
    let service = tokio::spawn(serve(listener, app, timeouts, TrustedProxies::default()));
    Served {
        address,
        stop,
        service,
    }
}

impl Served {
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }
}

async fn rest(mut stream: TcpStream) -> String {
    let mut rest = Vec::new();
    let read = tokio::time::timeout(MINUTE, stream.read_to_end(&mut rest)).await;
    // A connection that is cut off may also be reset.
    drop(read.expect("the connection is still open"));
    String::from_utf8_lossy(&rest).into_owned()
}

#[tokio::test]
async fn half_a_header_silence_and_an_idle_connection_end() {
    let app = Router::new().route("/", get(async || "done"));
    let timeouts = Timeouts {
        header: SHORT,
        ..LONG
    };
    let served = served(app, timeouts).await;
    for sent in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Half: "] {
        assert!(
            !rest(served.send(sent).await).await.contains("200 OK"),
            "{sent:?}"
        );
    }
    // It has to be read before it is idle, also on a slow machine.
    let timeouts = Timeouts {
        header: Duration::from_secs(5),
        ..LONG
    };
    let app = Router::new().route("/", get(async || "done"));
    let served = self::served(app, timeouts).await;
    let idle = served.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(rest(idle).await.ends_with("done"), "answered, then closed");
}

#[tokio::test]
async fn who_does_not_read_is_cut_off() {
    let endless = async || {
        let chunks =
            futures::stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from(vec![0; 1 << 16])));
        Body::from_stream(chunks)
    };
    let timeouts = Timeouts {
        write: SHORT,
        ..LONG
    };
    let served = served(Router::new().route("/", get(endless)), timeouts).await;
    let stream = served.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    served.stop.cancel();
    let ended = tokio::time::timeout(MINUTE, served.service).await;
    ended
        .expect("the service waits for a reader that never reads")
        .unwrap();
    drop(stream);
}

#[tokio::test]
async fn half_a_header_does_not_keep_a_service_that_stops() {
    let app = Router::new().route("/", get(async || "done"));
    let served = served(app, LONG).await;
    let half = served.send("GET / HTTP/1.1\r\nHost: ").await;
    let idle = served.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let mut first = [0];
    idle.peek(&mut first).await.unwrap();
    let begun = Instant::now();
    served.stop.cancel();
    served.service.await.unwrap();
    assert!(begun.elapsed() < MINUTE / 2, "{:?}", begun.elapsed());
    assert_eq!(rest(half).await, "");
    assert!(rest(idle).await.ends_with("done"));
}

#[tokio::test]
async fn a_request_at_hand_is_answered_to_its_end() {
    let (begun, wait) = (CancellationToken::new(), CancellationToken::new());
    let handler = {
        let (begun, wait) = (begun.clone(), wait.clone());
        async move || {
            begun.cancel();
            wait.cancelled().await;
            "x".repeat(4 << 20)
        }
    };
    let served = served(Router::new().route("/", post(handler)), LONG).await;
    let request = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    let stream = served.send(request).await;
    begun.cancelled().await;
    served.stop.cancel();
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    wait.cancel();
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{:.80}", answer);
    assert!(answer.len() > 4 << 20, "{}", answer.len());
    served.service.await.unwrap();
}

#[tokio::test]
async fn the_peer_is_known() {
    let app = Router::new().route(
        "/",
        get(async |request: Request| {
            let Peer(address) = request.extensions().get::<Peer>().unwrap();
            address.to_string()
        }),
    );
    let served = served(app, LONG).await;
    let stream = served
        .send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    let address = stream.local_addr().unwrap().to_string();
    assert!(rest(stream).await.ends_with(&address));
}
