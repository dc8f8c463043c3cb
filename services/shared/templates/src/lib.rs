//! Mirrors of the templates' git repositories.
//!
//! Git runs as a child process with a configuration and an environment of its
//! own: no hooks, no submodules, no prompts, no user's settings, and only the
//! protocol that an address needs. Nothing of a repository is ever run or
//! checked out here: a mirror is bare, and a template leaves it as a tar stream
//! of one commit.

mod address;
mod archive;
mod error;
mod git;
mod mirror;
mod mirrors;
mod objects;
mod tree;

pub use address::Address;
pub use archive::Archive;
pub use compute_domain::site::MirrorOptions;
pub use error::TemplateError;
pub use mirrors::{Mirrors, Snapshot};
