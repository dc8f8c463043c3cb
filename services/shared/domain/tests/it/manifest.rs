//! Defaults of manifests.

use compute_domain::manifest::{
    ConnectorVariant, MANIFEST_KEYS, Manifest, ParamRule, SlurmRule, Stage,
};
use serde_json::{Value, json};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn parse(raw: &Value) -> Manifest {
    Manifest::parse(raw, "file:///srv/t", Some(COMMIT)).unwrap()
}

/// A small manifest with other keys.
fn with(more: Value) -> Value {
    let mut raw = json!({"name": "t", "container": "python", "execution_stage": "true"});
    raw.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    raw
}

#[test]
fn the_recorded_manifests_key_by_key_and_in_order() {
    let cases: Value = serde_json::from_str(include_str!("../fixtures/manifests.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let repository = case["repository"].as_str().unwrap();
        let manifest = Manifest::parse(&case["raw"], repository, Some(COMMIT)).unwrap();
        let mut shown = manifest.public;
        assert_eq!(shown.shift_remove("commit"), Some(json!(COMMIT)));
        let text = |value: &Value| serde_json::to_string_pretty(value).unwrap();
        assert_eq!(
            text(&Value::Object(shown)),
            text(&case["shown"]),
            "{}",
            case["id"]
        );
    }
}

#[test]
fn what_is_shown_reads_back_as_the_same_rules() {
    let cases: Value = serde_json::from_str(include_str!("../fixtures/manifests.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let (first, again) = (parse(&case["raw"]), parse(&case["shown"]));
        assert_eq!(
            first,
            Manifest {
                public: first.public.clone(),
                ..again
            }
        );
    }
}

#[test]
fn a_default_of_zero_or_of_no_text_is_a_value() {
    let manifest = parse(&with(json!({"param_rules": {
        "n": {"type": "integer", "default_value": 0, "max": 5},
        "o": {"type": "string_option", "default_value": "", "options": ["a"]},
        "i": {"type": "string_input", "default_value": ""},
    }})));
    let shown = Value::Object(manifest.public);
    assert_eq!(
        shown["param_rules"],
        json!({
            "n": {"type": "integer", "default_value": 0, "max": 5, "min": 0, "step": 1},
            "o": {"type": "string_option", "default_value": "", "options": ["a", ""]},
            "i": {"type": "string_input", "default_value": ""},
        })
    );
}

#[test]
fn what_the_user_interface_reads_is_there() {
    let manifest = parse(&with(json!({
        "param_rules": {
            "first": {"type": "string_option", "options": ["x", "y"]},
            "numbers": {"type": "string_option", "options": [1, 2], "default_value": 3},
            "free": {"type": "string_input"},
        },
        "slurm_input_rules": {"time": {"default_value": 3}, "memory": {"default_value": 2}},
    })));
    let shown = Value::Object(manifest.public);
    let param = &shown["param_rules"];
    assert_eq!(param["first"]["default_value"], "x");
    assert_eq!(param["numbers"]["options"], json!([1, 2, 3]));
    assert_eq!(param["free"]["default_value"], "");
    let slurm = &shown["slurm_input_rules"];
    assert_eq!(
        slurm["time"],
        json!({"default_value": 3, "unit": "Minutes", "max": 6, "min": 0, "step": 1})
    );
    assert_eq!(slurm["memory"]["unit"], "GB");
    let numbers = &manifest.param_rules["numbers"];
    assert!(matches!(numbers, ParamRule::StringOption { options, .. } if options[2] == "3"));
    let free = &manifest.param_rules["free"];
    assert!(matches!(
        free,
        ParamRule::StringInput {
            default_value: None,
            ..
        }
    ));
}

#[test]
fn stages() {
    let manifest = parse(&with(json!({
        "pre_processing_stage": "make",
        "execution_stage_in_raw_sbatch": ["hostname", "pwd"],
        "post_processing_stage_in_raw_sbatch": [],
        "post_processing_stage": "",
        "continue_on_error": true,
    })));
    assert_eq!(
        manifest.pre_processing,
        Some(Stage::Command("make".to_owned()))
    );
    let raw = vec!["hostname".to_owned(), "pwd".to_owned()];
    assert_eq!(
        manifest.execution,
        Stage::RawSbatch(raw),
        "wins over the plain stage"
    );
    assert_eq!(manifest.post_processing, None);
    assert!(manifest.continue_on_error);
    assert_eq!(manifest.connector, ConnectorVariant::Singularity);
}

#[test]
fn without_a_container_the_connector_is_the_plain_one() {
    let raw = json!({"name": "t", "connector": "SlurmConnector", "execution_stage": "true"});
    let manifest = parse(&raw);
    assert_eq!(manifest.connector, ConnectorVariant::Slurm);
    assert_eq!(manifest.container, "");
}

#[test]
fn rules_of_an_hpc() {
    let rule = json!({"max": 1.5, "unit": "Hours"});
    let (rule, shown) = SlurmRule::parse(&rule).unwrap();
    assert!(matches!(
        rule,
        SlurmRule::Number {
            max: Some(1.5),
            default_value: None,
            ..
        }
    ));
    assert_eq!(
        Value::Object(shown),
        json!({"max": 1.5, "unit": "Hours"}),
        "nothing to derive from"
    );
}

#[test]
fn the_known_keys_are_those_that_are_read() {
    let defaults = parse(&with(json!({}))).public;
    for key in MANIFEST_KEYS {
        let odd = Manifest::parse(&with(json!({key: 5})), "", None);
        match odd {
            Err(error) => assert!(error.to_string().contains(key), "{key}: {error}"),
            // What is only shown may be anything; without it there is a default.
            Ok(_) => assert!(defaults.contains_key(key), "{key} is not read"),
        }
    }
}
