//! `job.sbatch` (sbatch(1)): directives, the HPC's preamble, the stages.
//!
//! The first stage that fails decides the job's exit code. Later stages do not
//! run, unless the manifest says `continue_on_error`.

use compute_domain::{
    manifest::Stage,
    shell::quote,
    slurm::{Memory, SlurmOptions},
};

use super::{Launcher, PrivateFiles, ProgramFolders};

/// The `#SBATCH` directives.
#[derive(Debug, Clone)]
pub struct Directives {
    /// Name of the Slurm job: the job's id.
    pub job_name: String,
    /// Comment by which this deployment knows its jobs.
    pub comment: String,
    /// The user's options, checked.
    pub options: SlurmOptions,
    /// The HPC's own `#SBATCH …` lines.
    pub init_options: Vec<String>,
}

/// What is run, in order.
#[derive(Debug, Clone)]
pub struct Stages {
    /// Before the main stage, once.
    pub pre: Option<Stage>,
    /// The program, under `srun`.
    pub main: Stage,
    /// After the main stage, once.
    pub post: Option<Stage>,
    /// Run all stages even if one fails.
    pub continue_on_error: bool,
}

impl Stages {
    /// Whether lines of the template are lines of the batch script. Only these want
    /// the variables there; a stage's own shell reads them itself, contained.
    fn any_raw(&self) -> bool {
        let mut all = [self.pre.as_ref(), Some(&self.main), self.post.as_ref()]
            .into_iter()
            .flatten();
        all.any(|stage| matches!(stage, Stage::RawSbatch(_)))
    }
}

/// A whole batch script.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The `#SBATCH` directives.
    pub directives: Directives,
    /// Where logs and exit code are written, and the variables are.
    pub files: PrivateFiles,
    /// The HPC's own lines before the stages.
    pub init_script: Vec<String>,
    /// What starts a stage.
    pub launcher: Launcher,
    /// What is run.
    pub stages: Stages,
    /// Executable folder on the HPC.
    pub executable_folder: String,
    /// The folders as the program sees them.
    pub program_folders: ProgramFolders,
}

/// The batch script of `plan`.
pub fn render_sbatch(plan: &Plan) -> String {
    let mut lines = vec!["#!/bin/bash".to_owned()];
    lines.extend(directives(&plan.directives, &plan.files));
    lines.push(String::new());
    lines.extend(preamble(plan));
    let stages = &plan.stages;
    let srun = format!("srun --unbuffered --mpi={} ", plan.launcher.mpi());
    for (name, stage, prefix) in [
        ("pre-processing", stages.pre.as_ref(), ""),
        ("main", Some(&stages.main), srun.as_str()),
        ("post-processing", stages.post.as_ref(), ""),
    ] {
        if let Some(stage) = stage {
            lines.push(String::new());
            lines.extend(run(plan, name, stage, prefix));
        }
    }
    lines.push(String::new());
    lines.push("exit \"$cgc_status\"".to_owned());
    lines.push(String::new());
    lines.join("\n")
}

fn directives(d: &Directives, files: &PrivateFiles) -> Vec<String> {
    let o = &d.options;
    let mut lines = vec![
        format!("#SBATCH --job-name={}", d.job_name),
        format!("#SBATCH --comment={}", d.comment),
        // A program that ran partly does not run again without its owner's knowledge. An option
        // of the HPC that follows may say otherwise.
        "#SBATCH --no-requeue".to_owned(),
    ];
    lines.extend(d.init_options.iter().cloned());
    let mut option = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            lines.push(format!("#SBATCH --{name}={value}"));
        }
    };
    let number = |n: Option<u32>| n.map(|n| n.to_string());
    let memory = |m: &Option<Memory>| m.as_ref().map(ToString::to_string);
    option("nodes", number(o.num_of_node));
    option("ntasks", Some(o.num_of_task.unwrap_or(1).to_string()));
    option(
        "time",
        Some(
            o.time
                .as_ref()
                .map_or("01:00:00".to_owned(), ToString::to_string),
        ),
    );
    option("error", Some(files.stderr.clone()));
    option("output", Some(files.stdout.clone()));
    option(
        "cpus-per-task",
        Some(o.cpu_per_task.unwrap_or(1).to_string()),
    );
    option("mem-per-gpu", memory(&o.memory_per_gpu));
    option("mem-per-cpu", memory(&o.memory_per_cpu));
    option("mem", memory(&o.memory));
    option("gpus", number(o.gpus));
    option("gpus-per-node", number(o.gpus_per_node));
    option("gpus-per-socket", number(o.gpus_per_socket));
    option("gpus-per-task", number(o.gpus_per_task));
    option("partition", o.partition.clone());
    for kind in &o.mail_type {
        option("mail-type", Some(kind.clone()));
    }
    for user in &o.mail_user {
        option("mail-user", Some(user.clone()));
    }
    lines
}

fn preamble(plan: &Plan) -> Vec<String> {
    let mut lines = vec![
        "# The exit code stays beside the logs, for sites without accounting.".to_owned(),
        format!("cgc_exit_file={}", quote(&plan.files.exit_code)),
        "trap 'echo \"$?\" > \"$cgc_exit_file\"' EXIT".to_owned(),
    ];
    lines.push("cgc_status=0".to_owned());
    lines.push("module purge".to_owned());
    lines.extend(plan.init_script.iter().cloned());
    let modules = plan.directives.options.modules.iter();
    lines.extend(modules.map(|module| format!("module load {}", quote(module))));
    lines.extend(plan.launcher.setup());
    lines.push("# Since Slurm 22.05 srun does not take this from sbatch by itself.".to_owned());
    lines.push("export SRUN_CPUS_PER_TASK=\"${SLURM_CPUS_PER_TASK:-1}\"".to_owned());
    lines.push(format!("cd {} || exit 1", quote(&plan.executable_folder)));
    // It was submitted from the private place.
    lines.push("export SLURM_SUBMIT_DIR=\"$PWD\"".to_owned());
    if plan.stages.any_raw() {
        lines.push(format!(". {}", quote(&plan.files.environment)));
    }
    lines
}

fn run(plan: &Plan, name: &str, stage: &Stage, prefix: &str) -> Vec<String> {
    let mut lines = vec![format!("# {name} stage")];
    let keeps_first = "{ cgc_last=$?; [ \"$cgc_status\" -ne 0 ] || cgc_status=$cgc_last; }";
    let guarded = !plan.stages.continue_on_error;
    if guarded {
        lines.push("if [ \"$cgc_status\" -eq 0 ]; then".to_owned());
    }
    match stage {
        Stage::Command(command) => {
            let environment = &plan.files.environment;
            let command = plan
                .launcher
                .command_line(command, &plan.program_folders, environment);
            lines.push(format!("{prefix}{command} || {keeps_first}"));
        }
        Stage::RawSbatch(raw) => {
            lines.push("{".to_owned());
            lines.push(":".to_owned());
            lines.extend(raw.iter().cloned());
            lines.push(format!("}} || {keeps_first}"));
        }
    }
    if guarded {
        lines.push("fi".to_owned());
    }
    lines
}
