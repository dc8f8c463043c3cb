//! The table of the Python client's methods: every public one of version 0.2.6 is
//! called in a real process against a running world, as a researcher would.

use std::fmt::Write as _;

use compute_integration_tests::{Template, World, python};
use serde_json::{Value, json};

/// Why a method does not work.
#[derive(Clone, Copy)]
enum Because {
    /// The client cannot do it with any server; with the error that it raises.
    Client(&'static str, &'static str),
    /// This world does not have what it needs.
    World(&'static str),
}

const NO_AUTO_DOWNLOAD: Because = Because::Client(
    "it opens the output of the automatic download, which only simple=True makes; the job is submitted, followed and \
     shown as finished before that, but a name that was given to it is not set",
    "does not support the context manager protocol",
);
const NO_GLOBUS: Because = Because::World("Globus is not configured in this world");

/// All methods that do not work here.
const EXCEPTIONS: [(&str, Because); 7] = [
    (
        "CyberGISCompute.create_job_by_ui",
        Because::Client(
            "it hands its arguments to show_ui() one place too early",
            "KeyError: './'",
        ),
    ),
    ("UI.onSubmitButtonClick", NO_AUTO_DOWNLOAD),
    ("UI.onJobEntryButtonClick", NO_AUTO_DOWNLOAD),
    ("Job.download_result_folder_by_globus", NO_GLOBUS),
    ("UI.onDownloadButtonClick", NO_GLOBUS),
    ("UI.onFolderDownloadButtonClick", NO_GLOBUS),
    ("UI.renderAutoDownload", NO_GLOBUS),
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

/// A line for each method, and what was not expected.
fn table(rows: &[Value]) -> (String, Vec<String>) {
    let (mut lines, mut unexpected) = (String::new(), Vec::new());
    for row in rows {
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let (method, works) = (text("method"), row["works"] == true);
        let exception = EXCEPTIONS.iter().find(|(name, _)| *name == method);
        let error = text("why");
        let (says, why) = match (works, exception.map(|(_, because)| because)) {
            (true, None) => ("works", String::new()),
            (true, Some(Because::World(_))) => ("works", "more than was expected".to_owned()),
            (false, Some(Because::World(why))) => ("does not", format!("{why} ({error})")),
            (false, Some(Because::Client(why, raised))) if error.contains(raised) => {
                ("does not", format!("the client's own bug: {why} ({error})"))
            }
            (true, Some(Because::Client(..))) | (false, _) => {
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
    let world = World::with(templates()).await?;
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
    for (method, _) in EXCEPTIONS {
        assert!(
            rows.iter().any(|row| row["method"] == method),
            "{method} was not called"
        );
    }
    Ok(())
}
