//! The batch scripts against those of the legacy server, in meaning: the same
//! directives, modules, folders bound and stages, in the same order. What differs
//! on purpose: values travel in `job.env`, the first failure decides, and a program is
//! contained if the HPC says so, which changes how a stage is started and nothing else.

use compute_domain::{manifest::Stage, slurm::SlurmOptions};
use serde_json::{Value, json};

use super::{
    Bind, Directives, Launcher, Plan, PrivateFiles, ProgramFolders, Stages, render_sbatch,
};

pub(super) struct Case {
    recorded: &'static str,
    job: &'static str,
    executable: &'static str,
    result: &'static str,
    slurm: Value,
    stages: [Option<&'static str>; 3],
    mounts: &'static [(&'static str, &'static str)],
    kernel: bool,
}

const SHARED: (&str, &str) = ("/hpc/cg/shared", "/compute_shared");

pub(super) fn cases() -> [Case; 5] {
    [
        Case {
            recorded: include_str!("../../tests/golden/hello_world.sbatch"),
            job: "1795457659HIT7v",
            executable: "1795457662sRX9w",
            result: "1795457664M8dLB",
            slurm: json!({"num_of_task": 2, "time": "00:10:00"}),
            stages: [
                Some("python setup.py"),
                Some("bash main.sh"),
                Some("python cleanup.py"),
            ],
            mounts: &[SHARED],
            kernel: false,
        },
        Case {
            recorded: include_str!("../../tests/golden/stages.sbatch"),
            job: "1795457669dThHS",
            executable: "1795457671vF7KA",
            result: "17954576717wk75",
            slurm: json!({}),
            stages: [
                Some("python pre.py"),
                Some("python main.py"),
                Some("python post.py"),
            ],
            mounts: &[SHARED],
            kernel: false,
        },
        Case {
            recorded: include_str!("../../tests/golden/mounts.sbatch"),
            job: "1795457693Wj4ZA",
            executable: "1795457695jBLN1",
            result: "1795457696deRXs",
            slurm: json!({}),
            stages: [None, Some("ls /compute_shared"), None],
            mounts: &[SHARED, ("/hpc/cg/res", "/compute_scratch")],
            kernel: false,
        },
        Case {
            recorded: include_str!("../../tests/golden/slurm-all-accepted.sbatch"),
            job: "1795457705poNls",
            executable: "1795457707QE4CA",
            result: "1795457707otrGL",
            slurm: json!({"num_of_node": 1, "num_of_task": 1, "time": "00:05:00", "cpu_per_task": 1,
                "memory": "1G", "partition": "main", "mail_type": ["END", "FAIL"],
                "mail_user": ["b@example.org"], "modules": ["gcc", "openmpi/4.1"]}),
            stages: [None, Some("echo hi"), None],
            mounts: &[SHARED],
            kernel: false,
        },
        Case {
            recorded: include_str!("../../tests/golden/kernel.sbatch"),
            job: "1795457699r8xaz",
            executable: "1795457701eipgE",
            result: "1795457701RQQIS",
            slurm: json!({}),
            stages: [Some("echo pre"), Some("python main.py"), Some("echo post")],
            mounts: &[],
            kernel: true,
        },
    ]
}

pub(super) fn plan(case: &Case, contained: bool) -> Plan {
    let root = "/hpc/cg/scratch";
    let executable = format!("{root}/{}", case.executable);
    let result = format!("{root}/{}", case.result);
    let bind = |from: &str, to: &str| Bind {
        from: from.to_owned(),
        to: to.to_owned(),
        is_read_only: false,
    };
    let mut binds = vec![
        bind(&executable, "/job/executable"),
        bind(&result, "/job/result"),
    ];
    binds.extend(case.mounts.iter().map(|(from, to)| bind(from, to)));
    let launcher = if case.kernel {
        Launcher::SingCvmfs { binds }
    } else {
        Launcher::Apptainer {
            image: "/hpc/cg/images/python".to_owned(),
            binds,
            contained,
            mpi: false,
        }
    };
    let stage = |at: usize| case.stages[at].map(|stage| Stage::Command(stage.to_owned()));
    Plan {
        directives: Directives {
            job_name: case.job.to_owned(),
            comment: format!("cybergis-compute:{}", case.job),
            options: SlurmOptions::parse(case.slurm.as_object().unwrap()).unwrap(),
            init_options: Vec::new(),
        },
        files: private_files(&format!("{result}/slurm_log")),
        init_script: vec!["echo init-script-line".to_owned()],
        launcher,
        stages: Stages {
            pre: stage(0),
            main: stage(1).unwrap(),
            post: stage(2),
            continue_on_error: false,
        },
        executable_folder: executable,
        program_folders: ProgramFolders::in_container(),
    }
}

/// The logs go where the legacy server put them, so that the directives are the same.
pub(super) fn private_files(folder: &str) -> PrivateFiles {
    let path = |name: &str| format!("{folder}/{name}");
    PrivateFiles {
        environment: path("job.env"),
        stdout: path("job.stdout"),
        stderr: path("job.stderr"),
        exit_code: path("job.exit"),
    }
}

/// What a script means, in order.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    directives: Vec<String>,
    modules: Vec<String>,
    binds: Vec<Vec<String>>,
    stages: Vec<String>,
    under_srun: Vec<bool>,
}

