//! Sealed Globus tokens.

use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::World;

#[rstest]
#[tokio::test]
async fn one_for_each_identity(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let store = &world.store;
    assert_eq!(store.globus_token("a@x").await.unwrap(), None);
    for sealed in ["one", "two"] {
        store.keep_globus_token("a@x", sealed).await.unwrap();
        let kept = store.globus_token("a@x").await.unwrap();
        assert_eq!(kept.as_deref(), Some(sealed));
    }
    store.keep_globus_token("b@x", "three").await.unwrap();
    assert_eq!(store.globus_identities().await.unwrap(), ["a@x", "b@x"]);
    assert!(store.forget_globus_token("a@x").await.unwrap());
    assert!(!store.forget_globus_token("a@x").await.unwrap());
    assert_eq!(store.globus_identities().await.unwrap(), ["b@x"]);
}
