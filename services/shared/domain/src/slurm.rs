//! Slurm options of a job: their types, units, rules and ceilings.

mod accounting;
mod allowed;
mod ceiling;
mod names;
mod options;
mod quantity;
mod units;
mod validate;

pub use accounting::{cpu_seconds, memory_kib};
pub use allowed::check_allowed;
pub use ceiling::Ceilings;
pub use names::{is_mail_domain, is_module_name};
pub use options::{OptionError, SlurmOptions};
pub use units::{Memory, TimeLimit, UnitError};
pub use validate::{ValidationError, check_env, check_param, check_slurm, env_value, filled_param};
