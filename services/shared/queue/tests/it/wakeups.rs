//! Wake-ups.

use std::time::Duration;

use compute_queue::Wakeups;
use tokio::time::timeout;

use crate::redis_part::{HPC, PATIENCE, queue};

const QUIET: Duration = Duration::from_millis(300);

async fn wakes(wakeups: &mut Wakeups, within: Duration) -> bool {
    timeout(within, wakeups.next()).await.is_ok()
}

#[tokio::test]
async fn everybody_who_watches_is_woken() {
    let queue = queue();
    let (mut first, mut second) = (queue.watch_freed(HPC), queue.watch_freed(HPC));
    let mut elsewhere = queue.watch_freed("other_hpc");
    for watcher in [&mut first, &mut second, &mut elsewhere] {
        assert!(wakes(watcher, PATIENCE).await, "once it is connected");
        assert!(!wakes(watcher, QUIET).await);
    }
    queue.freed(HPC).await.unwrap();
    assert!(wakes(&mut first, PATIENCE).await && wakes(&mut second, PATIENCE).await);
    assert!(!wakes(&mut elsewhere, QUIET).await);
}

#[tokio::test]
async fn several_wake_ups_are_one() {
    let queue = queue();
    let mut wakeups = queue.watch_freed(HPC);
    assert!(wakes(&mut wakeups, PATIENCE).await);
    for _ in 0..5 {
        queue.freed(HPC).await.unwrap();
    }
    tokio::time::sleep(QUIET).await;
    assert!(wakes(&mut wakeups, PATIENCE).await);
    assert!(!wakes(&mut wakeups, QUIET).await);
}
