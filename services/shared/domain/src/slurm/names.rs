//! Words of a job's options that name something: to Slurm, to the module system, to
//! the mailer. None of them can name a file.

/// A sort of word: which words are of it, and how a error says so.
pub(super) struct Sort {
    pub(super) holds: fn(&str) -> bool,
    pub(super) reason: &'static str,
}

/// Partitions (sbatch(1), `--partition`): one name, or several with commas between them.
pub(super) const PARTITION: Sort = Sort {
    holds: |word| word.split(',').all(is_partition),
    reason: "must be the name of a partition: letters, digits, _ . and -, not first . or -",
};

/// When Slurm writes mails (sbatch(1), `--mail-type`).
pub(super) const MAIL_TYPE: Sort = Sort {
    holds: |word| word.split(',').all(is_mail_type),
    reason: "must be of the types that sbatch knows, like BEGIN, END, FAIL or ALL",
};

/// To whom Slurm writes mails.
pub(super) const MAIL_USER: Sort = Sort {
    holds: is_mail_address,
    reason: "must be one mail address, like alice@example.org",
};

/// Modules that are loaded (module(1)).
pub(super) const MODULE: Sort = Sort {
    holds: is_module_name,
    reason: "must be names of modules, like gcc or gcc/12.2: letters, digits, _ . + and -, no path",
};

/// Longest word, in bytes.
const MAX_WORD: usize = 255;

/// Longest mail address and its longest local part, in bytes (RFC 5321, 4.5.3.1).
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;

const MAIL_TYPES: [&str; 13] = [
    "NONE",
    "BEGIN",
    "END",
    "FAIL",
    "REQUEUE",
    "ALL",
    "INVALID_DEPEND",
    "STAGE_OUT",
    "TIME_LIMIT",
    "TIME_LIMIT_90",
    "TIME_LIMIT_80",
    "TIME_LIMIT_50",
    "ARRAY_TASKS",
];

/// Whether `word` is the name of a module, `NAME` or `NAME/VERSION`, and no path: it has
/// no empty part and none that begins with `.` or `-`, and no `~`.
pub fn is_module_name(word: &str) -> bool {
    let part = |part: &str| begins_well(part) && part.chars().all(|c| is_plain(c) || c == '+');
    word.len() <= MAX_WORD && word.split('/').all(part)
}

/// Whether `domain` is a domain as in a mail address: labels of letters, digits and `-`.
pub fn is_mail_domain(domain: &str) -> bool {
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(plain)
    };
    domain.len() <= MAX_ADDRESS && domain.split('.').all(label)
}

/// The domain of a mail address.
pub(super) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

/// One address, and nothing that a mailer takes for a file, a command, an option, a list
/// or a way through another host.
fn is_mail_address(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else {
        return false;
    };
    let part = |part: &str| !part.is_empty() && part.chars().all(|c| is_plain(c) || c == '+');
    word.len() <= MAX_ADDRESS
        && local.len() <= MAX_LOCAL_PART
        && !local.starts_with(['-', '+'])
        && local.split('.').all(part)
        && is_mail_domain(domain)
}

fn is_partition(name: &str) -> bool {
    name.len() <= MAX_WORD && begins_well(name) && name.chars().all(is_plain)
}

fn is_mail_type(word: &str) -> bool {
    MAIL_TYPES
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

fn begins_well(part: &str) -> bool {
    !part.is_empty() && !part.starts_with(['.', '-'])
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_names_and_no_paths() {
        for name in [
            "gcc",
            "gcc/12.2.0",
            "openmpi/4.1",
            "a/b/c_1",
            "gcc+mpi-3",
            "R",
        ] {
            assert!(is_module_name(name), "{name}");
        }
        for path in [
            "",
            "/",
            "/x",
            "./x",
            "../x",
            "a/../b",
            "a/..",
            "a/.hidden",
            ".x",
            "~",
            "~/x",
            "a//b",
            "a/",
            "-x",
            "a/-x",
            "a b",
            "a\nb",
            "$HOME/x",
            "a;b",
            "file:x",
            "a@1",
            "a%b",
            "a,b",
            "a*",
            "é",
        ] {
            assert!(!is_module_name(path), "{path:?}");
        }
        assert!(!is_module_name(&"a".repeat(256)));
    }

    #[test]
    fn an_address_is_one_address() {
        for address in [
            "alice@example.org",
            "a.b+c_d-e@x-y.example.org",
            "a@localhost",
        ] {
            assert!(is_mail_address(address), "{address}");
        }
        for other in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a@b@c",
            "a@b,c@d",
            "a@b c@d",
            "-a@b",
            "+a@b",
            ".a@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a%b@c",
            "|id@b",
            "/tmp/x@b",
            "a@b/c",
            "a@b:25",
            "a@[1.2.3.4]",
            "\"a b\"@c",
            "a;b@c",
            "a@b\n",
            "é@b",
        ] {
            assert!(!is_mail_address(other), "{other:?}");
        }
        assert!(!is_mail_address(&format!("{}@b", "a".repeat(65))));
        assert!(!is_mail_address(&format!("a@{}", "b.".repeat(130) + "b")));
    }

    #[test]
    fn partitions_and_types_of_mails_are_known_words() {
        for (sort, good, bad) in [
            (
                PARTITION,
                vec!["main", "gpu-a100,main", "p_1.x"],
                vec!["", ",", "a,", "/a", "../a", "a@b", "a%b", "-a"],
            ),
            (
                MAIL_TYPE,
                vec!["END", "end", "FAIL,END", "TIME_LIMIT_90"],
                vec!["", "END,", "ENDE", "../END", "-END"],
            ),
        ] {
            for word in good {
                assert!((sort.holds)(word), "{word}");
            }
            for word in bad {
                assert!(!(sort.holds)(word), "{word:?}");
            }
        }
    }
}
