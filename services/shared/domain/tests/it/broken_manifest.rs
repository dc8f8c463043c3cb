//! What is said of a manifest that breaks rules.

use compute_domain::manifest::Manifest;
use rstest::rstest;
use serde_json::{Value, json};

fn wrong(raw: &Value) -> Vec<String> {
    Manifest::parse(raw, "file:///srv/t", None).unwrap_err().0
}

#[rstest]
#[case(json!([]), "it is not a JSON object")]
#[case(json!({"param_rules": []}), "param_rules is no object")]
#[case(json!({"name": ""}), "name is missing")]
#[case(json!({"container": 5}), "container is no text")]
#[case(json!({"connector": "Pigeon"}),
    "connector Pigeon is not one of SlurmConnector, SingularityConnector, SingCVMFSConnector")]
#[case(json!({"default_hpc": "b", "supported_hpc": ["a"]}),
    "default_hpc b is not one of supported_hpc")]
#[case(json!({"supported_hpc": "a"}), "supported_hpc is no list of texts")]
#[case(json!({"require_upload_data": "yes"}), "require_upload_data is neither true nor false")]
#[case(json!({"execution_stage_in_raw_sbatch": "x"}),
    "execution_stage_in_raw_sbatch is no list of texts")]
fn of_the_file(#[case] more: Value, #[case] reason: &str) {
    let mut raw = json!({"name": "t", "container": "python", "execution_stage": "true"});
    match more.as_object() {
        Some(more) => raw.as_object_mut().unwrap().extend(more.clone()),
        None => raw = more,
    }
    assert_eq!(wrong(&raw), [reason]);
}

#[rstest]
#[case(json!({"type": "integer"}), "default_value is missing")]
#[case(json!({"type": "integer", "default_value": "5"}), "default_value is no number")]
#[case(json!({"type": "integer", "default_value": 0.5}), "default_value is no whole number")]
#[case(json!({"type": "integer", "default_value": 5, "step": 0}), "step 0 is not above 0")]
#[case(json!({"type": "integer", "default_value": 5, "min": 9, "max": 7}), "min 9 is above max 7")]
#[case(json!({"type": "integer", "default_value": 5, "max": 4}),
    "default_value 5 is above max 4")]
#[case(json!({"type": "string_option"}), "it has neither options nor default_value")]
#[case(json!({"type": "string_option", "options": "a"}), "options is no list")]
#[case(json!({"type": "string_option", "options": [{}]}), "option {} is neither text nor a number")]
#[case(json!({"type": "string_input", "default_value": 5}), "default_value is no text")]
#[case(json!({"type": "string_input", "require": 1}), "require is neither true nor false")]
#[case(json!({"type": "float"}), "type float is not one of integer, string_option, string_input")]
#[case(json!({}), "type is missing")]
#[case(json!(5), "is no object")]
fn of_a_parameter(#[case] rule: Value, #[case] reason: &str) {
    let raw = json!({"name": "t", "container": "python", "execution_stage": "true",
        "param_rules": {"p": rule}});
    assert_eq!(wrong(&raw), [format!("param_rules.p: {reason}")]);
}

#[rstest]
#[case("time", json!({"default_value": 5, "unit": "Weeks"}),
    "unit Weeks is not one of Seconds, Minutes, Hours, Days")]
#[case("memory", json!({"default_value": 5, "unit": "apples"}),
    "unit apples is not one of KB, MB, GB, TB, K, M, G, T")]
#[case("num_of_task", json!({}), "default_value is missing")]
#[case("num_of_task", json!({"default_value": 5, "max": 4}),
    "default_value 5 is above max 4")]
#[case("time", json!({"default_value": -5}), "min 0 is above max -10")]
#[case("partition", json!({"options": []}), "it has neither options nor default_value")]
fn of_a_slurm_option(#[case] option: &str, #[case] rule: Value, #[case] reason: &str) {
    let raw = json!({"name": "t", "container": "python", "execution_stage": "true",
        "slurm_input_rules": {option: rule}});
    assert_eq!(
        wrong(&raw),
        [format!("slurm_input_rules.{option}: {reason}")]
    );
}

#[test]
fn everything_at_once() {
    let raw = json!({"container": "python", "connector": "Pigeon",
        "param_rules": {"a-b": {"type": "string_input"}, "b": {"type": "integer"}},
        "slurm_input_rules": {"time": {"default_value": 5, "unit": 1}}});
    let error = Manifest::parse(&raw, "file:///srv/t", None).unwrap_err();
    assert_eq!(error.0.len(), 6, "{error}");
    let text = error.to_string();
    for part in [
        "name is missing",
        "execution_stage is missing",
        "connector Pigeon",
        "param_rules.a-b:",
        "param_rules.b:",
        "slurm_input_rules.time:",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}
