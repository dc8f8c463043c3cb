//! The life of a job: pause, cancel, failures of services, removal of its folders, and statistics.

mod cancel;
mod clean;
mod faults;
mod frozen;
mod pause;
mod statistics;
