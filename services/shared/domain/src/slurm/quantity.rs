//! The readers of Slurm's numbers with units. What a number may be differs between a job's
//! options (sbatch(1)) and accounting (sacct(1)): [`super::units`], [`super::accounting`].

/// Reads a time as seconds: `MM`, `MM:SS`, `HH:MM:SS`, `D-HH`, `D-HH:MM` or `D-HH:MM:SS`, the
/// last component with a fraction (`01:02.500`) or without.
pub(super) fn seconds(text: &str) -> Option<Seconds> {
    let (whole, fraction) = match text.trim().split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text.trim(), None),
    };
    let (days, clock) = match whole.split_once('-') {
        Some((days, clock)) => (Some(digits(days)?), clock),
        None => (None, whole),
    };
    let parts: Vec<u64> = clock.split(':').map(digits).collect::<Option<_>>()?;
    let whole = match (days, parts.as_slice()) {
        (None, [m]) => m.checked_mul(60),
        (None, [m, s]) => total(0, 0, *m, *s),
        (None, [h, m, s]) => total(0, *h, *m, *s),
        (Some(d), [h]) => total(d, *h, 0, 0),
        (Some(d), [h, m]) => total(d, *h, *m, 0),
        (Some(d), [h, m, s]) => total(d, *h, *m, *s),
        _ => None,
    }?;
    let half_or_more = match fraction {
        None => None,
        Some(fraction) => {
            digits(fraction)?;
            Some(fraction.as_bytes().first().is_some_and(|b| *b >= b'5'))
        }
    };
    Some(Seconds {
        whole,
        half_or_more,
    })
}

/// A time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds {
    pub(super) whole: u64,
    /// Of its fraction, if it has one.
    pub(super) half_or_more: Option<bool>,
}

fn total(d: u64, h: u64, m: u64, s: u64) -> Option<u64> {
    let hours = d.checked_mul(24)?.checked_add(h)?;
    let minutes = hours.checked_mul(60)?.checked_add(m)?;
    minutes.checked_mul(60)?.checked_add(s)
}

fn digits(text: &str) -> Option<u64> {
    let all = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// Units of memory and their KiB, largest first.
pub(super) const UNITS: [(char, u32); 4] =
    [('T', 1 << 30), ('G', 1 << 20), ('M', 1 << 10), ('K', 1)];

/// Reads an amount of memory as KiB: a number, with a fraction or without, and a unit of
/// [`UNITS`]; without a unit it counts `default` KiB.
pub(super) fn kib(text: &str, default: f64) -> Option<f64> {
    let text = text.trim();
    let unit = UNITS.into_iter().find(|(unit, _)| text.ends_with(*unit));
    let (number, factor) = match unit {
        Some((unit, kib)) => (text.strip_suffix(unit)?.trim_end(), f64::from(kib)),
        None => (text, default),
    };
    let is_plain = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let amount: f64 = number.parse().ok().filter(|_| is_plain)?;
    Some(amount * factor)
}
