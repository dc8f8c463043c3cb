//! Scenario tests: what researchers and operators rely on, run against the real parts.
#![expect(
    clippy::indexing_slicing,
    reason = "a scenario fails where a value is missing; also in what its tests share"
)]

mod access;
mod data;
mod documentation;
mod hostile;
mod legacy;
mod life_cycle;
mod measured;
mod operators;
mod programs;
mod python_client;
mod rest;
mod restored;

use std::time::Duration;

/// Long enough for any short job on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);
