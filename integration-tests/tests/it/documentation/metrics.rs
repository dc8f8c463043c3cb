//! Compares `docs/metrics.md` with running services: names, types and labels.

use std::collections::{BTreeMap, BTreeSet};

use compute_integration_tests::{
    Document, Template, World, WorldOptions, eventually, service::Service,
};
use serde_json::json;

use crate::SOON;

const DOCUMENT: &str = "docs/metrics.md";

type Metrics = BTreeMap<String, Metric>;

#[derive(Debug, PartialEq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

/// The metrics of these sections.
fn documented(sections: &[&str]) -> anyhow::Result<Metrics> {
    let document = Document::open(DOCUMENT)?;
    let words = |cell: &str| -> BTreeSet<String> {
        let words = cell.split('`').skip(1).step_by(2);
        words.map(str::to_owned).collect()
    };
    let mut metrics = Metrics::new();
    for section in sections {
        let rows = document.rows(section);
        anyhow::ensure!(!rows.is_empty(), "{DOCUMENT} has no section {section}");
        for row in rows {
            for name in words(&row[0]) {
                let twice = metrics.insert(
                    name,
                    Metric {
                        kind: row[1].clone(),
                        labels: words(&row[2]),
                    },
                );
                anyhow::ensure!(twice.is_none(), "twice in {DOCUMENT}: {}", row[0]);
            }
        }
    }
    Ok(metrics)
}

pub(crate) async fn scraped(service: &Service) -> anyhow::Result<String> {
    let url = format!("http://{}/metrics", service.health_address());
    Ok(reqwest::get(url).await?.text().await?)
}

/// The metrics in the text format of Prometheus.
fn shown(text: &str) -> Metrics {
    let mut metrics = Metrics::new();
    for line in text.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap_or_default();
            let (kind, labels) = (kind.to_owned(), BTreeSet::new());
            metrics.insert(name.to_owned(), Metric { kind, labels });
        } else if !line.starts_with('#') && !line.is_empty() {
            // Values are between quotes; the text outside of them names the labels.
            let (name, rest) = line.split_once(['{', ' ']).unwrap_or_default();
            let outside = rest.split('"').step_by(2);
            let labels = outside.filter_map(|word| word.trim_start_matches(',').strip_suffix('='));
            let parts = ["_bucket", "_sum", "_count"];
            let whole = parts.iter().find_map(|part| name.strip_suffix(part));
            let whole = whole.filter(|whole| metrics.contains_key(*whole));
            if let Some(metric) = metrics.get_mut(whole.unwrap_or(name)) {
                metric
                    .labels
                    .extend(labels.filter(|label| *label != "le").map(str::to_owned));
            }
        }
    }
    metrics
}

/// The metrics of `one` that are missing or different in `other`.
fn differences(one: &Metrics, other: &Metrics, what: &str) -> Vec<String> {
    let missing = one
        .iter()
        .filter(|(name, metric)| other.get(*name) != Some(metric));
    missing
        .map(|(name, metric)| format!("{what} {name} {metric:?}"))
        .collect()
}

/// The value of the series of that name with all these labels.
pub(crate) fn value(text: &str, series: &str, labels: &[&str]) -> Option<f64> {
    let is_it = |line: &&str| {
        line.starts_with(&format!("{series}{{")) && labels.iter().all(|l| line.contains(l))
    };
    text.lines().find(is_it)?.rsplit(' ').next()?.parse().ok()
}

