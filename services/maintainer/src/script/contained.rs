//! The shell programs that start a contained stage, run for real with a container
//! runtime that only tells what it was given.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use super::{Launcher, ProgramFolders};

/// Tells descriptors above 2 and the variables, for each runtime under its own name.
const RUNTIME: &str = "#!/bin/bash\n\
    shopt -s extglob\n\
    for fd in /proc/self/fd/!(0|1|2|255); do [ -e \"$fd\" ] && echo \"fd ${fd##*/}\"; done\n\
    env | sed -n 's/^APPTAINERENV_/var /p'\n\
    for word; do case $word in --set-env=*) echo \"var ${word#--set-env=}\" ;; esac; done\n";

fn launcher(runtime: &str, mpi: bool) -> Launcher {
    let (image, binds, contained) = ("/image".to_owned(), Vec::new(), true);
    match runtime {
        "apptainer" => Launcher::Apptainer {
            image,
            binds,
            contained,
            mpi,
        },
        _ => Launcher::Charliecloud {
            image,
            binds,
            contained,
            mpi,
        },
    }
}

/// What a contained stage would be given, with descriptors and variables of a site and
/// a launcher around it.
fn given(runtime: &str, mpi: bool) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    // `unshare` is not everybody's: this one only starts what it is given.
    let unshare = "#!/bin/bash\nwhile [[ $1 == --* ]]; do shift; done\nexec \"$@\"\n";
    for (name, program) in [
        ("apptainer", RUNTIME),
        ("ch-run", RUNTIME),
        ("unshare", unshare),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, program).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let launcher = launcher(runtime, mpi);
    let stage = launcher.command_line("true", &ProgramFolders::in_container(), "/job.env");
    // As `srun` does it, for the stage alone.
    let script = format!(
        "exec 7</dev/null 12</dev/null 200</dev/null\n{}\nPMI_FD=7 {stage}\n",
        launcher.setup().join("\n")
    );
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("bash")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .env("HOME", Path::new("/nonexistent"))
        .envs([
            ("PMI_FD", "12"),
            ("PMI_RANK", "0"),
            ("PMIX_NAMESPACE", "x"),
            ("SLURM_JWT", "token"),
            ("SLURM_CONF", "/conf"),
            ("SLURM_SRUN_COMM_PORT", "1"),
            ("SLURM_PMI2_SRUN_PORT", "1"),
            ("SLURM_PROCID", "0"),
            ("SECRET", "x"),
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = stdout
        .lines()
        .filter(|line| !line.starts_with("var HOME=") && !line.starts_with("var PATH="))
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines
}

#[test]
fn no_descriptor_and_no_lead_to_the_launcher_is_passed_on() {
    for runtime in ["apptainer", "charliecloud"] {
        assert_eq!(given(runtime, false), ["var SLURM_PROCID=0"], "{runtime}");
    }
}

#[test]
fn with_mpi_the_one_descriptor_and_its_variables_are() {
    for runtime in ["apptainer", "charliecloud"] {
        let given = given(runtime, true);
        let expected = [
            "fd 7",
            "var MPIR_CVAR_NOLOCAL=1",
            "var PMI_FD=7",
            "var PMI_RANK=0",
            "var SLURM_PROCID=0",
        ];
        assert_eq!(given, expected, "{runtime}");
    }
}
