//! Folders that several jobs use: no job writes to a folder that another one reads.

use compute_integration_tests::{Template, World, attack::report, client::log_text};
use serde_json::json;

use crate::SOON;

/// Tries to write everywhere, and prints what it finds.
const WRITER: &str = "
import os
def tried(what):
    try:
        return what() or 'done'
    except OSError as error:
        return type(error).__name__ + ' ' + os.strerror(error.errno)

def write(path):
    with open(path, 'a') as file:
        file.write('evil')

print('data:', tried(lambda: write('/job/data/planted')))
print('link:', tried(lambda: os.symlink('/etc', '/job/data/link')))
print('remove:', tried(lambda: [os.remove('/job/data/' + name) for name in os.listdir('/job/data')] and None))
print('names:', sorted(os.listdir('/job/data')) if os.path.isdir('/job/data') else None)
runs = '/job/executable/runs'
write(runs)
print('runs:', os.path.getsize(runs) // 4, flush=True)
open('/job/result/kept', 'w').write('mine')
";

#[tokio::test]
async fn data_is_read_only_unless_its_folder_is_writable() -> anyhow::Result<()> {
    let world =
        World::with([Template::new("writer", "python writer.py").file("writer.py", WRITER)])
            .await?;
    let alice = world.client("alice")?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let first = alice.submit("writer", json!({"hpc": hpc})).await?;
        let job = alice.over(&first, SOON).await?;
        assert_eq!(job["state"], "ended", "{}", log_text(&job));
        let kept = job["remoteResultFolder"]["id"].clone();
        let reads = async |writable: bool| -> anyhow::Result<String> {
            let path = format!("/folder/{}", kept.as_str().unwrap_or_default());
            let set = alice.put(&path, json!({"isWritable": writable})).await?;
            assert_eq!(set.status, 200, "{set:?}");
            let settings = json!({"hpc": hpc, "remoteDataFolder": kept});
            let id = alice.submit("writer", settings).await?;
            let job = alice.over(&id, SOON).await?;
            assert_eq!(job["state"], "ended", "{hpc}: {}", log_text(&job));
            Ok(log_text(&job))
        };
        let log = reads(false).await?;
        for what in ["data:", "link:", "remove:"] {
            let line = log.lines().find(|line| line.starts_with(what));
            assert!(
                line.is_some_and(|line| line.contains("Read-only")),
                "{hpc}: {log}"
            );
        }
        assert!(log.contains("'kept'"), "{log}");
        report("writing to data", hpc, "Read-only file system");
        let log = reads(true).await?;
        assert!(log.contains("data: done"), "{hpc}: {log}");
    }
    Ok(())
}

#[tokio::test]
async fn a_program_that_ran_is_copied_and_runs_again() -> anyhow::Result<()> {
    let world =
        World::with([Template::new("writer", "python writer.py").file("writer.py", WRITER)])
            .await?;
    let alice = world.client("alice")?;
    let first = alice.submit("writer", json!({})).await?;
    let first = alice.over(&first, SOON).await?;
    assert_eq!(first["state"], "ended", "{}", log_text(&first));
    let program = first["remoteExecutableFolder"]["id"].clone();
    // Each finds the files of the first job, and none of the other.
    for _ in 0..2 {
        let again = alice
            .submit("writer", json!({"remoteExecutableFolder": program}))
            .await?;
        let again = alice.over(&again, SOON).await?;
        let log = log_text(&again);
        assert_eq!(again["state"], "ended", "{log}");
        assert!(log.contains("runs: 2"), "{log}");
        assert_eq!(again["remoteExecutableFolder"]["id"], program);
        assert_ne!(again["slurmId"], first["slurmId"], "it ran");
    }
    report(
        "re-running a program",
        "remoteExecutableFolder of a job that is over",
        "a copy of it runs; the folder itself stays as it was",
    );
    Ok(())
}
