//! Handlers, one file per resource.

pub mod credential;
pub mod download;
pub mod folder;
pub mod git;
pub mod job;
pub mod job_control;
pub mod site;
pub mod statistic;
pub mod usage;
pub mod user;
