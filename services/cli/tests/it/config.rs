//! `config check`.

use serde_json::json;

use crate::operator::Operator;

#[tokio::test]
async fn a_good_folder_is_good() {
    let operator = Operator::new().await;
    let folder = operator.path("config").display().to_string();
    for args in [vec!["config", "check"], vec!["config", "check", &folder]] {
        assert_eq!(
            operator.good(&args),
            format!("the configuration in {folder} is good\n")
        );
    }
    assert_eq!(
        operator.json(&["config", "check"]),
        json!({"mistakes": [], "warnings": []})
    );
}

#[tokio::test]
async fn every_mistake_is_a_line() {
    let operator = Operator::new().await;
    operator.write(
        "maintainer.json",
        &json!({"m": {"hpc": ["nowhere"], "default_hpc": "nowhere",
        "maintainer": "NoSuchMaintainer"}}),
    );
    operator.write("config.json", &json!({"redis": {"port": 70000}}));
    let said = operator.run(&["config", "check"]);
    assert_eq!(said.code, 1);
    for (file, key) in [
        ("maintainer.json", "m.maintainer"),
        ("config.json", "redis.port"),
    ] {
        let line = said
            .stdout
            .lines()
            .find(|line| line.starts_with(&format!("{file}: {key}: ")));
        assert!(line.is_some(), "{file} {key}: {}", said.stdout);
    }
    let json = operator.run(&["--json", "config", "check"]).json();
    let keys: Vec<_> = json["mistakes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| &m["key"])
        .collect();
    assert!(keys.contains(&&json!("redis.port")), "{json}");
}

#[tokio::test]
async fn odd_things_are_warnings() {
    let operator = Operator::new().await;
    operator.write("config.json", &json!({"colour": "red"}));
    let text = operator.good(&["config", "check"]);
    assert!(text.contains("warning: config.json: colour: "), "{text}");
    let warnings = operator.json(&["config", "check"]);
    assert_eq!(warnings["warnings"][0]["key"], "colour");
}

#[tokio::test]
async fn other_commands_name_the_mistakes_too() {
    let operator = Operator::new().await;
    operator.write("config.json", &json!({"redis": {"port": 70000}}));
    let error = operator.bad(&["job", "list"]);
    assert!(
        error.contains("has mistakes: config.json: redis.port: "),
        "{error}"
    );
    let json = operator.run(&["--json", "job", "list"]);
    assert_eq!(json.code, 1);
    assert!(
        json.json()["error"]
            .as_str()
            .unwrap()
            .contains("redis.port")
    );
}

#[tokio::test]
async fn a_folder_that_is_not_there() {
    let operator = Operator::new().await;
    let said = operator.run(&["config", "check", "/no/such/folder"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stdout.contains("config.json: cannot be read"),
        "{}",
        said.stdout
    );
}