fn meaning(script: &str) -> Meaning {
    let starting = |prefix: &str| {
        let lines = script
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with(prefix));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let runs: Vec<&str> = script
        .lines()
        .filter(|line| line.contains("bash -c "))
        .collect();
    let binds_of = |line: &&str| {
        let flag = if line.contains("-B ") {
            "-B "
        } else {
            "--bind "
        };
        let list = line.split(flag).nth(1).unwrap_or_default();
        let list = list.split(' ').next().unwrap_or_default().replace('"', "");
        list.trim_matches('\'')
            .split(',')
            .map(str::to_owned)
            .collect()
    };
    let stage_of = |line: &&str| {
        let inner = line.split("bash -c ").nth(1).unwrap_or_default();
        let inner = inner.split(" || {").next().unwrap_or_default();
        let stage = inner.rsplit("&& ").next().unwrap_or_default();
        stage.trim_matches(['"', '\'']).to_owned()
    };
    let mut directives = starting("#SBATCH");
    directives.retain(|line| !line.contains("--comment="));
    let mut modules = starting("module");
    modules.extend(starting("echo init"));
    Meaning {
        directives,
        modules,
        binds: runs.iter().map(binds_of).collect(),
        stages: runs.iter().map(stage_of).collect(),
        under_srun: runs
            .iter()
            .map(|line| line.contains("srun --unbuffered --mpi="))
            .collect(),
    }
}

/// The legacy server took several addresses, of which Slurm takes the last one; ours takes one.
fn recorded(case: &Case) -> String {
    let first = "#SBATCH --mail-user=a@example.org\n";
    case.recorded.replace(first, "")
}

fn both_ways() -> impl Iterator<Item = (Case, bool)> {
    let way = |contained| cases().into_iter().map(move |case| (case, contained));
    way(false).chain(way(true))
}

#[test]
fn scripts_mean_what_the_recorded_ones_meant() {
    for (case, contained) in both_ways() {
        let ours = render_sbatch(&plan(&case, contained));
        assert_eq!(
            meaning(&ours),
            meaning(&recorded(&case)),
            "{}\n{ours}",
            case.job
        );
    }
}

#[test]
fn scripts_are_good_bash() {
    for (case, contained) in both_ways() {
        let ours = render_sbatch(&plan(&case, contained));
        let output = std::process::Command::new("bash")
            .args(["-n", "-c", &ours])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// What a contained program has left in its folders is not read by the batch script,
/// which is not contained.
#[test]
fn a_contained_program_leaves_nothing_for_the_batch_script() {
    let mut plan = plan(&cases()[1], true);
    plan.files = private_files("/hpc/cg/scratch/.cgc/jobs/1");
    plan.stages.pre = Some(Stage::RawSbatch(vec!["echo raw".to_owned()]));
    let script = render_sbatch(&plan);
    let sourced: Vec<_> = script.lines().filter(|l| l.starts_with(". ")).collect();
    assert_eq!(sourced, [". /hpc/cg/scratch/.cgc/jobs/1/job.env"]);
    let own = "--bind /hpc/cg/scratch/.cgc/jobs/1/job.env:/job/executable/job.env:ro ";
    assert!(script.contains(own), "{script}");
}

#[test]
fn a_contained_stage_gets_no_mpi_interface_unless_approved() {
    for (contained, approved, interface) in [
        (true, false, "none"),
        (true, true, "pmi2"),
        (false, false, "pmi2"),
        (false, true, "pmi2"),
    ] {
        let mut plan = plan(&cases()[1], contained);
        if let Launcher::Apptainer { mpi, .. } = &mut plan.launcher {
            *mpi = approved;
        }
        let script = render_sbatch(&plan);
        let started = format!("srun --unbuffered --mpi={interface} ");
        assert_eq!(script.matches(&started).count(), 1, "{script}");
    }
}
