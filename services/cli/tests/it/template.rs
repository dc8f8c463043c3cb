//! `template`.

use std::{fs, process::Command};

use serde_json::{Value, json};

use crate::operator::Operator;

/// Commits `manifest` to a repository; the commit's name.
pub(crate) fn commit(operator: &Operator, name: &str, manifest: &str) -> (String, String) {
    let repository = operator.path("repositories").join(name);
    fs::create_dir_all(&repository).unwrap();
    fs::write(repository.join("manifest.json"), manifest).unwrap();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C")
            .arg(&repository)
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"]);
        let output = git.args(args).output().unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message=change"]);
    (
        format!("file://{}", repository.display()),
        git(&["rev-parse", "HEAD"]),
    )
}

pub(crate) fn manifest(name: &str) -> String {
    json!({"name": name, "container": "python", "execution_stage": "true",
        "supported_hpc": ["local_hpc"]})
    .to_string()
}

/// The one template that is there.
pub(crate) fn only(operator: &Operator) -> Value {
    let templates = operator.json(&["template", "list"]);
    assert_eq!(templates["templates"].as_array().unwrap().len(), 1);
    templates["templates"][0].clone()
}

#[tokio::test]
async fn from_added_to_removed() {
    let operator = Operator::new().await;
    let (address, sha) = commit(&operator, "hello", &manifest("hello world"));
    let text = operator.good(&["template", "add", "hello", &address]);
    let short = &sha[..12];
    assert_eq!(
        text,
        format!(
            "template hello (\"hello world\") has been added, at commit {short}\n\
             users do not see it yet: `template approve hello`\n"
        )
    );
    let template = only(&operator);
    assert_eq!(
        (
            &template["id"],
            &template["isApproved"],
            &template["sha"],
            &template["problem"]
        ),
        (&json!("hello"), &json!(false), &json!(null), &json!(null))
    );
    assert_eq!(
        (&template["name"], &template["commit"], &template["address"]),
        (&json!("hello world"), &json!(sha), &json!(address))
    );
    assert!(
        operator
            .good(&["template", "approve", "hello"])
            .contains("has been approved")
    );
    assert_eq!(only(&operator)["isApproved"], true);
    let table = operator.good(&["template", "list"]);
    for word in ["hello", "yes", short, "newest", address.as_str()] {
        assert!(table.contains(word), "{word}: {table}");
    }
    operator.good(&["template", "withdraw", "hello"]);
    assert_eq!(only(&operator)["isApproved"], false);
    operator.good(&["template", "remove", "hello"]);
    assert_eq!(
        operator.json(&["template", "list"]),
        json!({"templates": []})
    );
    operator.good(&["template", "add", "hello", &address, "--approve"]);
    assert_eq!(only(&operator)["isApproved"], true);
}

#[tokio::test]
async fn a_commit_is_pinned_and_released() {
    let operator = Operator::new().await;
    let (address, old) = commit(&operator, "hello", &manifest("old"));
    operator.good(&[
        "template",
        "add",
        "hello",
        &address,
        "--sha",
        &old[..10],
        "--approve",
    ]);
    assert_eq!(only(&operator)["sha"], json!(old), "the full name");
    let (_, new) = commit(&operator, "hello", &manifest("new"));
    operator.good(&["template", "update", "hello"]);
    assert_eq!(only(&operator)["commit"], json!(old));
    let text = operator.good(&["template", "update", "hello", "--newest"]);
    assert!(
        text.contains(&format!("at commit {}\n", &new[..12])),
        "{text}"
    );
    assert_eq!(
        (&only(&operator)["sha"], &only(&operator)["name"]),
        (&json!(null), &json!("new"))
    );
    operator.good(&["template", "update", "hello", "--sha", &old]);
    let template = only(&operator);
    assert_eq!(
        (&template["sha"], &template["isApproved"]),
        (&json!(old), &json!(true))
    );
}

#[tokio::test]
async fn what_cannot_be_run_is_not_added() {
    let operator = Operator::new().await;
    let broken = json!({"container": "python", "param_rules": {"p": {"type": "integer"}}});
    let (address, sha) = commit(&operator, "broken", &broken.to_string());
    let error = operator.bad(&["template", "add", "broken", &address]);
    assert_eq!(
        error,
        format!(
            "manifest.json of broken at {sha} has mistakes:\n  name is missing\n  execution_stage \
             is missing\n  param_rules.p: default_value is missing"
        )
    );
    let (hello, _) = commit(&operator, "hello", &manifest("hello"));
    let unknown = "0".repeat(40);
    for (args, reason) in [
        (
            vec!["x", "file:///etc"],
            "local repositories must lie below template_local_roots",
        ),
        (vec!["x", "ext::sh -c id"], "is not allowed"),
        (vec!["../x", &hello], "is not a template name"),
        (vec!["x", &hello, "--sha", &unknown], "has no commit 0000"),
    ] {
        let error = operator.bad(&[&["template", "add"], args.as_slice()].concat());
        assert!(error.contains(reason), "{args:?}: {error}");
    }
    assert_eq!(
        operator.json(&["template", "list"]),
        json!({"templates": []})
    );
    operator.good(&["template", "add", "hello", &hello]);
    let again = operator.bad(&["template", "add", "hello", &hello]);
    assert_eq!(
        again,
        "there is a template hello already: use `template update hello`"
    );
    for command in ["approve", "withdraw", "remove", "update"] {
        let error = operator.bad(&["template", command, "nothing"]);
        assert_eq!(
            error,
            "there is no template nothing: `template list` shows all"
        );
    }
}

#[tokio::test]
async fn a_change_to_what_cannot_be_run_is_not_made() {
    let operator = Operator::new().await;
    let (address, _) = commit(&operator, "hello", &manifest("hello"));
    operator.good(&["template", "add", "hello", &address, "--approve"]);
    let (broken, _) = commit(&operator, "broken", "{");
    let error = operator.bad(&["template", "update", "hello", "--address", &broken]);
    assert!(error.contains("manifest.json is not valid JSON"), "{error}");
    assert_eq!(only(&operator)["address"], json!(address));
}

#[tokio::test]
async fn what_users_would_stumble_over_is_a_warning() {
    let operator = Operator::new().await;
    let containers = json!({"python": {"hpc_path": {"local_hpc": "/images/python.sif"}},
        "elsewhere": {"hpc_path": {}}});
    operator.write("container.json", &containers);
    for (container, hpc, warning) in [
        ("python", "local_hpc", None),
        (
            "nope",
            "keeling_community",
            Some("hpc.json has none of its HPCs: keeling_community"),
        ),
        (
            "nope",
            "local_hpc",
            Some("unknown container nope: jobs of this template will fail on local_hpc"),
        ),
        (
            "elsewhere",
            "local_hpc",
            Some("container elsewhere is not set up on local_hpc: jobs of this"),
        ),
    ] {
        let manifest = json!({"name": "odd", "container": container, "execution_stage": "true",
            "supported_hpc": [hpc]});
        let id = format!("{container}_on_{hpc}");
        let (address, _) = commit(&operator, &id, &manifest.to_string());
        let text = operator.good(&["template", "add", &id, &address, "--approve"]);
        assert_eq!(
            text.matches("warning: ").count(),
            usize::from(warning.is_some()),
            "{text}"
        );
        let warning = warning.map_or_else(String::new, |warning| format!("warning: {warning}"));
        assert!(text.contains(&warning), "{text}");
    }
}
