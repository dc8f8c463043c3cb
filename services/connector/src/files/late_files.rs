//! Scripts that write files, run by a shell of this machine.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use compute_proto::wire;

use super::*;
use crate::{fence::Fence, remote::command_line};

const JOB: &str = "1795457659Ab3dE";

/// Starts the script that writes `folder/file` below `root`, for a holder with fence 1.
fn writing(root: &Path) -> Child {
    let root = root.to_str().unwrap();
    let place = Place::below(root, None);
    let fence = wire::Fence {
        job_id: JOB.to_owned(),
        number: 1,
    };
    let path = RemotePath::below(root, &format!("{root}/folder/file")).unwrap();
    let mut arguments = Fence::of(Some(fence), &place).unwrap().arguments();
    arguments.extend(path.arguments_with(&place));
    arguments.push("2".to_owned());
    let line = command_line(&WRITE_FILE, "cgc-1", &arguments);
    let (program, arguments) = line.split_first().unwrap();
    let mut command = Command::new(program);
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().unwrap()
}

/// The script reads the content after it has looked at the submissions of the job.
#[test]
fn a_file_that_is_complete_after_the_submission_is_not_written() {
    for (submitted, code) in [(false, 0), (true, 43)] {
        let root = tempfile::tempdir().unwrap();
        let mut child = writing(root.path());
        let mut input = child.stdin.take().unwrap();
        input.write_all(b"x").unwrap();
        let private = root.path().join(".cgc");
        // The folder for the content is created after the look.
        while !private.join("staging/cgc-1/new").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the script runs");
            std::thread::yield_now();
        }
        if submitted {
            fs::create_dir_all(private.join("jobs").join(JOB)).unwrap();
            fs::write(private.join("jobs").join(JOB).join("slurm-id"), "17\n").unwrap();
        }
        input.write_all(b"y").unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let written = root.path().join("folder/file");
        assert_eq!(written.exists(), !submitted);
    }
}
