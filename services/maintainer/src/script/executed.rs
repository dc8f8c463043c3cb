//! Batch scripts, run by a shell as Slurm runs them.

use compute_domain::manifest::Stage;

use super::{
    Launcher, ProgramFolders, Stages,
    golden::{cases, plan, private_files},
    render_sbatch,
};

/// Runs a rendered script for real, with stages outside of any container, and
/// gives its exit code and output.
fn run(stages: Stages) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap().to_owned();
    let private = tempfile::tempdir().unwrap();
    std::fs::write(private.path().join("job.env"), "export param_a=1\n").unwrap();
    let mut plan = plan(&cases()[1], false);
    plan.launcher = Launcher::Bare;
    plan.stages = stages;
    plan.files = private_files(private.path().to_str().unwrap());
    plan.executable_folder = path.clone();
    plan.program_folders = ProgramFolders {
        executable: path.clone(),
        data: String::new(),
        result: path.clone(),
    };
    let script = render_sbatch(&plan);
    // What a cluster would bring: modules, and srun, which takes two options.
    let site = "module() { :; }; srun() { shift 2; \"$@\"; }\n";
    let output = std::process::Command::new("bash")
        .args(["-c", &format!("{site}{script}")])
        .output()
        .unwrap();
    let code = output.status.code().unwrap();
    let kept = std::fs::read_to_string(private.path().join("job.exit")).unwrap();
    assert_eq!(
        kept.trim(),
        code.to_string(),
        "the exit file says what the job's exit code is"
    );
    (
        code,
        String::from_utf8(output.stdout)
            .unwrap()
            .replace("init-script-line\n", ""),
    )
}

fn command(line: &str) -> Stage {
    Stage::Command(line.to_owned())
}

#[test]
fn the_first_failure_ends_the_job() {
    let mut stages = Stages {
        pre: Some(command("echo pre; exit 3")),
        main: command("echo main; exit 4"),
        post: Some(command("echo post")),
        continue_on_error: false,
    };
    assert_eq!(run(stages.clone()), (3, "pre\n".to_owned()));
    stages.continue_on_error = true;
    assert_eq!(run(stages), (3, "pre\nmain\npost\n".to_owned()));
}

#[test]
fn raw_stages_are_lines_of_the_script_with_the_variables() {
    let raw = |lines: &[&str]| Stage::RawSbatch(lines.iter().map(|&l| l.to_owned()).collect());
    let stages = Stages {
        pre: Some(raw(&["x=kept", "echo raw $param_a"])),
        main: raw(&["echo $x", "false"]),
        post: Some(command("echo never")),
        continue_on_error: false,
    };
    assert_eq!(run(stages), (1, "raw 1\nkept\n".to_owned()));
}