#[tokio::test]
async fn what_is_documented_is_shown_and_nothing_else() -> anyhow::Result<()> {
    let (quick, sleep) = (
        Template::bare("quick", "true"),
        Template::bare("sleep", "sleep 600"),
    );
    let mut world = World::start(WorldOptions {
        mutual_tls: true,
        templates: vec![quick, sleep],
        ..WorldOptions::default()
    })
    .await?;
    let alice = world.client("alice")?;
    let quick = alice.submit("quick", json!({})).await?;
    alice.over(&quick, SOON).await?;
    let running = alice.submit("sleep", json!({})).await?;
    alice.until(&running, &["running"], SOON).await?;
    world.connector.kill()?;
    let parked = alice.submit("sleep", json!({})).await?;
    alice.until(&parked, &["blocked"], SOON).await?;
    let hpc = "hpc=\"local_hpc\"";
    eventually("trouble in the maintainer's metrics", SOON, async || {
        let text = scraped(&world.maintainers[0]).await?;
        let of = |name, label| value(&text, &format!("cybergis_maintainer_{name}"), &[hpc, label]);
        let is_there = of("looks_total", "outcome=\"failed\"").is_some()
            && of("parked_total", "step=\"upload_executable\"").is_some()
            && of("jobs", "state=\"blocked\"") == Some(1.0)
            && of("jobs", "state=\"running\"") == Some(1.0)
            && of("leases", "") == Some(2.0);
        Ok(is_there.then_some(()))
    })
    .await?;
    world.connector.restart()?;
    for id in [&running, &parked] {
        alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
        alice.over(id, SOON).await?;
    }
    for service in [&world.gateway, &world.maintainers[0], &world.connector] {
        eventually("the end of its certificate", SOON, async || {
            let text = scraped(service).await?;
            Ok(text
                .contains("\ncybergis_certificate_expires")
                .then_some(()))
        })
        .await?;
    }
    let mut wrong = Vec::new();
    for (service, sections) in [
        (&world.gateway, vec!["Every service", "Gateway"]),
        (
            &world.maintainers[0],
            vec!["Every service", "Services with gRPC", "Maintainer"],
        ),
        (
            &world.connector,
            vec!["Every service", "Services with gRPC", "Connector"],
        ),
    ] {
        let (documented, shown) = (documented(&sections)?, shown(&scraped(service).await?));
        wrong.extend(differences(&documented, &shown, "documented:"));
        wrong.extend(differences(&shown, &documented, "shown:"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[tokio::test]
async fn metrics_tell_what_happened() -> anyhow::Result<()> {
    let world = World::with([Template::bare("quick", "true")]).await?;
    let alice = world.client("alice")?;
    let id = alice.submit("quick", json!({})).await?;
    alice.over(&id, SOON).await?;
    for _ in 0..2 {
        let refused = alice
            .with_token("bm9ib2R5QG5vd2hlcmU=")
            .get("/user")
            .await?;
        assert_eq!(refused.status, 404, "a hub that is none is not asked");
    }
    let gateway = scraped(&world.gateway).await?;
    let submits = [
        "method=\"POST\"",
        "route=\"/job/{id}/submit\"",
        "status=\"200\"",
    ];
    assert_eq!(
        value(&gateway, "cybergis_gateway_requests_total", &submits),
        Some(1.0)
    );
    assert!(!gateway.contains(&id), "no job in a label");
    let lookups = |outcome: &str| value(&gateway, "cybergis_gateway_hub_lookups_total", &[outcome]);
    assert_eq!(lookups("asked"), Some(1.0), "one question about one token");
    assert!(lookups("known").is_some_and(|known| known >= 3.0));
    let maintainer = scraped(&world.maintainers[0]).await?;
    let of =
        |name, labels: &[&str]| value(&maintainer, &format!("cybergis_maintainer_{name}"), labels);
    assert_eq!(of("jobs_closed_total", &["ended", "collect"]), Some(1.0));
    assert_eq!(of("slurm_ends_total", &["COMPLETED"]), Some(1.0));
    assert_eq!(of("step_seconds_count", &["submit", "done"]), Some(1.0));
    assert_eq!(of("capacity", &["local_hpc"]), Some(10.0));
    let connector = scraped(&world.connector).await?;
    let submit = ["method=\"Submit\"", "code=\"Ok\""];
    assert_eq!(
        value(&connector, "cybergis_grpc_calls_total", &submit),
        Some(1.0)
    );
    Ok(())
}
