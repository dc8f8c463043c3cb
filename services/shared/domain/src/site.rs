//! What an operator configures, as values. `compute-config` reads and checks it;
//! nothing here reads a file.

mod account;
mod collections;
mod container;
mod dependencies;
mod hpc;
mod hub;
mod maintainer;

pub use account::is_account_name;
pub use collections::{AdmittedPlace, Collections, OpenCollection, PlaceError, canonical};
pub use container::{Container, Kernel};
pub use dependencies::{GlobusOptions, MirrorOptions, RedisOptions};
pub use hpc::{CommunityLogin, ContainerRuntime, Globus, Hpc};
pub use hub::{Hub, Scheme, UserMapping};
pub use maintainer::{KindName, MaintainerConfig};
