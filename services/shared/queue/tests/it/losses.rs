//! Redis is emptied, killed, or not there yet: nothing that a caller does has to
//! be done differently afterwards.

use std::time::Duration;

use compute_domain::ErrorKind;
use compute_queue::Queue;
use compute_testing::{OwnRedis, raw_connection, redis_options};
use tokio::time::{Instant, timeout};

use crate::redis_part::{DEADLINE, HPC, SOON, job, names, queue_on};

/// Waits until a client of this Redis is in a blocking read.
async fn a_reader_is_blocked(own: &OwnRedis) {
    let mut connection = raw_connection(&own.facts).await;
    let deadline = Instant::now() + DEADLINE;
    loop {
        let mut command = redis::cmd("INFO");
        let info: String = command
            .arg("clients")
            .query_async(&mut connection)
            .await
            .unwrap();
        if info.contains("blocked_clients:1") {
            return;
        }
        assert!(Instant::now() < deadline, "{info}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn redis_is_emptied() {
    let redis = OwnRedis::start();
    let queue = queue_on(&redis);
    let mut consumer = queue.consumer(HPC, "m1");
    queue.publish(HPC, &job("a")).await.unwrap();
    let entries = consumer.next(1, DEADLINE).await.unwrap();
    redis.empty().await;

    consumer.done(&entries[0]).await.unwrap();
    assert!(consumer.stale(Duration::ZERO, 1).await.unwrap().is_empty());
    assert_eq!(queue.stats(HPC).await.unwrap().pending, 0);
    queue.publish(HPC, &job("b")).await.unwrap();
    assert_eq!(names(&consumer.next(1, DEADLINE).await.unwrap()), ["b"]);

    let (read, ()) = tokio::join!(consumer.next(1, DEADLINE), async {
        a_reader_is_blocked(&redis).await;
        redis.empty().await;
        queue.publish(HPC, &job("c")).await.unwrap();
    });
    assert_eq!(names(&read.unwrap()), ["c"], "emptied while somebody reads");
    redis.empty().await;
    consumer.leave().await.unwrap();
}

#[tokio::test]
async fn redis_is_killed_and_comes_back_empty() {
    let redis = OwnRedis::start();
    let queue = queue_on(&redis);
    let mut consumer = queue.consumer(HPC, "m1");
    let mut notifications = queue.slot_freed_notifications(HPC);
    queue.publish(HPC, &job("a")).await.unwrap();
    assert_eq!(names(&consumer.next(1, DEADLINE).await.unwrap()), ["a"]);
    timeout(DEADLINE, notifications.next()).await.unwrap();

    redis.stop().await;
    let error = queue.publish(HPC, &job("b")).await.unwrap_err();
    assert!(error.kind().is_transient(), "{error}");
    let error = consumer.next(1, SOON).await.unwrap_err();
    assert!(error.kind().is_transient(), "{error}");

    redis.restart();
    let deadline = Instant::now() + DEADLINE;
    while let Err(error) = queue.publish(HPC, &job("b")).await {
        assert!(
            error.kind().is_transient() && Instant::now() < deadline,
            "{error}"
        );
    }
    let read = loop {
        match consumer.next(1, DEADLINE).await {
            Ok(read) => break read,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
    };
    assert_eq!(names(&read), ["b"]);
    timeout(DEADLINE, notifications.next())
        .await
        .expect("woken once connected again");
    queue.notify_slot_freed(HPC).await.unwrap();
    timeout(DEADLINE, notifications.next())
        .await
        .expect("woken as before");
}

#[tokio::test]
async fn redis_comes_later_than_we() {
    let redis = OwnRedis::start();
    redis.stop().await;
    let began = Instant::now();
    let queue = Queue::connect(redis_options(&redis.facts)).unwrap();
    let error = queue.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let mut consumer = queue.consumer(HPC, "m1");
    let error = consumer.next(1, SOON).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(began.elapsed() < DEADLINE, "says so soon");
    redis.restart();
    let deadline = Instant::now() + DEADLINE;
    while let Err(error) = queue.ping().await {
        assert!(Instant::now() < deadline, "{error}");
    }
    assert!(consumer.next(1, SOON).await.unwrap().is_empty());
}

/// As a network that swallows everything: nothing answers, nothing is refused.
#[tokio::test]
async fn redis_is_silent() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = compute_queue::RedisOptions {
        host: "127.0.0.1".to_owned(),
        port: silent.local_addr().unwrap().port(),
        password: None,
        prefix: "silent".to_owned(),
    };
    let queue = Queue::connect(options).unwrap();
    let error = timeout(Duration::from_secs(10), queue.ping())
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.kind().is_transient(), "{error}");
    let mut consumer = queue.consumer(HPC, "m1");
    let read = timeout(Duration::from_secs(10), consumer.next(1, SOON))
        .await
        .unwrap();
    assert!(read.unwrap_err().kind().is_transient());
}
