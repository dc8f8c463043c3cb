//! Why a login has failed, in words: whether the password was refused, or what to
//! do about it. Pure.

use std::path::Path;

use crate::{
    askpass::Stuck,
    ssh_target::{Login, SshTarget},
};

/// That the HPC does not take the password of a private account, if that is why
/// the login has failed.
pub(crate) fn refusal(target: &SshTarget, log: &str, stuck: Option<Stuck>) -> Option<String> {
    let SshTarget { hpc, user, .. } = target;
    if !target.is_private() {
        return None;
    }
    match stuck {
        Some(Stuck::OtherQuestion(question)) => {
            return Some(format!(
                "HPC {hpc} asks {user} for more than a password ({question:?}), which cannot be \
                 answered here"
            ));
        }
        Some(Stuck::AskedAgain) => {}
        None => {
            let said = |words: &str| log.contains(words);
            if !said("Permission denied") && !said("Too many authentication failures") {
                return None;
            }
        }
    }
    Some(format!("HPC {hpc} refuses the password of {user}"))
}

/// What `ssh` said, and what to do about it.
pub(crate) fn advice(target: &SshTarget, log: &str) -> String {
    let SshTarget {
        hpc,
        login,
        known_hosts,
        ..
    } = target;
    let key = match login {
        Login::Key { path, .. } => path.as_path(),
        Login::Password(_) => Path::new(""),
    };
    let (key, known_hosts) = (key.display(), known_hosts.display());
    if log.contains("REMOTE HOST IDENTIFICATION HAS CHANGED") || log.contains("REVOKED HOST KEY") {
        return format!(
            "its host key is not the one in {known_hosts}. If the site has announced a new key, \
             pin it with `cybergis-compute hpc trust {hpc}`; if not, ask the site"
        );
    }
    if log.contains("host key is known for") || log.contains("Host key verification failed") {
        return format!(
            "no host key of it is in {known_hosts}: pin one with `cybergis-compute hpc trust {hpc}`"
        );
    }
    if log.contains("Permission denied") || log.contains("Too many authentication failures") {
        return format!(
            "it does not accept the key {key} for this account{}",
            match log
                .lines()
                .find(|line| line.contains("Load key") || line.contains("bad perm"))
            {
                Some(line) => format!(" ({})", line.trim()),
                None => String::new(),
            }
        );
    }
    let last = log.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or("ssh ended without a word").to_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::ssh_target::example;

    #[rstest]
    #[case(
        "@@@\nWARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.",
        "not the one"
    )]
    #[case(
        "No ED25519 host key is known for [h]:22 and you have requested strict checking.\nHost key verification failed.",
        "hpc trust keeling"
    )]
    #[case(
        "Load key \"/keys/id\": Permission denied\nu@h: Permission denied (publickey).",
        "Load key"
    )]
    #[case(
        "ssh: connect to host h port 22: Connection refused\n",
        "Connection refused"
    )]
    #[case(
        "Welcome\nkex_exchange_identification: Connection closed by remote host\nConnection closed by 10.0.0.1 port 22\n",
        "Connection closed by 10.0.0.1"
    )]
    #[case("", "without a word")]
    fn advice_names_the_cause(#[case] log: &str, #[case] expected: &str) {
        let words = advice(&example(), log);
        assert!(words.contains(expected), "{words}");
    }

    #[test]
    fn a_refused_password_is_told_from_trouble() {
        let mut private = example();
        private.login = Login::Password("secret".into());
        let log = "cigi-gisolve@h: Permission denied (password).";
        let words = refusal(&private, log, None).unwrap();
        assert!(words.contains("refuses the password of cigi-gisolve"));
        assert!(refusal(&private, "", Some(Stuck::AskedAgain)).is_some());
        let code = Stuck::OtherQuestion("Verification code:".to_owned());
        let words = refusal(&private, "", Some(code)).unwrap();
        assert!(words.contains("Verification code"), "{words}");
        let down = "ssh: connect to host h port 22: Connection refused";
        assert_eq!(refusal(&private, down, None), None);
        assert_eq!(refusal(&example(), log, None), None, "a key is no password");
        assert!(!format!("{private:?}").contains("secret"));
    }
}
