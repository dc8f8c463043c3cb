//! The documentation: its commands are run, its links resolve, its tables agree with the code.

mod documented_api;
mod documented_operations;
mod documented_parts;
mod documented_template;
mod documents;
mod manifest_reference;
pub(crate) mod metrics;
