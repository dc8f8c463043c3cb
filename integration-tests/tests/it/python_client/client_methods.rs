//! The table of the Python client's methods: every public one of version 0.2.6 is
//! called in a real process against a running world, as a researcher would.

use std::fmt::Write as _;

use compute_integration_tests::{GlobusFake, Parts, Template, World, WorldOptions, python};
use serde_json::{Value, json};

/// The Globus collection of the hub in these worlds.
const HUB_ENDPOINT: &str = "00000000-0000-0000-0000-000000000000";
const IDENTITY: &str = "tester@example.org";

/// A method that does not work here.
struct Exception {
    method: &'static str,
    why: &'static str,
    /// Part of the error that it raises; with any other it fails the test.
    raises: &'static str,
}

const fn no_auto_download(method: &'static str) -> Exception {
    Exception {
        method,
        why: "the client's bug: it opens the output of the automatic download, which only simple=True makes; the job is \
              submitted, followed and shown as finished before that, but a name that was given to it is not set",
        raises: "does not support the context manager protocol",
    }
}

const EXCEPTIONS: [Exception; 4] = [
    Exception {
        method: "CyberGISCompute.create_job_by_ui",
        why: "the client's bug: it hands its arguments to show_ui() one place too early",
        raises: "KeyError: './'",
    },
    no_auto_download("UI.onSubmitButtonClick"),
    no_auto_download("UI.onJobEntryButtonClick"),
    Exception {
        method: "Job.download_result_folder_by_globus()",
        why: "the client's bug: its defaults for localEndpoint and localPath say nothing of where to",
        raises: "is not of a type(s) string",
    },
];

fn templates() -> [Template; 2] {
    let script = "echo \"count=$param_count word=$param_word text=$param_text\"\n\
                  mkdir -p $result_folder/sub && echo done > $result_folder/sub/file\n";
    let hello = Template::bare("hello_world", "bash main.sh")
        .with(
            "param_rules",
            json!({
                "count": {"type": "integer", "max": 100, "min": 0, "default_value": 5, "step": 1},
                "word": {"type": "string_option", "options": ["foo", "bar"], "default_value": "foo"},
                "text": {"type": "string_input", "default_value": "none"},
            }),
        )
        .with(
            "slurm_input_rules",
            json!({"time": {"max": 60, "min": 1, "default_value": 10, "step": 1, "unit": "Minutes"}}),
        )
        .file("main.sh", script);
    [hello, Template::bare("slow", "sleep 300")]
}

/// A line for each method, and the unexpected results.
fn table(rows: &[Value]) -> (String, Vec<String>) {
    let (mut lines, mut unexpected) = (String::new(), Vec::new());
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let (method, works) = (text("method"), row["works"] == true);
        let exception = EXCEPTIONS.iter().find(|one| one.method == method);
        let error = text("why");
        let (says, why) = match exception {
            None if works => ("works", String::new()),
            Some(one) if !works && error.contains(one.raises) => {
                ("does not", format!("{} ({error})", one.why))
            }
            _ => {
                unexpected.push(format!("{method}: {error} {}", text("at")));
                ("UNEXPECTED", format!("{error} {}", text("at")))
            }
        };
        let _ = writeln!(
            lines,
            "{method:<45} {:>5} s  {says:<10} {why}",
            row["seconds"]
        );
    }
    (lines, unexpected)
}

#[tokio::test]
async fn every_method_of_the_python_client() -> anyhow::Result<()> {
    let (notebooks, parts) = (tempfile::tempdir()?, Parts::of_this_run()?);
    let scratch = parts.text("hpc", "root_path")?.into();
    let endpoints = [
        ("cluster", scratch),
        (HUB_ENDPOINT, notebooks.path().to_owned()),
    ];
    let globus = GlobusFake::start(&endpoints).await?;
    let world = World::start(WorldOptions {
        config: globus.config(&[]),
        hpc: json!({"globus": {"identity": IDENTITY, "endpoint": "cluster", "root_path": "/"}}),
        templates: templates().to_vec(),
        ..WorldOptions::default()
    })
    .await?;
    globus.log_in(&world, IDENTITY).await?;
    let user = format!("alice@{}", world.parts.text("hub", "host")?);
    let said = python::drive(&world, "alice", "client_methods.py", json!({"user": user})).await?;
    let rows = said["rows"].as_array().cloned().unwrap_or_default();
    let (lines, unexpected) = table(&rows);
    let works = rows.iter().filter(|row| row["works"] == true).count();
    println!(
        "cybergis-compute-client 0.2.6: {works} of {} methods work here\n{lines}",
        rows.len()
    );
    assert_eq!(said["missing"], json!([]), "methods that were not called");
    assert_eq!(
        said["unknown"],
        json!([]),
        "methods that the client does not have"
    );
    assert_eq!(unexpected, Vec::<String>::new());
    for Exception { method, .. } in EXCEPTIONS {
        assert!(
            rows.iter().any(|row| row["method"] == method),
            "{method} was not called"
        );
    }
    Ok(())
}
