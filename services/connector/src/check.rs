//! Checks an HPC for an operator, before the first job runs there.

use std::time::Duration;

use compute_domain::site::{ContainerRuntime, Hpc};
use compute_proto::CheckItem;

use crate::{
    error::Error,
    remote::{Remote, Script, Shell},
};

static CHECK: Script = Script {
    name: "check",
    body: include_str!("scripts/check.sh"),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(50),
    max_output: 64 << 10,
};

/// Logs in, looks for the scheduler and the container runtime, and writes to the root
/// path. An unreachable HPC is a failed check, not an error.
pub(crate) async fn check(remote: &Remote, hpc: &Hpc) -> Vec<CheckItem> {
    let arguments = vec![
        hpc.root_path.clone(),
        runtime_name(hpc.container_runtime).to_owned(),
    ];
    let answer = match remote.run(&CHECK, arguments).await {
        Ok(reply) => reply.text("login node"),
        Err(error) => Err(error),
    };
    match answer {
        Ok(answer) => answer.lines().filter_map(check_item).collect(),
        Err(error) => vec![not_run(&error)],
    }
}

/// The result for an HPC with private accounts, where nobody logs in for a check.
pub(crate) fn private() -> Vec<CheckItem> {
    vec![CheckItem {
        subject: "login".to_owned(),
        ok: true,
        detail: "private accounts: each researcher logs in with their own account, and the \
                 password is checked when a job is created. Nothing was checked now"
            .to_owned(),
    }]
}

fn runtime_name(runtime: ContainerRuntime) -> &'static str {
    match runtime {
        ContainerRuntime::Apptainer => "apptainer",
        ContainerRuntime::Charliecloud => "charliecloud",
        ContainerRuntime::None => "none",
    }
}

/// Reads `SUBJECT|ok|DETAIL`.
fn check_item(line: &str) -> Option<CheckItem> {
    let mut fields = line.splitn(3, '|');
    let (subject, ok, detail) = (fields.next()?, fields.next()?, fields.next()?);
    Some(CheckItem {
        subject: subject.to_owned(),
        ok: ok == "ok",
        detail: detail.trim().to_owned(),
    })
}

fn not_run(error: &Error) -> CheckItem {
    let detail = match error {
        Error::Trouble(message) => {
            format!("{message} (the login shell of the account must be sh, bash, zsh or ksh)")
        }
        other => other.to_string(),
    };
    CheckItem {
        subject: "login".to_owned(),
        ok: false,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        let read = check_item("root path|no|cannot write to /scratch: a|b ").unwrap();
        assert_eq!((read.subject.as_str(), read.ok), ("root path", false));
        assert_eq!(read.detail, "cannot write to /scratch: a|b");
        assert!(check_item("scheduler|ok|slurm-wlm 22.05.8").unwrap().ok);
        assert_eq!(check_item("noise"), None);
    }
}
