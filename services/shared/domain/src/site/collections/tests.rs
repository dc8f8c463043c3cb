use proptest::prelude::*;

use super::*;
use crate::{
    fixtures,
    site::{Globus, Scheme, UserMapping},
};

const HPC: &str = "11111111-2222-3333-4444-55555555555a";
const HUB: &str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
const OPEN: &str = "99999999-0000-4000-8000-00000000000b";

struct Site {
    hpcs: BTreeMap<String, Hpc>,
    hubs: BTreeMap<String, Hub>,
    open: Vec<OpenCollection>,
}

fn site() -> Site {
    let open = |id: &str, path: Option<&str>| OpenCollection {
        id: id.to_owned(),
        path: path.map(str::to_owned),
    };
    Site {
        hpcs: [("hpc".to_owned(), hpc())].into(),
        hubs: [hub("hub:8000", HUB), hub("other", OPEN)].into(),
        open: vec![
            open(OPEN, Some("/public/")),
            open("laptop", None),
            open(HPC, None),
        ],
    }
}

fn hub(host: &str, endpoint: &str) -> (String, Hub) {
    let hub = Hub {
        host: host.to_owned(),
        scheme: Scheme::Https,
        comment: String::new(),
        endpoint: endpoint.to_owned(),
        root_path: "/~/data".to_owned(),
        container_home_path: String::new(),
        user_mapping: UserMapping::Plain,
        services: Vec::new(),
    };
    (host.to_owned(), hub)
}

fn hpc() -> Hpc {
    Hpc {
        name: "hpc".to_owned(),
        globus: Globus {
            identity: Some("tester@example.org".to_owned()),
            endpoint: Some(HPC.to_owned()),
            root_path: "/".to_owned(),
        },
        ..fixtures::hpc()
    }
}

fn admit_as(user: &str, collection: &str, path: &str) -> Result<AdmittedPlace, PlaceError> {
    let site = site();
    let collections = Collections {
        hpcs: &site.hpcs,
        hubs: &site.hubs,
        open: &site.open,
    };
    collections.admit(&UserId::from_text(user), collection, path)
}

fn admit(collection: &str, path: &str) -> Result<AdmittedPlace, PlaceError> {
    admit_as("alice@hub:8000", collection, path)
}

#[test]
fn what_a_user_may_name() {
    for (collection, path, id, is_own) in [
        (HUB, "/~/data/alice", HUB, true),
        (HUB, "/~/data/alice/", HUB, true),
        (HUB, "/~/data/alice/a b/100%/x~", HUB, true),
        (
            " AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE\n",
            "/~/data/alice/x",
            HUB,
            true,
        ),
        (OPEN, "/public/set/1", OPEN, false),
        (OPEN, "/public", OPEN, false),
        ("laptop", "/", "laptop", false),
        ("laptop", "/set", "laptop", false),
    ] {
        let place = admit(collection, path).unwrap();
        assert_eq!((place.collection.as_str(), place.is_own), (id, is_own));
        assert_eq!(place.path, path);
    }
}

#[test]
fn a_collection_of_an_hpc_is_nobodys_however_it_is_spelt() {
    let upper = HPC.to_uppercase();
    let bare = HPC.replace('-', "");
    for collection in [
        HPC.to_owned(),
        upper.clone(),
        format!(" {HPC}"),
        format!("{HPC}\n"),
        format!("\u{a0}{upper}\u{2003}"),
        bare.clone(),
        bare.to_uppercase(),
        format!("{{{HPC}}}"),
        format!("urn:uuid:{HPC}"),
        format!("URN:UUID:{upper}"),
        format!("{}-{}", &bare[..4], &bare[4..]),
    ] {
        let refused = admit(&collection, "/1795457905CwpWD");
        assert_eq!(refused, Err(PlaceError::Collection(collection)));
    }
}

#[test]
fn other_collections_are_not_available() {
    for collection in [
        "",
        " ",
        "go#ep1",
        "laptop2",
        "lap top",
        &format!("{HPC}#"),
        "0",
    ] {
        let refused = admit(collection, "/x");
        assert!(
            matches!(refused, Err(PlaceError::Collection(_))),
            "{collection:?}"
        );
    }
    // Another hub's collection is nobody's of this hub.
    for user in [
        "alice@other:1",
        "alice@HUB:8000",
        "alice",
        "service:alice@nohub",
    ] {
        let refused = admit_as(user, HUB, "/~/data/alice");
        assert!(matches!(refused, Err(PlaceError::Collection(_))), "{user}");
    }
}

#[test]
fn nobody_leaves_their_own_folder() {
    for path in [
        "/~/data/bob",
        "/~/data",
        "/~/data/",
        "/~/data/alicebob",
        "/~/data/Alice",
        "/~/data/alice/..",
        "/~/data/alice/../bob",
        "/~/data/alice/.. /bob",
        "/~/data/alice/./x",
        "/~/data/alice//x",
        "/~/data/alice//",
        "/~/data/alice/~/x",
        "/~/data/alice/~bob",
        "/~/data/alice/%2e%2e/bob",
        "/~/data/alice/..%2Fbob",
        "/~/data/alice/%252e",
        "/~/data/alice/..\\bob",
        "/~/data/alice/x\0",
        "/~/data/alice/\u{1b}[2J",
        "/~/data/alice/\u{202e}x",
        "/~/data/%61lice",
        "/data/alice",
        "~/data/alice",
        "data/alice",
        "//~/data/alice",
        "/",
        "",
    ] {
        assert!(admit(HUB, path).is_err(), "{path:?}");
    }
    let long = format!("/~/data/alice/{}", "x".repeat(5000));
    assert!(admit(HUB, &long).unwrap_err().to_string().len() < 400);
    for path in ["/publicity", "/", "/public/../etc", "/~/", "public"] {
        assert!(admit(OPEN, path).is_err(), "{path:?}");
    }
    for path in ["/~/x", "x", "", "/a/../b", "//"] {
        assert!(admit("laptop", path).is_err(), "{path:?}");
    }
}

#[test]
fn a_name_that_is_no_folder_has_none() {
    for user in [
        "..@hub:8000",
        ".@hub:8000",
        "a/../bob@hub:8000",
        "@hub:8000",
        "service:x@hub:8000",
    ] {
        let refused = admit_as(user, HUB, "/~/data/../data/bob");
        assert_eq!(refused, Err(PlaceError::NoFolder), "{user}");
    }
}

proptest! {
    #[test]
    fn nothing_that_is_admitted_can_climb(path in "(/~/data/alice)?([/.~%\\\\ a-e2]{0,12})") {
        if let Ok(place) = admit(HUB, &path) {
            let rest = place.path.strip_prefix("/~/data/alice").unwrap();
            prop_assert!(rest.is_empty() || rest.starts_with('/'));
            prop_assert!(rest.split('/').all(|part| part.trim() != ".." && !part.starts_with('~')));
        }
    }
}
