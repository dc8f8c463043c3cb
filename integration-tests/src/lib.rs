//! Tools of the scenario tests in `tests/it`: a world of real services on the
//! real parts that `deploy/local/with-parts` has started.

pub mod account;
pub mod attack;
pub mod certificates;
pub mod chaos;
pub mod client;
pub mod database;
pub mod document;
pub mod globus_fake;
pub mod own_redis;
pub mod parts;
pub mod proxy;
pub mod python;
pub mod secrets;
pub mod service;
pub mod site;
pub mod template;
pub mod terminal;
pub mod world;

pub use certificates::Certificates;
pub use client::Client;
pub use document::Document;
pub use globus_fake::GlobusFake;
pub use own_redis::OwnRedis;
pub use parts::Parts;
pub use proxy::Proxy;
pub use template::Template;
pub use terminal::Terminal;
pub use world::{World, WorldOptions};

use std::time::{Duration, Instant};

/// Polls `condition` until it returns a value.
///
/// # Errors
/// After `limit`; the error names `what`.
pub async fn eventually<T>(
    what: &str,
    limit: Duration,
    mut condition: impl AsyncFnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(value) = condition().await? {
            return Ok(value);
        }
        anyhow::ensure!(began.elapsed() < limit, "not in {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
