//! The import of the database of the legacy server (MySQL or MariaDB), which is only read.
//!
//! Rows that are in ours already, by primary key, are left untouched, so an import
//! may be done again, also after one that broke off: each batch is one
//! transaction, and a job comes with its events and logs or not at all.

mod connect;
mod import;
mod job;
mod read;
mod report;
mod rows;
#[expect(unreachable_pub, reason = "what the macro of sea_orm makes is public")]
mod tables;
mod time;

pub use read::LegacyDatabase;
pub use report::{Note, Reason, TableReport};
pub use rows::Seal;
