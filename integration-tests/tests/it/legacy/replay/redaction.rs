//! Values that differ between two runs of the same server: dates, ids, figures; and
//! texts of libraries that are no longer used.

use chrono::DateTime;

/// Values under these keys are numbers of a run: counts, sizes, durations.
const FIGURES: [&str; 9] = [
    "nodes",
    "cpus",
    "cpuTime",
    "memory",
    "memoryUsage",
    "walltime",
    "STATISTIC",
    "total",
    "local_hpc",
];

/// How messages of the legacy server's libraries begin.
const LIBRARIES: [&str; 5] = [
    "EntityNotFoundError: ",
    "UpdateValuesMissingError: ",
    "TypeError: ",
    "SyntaxError: ",
    "Error: Globus ",
];

/// Whether a number can differ.
pub(crate) fn is_free_number(key: &str) -> bool {
    key == "id" || key == "port" || FIGURES.contains(&key)
}

/// Unix seconds followed by five letters or digits.
pub(crate) fn is_id(text: &str) -> bool {
    let (seconds, rest) = text.split_at_checked(10).unwrap_or_default();
    rest.len() == 5
        && seconds.bytes().all(|b| b.is_ascii_digit())
        && rest.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether `ours` equals the recorded text; both contain our ids and hosts.
pub(crate) fn same_text(key: &str, recorded: &str, ours: &str) -> bool {
    if let Some(at) = LIBRARIES
        .iter()
        .filter_map(|words| recorded.find(words))
        .min()
    {
        let (before, _) = recorded.split_at(at);
        return ours.len() > before.len() && ours.starts_with(before);
    }
    // JavaScript's name of an error, before its message.
    let recorded = recorded.strip_prefix("Error: ").unwrap_or(recorded);
    // A correction with an open end.
    if let Some(beginning) = recorded.strip_suffix('…') {
        return ours.len() > beginning.len() && ours.starts_with(beginning);
    }
    recorded == ours || blank(key, recorded) == blank(key, ours)
}

/// `text` without the values that differ between runs.
fn blank(key: &str, text: &str) -> String {
    if is_date(text) {
        return "<date>".to_owned();
    }
    if key == "globus_task_id" {
        return text.split('-').map(|part| part.len().to_string()).collect();
    }
    if FIGURES.contains(&key) || key == "slurmId" {
        return without_numbers(text);
    }
    match text.strip_prefix("slurm job submitted with slurm job id ") {
        Some(id) => format!("slurm job id {}", without_numbers(id)),
        None => text.to_owned(),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == "2026-11-23T18:12:30.861Z".len()
        && text.ends_with('Z')
        && DateTime::parse_from_rfc3339(text).is_ok()
}

/// The text with `#` for each number and for a unit of size.
fn without_numbers(text: &str) -> String {
    let is_number = |word: &str| word.parse::<f64>().is_ok_and(f64::is_finite);
    let word = |word: &str| {
        let bare = ["kb", "mb", "gb", "tb", "pb"]
            .iter()
            .find_map(|unit| word.strip_suffix(unit));
        match bare {
            Some(size) if is_number(size) => "#b".to_owned(),
            _ if is_number(word) => "#".to_owned(),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_differ() {
        for (key, recorded, ours) in [
            (
                "createdAt",
                "2026-11-23T18:12:30.861Z",
                "2030-01-01T00:00:00.000Z",
            ),
            ("slurmId", "18", "4"),
            (
                "message",
                "slurm job submitted with slurm job id 18",
                "slurm job submitted with slurm job id 4",
            ),
            ("memory", "312.47999572753906gb", "16mb"),
            (
                "walltime",
                "00 days, 00 hours, 00 minutes, 07 seconds",
                "00 days, 00 hours, 00 minutes, 09 seconds",
            ),
            (
                "error",
                "Error: slurm config memory exceeds",
                "slurm config memory exceeds",
            ),
            (
                "error",
                "encountered error: UpdateValuesMissingError: Cannot",
                "encountered error: nothing to update",
            ),
            ("messages", "TypeError: Cannot read", "you have no job"),
            ("error", "malformed body: …", "malformed body: no JSON"),
        ] {
            assert!(same_text(key, recorded, ours), "{key}: {recorded} | {ours}");
        }
    }

    #[test]
    fn what_may_not() {
        for (key, recorded, ours) in [
            (
                "createdAt",
                "2026-11-23T18:12:30.861Z",
                "2026-11-23T18:12:30Z",
            ),
            ("createdAt", "2026-11-23T18:12:30.861Z", "yesterday"),
            ("slurmId", "18", "none"),
            ("message", "18", "4"),
            ("walltime", "00 days, 00 hours", "00 days"),
            ("error", "invalid token", "Invalid token"),
            (
                "error",
                "encountered error: UpdateValuesMissingError: Cannot",
                "nothing to update",
            ),
            (
                "error",
                "encountered error: UpdateValuesMissingError: Cannot",
                "encountered error: ",
            ),
        ] {
            assert!(
                !same_text(key, recorded, ours),
                "{key}: {recorded} | {ours}"
            );
        }
        assert!(is_id("1795457551sZyxD") && is_id("17954579098Qw5X"));
        assert!(!is_id("nosuchjob") && !is_id("1795457551") && !is_id("1795457551sZyx!"));
    }
}
