//! Stories: what researchers and operators rely on, told against the real parts.
#![expect(
    clippy::print_stdout,
    reason = "what was measured is printed beside its bound"
)]

mod cancel;
mod containers;
mod faults;
mod main_path;
mod measured;
mod operator;
mod refusals;
mod values;

use std::time::Duration;

/// Long enough for any short job on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);
