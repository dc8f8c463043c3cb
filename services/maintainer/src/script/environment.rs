//! `job.env`: the program's variables as a file of `export` lines. It is read
//! by the stage's own shell, inside the container, so that values arrive byte
//! for byte under every container runtime, whatever that does with the
//! environment, and are never part of a command line.

use compute_domain::{job::Job, shell::quote, slurm::env_value};
use serde_json::{Map, Value};

use super::ProgramFolders;

/// Name of the file; a copy for programs in containers is in the executable folder.
pub const ENV_FILE: &str = "job.env";

/// The variables of `job`: the job's own, `param_NAME` and `env_NAME`.
///
/// Names have been checked at submit (`[A-Za-z_][A-Za-z0-9_]*`); one that was
/// not is left out rather than written.
pub fn render_environment(job: &Job, param: &Map<String, Value>, at: &ProgramFolders) -> String {
    let mut lines = String::new();
    let mut export = |name: &str, value: &str| {
        if is_name(name) {
            lines.push_str(&format!("export {name}={}\n", quote(value)));
        }
    };
    export("job_id", job.id.as_str());
    export("user_id", job.user_id.as_str());
    export("maintainer", &job.maintainer);
    export("hpc", &job.hpc);
    for (name, value) in param {
        export(&format!("param_{name}"), &env_value(value));
    }
    for (name, value) in &job.env {
        export(&format!("env_{name}"), &env_value(value));
    }
    export("executable_folder", &at.executable);
    export("data_folder", &at.data);
    export("result_folder", &at.result);
    lines
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use serde_json::json;

    use super::*;
    use crate::fixtures;

    #[test]
    fn a_shell_reads_back_every_value() {
        let hostile = "$(touch x) \"; echo y; '\nsecond `line` \\ end";
        let Value::Object(param) = json!({"a": hostile, "n": 50, "b": true, "nul": null}) else {
            unreachable!()
        };
        let mut job = fixtures::job();
        job.env = serde_json::from_value(json!({"E": "it's"})).unwrap();
        let file = render_environment(&job, &param, &ProgramFolders::in_container());
        let script =
            format!("{file}printf '%s|' \"$param_a\" $param_n $param_b $param_nul \"$env_E\"");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let expected = format!("{hostile}|50|true|null|it's|");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
    }

    #[test]
    fn a_name_that_is_no_name_is_not_written() {
        let Value::Object(param) = json!({"a b": 1, "ok_1": 1}) else {
            unreachable!()
        };
        let file = render_environment(&fixtures::job(), &param, &ProgramFolders::in_container());
        assert!(file.contains("export param_ok_1=1\n"));
        assert!(!file.contains("a b"));
    }
}
