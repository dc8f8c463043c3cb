//! Handlers, one file per resource.

pub mod credential;
pub mod folder;
pub mod git;
pub mod job;
pub mod job_control;
pub mod site;
pub mod user;
