//! One row of the table of attacks: what was tried and what stopped it. Each test
//! below `tests/it/hostile` prints its rows, and nextest shows them.

use std::fmt;

/// An attack that was tried and failed.
#[derive(Debug, Clone)]
pub struct Attack<'a> {
    /// Short name, as in the table.
    pub name: &'a str,
    /// What the attacker did.
    pub tried: &'a str,
    /// What stopped it: a status, an error, an exit code.
    pub stopped_by: String,
}

impl fmt::Display for Attack<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stopped_by: String = self.stopped_by.escape_debug().take(200).collect();
        write!(f, "{} | {} | {stopped_by}", self.name, self.tried)
    }
}

/// Prints a row of the table.
#[expect(clippy::print_stdout, reason = "the table is there to be read")]
pub fn report(name: &str, tried: &str, stopped_by: impl Into<String>) {
    let attack = Attack {
        name,
        tried,
        stopped_by: stopped_by.into(),
    };
    println!("attack | {attack}");
}
