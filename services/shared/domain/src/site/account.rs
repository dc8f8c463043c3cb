//! Names of Unix accounts on an HPC.

/// Longest name of an account, as useradd(8) takes it.
const LONGEST: usize = 32;

/// Whether `text` is a name that useradd(8) would take: `[a-z_][a-z0-9_-]*[$]?`,
/// At most 32 characters. Such a name is never an option of a program.
pub fn is_account_name(text: &str) -> bool {
    let name = text.strip_suffix('$').unwrap_or(text);
    let begins = |b: u8| b.is_ascii_lowercase() || b == b'_';
    let goes_on = |b: u8| begins(b) || b.is_ascii_digit() || b == b'-';
    text.len() <= LONGEST && name.bytes().next().is_some_and(begins) && name.bytes().all(goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names() {
        for name in ["alice", "_x", "a-1_b", "machine$", &"a".repeat(32)] {
            assert!(is_account_name(name), "{name}");
        }
        for name in [
            "",
            "$",
            "-oProxyCommand=x",
            "1a",
            "Alice",
            "a b",
            "a$b",
            "a@b",
            "a/b",
            "a\n",
            "é",
            &"a".repeat(33),
        ] {
            assert!(!is_account_name(name), "{name}");
        }
    }
}
