//! Entries: published, shared, finished, taken over, dead-lettered.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use crate::redis_part::{DEADLINE, HPC, SOON, job, names, queue, shared};
use compute_queue::{Queue, Stats};
use compute_testing::{raw_connection, redis_options};

#[tokio::test]
async fn published_read_and_finished() {
    let queue = queue();
    assert_eq!(queue.stats(HPC).await.unwrap(), Stats::default());
    assert!(queue.waiting(HPC).await.unwrap().is_empty());
    for name in ["a", "b", "c"] {
        queue.publish(HPC, &job(name)).await.unwrap();
    }
    // The reader comes later, and sees them all.
    let mut consumer = queue.consumer(HPC, "m1");
    let first = consumer.next(2, DEADLINE).await.unwrap();
    assert_eq!(names(&first), ["a", "b"]);
    assert!(first.iter().all(|entry| entry.deliveries == 1));
    assert_eq!(
        queue.waiting(HPC).await.unwrap(),
        [job("a"), job("b"), job("c")]
    );
    let stats = queue.stats(HPC).await.unwrap();
    assert_eq!((stats.length, stats.pending, stats.dead), (3, 2, 0));
    assert!(stats.oldest_age.unwrap() < Duration::from_secs(60));

    for entry in &first {
        consumer.done(entry).await.unwrap();
    }
    assert_eq!(queue.waiting(HPC).await.unwrap(), [job("c")]);
    let last = consumer.next(2, DEADLINE).await.unwrap();
    assert_eq!(names(&last), ["c"]);
    consumer.done(&last[0]).await.unwrap();
    consumer.done(&last[0]).await.unwrap();
    assert!(consumer.next(2, SOON).await.unwrap().is_empty());
    assert_eq!(queue.stats(HPC).await.unwrap(), Stats::default());
}

#[tokio::test]
async fn two_readers_share() {
    let queue = queue();
    let expected: BTreeSet<String> = (0..20).map(|number| number.to_string()).collect();
    for name in &expected {
        queue.publish(HPC, &job(name)).await.unwrap();
    }
    let mut readers = [queue.consumer(HPC, "m1"), queue.consumer(HPC, "m2")];
    let mut seen = Vec::new();
    for turn in 0..10 {
        let entries = readers[turn % 2].next(2, DEADLINE).await.unwrap();
        assert_eq!(entries.len(), 2);
        seen.extend(entries.into_iter().map(|entry| entry.job_id.to_string()));
    }
    assert_eq!(seen.len(), 20);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), expected);
}

#[tokio::test]
async fn many_entries_are_seen_waiting() {
    let queue = queue();
    for number in 0..1001 {
        queue.publish(HPC, &job(&number.to_string())).await.unwrap();
    }
    let waiting = queue.waiting(HPC).await.unwrap();
    assert_eq!(waiting.len(), 1001);
    assert_eq!(waiting[1000], job("1000"));
}

