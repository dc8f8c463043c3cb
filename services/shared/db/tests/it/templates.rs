//! Templates.

use compute_db::{NewTemplate, TemplatePatch};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::World;

#[rstest]
#[tokio::test]
async fn added_changed_removed_and_added_again(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let store = &world.store;
    let new = |id: &str| NewTemplate {
        id: id.to_owned(),
        address: format!("https://example.org/{id}.git"),
        sha: None,
        is_approved: false,
        is_raw_approved: false,
        is_mpi_approved: false,
    };
    let added = store.add_template(new("hello")).await.unwrap().unwrap();
    assert_eq!(
        (added.is_approved, added.sha.as_deref(), added.updated_at),
        (false, None, None)
    );
    assert_eq!(
        store.add_template(new("hello")).await.unwrap(),
        None,
        "there is one"
    );
    store.add_template(new("Hello")).await.unwrap().unwrap();
    store.add_template(new("a")).await.unwrap().unwrap();
    let ids: Vec<_> = store
        .templates()
        .await
        .unwrap()
        .into_iter()
        .map(|t| t.id)
        .collect();
    assert_eq!(ids, ["Hello", "a", "hello"]);

    let patch = TemplatePatch {
        sha: Some(Some("f00d".to_owned())),
        is_approved: Some(true),
        ..TemplatePatch::default()
    };
    let changed = store.set_template("hello", patch).await.unwrap().unwrap();
    assert_eq!(
        (changed.sha.as_deref(), changed.is_approved),
        (Some("f00d"), true)
    );
    assert_eq!(changed.address, added.address);
    let newest = TemplatePatch {
        sha: Some(None),
        ..TemplatePatch::default()
    };
    assert_eq!(
        store
            .set_template("hello", newest)
            .await
            .unwrap()
            .unwrap()
            .sha,
        None
    );
    let none = store
        .set_template("none", TemplatePatch::default())
        .await
        .unwrap();
    assert_eq!(none, None);

    assert!(!changed.is_raw_approved, "one approval is not the other");
    let raw = |is| TemplatePatch {
        is_raw_approved: Some(is),
        ..TemplatePatch::default()
    };
    for is in [true, false, true] {
        let changed = store.set_template("hello", raw(is)).await.unwrap().unwrap();
        assert_eq!((changed.is_raw_approved, changed.is_approved), (is, true));
    }

    assert!(!changed.is_mpi_approved, "one approval is not the other");
    let mpi = |is| TemplatePatch {
        is_mpi_approved: Some(is),
        ..TemplatePatch::default()
    };
    for is in [true, false, true] {
        let changed = store.set_template("hello", mpi(is)).await.unwrap().unwrap();
        let approvals = (changed.is_mpi_approved, changed.is_raw_approved);
        assert_eq!(approvals, (is, true));
    }

    assert!(store.remove_template("hello").await.unwrap());
    assert!(!store.remove_template("hello").await.unwrap());
    assert_eq!(store.template("hello").await.unwrap(), None);
    assert_eq!(store.templates().await.unwrap().len(), 2);
    let again = store.add_template(new("hello")).await.unwrap().unwrap();
    assert_eq!((again.is_approved, again.deleted_at), (false, None));
    let approvals = (again.is_raw_approved, again.is_mpi_approved);
    assert_eq!(approvals, (false, false), "it is another template");
}
