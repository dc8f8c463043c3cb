//! A world with the configuration that the recording was made with, on our parts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use compute_integration_tests::{Client, GlobusFake, Parts, Template, World, WorldOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::names::Names;

/// A port on which nothing listens.
const DEAD_PORT: u16 = 1;

/// The hubs of the recording, which are the same one here, and one that is down.
const HUBS: [&str; 3] = ["127.0.0.1:8000", "localhost:8000", "localhost:8999"];

/// Tokens of the recording; the others belong to no user.
const USERS: [&str; 4] = ["alice", "bob", "carol", "denied"];

/// The setting in which cases are replayed.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// Names of the recording and their counterparts.
    pub(crate) names: Names,
    pub(crate) globus: GlobusFake,
    pub(crate) alice: Client,
    /// Endpoints that are not the HPC's.
    _endpoints: TempDir,
}

/// Starts it.
///
/// # Errors
/// If a part is missing or a service does not start.
pub(crate) async fn start() -> anyhow::Result<Scene> {
    let parts = Parts::of_this_run()?;
    let mut names = names(&parts)?;
    let endpoints = tempfile::tempdir()?;
    let globus = globus(&parts, endpoints.path()).await?;
    let options = options(&parts, &names, &globus)?;
    let world = World::start(options).await?;
    let templates = world.folder().join("templates");
    names.add(
        "file:///srv/hello_world.git",
        &address(&templates, "hello_world"),
    );
    names.add("file:///srv/", &address(&templates, ""));
    let plain = address(&templates, "plain");
    world.operator(&["template", "add", "unapproved", &plain])?;
    Ok(Scene {
        alice: world.client("alice")?,
        world,
        names,
        globus,
        _endpoints: endpoints,
    })
}

/// The endpoints of the recording: the HPC's, one with data, one for results.
async fn globus(parts: &Parts, endpoints: &Path) -> anyhow::Result<GlobusFake> {
    let (data, results) = (endpoints.join("ep"), endpoints.join("te"));
    fs::create_dir_all(data.join("some/path"))?;
    fs::create_dir_all(&results)?;
    let scratch = PathBuf::from(parts.text("hpc", "root_path")?);
    let endpoints = [
        ("11111111-2222-3333-4444-555555555555", scratch),
        ("ep", data),
        ("te", results),
    ];
    GlobusFake::start(&endpoints).await
}

fn address(templates: &Path, id: &str) -> String {
    format!("file://{}", templates.join(id).display())
}

fn names(parts: &Parts) -> anyhow::Result<Names> {
    let port = parts.fact("hub", "port")?;
    let hosts = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("localhost:{DEAD_PORT}"),
    ];
    let mut names = Names::default();
    for (recorded, ours) in HUBS.iter().zip(&hosts) {
        for user in USERS {
            let token = (format!("{user}token"), parts.hub_token(user)?);
            names.add_token((recorded, &token.0), (ours, &token.1));
        }
        for nobody in ["nosuchtoken", "x"] {
            names.add_token((recorded, nobody), (ours, nobody));
        }
        names.add(recorded, ours);
    }
    for user in USERS {
        names.add(&format!("{user}token"), &parts.hub_token(user)?);
    }
    let password = fs::read_to_string(parts.text("hpc", "private_password_file")?)?;
    names.add("alicepw", password.trim());
    for (recorded, fact) in [
        ("alicehpc", "private_user"),
        ("/hpc/alice/scratch", "private_root_path"),
        ("/hpc/cg/scratch", "root_path"),
        ("/hpc/cg/images/python", "image_sif"),
        ("/keys/cg.key", "private_key_path"),
    ] {
        names.add(recorded, &parts.text("hpc", fact)?);
    }
    // Any existing folder.
    names.add("/hpc/cg/shared", "/usr/share");
    Ok(names)
}

fn options(parts: &Parts, names: &Names, globus: &GlobusFake) -> anyhow::Result<WorldOptions> {
    let recorded = |name: &str| -> anyhow::Result<Value> {
        let text = fs::read_to_string(fixture(
            "../services/shared/config/tests/fixtures/golden",
            name,
        ))?;
        Ok(names.value(&serde_json::from_str(&text)?))
    };
    let mut hpcs = recorded("hpc.json")?;
    for hpc in hpcs.as_object_mut().context("no HPCs")?.values_mut() {
        let is_down = hpc["port"] == 2223;
        hpc["port"] = if is_down {
            json!(DEAD_PORT)
        } else {
            parts.fact("hpc", "port")?
        };
        hpc["known_hosts"] = parts.fact("hpc", "known_hosts")?;
        hpc["poll_interval_seconds"] = json!(1);
        if let Some(login) = hpc.get_mut("community_login") {
            login["user"] = parts.fact("hpc", "user")?;
        }
    }
    let mut hubs = recorded("jupyter-globus-map.json")?;
    for hub in hubs.as_object_mut().context("no hubs")?.values_mut() {
        hub["scheme"] = json!("http");
    }
    let mut maintainers = recorded("maintainer.json")?;
    // The gateway could not start with this entry.
    maintainers
        .as_object_mut()
        .context("no maintainers")?
        .remove("baddefault");
    let files = [
        ("hpc.json", hpcs),
        ("jupyter-globus-map.json", hubs),
        ("maintainer.json", maintainers),
        ("container.json", recorded("container.json")?),
    ];
    let mut config = globus.config(&["e", "ep", "te"]);
    config["local_key"] = json!({"private_key_path": parts.fact("hpc", "private_key_path")?});
    Ok(WorldOptions {
        files: files
            .into_iter()
            .map(|(name, file)| (name.to_owned(), file))
            .collect(),
        config,
        templates: templates()?,
        ..WorldOptions::default()
    })
}

fn fixture(folder: &str, name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(folder)
        .join(name)
}

/// The recording's templates, but for the one that was not approved.
fn templates() -> anyhow::Result<Vec<Template>> {
    let folder = "../services/shared/domain/tests/fixtures";
    let all: Vec<Value> =
        serde_json::from_str(&fs::read_to_string(fixture(folder, "manifests.json"))?)?;
    let approved = all.iter().filter(|template| template["id"] != "unapproved");
    approved
        .map(|template| {
            let id = template["id"].as_str().context("no id")?;
            Ok(with_programs(Template::of_manifest(
                id,
                template["raw"].clone(),
            )))
        })
        .collect()
}

/// Programs of the templates that the recording runs.
fn with_programs(template: Template) -> Template {
    match template.id.as_str() {
        "stages" => template
            .file("pre.py", "print('pre')\n")
            .file(
                "main.py",
                "import os\nos.makedirs(os.environ['result_folder'] + '/sub/deep')\nprint('main')\n",
            )
            .file("post.py", "print('post')\n"),
        "sleep" => template.file("main.sh", "echo sleeping $param_secs\nsleep $param_secs\n"),
        _ => template,
    }
}
