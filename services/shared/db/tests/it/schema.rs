//! The schema, and databases that are not there.

use std::{sync::Arc, time::Duration};

use compute_db::{Store, StoreError};
use compute_domain::{ErrorKind, SystemClock};
use compute_migrations::{all_names, status, up, wait};
use compute_testing::{
    Database,
    Kind::{self, MariaDb, Postgres, Sqlite},
};
use rstest::rstest;

use crate::world::{World, alice};

#[rstest]
#[tokio::test]
async fn migrating_twice_is_no_error(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let database = Database::empty(kind).await;
    let store = Store::connect(&database.url, Arc::new(SystemClock))
        .await
        .unwrap();
    store.ping().await.unwrap();
    assert!(
        !store.schema_is_current().await.unwrap(),
        "nothing is migrated yet"
    );
    let before = status(&database.url).await.unwrap();
    assert!(before.iter().all(|migration| !migration.is_applied));

    assert_eq!(up(&database.url).await.unwrap(), all_names());
    assert!(store.schema_is_current().await.unwrap());
    let after = status(&database.url).await.unwrap();
    assert!(after.iter().all(|migration| migration.is_applied));
    assert_eq!(up(&database.url).await.unwrap(), Vec::<String>::new());
}

#[rstest]
#[tokio::test]
async fn services_wait_for_the_migration(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let database = Database::empty(kind).await;
    let store = Store::connect(&database.url, Arc::new(SystemClock))
        .await
        .unwrap();
    let waiting = tokio::spawn(async move { store.wait_for_schema().await });
    up(&database.url).await.unwrap();
    let limit = Duration::from_secs(10);
    tokio::time::timeout(limit, waiting).await.unwrap().unwrap();
}

/// Whoever adds a migration that the queries need says so in the store, too.
#[rstest]
#[tokio::test]
async fn the_newest_migration_is_needed(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let newest = all_names().pop().unwrap();
    let forget = format!("DELETE FROM seaql_migrations WHERE version = '{newest}'");
    world.database.execute(&forget).await;
    assert!(!world.store.schema_is_current().await.unwrap());
}

/// What was done by half is done again: a table or an index that is there already
/// is no error.
#[rstest]
#[tokio::test]
async fn migrating_goes_on_where_it_stopped(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.queued(&alice()).await;
    world.database.execute("DELETE FROM seaql_migrations").await;
    assert!(!world.store.schema_is_current().await.unwrap());
    assert_eq!(up(&world.database.url).await.unwrap(), all_names());
    assert!(world.store.schema_is_current().await.unwrap());
    assert_eq!(
        world.store.job_of(&alice(), &job.id).await.unwrap(),
        Some(job)
    );
}

#[rstest]
#[tokio::test]
async fn a_database_that_is_away_is_said_to_be_away(#[values("postgres", "mysql")] scheme: &str) {
    let url = format!("{scheme}://user:secret@127.0.0.1:1/db").into();
    let store = Store::connect(&url, Arc::new(SystemClock)).await.unwrap();
    let user = alice();
    let (ping, read, waited) = tokio::join!(
        store.ping(),
        store.jobs_of(&user, None),
        wait(&url, Duration::from_millis(600))
    );
    for error in [ping.unwrap_err(), read.unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(!format!("{error} {error:?} {store:?}").contains("secret"));
    }
    let error = waited.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_and_not_repeated() {
    for url in [
        "",
        "secret",
        "redis://:secret@h/0",
        "postgres:secret",
        "mysql://u:secret@h:port/",
    ] {
        let refused = Store::connect(&url.into(), Arc::new(SystemClock))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, StoreError::Address(_)),
            "{url}: {refused}"
        );
        assert!(!format!("{refused} {refused:?}").contains("secret"));
        assert!(wait(&url.into(), Duration::ZERO).await.is_err());
    }
}
