//! Times and sizes as sbatch(1) writes them.

use std::fmt;

use super::quantity::{self, UNITS};

/// Text that is not a time or not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not {1}")]
pub struct UnitError(pub String, pub &'static str);

/// A time limit, in seconds; written as `HH:MM:SS` (sbatch(1), `--time`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeLimit(u64);

const A_TIME: &str = "a time like 90 (minutes), 01:30:00 or 1-12:00:00";

impl TimeLimit {
    /// A limit in whole minutes.
    pub fn from_minutes(minutes: u64) -> Self {
        Self(minutes.saturating_mul(60))
    }

    /// Seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }

    /// `amount` of the unit that a rule names: `Seconds`, `Minutes`, `Hours` or
    /// `Days`, in any case, with or without the `s`; rounded to whole seconds.
    pub fn of_unit(amount: f64, unit: &str) -> Option<Self> {
        let seconds = match unit.to_ascii_lowercase().trim_end_matches('s') {
            "second" => 1.0,
            "minute" => 60.0,
            "hour" => 3600.0,
            "day" => 86_400.0,
            _ => return None,
        };
        whole(amount * seconds).map(Self)
    }

    /// Reads `MM`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM`, `D-HH:MM:SS`.
    ///
    /// # Errors
    /// If `text` has another form.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError(text.to_owned(), A_TIME);
        let seconds = quantity::seconds(text).filter(|read| read.half_or_more.is_none());
        seconds
            .map(|read| read.whole)
            .filter(|&seconds| seconds > 0)
            .map(Self)
            .ok_or_else(error)
    }
}

/// What the batch script asks for when the job says nothing: one hour.
impl Default for TimeLimit {
    fn default() -> Self {
        Self(3600)
    }
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (minutes, seconds) = (self.0 / 60, self.0 % 60);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        write!(f, "{hours:02}:{minutes:02}:{seconds:02}")
    }
}

/// An amount of memory, in KiB; written in the largest unit that holds it whole
/// (sbatch(1), `--mem`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(u64);

/// KiB per GiB.
const GIB: f64 = 1_048_576.0;

const A_SIZE: &str = "a size like 4G, 4GB or 500M";

impl Memory {
    /// KiB.
    pub fn kib(self) -> u64 {
        self.0
    }

    /// `amount` GiB, rounded to whole KiB.
    pub fn from_gib(amount: f64) -> Option<Self> {
        whole(amount * GIB).map(Self)
    }

    /// Reads a number with unit K, M, G or T, a `B` after it or not; without a
    /// unit it is MiB, as sbatch has it.
    ///
    /// # Errors
    /// If `text` has another form.
    pub fn parse(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError(text.to_owned(), A_SIZE);
        let upper = text.trim().to_ascii_uppercase();
        let short = upper.strip_suffix('B').unwrap_or(&upper);
        let has_unit = short.ends_with(|c: char| c.is_ascii_alphabetic());
        let kib = quantity::kib(short, 1024.0).filter(|_| has_unit || short.len() == upper.len());
        kib.and_then(whole).map(Self).ok_or_else(error)
    }
}

/// `amount` rounded, if that is at least 1 and exact as a float.
fn whole(amount: f64) -> Option<u64> {
    let rounded = amount.round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to lie in 1..2^53"
    )]
    (1.0..9e15).contains(&rounded).then_some(rounded as u64)
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (letter, kib) = UNITS
            .into_iter()
            .map(|(letter, kib)| (letter, u64::from(kib)))
            .find(|(_, kib)| self.0.is_multiple_of(*kib))
            .unwrap_or(('K', 1));
        write!(f, "{}{letter}", self.0 / kib)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times() {
        for (text, seconds) in [
            ("90", 5400),
            ("01:30", 90),
            ("00:10:00", 600),
            ("1-12", 129_600),
            ("1-00:30", 88_200),
            ("2-01:02:03", 176_523),
        ] {
            assert_eq!(TimeLimit::parse(text).unwrap().seconds(), seconds, "{text}");
        }
        for text in [
            "",
            "a",
            "1:2:3:4",
            "-1",
            "1-",
            "0",
            "00:00:00",
            "1.5",
            "99999999999999999999",
        ] {
            assert!(TimeLimit::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, kib) in [
            ("8G", 8 << 20),
            ("8GB", 8 << 20),
            ("8gb", 8 << 20),
            ("500M", 500 << 10),
            ("500", 500 << 10),
            ("1.5G", 3 << 19),
            ("64K", 64),
        ] {
            assert_eq!(Memory::parse(text).unwrap().kib(), kib, "{text}");
        }
        for text in [
            "", "G", "-1G", "8X", "8B", "8GG", "8G8G", "1e3G", "inf", "0",
        ] {
            assert!(Memory::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[0-9:.kKmMgGtTbB -]{0,24}|\\PC{0,24}") {
            let _ = TimeLimit::parse(&text);
            let _ = Memory::parse(&text);
        }

        #[test]
        fn what_is_written_reads_back(seconds in 1u64..10_000_000, kib in 1u64..1 << 50) {
            prop_assert_eq!(TimeLimit::parse(&TimeLimit(seconds).to_string()), Ok(TimeLimit(seconds)));
            prop_assert_eq!(Memory::parse(&Memory(kib).to_string()), Ok(Memory(kib)));
        }
    }
}
