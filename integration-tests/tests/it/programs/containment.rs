//! What a template's program can access of the account that runs it: nothing, where
//! the HPC contains programs, except what it needs.

use std::{fs, path::Path};

use compute_integration_tests::{Template, World, WorldOptions, client::log_text};
use serde_json::{Value, json};

/// A variable of the account's environment that no contained program has.
const SITE_SECRET: &str = "only-the-account-knows-this";

/// Prints what it finds, a line of JSON for each task.
const SPY: &str = r#"
import glob, json, os, tempfile

# Some names are enough: what a task writes at once stays together.
def listed(folder):
    try:
        return sorted(os.listdir(folder))[:12]
    except OSError:
        return None

def read(path):
    try:
        return open(path, "rb").read().decode(errors="replace")
    except OSError:
        return ""

others = [path for path in glob.glob("/proc/[0-9]*/cmdline") if "slurmd" in read(path)]
tempfile.mkstemp(prefix="mine-", dir="/tmp")
print(json.dumps({
    "task": os.environ.get("SLURM_PROCID"), "rank": os.environ.get("PMI_RANK"), "tasks": os.environ.get("SLURM_NTASKS"),
    "here": os.getcwd(), "param": os.environ.get("param_home"), "path": bool(os.environ.get("PATH")),
    "home": listed(os.environ["param_home"]),
    "jobs": listed(os.environ["param_root"]),
    "tmp": [name for name in listed("/tmp") if not name.startswith("mine-")], "memory": glob.glob("/dev/shm/cybergis-scenario-*"),
    "secret": [path for path in glob.glob("/proc/[0-9]*/environ") if "only-the-account-knows-this" in read(path)],
    "processes": len(others), "munge": listed(os.environ["param_munge"]) is not None,
}), flush=True)
"#;

async fn world(containment: Value) -> anyhow::Result<World> {
    World::start(WorldOptions {
        hpc: json!({
            "containment": containment,
            "init_sbatch_script": [format!("export SITE_SECRET={SITE_SECRET}")],
        }),
        templates: vec![Template::new("spy", "python spy.py").file("spy.py", SPY)],
        ..WorldOptions::default()
    })
    .await
}

/// What each task of a spy's job on `hpc` prints.
async fn spied(world: &World, hpc: &str) -> anyhow::Result<Vec<Value>> {
    let alice = world.client("alice")?;
    let root = world.parts.text("hpc", "root_path")?;
    let home = Path::new(&root).with_file_name("home");
    let home = home.join(world.parts.text("hpc", "user")?);
    let id = alice
        .submit(
            "spy",
            json!({
                "hpc": hpc,
                "slurm": {"num_of_task": 2},
                "param": {
                    "home": home.display().to_string(),
                    "root": root,
                    "munge": munge_folder(world)?,
                },
            }),
        )
        .await?;
    let job = alice.over(&id, crate::SOON).await?;
    let log = log_text(&job);
    assert_eq!(job["state"], "ended", "{hpc}: {job}");
    let lines = log.lines().filter(|line| line.starts_with('{'));
    let mut tasks: Vec<Value> = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
    tasks.sort_by_key(|task| task["task"].to_string());
    assert_eq!(tasks.len(), 2, "{log}");
    Ok(tasks)
}

/// The folder of the node's munged socket: access to it is enough to submit as the account.
fn munge_folder(world: &World) -> anyhow::Result<String> {
    let conf = fs::read_to_string(world.parts.text("hpc", "slurm_conf")?)?;
    let socket = conf
        .lines()
        .find_map(|line| line.split("socket=").nth(1))
        .unwrap_or_default();
    let folder = Path::new(socket).parent().unwrap_or(Path::new("/"));
    Ok(folder.display().to_string())
}

/// A file in memory, as another program of the account could leave one.
struct InMemory(String);

impl InMemory {
    fn new(world: &World) -> anyhow::Result<Self> {
        let name = world.folder().file_name().unwrap_or_default();
        let path = format!("/dev/shm/cybergis-scenario-{}", name.to_string_lossy());
        fs::write(&path, "x")?;
        Ok(Self(path))
    }
}

