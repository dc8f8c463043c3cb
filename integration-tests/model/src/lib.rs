//! A model of what keeps a job from being lost or doubled: the lease of a maintainer, the
//! fence of a job, and its submission. All states that it can reach with a few faults are
//! visited (`tests/it`), with all rules in force, where nothing may be found, and with each
//! rule switched off, where the fault must be found that the rule is there for.
//!
//! The life cycle is the real one: [`compute_domain::job::State::after`] decides what a write
//! does to the row. The rest follows the code: `database` the queries of `compute-db`, `runner`
//! the maintainer's `lifecycle`, `folder` the scripts of the connector. Whoever changes one of
//! these changes the model, too.
//!
//! Processes that are stopped, cut off or slow need no states: every action may come at any
//! later time, or never. A call that was sent may arrive after everything else.

mod action;
mod call;
mod database;
mod explorer;
mod faults;
mod folder;
mod rules;
mod runner;
mod scenario;
mod slurm;
mod system;
mod world;

pub use explorer::{Explored, Fault, Model, NO_WAY_TO_AN_END, explore};
pub use faults::{
    DOUBLED, LATE_EFFECT, OTHER_JOB, OVERWRITTEN, RUNS_AFTER_END, SENT_LATE, TOLD_TWICE, WRONG_END,
};
pub use rules::Rules;
pub use scenario::{Budget, Scenario};
pub use system::System;
