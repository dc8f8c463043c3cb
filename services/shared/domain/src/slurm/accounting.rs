//! Times and sizes as accounting writes them (sacct(1)).

use super::quantity;

/// Reads `TotalCPU`, `[D-][HH:]MM:SS[.mmm]`, as whole seconds, rounded.
pub fn cpu_seconds(text: &str) -> Option<i64> {
    let seconds = quantity::seconds(text).filter(|_| text.contains(':'))?;
    let rounded = seconds
        .whole
        .checked_add(u64::from(seconds.half_or_more == Some(true)))?;
    i64::try_from(rounded).ok()
}

/// Reads an amount of memory as KiB, rounded: `2004K`, `1000M`, `1.5G`, or bytes without a
/// unit. Slurm before 21.08 appends `n` or `c` (per node, per CPU) to what was requested:
/// that is no amount of the job, and not read.
pub fn memory_kib(text: &str) -> Option<i64> {
    let kib = quantity::kib(text, 1.0 / 1024.0)?;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    (0.0..1e15).contains(&kib).then_some(kib.round() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("00:00.002", Some(0))]
    #[case("00:02.604", Some(3))]
    #[case("00:01:01", Some(61))]
    #[case("2-01:00:00", Some(176_400))]
    #[case("90", None)]
    #[case("", None)]
    #[case("INVALID", None)]
    #[case("1:2:3:4", None)]
    fn times(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(cpu_seconds(text), expected);
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case("2048", Some(2))]
    #[case("2004K", Some(2004))]
    #[case("1000M", Some(1_024_000))]
    #[case("1.5G", Some(1_572_864))]
    #[case("4Gn", None)]
    #[case("", None)]
    #[case("é", None)]
    fn amounts(#[case] text: &str, #[case] expected: Option<i64>) {
        assert_eq!(memory_kib(text), expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_a_reader_panic(text in "[0-9:.KMGTnc -]{0,30}|\\PC{0,24}") {
            let _ = (cpu_seconds(&text), memory_kib(&text));
        }
    }
}
