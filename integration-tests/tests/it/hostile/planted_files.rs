//! Files and links that a program plants where the system reads and writes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use compute_integration_tests::{Client, Template, World, attack::report, client::log_text};
use serde_json::{Value, json};

/// Runs the code that its user sends, as many templates do.
fn runs_code() -> Template {
    Template::new("runs_code", "python -c \"$param_code\"")
}

/// A job of `user` that has run `code`, with these further settings.
async fn run(user: &Client, code: &str, settings: Value) -> anyhow::Result<Value> {
    let mut all = json!({"param": {"code": code}});
    if let (Some(all), Value::Object(settings)) = (all.as_object_mut(), settings) {
        all.extend(settings);
    }
    let id = user.submit("runs_code", all).await?;
    user.over(&id, crate::SOON).await
}

fn home(world: &World) -> anyhow::Result<PathBuf> {
    let root = world.parts.text("hpc", "root_path")?;
    let home = Path::new(&root).with_file_name("home");
    Ok(home.join(world.parts.text("hpc", "user")?))
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value[key]
        .as_str()
        .with_context(|| format!("{key}: {value}"))
}

/// Planted marks of a submission, of the previous and the current version, in a folder that
/// the next job uses as its program: another user's Slurm id, a value that a shell would
/// evaluate, and links to a file of the account.
#[tokio::test]
async fn marks_of_a_submission() -> anyhow::Result<()> {
    let world = World::with([runs_code(), Template::new("sleeps", "sleep 600")]).await?;
    let (mallory, victim) = (world.client("alice")?, world.client("bob")?);
    let running = victim.submit("sleeps", json!({})).await?;
    let victims = victim.until(&running, &["running"], crate::SOON).await?;
    let slurm_id = text(&victims, "slurmId")?;
    let keys = home(&world)?.join("precious");
    fs::write(&keys, "precious")?;
    let proof = format!("/tmp/{running}");
    let plant = format!(
        "import os\n\
         os.chdir('/job/result')\n\
         for name in ('.cgc-slurm-id', 'slurm-id'):\n    \
             open(name, 'w').write('{slurm_id}\\n')\n\
         for name in ('.cgc-submit-tried', 'submit-tried'):\n    \
             open(name, 'w').write('begun a[$(id>{proof})]\\n')\n\
         for name in ('.cgc-submit.err', 'sbatch.err', '.cgc-submit.lock', 'submit.lock'):\n    \
             os.symlink('{keys}', name)\n\
         open('job.sbatch', 'w').write('#!/bin/bash\\nid >{proof}\\n')\n",
        keys = keys.display(),
    );
    let planted = run(&mallory, &plant, json!({})).await?;
    assert_eq!(planted["state"], "ended", "{planted}");

    let folder = &planted["remoteResultFolder"]["id"];
    let settings = json!({"remoteExecutableFolder": folder, "param": {"code": "import time; time.sleep(600)"}});
    let id = mallory.submit("runs_code", settings).await?;
    let again = mallory.until(&id, &["running"], crate::SOON).await?;
    assert_ne!(again["slurmId"], victims["slurmId"], "{again}");
    mallory.put(&format!("/job/{id}/cancel"), json!({})).await?;
    let cancelled = mallory.over(&id, crate::SOON).await?;
    assert_eq!(cancelled["state"], "cancelled", "{cancelled}");
    let victims = victim.get(&format!("/job/{running}")).await?.body;
    assert_eq!(victims["state"], "running", "{victims}");
    assert!(!Path::new(&proof).exists(), "something was run");
    assert_eq!(fs::read_to_string(&keys)?, "precious");
    fs::remove_file(&keys)?;
    report(
        "3, 4, 5: planted marks",
        "another user's Slurm id, $(…) and links as marks in an executable folder; then cancel",
        format!("ran as its own Slurm job {}", text(&again, "slurmId")?),
    );
    Ok(())
}

/// Links in place of the logs, which are written into the result folder at the end, and
/// of the files that the program receives.
#[tokio::test]
async fn links_where_logs_are_put() -> anyhow::Result<()> {
    let world = World::with([runs_code()]).await?;
    let mallory = world.client("alice")?;
    let home = home(&world)?;
    let keys = home.join("planted");
    fs::write(&keys, "untouched")?;
    let attacks = [
        (
            "a link instead of slurm_log",
            format!("os.symlink('{}', 'slurm_log')", home.display()),
        ),
        (
            "a folder with links instead of the logs",
            format!(
                "os.mkdir('slurm_log'); os.symlink('{0}', 'slurm_log/job.stdout'); \
                 os.symlink('{0}', 'slurm_log/job.exit')",
                keys.display()
            ),
        ),
        (
            "a pipe instead of slurm_log",
            "os.mkfifo('slurm_log')".to_owned(),
        ),
        (
            "a folder that nobody may write to",
            "os.makedirs('slurm_log/a'); os.chmod('slurm_log', 0)".to_owned(),
        ),
    ];
    for (name, attack) in attacks {
        let code = format!("import os; os.chdir('/job/result'); print('hello'); {attack}");
        let job = run(&mallory, &code, json!({})).await?;
        assert_eq!(job["state"], "ended", "{name}: {job}");
        assert_eq!(log_text(&job).trim(), "hello", "{name}");
        let result = PathBuf::from(text(&job["remoteResultFolder"], "hpcPath")?);
        let stored = fs::symlink_metadata(result.join("slurm_log/job.stdout"))?;
        assert!(stored.is_file(), "{name}: {stored:?}");
        assert!(!fs::symlink_metadata(result.join("slurm_log"))?.is_symlink());
        assert_eq!(fs::read_to_string(&keys)?, "untouched", "{name}");
        report("6: logs", name, "replaced; the logs are files");
    }
    assert!(!home.join("job.stdout").exists() && !home.join("slurm_log").exists());
    fs::remove_file(&keys)?;
    Ok(())
}

/// A program looks for the private folder, and finds neither it nor a way to write its
/// own variables for an uncontained stage.
#[tokio::test]
async fn the_private_place_is_out_of_reach() -> anyhow::Result<()> {
    let world = World::with([runs_code()]).await?;
    let mallory = world.client("alice")?;
    let root = world.parts.text("hpc", "root_path")?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let code = format!(
            "import glob, os\n\
             seen = glob.glob('{root}/.cgc*') + glob.glob('/job/*/../.cgc*')\n\
             for at, folders, files in os.walk('/'):\n    \
                 folders[:] = [name for name in folders if name not in ('proc', 'sys')]\n    \
                 seen += [at] if 'job.sbatch' in files or '.cgc' in folders else []\n\
             print('seen', seen)\n"
        );
        let job = run(&mallory, &code, json!({"hpc": hpc})).await?;
        assert_eq!(log_text(&job).trim(), "seen []", "{hpc}: {job}");
        report("private place", &format!("looked for on {hpc}"), "seen []");
        // Outside containers only the account can access it.
        let of_job = Path::new(&root).join(".cgc/jobs").join(text(&job, "id")?);
        for name in ["job.sbatch", "job.env", "job.stdout", "job.exit"] {
            assert!(of_job.join(name).is_file(), "{name}");
        }
    }
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(Path::new(&root).join(".cgc"))?.permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
    Ok(())
}