#[tokio::test]
async fn what_a_dead_reader_left_is_taken_over() {
    let queue = queue();
    queue.publish(HPC, &job("a")).await.unwrap();
    let mut dead = queue.consumer(HPC, "dead");
    dead.next(1, DEADLINE).await.unwrap();
    let mut heir = queue.consumer(HPC, "heir");
    assert!(
        heir.next(1, SOON).await.unwrap().is_empty(),
        "it was given to another"
    );
    assert!(
        heir.stale(DEADLINE, 10).await.unwrap().is_empty(),
        "not idle for long enough"
    );
    let begun = Instant::now();
    let left = loop {
        let left = heir.stale(SOON, 10).await.unwrap();
        if !left.is_empty() {
            break left;
        }
        assert!(begun.elapsed() < DEADLINE, "it does not become stale");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((names(&left), left[0].deliveries), (vec!["a"], 2));
    heir.done(&left[0]).await.unwrap();
    assert!(dead.stale(Duration::ZERO, 10).await.unwrap().is_empty());
    assert!(queue.waiting(HPC).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_entry_that_nobody_finishes_is_dead_lettered() {
    let facts = shared();
    let options = redis_options(&facts);
    let dead_key = format!("{{cgc:v1:{}:{HPC}}}:dead", options.prefix);
    let queue = Queue::connect(options).unwrap();
    queue.publish(HPC, &job("poison")).await.unwrap();
    let mut consumer = queue.consumer(HPC, "m1");
    let mut entries = consumer.next(1, DEADLINE).await.unwrap();
    for deliveries in 2..=4 {
        entries = consumer.stale(Duration::ZERO, 1).await.unwrap();
        assert_eq!(entries[0].deliveries, deliveries);
    }
    consumer
        .dead_letter(&entries[0], "given out too often")
        .await
        .unwrap();
    let stats = queue.stats(HPC).await.unwrap();
    assert_eq!((stats.length, stats.pending, stats.dead), (0, 0, 1));
    assert!(consumer.stale(Duration::ZERO, 1).await.unwrap().is_empty());
    let dead: redis::Value = redis::cmd("XRANGE")
        .arg(dead_key)
        .arg("-")
        .arg("+")
        .query_async(&mut raw_connection(&facts).await)
        .await
        .unwrap();
    let dead = format!("{dead:?}");
    assert!(
        dead.contains("poison") && dead.contains("given out too often"),
        "{dead}"
    );
}

#[tokio::test]
async fn an_unreadable_entry_is_dead_lettered_and_the_next_is_read() {
    let facts = shared();
    let options = redis_options(&facts);
    let jobs_key = format!("{{cgc:v1:{}:{HPC}}}:jobs", options.prefix);
    let queue = Queue::connect(options).unwrap();
    redis::cmd("XADD")
        .arg(jobs_key)
        .arg("*")
        .arg("entry")
        .arg(r#"{"v":99,"job":"a"}"#)
        .exec_async(&mut raw_connection(&facts).await)
        .await
        .unwrap();
    queue.publish(HPC, &job("b")).await.unwrap();
    assert_eq!(queue.waiting(HPC).await.unwrap(), [job("b")]);
    let mut consumer = queue.consumer(HPC, "m1");
    assert_eq!(names(&consumer.next(10, DEADLINE).await.unwrap()), ["b"]);
    let stats = queue.stats(HPC).await.unwrap();
    assert_eq!((stats.length, stats.dead), (1, 1));
}

#[tokio::test]
async fn a_reader_leaves_only_with_empty_hands() {
    let facts = shared();
    let options = redis_options(&facts);
    let jobs_key = format!("{{cgc:v1:{}:{HPC}}}:jobs", options.prefix);
    let queue = Queue::connect(options).unwrap();
    let never_read = queue.consumer(HPC, "never");
    never_read.leave().await.unwrap();
    queue.publish(HPC, &job("a")).await.unwrap();
    let mut busy = queue.consumer(HPC, "busy");
    busy.next(1, DEADLINE).await.unwrap();
    let mut free = queue.consumer(HPC, "free");
    free.next(1, SOON).await.unwrap();
    free.leave().await.unwrap();
    busy.leave().await.unwrap();
    let readers: redis::Value = redis::cmd("XINFO")
        .arg("CONSUMERS")
        .arg(jobs_key)
        .arg("maintainers")
        .query_async(&mut raw_connection(&facts).await)
        .await
        .unwrap();
    let readers = format!("{readers:?}");
    assert!(
        readers.contains("busy") && !readers.contains("free"),
        "{readers}"
    );
    let mut heir = queue.consumer(HPC, "heir");
    assert_eq!(names(&heir.stale(Duration::ZERO, 1).await.unwrap()), ["a"]);
}

#[tokio::test]
async fn hpcs_and_deployments_are_apart() {
    let (queue, other) = (queue(), queue());
    queue.publish(HPC, &job("a")).await.unwrap();
    assert!(queue.waiting("other_hpc").await.unwrap().is_empty());
    assert!(other.waiting(HPC).await.unwrap().is_empty());
}
