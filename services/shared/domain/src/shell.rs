//! The one place where text is quoted for a shell.

/// Quotes `text` as one word of a POSIX shell, byte for byte what it was,
/// newlines included (POSIX.1-2017, Shell Command Language 2.2.2: everything
/// between single quotes is literal).
///
/// The result is safe wherever a word may stand. NUL cannot be passed to a
/// program at all; validation refuses it before anything reaches this point.
pub fn quote(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_-./:,@%+".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_words_stay_readable() {
        assert_eq!(
            quote("/hpc/cg/scratch/1795457662sRX9w"),
            "/hpc/cg/scratch/1795457662sRX9w"
        );
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's"), "'it'\\''s'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_real_shell_gives_back_what_was_quoted(words in prop::collection::vec("[^\0]{0,24}", 1..8)) {
            let script = words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ");
            for shell in ["bash", "sh"] {
                let output = Command::new(shell)
                    .args(["-c", &format!("printf '%s\\0' {script}")])
                    .output()
                    .unwrap();
                let expected = words.iter().map(|w| format!("{w}\0")).collect::<String>();
                prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
            }
        }
    }
}
