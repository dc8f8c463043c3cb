//! `show_ui()` of the Python client in a real JupyterLab, used with a real browser.

use std::{fs, path::Path};

use compute_integration_tests::{Template, World, client::log_text, parts, python};
use serde_json::{Value, json};

/// No other test starts a server for this user.
const USER: &str = "carol";

fn notebook(cells: &[&str]) -> String {
    let cell = |(n, source): (usize, &&str)| {
        json!({"cell_type": "code", "id": format!("cell-{n}"), "execution_count": null,
            "metadata": {}, "outputs": [], "source": source})
    };
    let cells: Vec<_> = cells.iter().enumerate().map(cell).collect();
    let kernel = json!({"display_name": "Python 3", "language": "python", "name": "python3"});
    json!({"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
        .to_string()
}

#[tokio::test]
async fn a_job_is_submitted_and_followed_in_jupyterlab() -> anyhow::Result<()> {
    let hello = Template::of_folder("hello_world", &parts::local_script("templates/hello_world"))?;
    let another = Template::bare("another", "true").with("description", json!("Does nothing"));
    let world = World::with([another, hello]).await?;
    let host = world.parts.text("hub", "host")?;
    let port = world
        .gateway
        .address()
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    let home = world.parts.home(USER);
    let connect = format!(
        "import os\n\
         os.environ['JUPYTER_INSTANCE_URL'] = 'http://{host}'\n\
         from cybergis_compute_client import CyberGISCompute\n\
         cybergis = CyberGISCompute(url='127.0.0.1', port='{port}', protocol='HTTP', suffix='v2')"
    );
    let cells = [connect.as_str(), "cybergis.show_ui(defaultJob='another')"];
    fs::write(home.join("ui.ipynb"), notebook(&cells))?;

    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/ui-screenshots");
    if pictures.exists() {
        fs::remove_dir_all(&pictures)?;
    }
    fs::create_dir_all(&pictures)?;
    let pictures = pictures.canonicalize()?;
    let order = json!({
        "hub": world.parts.fact("hub", "url")?, "user": USER, "username": format!("{USER}@{host}"),
        "password": world.parts.fact("hub", "password")?, "notebook": "ui.ipynb", "pictures": pictures,
        "template": "hello_world", "description": "Prints what a job sees",
        "sliders": {"input_a": 70, "num_of_task": 3}, "dropdowns": {"input_b": "bar"},
        "events": ["JOB_QUEUED", "SLURM_SUBMIT_SUCCESS", "JOB_ENDED"],
        "logs": ["running setup...", "input_a=70 input_b=bar"],
    });
    let said = python::run("browser", "drive_ui.py", &order, &[]).await?;
    println!("pictures in {}", pictures.display());
    for step in said["steps"].as_array().into_iter().flatten() {
        println!("{}", step.as_str().unwrap_or_default());
    }
    assert_eq!(said["error"], Value::Null, "{said}");

    assert_eq!(
        said["results"],
        json!(["/task_0", "/", "/slurm_log", "/task_1", "/task_2"])
    );
    let id = said["jobs"][0].as_str().unwrap_or_default();
    let job = world.client(USER)?.job(id).await?;
    assert_eq!(job["state"], "ended", "{job}");
    assert_eq!(job["param"], json!({"input_a": 70, "input_b": "bar"}));
    assert_eq!(job["slurm"]["num_of_task"], 3, "{job}");
    assert!(log_text(&job).contains("task 2: "), "{}", log_text(&job));
    for folder in ["remoteExecutableFolder", "remoteResultFolder"] {
        let folders = said["folders"].as_array().cloned().unwrap_or_default();
        assert!(
            folders.contains(&job[folder]["id"]),
            "{folder}: {folders:?}"
        );
    }
    let taken = said["pictures"].as_array().map_or(0, Vec::len);
    assert_eq!(
        (taken, fs::read_dir(&pictures)?.count()),
        (5, 5),
        "one for each tab"
    );
    Ok(())
}
