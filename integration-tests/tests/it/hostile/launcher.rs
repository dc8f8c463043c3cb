//! The launcher of a contained task is no way out of its container: there is no socket of the
//! launcher, no descriptor, and no variable that names one.

use std::path::{Path, PathBuf};

use compute_integration_tests::{Template, World, WorldOptions, attack::report, client::log_text};
use serde_json::{Value, json};

const REACH: &str = include_str!("reach.py");

/// Variables that name where srun, the steps of a job or the account's token are.
const LEADS: [&str; 7] = [
    "PMI",
    "SLURM_JWT",
    "SLURM_SRUN_COMM_",
    "SLURM_STEP_LAUNCHER_PORT",
    "SLURM_LAUNCH_NODE_IPADDR",
    "SLURM_PMI",
    "SLURM_CONF",
];

/// A template that looks for the launcher in its pre-processing and main stages.
fn reaching(id: &str) -> Template {
    Template::new(id, "python reach.py main")
        .with("pre_processing_stage", json!("python reach.py before"))
        .file("reach.py", REACH)
}

/// A site that leaves more descriptors open than it should.
async fn world(template: Template) -> anyhow::Result<World> {
    World::start(WorldOptions {
        hpc: json!({"init_sbatch_script": [
            "export SLURM_PMI2_SRUN_PORT=1 SLURM_CONF_SERVER=only-the-account PMI_FD=9",
            "exec 9</etc/hostname 23</etc/passwd 200</dev/null",
        ]}),
        templates: vec![template],
        ..WorldOptions::default()
    })
    .await
}

/// A file in the account's home that a command outside the container creates.
fn mark(world: &World, hpc: &str) -> anyhow::Result<PathBuf> {
    let root = world.parts.text("hpc", "root_path")?;
    let home = Path::new(&root).with_file_name("home");
    let name = format!("mark-{hpc}-{}", world.deployment());
    Ok(home.join(world.parts.text("hpc", "user")?).join(name))
}

/// What each stage of a job of `template` prints, the pre-processing stage first.
async fn reports(world: &World, template: &str, hpc: &str) -> anyhow::Result<Vec<Value>> {
    let alice = world.client("alice")?;
    let mark = mark(world, hpc)?.display().to_string();
    let settings = json!({"hpc": hpc, "param": {"mark": mark}});
    let id = alice.submit(template, settings).await?;
    let job = alice.over(&id, crate::SOON).await?;
    assert_eq!(job["state"], "ended", "{hpc}: {job}");
    let log = log_text(&job);
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let found: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    let stages: Vec<_> = found.iter().map(|report| report["stage"].clone()).collect();
    assert_eq!(stages, ["before", "main"], "{hpc}: {log}");
    Ok(found)
}

#[tokio::test]
async fn a_contained_task_finds_no_way_to_it() -> anyhow::Result<()> {
    let world = world(reaching("reaching")).await?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        for found in reports(&world, "reaching", hpc).await? {
            let stage = found["stage"].as_str().unwrap_or_default();
            let row = |what: &str, tried: &str, found: &Value| {
                report(
                    &format!("launcher, {hpc}, {stage}: {what}"),
                    tried,
                    format!("nothing found: {found}"),
                );
            };
            assert_eq!(found["descriptors"], json!([]), "{hpc}: {found}");
            row(
                "descriptors",
                "fstat of 3..1024, in the site's own and in srun's",
                &found["descriptors"],
            );
            assert_eq!(found["spawned"], json!({}), "{hpc}: {found}");
            row(
                "PMI spawn",
                "PMI2 init, fullinit, cmd=spawn of a shell on $PMI_FD and on each socket",
                &found["spawned"],
            );
            let variables = found["variables"].as_array().cloned().unwrap_or_default();
            let leads = |name: &Value| {
                let name = name.as_str().unwrap_or_default();
                LEADS.iter().any(|lead| name.starts_with(lead))
            };
            let leads: Vec<_> = variables.iter().filter(|name| leads(name)).collect();
            assert_eq!(leads, Vec::<&Value>::new(), "{hpc}: {found}");
            assert_eq!(found["values"], json!([]), "{hpc}: {found}");
            row(
                "variables",
                "PMI*, SLURM_JWT, SLURM_CONF, where srun and slurmstepd listen",
                &found["values"],
            );
            assert_eq!(found["sockets"], json!([]), "{hpc}: {found}");
            row(
                "sockets",
                "connect to each path of /proc/net/unix: munged, slurmstepd",
                &found["sockets"],
            );
        }
        assert!(!mark(&world, hpc)?.exists(), "{hpc}: a command ran outside");
    }
    Ok(())
}

/// With an approval for MPI the same program finds the interface, so it looks in the right
/// place; the approval gives nothing else.
#[tokio::test]
async fn approved_for_mpi_it_finds_the_one_that_it_needs() -> anyhow::Result<()> {
    let world = world(reaching("reaching").for_mpi()).await?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let found = reports(&world, "reaching", hpc).await?;
        assert_eq!(found[0]["descriptors"], json!([]), "{hpc}: {found:?}");
        let descriptors = found[1]["descriptors"].as_array().map_or(0, Vec::len);
        assert_eq!(descriptors, 1, "{hpc}: {found:?}");
        assert_eq!(found[1]["values"], json!([]), "{hpc}: {found:?}");
        let mark = mark(&world, hpc)?;
        assert!(mark.exists(), "{hpc}: nothing ran outside: {found:?}");
        std::fs::remove_file(mark)?;
    }
    Ok(())
}
