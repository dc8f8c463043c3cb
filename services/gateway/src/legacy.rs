//! What the legacy TypeScript server did and its clients depend on: its paths, its
//! bodies, its texts for fields that do not fit, its statuses, its job tokens. Nothing
//! here decides what the gateway does, only how it is asked and how it answers.

pub mod body;
pub mod fields;
pub mod framework;
pub mod job_token;
pub mod path;
pub mod route_groups;
