//! Wake-ups.

use std::time::Duration;

use compute_queue::Notifications;
use tokio::time::timeout;

use crate::redis_part::{DEADLINE, HPC, queue};

const QUIET: Duration = Duration::from_millis(300);

async fn wakes(notifications: &mut Notifications, within: Duration) -> bool {
    timeout(within, notifications.next()).await.is_ok()
}

#[tokio::test]
async fn everybody_who_watches_is_woken() {
    let queue = queue();
    let (mut first, mut second) = (
        queue.slot_freed_notifications(HPC),
        queue.slot_freed_notifications(HPC),
    );
    let mut elsewhere = queue.slot_freed_notifications("other_hpc");
    for watcher in [&mut first, &mut second, &mut elsewhere] {
        assert!(wakes(watcher, DEADLINE).await, "once it is connected");
        assert!(!wakes(watcher, QUIET).await);
    }
    queue.notify_slot_freed(HPC).await.unwrap();
    assert!(wakes(&mut first, DEADLINE).await && wakes(&mut second, DEADLINE).await);
    assert!(!wakes(&mut elsewhere, QUIET).await);
}

#[tokio::test]
async fn several_wake_ups_are_one() {
    let queue = queue();
    let mut notifications = queue.slot_freed_notifications(HPC);
    assert!(wakes(&mut notifications, DEADLINE).await);
    for _ in 0..5 {
        queue.notify_slot_freed(HPC).await.unwrap();
    }
    tokio::time::sleep(QUIET).await;
    assert!(wakes(&mut notifications, DEADLINE).await);
    assert!(!wakes(&mut notifications, QUIET).await);
}
