//! Sealed logins, and the count of login attempts.

use std::time::{Duration, Instant};

use compute_domain::ids::UserId;
use compute_queue::{LoginAttempt, LoginCount};
use compute_testing::OwnRedis;

use crate::redis_part::{HPC, job, queue, queue_on};

const LONG: Duration = Duration::from_secs(60);

fn of<'a>(user: &'a UserId, hpc: &'a str, account: &'a str) -> LoginAttempt<'a> {
    LoginAttempt { hpc, user, account }
}

#[tokio::test]
async fn a_sealed_login_is_kept_for_its_job_and_time() {
    let queue = queue();
    let (a, b) = (job("a"), job("b"));
    assert_eq!(queue.credential(HPC, &a).await.unwrap(), None);
    queue
        .keep_credential(HPC, &a, "v1:one", LONG)
        .await
        .unwrap();
    let kept = async |id| queue.credential(HPC, id).await.unwrap();
    assert_eq!(kept(&a).await.as_deref(), Some("v1:one"));
    assert_eq!(kept(&b).await, None);
    assert_eq!(queue.credential("other_hpc", &a).await.unwrap(), None);

    queue
        .keep_credential(HPC, &a, "v1:two", LONG)
        .await
        .unwrap();
    queue
        .remove_this_credential(HPC, &a, "v1:one")
        .await
        .unwrap();
    assert_eq!(kept(&a).await.as_deref(), Some("v1:two"), "given meanwhile");
    queue
        .remove_this_credential(HPC, &a, "v1:two")
        .await
        .unwrap();
    assert_eq!(kept(&a).await, None);

    queue
        .keep_credential(HPC, &a, "v1:three", LONG)
        .await
        .unwrap();
    queue.remove_credential(HPC, &a).await.unwrap();
    queue.remove_credential(HPC, &a).await.unwrap();
    assert_eq!(kept(&a).await, None);

    let moment = Duration::from_secs(2);
    queue
        .keep_credential(HPC, &a, "short", moment)
        .await
        .unwrap();
    queue
        .keep_credential(HPC, &b, "long", moment)
        .await
        .unwrap();
    queue.extend_credential(HPC, &b, LONG).await.unwrap();
    let began = Instant::now();
    while kept(&a).await.is_some() {
        assert!(began.elapsed() < LONG, "it does not expire");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kept(&b).await.as_deref(), Some("long"));
}

#[tokio::test]
async fn a_redis_that_has_come_back_is_asked_at_once() {
    let own = OwnRedis::start();
    let queue = queue_on(&own);
    queue
        .keep_credential(HPC, &job("a"), "v1:one", LONG)
        .await
        .unwrap();
    own.restart();
    assert_eq!(queue.credential(HPC, &job("a")).await.unwrap(), None);
    own.restart();
    let alice = UserId::new("alice", "hub");
    let counted = queue.count_login(of(&alice, HPC, "acc"), 3, 5, LONG).await;
    assert!(matches!(counted.unwrap(), LoginCount::Counted(_)));
}

/// However slow the machine: any four attempts that were let through span at least a window, and whoever waits as long as
/// the answer says is let through.
#[tokio::test]
async fn so_many_logins_in_any_window() {
    let queue = queue();
    let (alice, bob) = (UserId::new("alice", "hub"), UserId::new("bob", "hub"));
    let window = Duration::from_millis(800);
    let tried = async |user: &UserId, hpc: &str| {
        let attempt = of(user, hpc, "acc");
        match queue.count_login(attempt, 3, 100, window).await.unwrap() {
            LoginCount::Counted(_) => None,
            LoginCount::UserMustWait(wait) => Some(wait),
            LoginCount::AccountMustWait(wait) => panic!("{wait:?}"),
        }
    };
    let (mut let_through, mut refused) = (Vec::new(), 0);
    while let_through.len() < 8 {
        let mut before = Instant::now();
        if let Some(wait) = tried(&alice, HPC).await {
            refused += 1;
            assert!(wait <= window, "{wait:?}");
            if refused == 1 {
                assert_eq!(tried(&bob, HPC).await, None);
                assert_eq!(tried(&alice, "other_hpc").await, None);
            }
            tokio::time::sleep(wait).await;
            before = Instant::now();
            assert_eq!(tried(&alice, HPC).await, None);
        }
        let_through.push((before, Instant::now()));
    }
    for four in let_through.windows(4) {
        assert!(four[3].1 - four[0].0 >= window, "{four:?}");
    }
}

#[tokio::test]
async fn failures_of_all_users_count_for_an_account() {
    let queue = queue();
    let users = ["alice", "bob", "carol"].map(|name| UserId::new(name, "hub"));
    let tried = async |user: usize, account: &str| {
        let attempt = of(&users[user], HPC, account);
        queue.count_login(attempt, 3, 5, LONG).await.unwrap()
    };
    let mut counted = Vec::new();
    for user in [0, 0, 0, 1, 1] {
        match tried(user, "shared").await {
            LoginCount::Counted(id) => counted.push(id),
            other => panic!("{other:?}"),
        }
    }
    for user in [1, 2] {
        let refused = tried(user, "shared").await;
        assert!(
            matches!(refused, LoginCount::AccountMustWait(_)),
            "{refused:?}"
        );
    }
    let user_first = tried(0, "shared").await;
    assert!(
        matches!(user_first, LoginCount::UserMustWait(_)),
        "{user_first:?}"
    );
    let other = tried(2, "other").await;
    assert!(matches!(other, LoginCount::Counted(_)), "{other:?}");
    // One was right after all.
    let right = of(&users[0], HPC, "shared");
    queue.forgive_login(right, counted[0]).await.unwrap();
    let again = tried(1, "shared").await;
    assert!(matches!(again, LoginCount::Counted(_)), "{again:?}");
    let full = tried(2, "shared").await;
    assert!(matches!(full, LoginCount::AccountMustWait(_)), "{full:?}");
    let still = tried(0, "shared").await;
    assert!(
        matches!(still, LoginCount::UserMustWait(_)),
        "his own tries count on: {still:?}"
    );
}
