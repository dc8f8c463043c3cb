//! What an operator relies on: the command line, health checks, logs, orphaned jobs.

mod health;
mod logs;
mod operator;
mod orphans;
