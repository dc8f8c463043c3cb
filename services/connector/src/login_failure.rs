//! Explains a failed login: whether the HPC rejected the password, or how to correct
//! the cause. Pure.

use std::path::Path;

use crate::{
    askpass::PromptFailure,
    ssh_target::{Login, SshTarget},
};

/// The message that the HPC rejects the password of a private account; `None` if the
/// login failed for another reason.
pub(crate) fn password_rejection(
    target: &SshTarget,
    log: &str,
    prompt: Option<PromptFailure>,
) -> Option<String> {
    let SshTarget { hpc, user, .. } = target;
    if !target.is_private() {
        return None;
    }
    match prompt {
        Some(PromptFailure::OtherPrompt(prompt)) => {
            return Some(format!(
                "HPC {hpc} asks {user} for more than a password ({prompt:?}), which cannot be \
                 answered here"
            ));
        }
        Some(PromptFailure::AskedAgain) => {}
        None => {
            let said = |text: &str| log.contains(text);
            if !said("Permission denied") && !said("Too many authentication failures") {
                return None;
            }
        }
    }
    Some(format!("HPC {hpc} refuses the password of {user}"))
}

/// What `ssh` reported, and how to correct it.
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
    last.unwrap_or("ssh ended without a message").to_owned()
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
    #[case("", "without a message")]
    fn advice_names_the_cause(#[case] log: &str, #[case] expected: &str) {
        let text = advice(&example(), log);
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn a_refused_password_is_told_from_trouble() {
        let mut private = example();
        private.login = Login::Password("secret".into());
        let log = "cigi-gisolve@h: Permission denied (password).";
        let text = password_rejection(&private, log, None).unwrap();
        assert!(text.contains("refuses the password of cigi-gisolve"));
        assert!(password_rejection(&private, "", Some(PromptFailure::AskedAgain)).is_some());
        let code = PromptFailure::OtherPrompt("Verification code:".to_owned());
        let text = password_rejection(&private, "", Some(code)).unwrap();
        assert!(text.contains("Verification code"), "{text}");
        let down = "ssh: connect to host h port 22: Connection refused";
        assert_eq!(password_rejection(&private, down, None), None);
        assert_eq!(
            password_rejection(&example(), log, None),
            None,
            "a key is no password"
        );
        assert!(!format!("{private:?}").contains("secret"));
    }
}
