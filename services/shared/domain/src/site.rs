//! What an operator configures, as values. `compute-config` reads and checks it;
//! nothing here reads a file.

mod account;
mod collections;
mod container;
mod hpc;
mod hub;
mod maintainer;
mod stores;

pub use account::is_account_name;
pub use collections::{AdmittedPlace, Collections, OpenCollection, PlaceError, canonical};
pub use container::{Container, Kernel};
pub use hpc::{CommunityLogin, ContainerRuntime, Globus, Hpc};
pub use hub::{Hub, Scheme, UserMapping};
pub use maintainer::{KindName, MaintainerConfig};
pub use stores::{GlobusOptions, MirrorOptions, RedisOptions};
