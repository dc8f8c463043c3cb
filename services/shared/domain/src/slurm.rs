//! Slurm options of a job: their types, units, rules and ceilings.

mod ceiling;
mod options;
mod units;
mod validate;

pub use ceiling::Ceilings;
pub use options::{OptionError, SlurmOptions};
pub use units::{Memory, TimeLimit, UnitError};
pub use validate::{Refusal, check_env, check_param, check_slurm, env_value, filled_param};
