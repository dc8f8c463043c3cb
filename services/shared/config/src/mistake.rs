//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong, or odd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// File in the configuration folder.
    pub file: &'static str,
    /// Path of the key, e.g. `local_hpc.port`; empty for the whole file.
    pub key: String,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => write!(f, "{}: {}", self.file, self.reason),
            key => write!(f, "{}: {key}: {}", self.file, self.reason),
        }
    }
}

/// Everything that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

/// Collects what is found while reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<Mistake>,
}

impl Report {
    pub(super) fn mistake(&mut self, file: &'static str, key: &str, reason: &str) {
        self.mistakes.push(Mistake {
            file,
            key: key.to_owned(),
            reason: reason.to_owned(),
        });
    }

    pub(super) fn warning(&mut self, file: &'static str, key: &str, reason: &str) {
        self.warnings.push(Mistake {
            file,
            key: key.to_owned(),
            reason: reason.to_owned(),
        });
    }
}
