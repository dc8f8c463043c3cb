//! Random faults against all parts of a deployment while jobs run, and the check of what became of the jobs.
//!
//! One seed decides which faults occur, when and for how long, and what the clients do. After the faults
//! everything runs again; when all jobs are at rest, the books are balanced between what the
//! clients were told, the database and Slurm's accounting.

pub mod books;
pub mod clients;
pub mod evidence;
pub mod faults;
pub mod link;
pub mod own_parts;
pub mod random;
pub mod report;
pub mod run;
pub mod schedule;
pub mod world;

pub use report::Report;
pub use run::{Settings, run};
