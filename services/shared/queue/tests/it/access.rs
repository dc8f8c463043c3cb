//! Passwords and time limits.

use std::time::Duration;

use compute_domain::ErrorKind;
use compute_queue::{Queue, RedisOptions};
use compute_testing::redis_options;
use tokio::time::Instant;

use crate::redis_part::{HPC, SOON, job, names, queue, shared};

#[tokio::test]
async fn a_password_is_needed_and_never_shown() {
    let good = redis_options(&shared());
    let secret = shared().text("password").to_owned();
    let queue = Queue::connect(good.clone()).unwrap();
    queue.ping().await.unwrap();
    let consumer = queue.consumer(HPC, "m1");
    let shown = format!(
        "{good:?} {queue:?} {consumer:?} {:?}",
        queue.slot_freed_notifications(HPC)
    );
    assert!(!shown.contains(&secret), "{shown}");
    for password in [None, Some("wrong".into())] {
        let queue = Queue::connect(RedisOptions {
            password,
            ..good.clone()
        })
        .unwrap();
        let error = queue.ping().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
        let error = queue.consumer(HPC, "m1").next(1, SOON).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal, "{error}");
    }
}

/// The library's own limit for an answer is 500 ms.
#[tokio::test]
async fn a_blocking_read_waits_and_keeps_nobody_waiting() {
    let queue = queue();
    let mut consumer = queue.consumer(HPC, "m1");
    let began = Instant::now();
    let others = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let asked = Instant::now();
        queue.ping().await.unwrap();
        assert!(
            asked.elapsed() < Duration::from_millis(500),
            "waited behind the read"
        );
    };
    let (read, ()) = tokio::join!(consumer.next(1, Duration::from_secs(2)), others);
    assert!(read.unwrap().is_empty());
    assert!(began.elapsed() >= Duration::from_secs(2));

    let (read, ()) = tokio::join!(consumer.next(1, Duration::from_secs(5)), async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        queue.publish(HPC, &job("a")).await.unwrap();
    });
    assert_eq!(names(&read.unwrap()), ["a"]);
    assert!(began.elapsed() < Duration::from_secs(5), "woken at once");
}
