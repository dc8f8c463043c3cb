//! A job: its record, its life cycle, and what is said about it.

mod cause;
mod data_source;
mod event;
mod folders;
mod mark;
mod observation;
mod private_file;
mod record;
mod state;
mod step;

pub use cause::Cause;
pub use data_source::{DataSource, OutsideRoots, root_of};
pub use event::{EventKind, NewEvent};
pub use mark::{MAX_DEPLOYMENT_NAME, Mark, SlurmJob, is_deployment_name};
pub use observation::{EndState, JobObservation, Phase, Usage};
pub use private_file::{JobFile, LOG_FOLDER, log_path, private_path, private_place};
pub use record::{DataTransfer, Folder, Intent, Job};
pub use state::{Change, IllegalChange, State};
pub use step::Step;