impl Drop for InMemory {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn a_contained_program_finds_nothing_of_the_account() -> anyhow::Result<()> {
    // For a community account, containment is on by default.
    let world = world(Value::Null).await?;
    let _left = InMemory::new(&world)?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        for (at, task) in spied(&world, hpc).await?.iter().enumerate() {
            assert_eq!(task["home"], Value::Null, "{hpc}: {task}");
            assert_eq!(task["jobs"], Value::Null, "{hpc}: {task}");
            assert_eq!(task["tmp"], json!([]), "{hpc}: {task}");
            assert_eq!(task["memory"], json!([]), "{hpc}: {task}");
            assert_eq!(task["secret"], json!([]), "{hpc}: {task}");
            assert_eq!(task["processes"], 0, "{hpc}: {task}");
            assert_eq!(task["munge"], false, "{hpc}: {task}");
            // It has what it needs.
            assert_eq!(task["task"], at.to_string(), "{hpc}: {task}");
            assert_eq!(task["rank"], Value::Null, "{hpc}: {task}");
            assert_eq!(task["tasks"], "2", "{hpc}: {task}");
            assert_eq!(task["here"], "/job/executable", "{hpc}: {task}");
            assert_eq!(task["path"], true, "{hpc}: {task}");
            assert_ne!(task["param"], Value::Null, "{hpc}: {task}");
        }
    }
    Ok(())
}

/// Without containment the same spy finds everything, so it looks in the right places.
#[tokio::test]
async fn without_containment_it_finds_all_of_it() -> anyhow::Result<()> {
    let world = world(json!(false)).await?;
    let _left = InMemory::new(&world)?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        for task in spied(&world, hpc).await? {
            let home = task["home"].to_string();
            assert!(home.contains(".bash_profile"), "{hpc}: {task}");
            let jobs = task["jobs"].as_array().map_or(0, Vec::len);
            assert!(jobs >= 2, "{hpc}: {task}");
            assert_ne!(task["tmp"], json!([]), "{hpc}: {task}");
            assert_ne!(task["memory"], json!([]), "{hpc}: {task}");
            assert_ne!(task["secret"], json!([]), "{hpc}: {task}");
            assert_ne!(task["processes"], 0, "{hpc}: {task}");
            assert_eq!(task["munge"], true, "{hpc}: {task}");
        }
    }
    Ok(())
}

/// A contained program is ended, and its exit code is reported, like any other.
#[tokio::test]
async fn its_exit_code_is_reported_and_nothing_is_left_on_the_node() -> anyhow::Result<()> {
    let fails = Template::new("fails", "exit 3");
    let sleeps = Template::new("sleeps", "touch /tmp/began && exec sleep 600");
    let world = World::with([fails, sleeps]).await?;
    let alice = world.client("alice")?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let id = alice.submit("fails", json!({"hpc": hpc})).await?;
        let job = alice.over(&id, crate::SOON).await?;
        let cause = job["cause"].as_str().unwrap_or_default();
        assert!(cause.contains("exit code 3"), "{hpc}: {job}");

        let id = alice.submit("sleeps", json!({"hpc": hpc})).await?;
        compute_integration_tests::eventually("the program", crate::SOON, async || {
            Ok((!scratch_with_began().is_empty()).then_some(()))
        })
        .await?;
        let began = scratch_with_began();
        alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
        let job = alice.over(&id, crate::SOON).await?;
        assert_eq!(job["state"], "cancelled", "{hpc}: {job}");
        compute_integration_tests::eventually("a tidy node", crate::SOON, async || {
            Ok(began.iter().all(|path| !path.exists()).then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// The paths on the node of the files `began` in the `/tmp` of programs.
fn scratch_with_began() -> Vec<std::path::PathBuf> {
    let folders = fs::read_dir("/tmp").into_iter().flatten().flatten();
    folders
        .map(|folder| folder.path().join("tmp/began"))
        .filter(|path| path.exists())
        .collect()
}

/// A running program can write to its folders, so no other job takes its program from
/// them meanwhile, and no batch script is written there.
#[tokio::test]
async fn no_program_is_in_the_hands_of_a_running_one() -> anyhow::Result<()> {
    let world = World::with([Template::new("sleeps", "sleep 600")]).await?;
    let alice = world.client("alice")?;
    let first = alice.submit("sleeps", json!({})).await?;
    let job = alice.until(&first, &["running"], crate::SOON).await?;
    let program = &job["remoteExecutableFolder"]["id"];
    let settings = [
        json!({"remoteExecutableFolder": program}),
        json!({"remoteDataFolder": program}),
        json!({"remoteExecutableFolder": job["remoteResultFolder"]["id"]}),
    ];
    for settings in &settings {
        let id = alice.prepare("sleeps", settings.clone()).await?;
        let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
        assert_eq!(answer.status, 402, "{settings}: {answer:?}");
        let words = format!("job {first} is not over");
        assert!(answer.body.to_string().contains(&words), "{answer:?}");
    }
    alice
        .put(&format!("/job/{first}/cancel"), json!({}))
        .await?;
    alice.over(&first, crate::SOON).await?;
    let id = alice
        .submit("sleeps", json!({"remoteDataFolder": program}))
        .await?;
    alice.put(&format!("/job/{id}/cancel"), json!({})).await?;
    alice.over(&id, crate::SOON).await?;
    Ok(())
}
