//! Runs the example of docs/contributing-a-template.md.

use std::{fs, os::unix::fs::symlink};

use compute_integration_tests::{
    Document, Template, Terminal, World, client::log_text, service::binaries,
};
use serde_json::{Value, json};

use crate::SOON;

const DOCUMENT: &str = "docs/contributing-a-template.md";
const TEST: &str = "documented_template::from_nothing_to_a_result";

#[tokio::test]
async fn from_nothing_to_a_result() -> anyhow::Result<()> {
    let world = World::with([]).await?;
    let desk = tempfile::tempdir()?;
    let (clone, folder) = (desk.path().join("clone"), desk.path().join("pi"));
    fs::create_dir_all(clone.join("run"))?;
    fs::create_dir(clone.join("target"))?;
    symlink(world.folder(), clone.join("run/world"))?;
    symlink(binaries()?, clone.join("target/debug"))?;

    let document = Document::open(DOCUMENT)?;
    let mut blocks = document.blocks_run_by(TEST)?;
    blocks.retain(|block| block.file().is_none());
    let [begin, commit, add] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let at = |folder| -> anyhow::Result<Terminal> {
        let names = ["GIT_AUTHOR", "GIT_COMMITTER"];
        Ok(names.iter().fold(Terminal::new(&world, folder)?, |t, who| {
            t.with(&format!("{who}_NAME"), "reader")
                .with(&format!("{who}_EMAIL"), "reader@localhost")
        }))
    };
    at(desk.path().to_owned())?.run(std::slice::from_ref(begin))?;
    let mut files = document.blocks_of("A template from nothing");
    files.retain(|block| block.file().is_some());
    assert_eq!(files.len(), 4);
    for file in &files {
        fs::write(folder.join(file.file().unwrap_or_default()), &file.text)?;
    }
    at(folder)?.run(std::slice::from_ref(commit))?;
    let said = at(clone)?.run(std::slice::from_ref(add))?;
    assert!(said[0].contains("Estimate pi"), "{said:?}");

    let alice = world.client("alice")?;
    compute_integration_tests::eventually("pi in GET /git", SOON, async || {
        let shown = alice.get("/git").await?.body;
        Ok(shown["git"].get("pi").map(drop))
    })
    .await?;
    let param = json!({"points": 200_000, "title": "it's \"the first\" $(one)"});
    let settings = json!({"hpc": "local_hpc", "param": param, "slurm": {"num_of_task": 2}});
    let id = alice.submit("pi", settings).await?;
    let job = alice.over(&id, SOON).await?;
    assert_eq!(job["state"], "ended", "{job}");
    let folders = alice
        .get(&format!("/job/{id}/result-folder-content"))
        .await?;
    assert_eq!(folders.body, json!(["/estimate", "/", "/slurm_log"]));
    let on_hpc = |folder: &str, file: &str| {
        let folder = job[folder]["hpcPath"].as_str().unwrap_or_default();
        fs::read_to_string(format!("{folder}/{file}"))
    };
    let pi: f64 = on_hpc("remoteResultFolder", "estimate/pi.txt")?
        .trim()
        .parse()?;
    // seven standard deviations of an estimate from 400000 points
    assert!((pi - std::f64::consts::PI).abs() < 0.02, "{pi}");
    let log = log_text(&job);
    for line in [
        "task 0 of 2: 200000 points, generator twister",
        "task 1 of 2: 200000 points, generator twister",
        &format!("it's \"the first\" $(one): pi is about {pi:.2}, from 2 tasks"),
    ] {
        assert!(log.contains(line), "no {line:?} in {log}");
    }

    let written: Value = serde_json::from_str(&on_hpc("remoteExecutableFolder", "job.json")?)?;
    let blocks = document.blocks();
    let shown = blocks.iter().find(|b| b.file() == Some("job.json"));
    let shown: Value = serde_json::from_str(&shown.expect("an example of job.json").text)?;
    assert_eq!(keys(&shown), keys(&written));
    assert_eq!(keys(&shown["param"]), keys(&written["param"]));
    for folder in ["executable_folder", "data_folder", "result_folder"] {
        assert_eq!(shown[folder], written[folder]);
    }
    Ok(())
}

fn keys(object: &Value) -> Vec<&String> {
    let object = object.as_object();
    let mut keys: Vec<_> = object.into_iter().flat_map(|o| o.keys()).collect();
    keys.sort();
    keys
}

/// Checks the section about the environment of a program.
#[tokio::test]
async fn what_a_program_finds() -> anyhow::Result<()> {
    let see = "printf '%s|' \"$PWD\" \"$executable_folder\" \"$result_folder\" \"$env_colour\" \
               \"$(test -e job.json && echo json)\" \"$(test -e job.env && echo env)\"";
    let world = World::with([Template::new("inside", see), Template::bare("outside", see)]).await?;
    let alice = world.client("alice")?;
    for (template, is_inside) in [("inside", true), ("outside", false)] {
        let settings = json!({"env": {"colour": "dark $red"}});
        let id = alice.submit(template, settings).await?;
        let job = alice.over(&id, SOON).await?;
        let folder = |name: &str| job[name]["hpcPath"].as_str().unwrap_or_default().to_owned();
        let (executable, result) = if is_inside {
            ("/job/executable".to_owned(), "/job/result".to_owned())
        } else {
            (
                folder("remoteExecutableFolder"),
                folder("remoteResultFolder"),
            )
        };
        let expected = format!("{executable}|{executable}|{result}|dark $red|json|env|");
        assert_eq!(log_text(&job).trim(), expected, "{template}: {job}");
    }
    Ok(())
}
