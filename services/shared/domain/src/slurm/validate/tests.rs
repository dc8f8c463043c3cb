use rstest::rstest;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn rules() -> ParamRules {
    let raw = json!({"name": "t", "container": "c", "execution_stage": "e", "param_rules": {
        "input_a": {"type": "integer", "require": true, "max": 100, "min": 0, "default_value": 50, "step": 10},
        "input_b": {"type": "string_option", "options": ["foo", "bar"], "default_value": "foo"},
        "note": {"type": "string_input", "default_value": "none"},
        "email": {"type": "string_input", "require": true},
    }});
    crate::manifest::Manifest::parse(&raw, "", None)
        .unwrap()
        .param_rules
}

#[rstest]
#[case(json!({"input_a": 110}), "input_a must be from 0 to 100 (current value 110)")]
#[case(json!({"input_a": -10}), "input_a must be from 0 to 100 (current value -10)")]
#[case(json!({"input_a": 55}), "input_a must be 0, 10 and so on in steps of 10 (current value 55)")]
#[case(json!({"input_a": 50.5}), "input_a must be a whole number from 0 to 100 (current value 50.5)")]
#[case(json!({"input_a": "many"}), "input_a must be a whole number from 0 to 100 (current value many)")]
#[case(json!({"input_a": [50]}), "input_a must be a whole number from 0 to 100 (current value [50])")]
#[case(json!({"input_a": true}), "input_a must be a whole number from 0 to 100 (current value true)")]
#[case(json!({"input_b": "baz"}), "input_b must be one of foo, bar (current value baz)")]
#[case(json!({"input_b": null, "note": 5}), "note must be text (current value 5)")]
#[case(json!({"email": ""}), "email must be given")]
#[case(json!({"email": null}), "email must be given")]
#[case(json!({"a b": 1}), "\"a b\" is no name: use letters, digits and _, not beginning with a digit")]
#[case(json!({"free": "a\u{0}b"}), "\"free\" holds a NUL, which cannot be given to a program")]
fn a_parameter_is_refused(#[case] param: Value, #[case] reason: &str) {
    let mut given = object(json!({"email": "a@b"}));
    given.extend(object(param));
    let errors = check_param(&rules(), &given).unwrap_err();
    assert_eq!(errors, [ValidationError(format!("param {reason}"))]);
}

#[rstest]
#[case(json!({}))]
#[case(json!({"input_a": 0, "input_b": "bar", "note": ""}))]
#[case(json!({"input_a": "60"}))]
#[case(json!({"input_a": 60.0}))]
#[case(json!({"input_a": null, "unknown": {"anything": ["$(id)", 1]}}))]
fn a_parameter_is_accepted(#[case] param: Value) {
    let mut given = object(json!({"email": "a@b"}));
    given.extend(object(param));
    assert_eq!(check_param(&rules(), &given), Ok(()));
}

#[test]
fn all_refusals_are_named() {
    let param = object(json!({"input_a": 101, "input_b": 1, "9x": 1}));
    assert_eq!(check_param(&rules(), &param).unwrap_err().len(), 4);
    assert!(check_env(&object(json!({"PATH": "x", "_a1": 1}))).is_ok());
    assert_eq!(
        check_env(&object(json!({"a-b": 1, "": 1})))
            .unwrap_err()
            .len(),
        2
    );
}

#[test]
fn defaults_fill_what_is_not_given() {
    let filled = filled_param(
        &rules(),
        &object(json!({"input_b": "bar", "input_a": null, "x": 1})),
    );
    assert_eq!(
        Value::Object(filled),
        json!({"input_b": "bar", "input_a": 50, "x": 1, "note": "none"})
    );
}

#[rstest]
#[case(json!("it's"), "it's")]
#[case(json!(50), "50")]
#[case(json!(50.0), "50")]
#[case(json!(0.1), "0.1")]
#[case(json!(-3), "-3")]
#[case(json!(true), "true")]
#[case(json!(null), "null")]
#[case(json!([1, "a"]), "[1,\"a\"]")]
#[case(json!({"a": {"b": null}}), "{\"a\":{\"b\":null}}")]
fn how_a_value_reaches_the_program(#[case] value: Value, #[case] text: &str) {
    assert_eq!(env_value(&value), text);
}

#[rstest]
#[case(json!({"time": "00:51:00"}),
    "time exceeds the template's limit of 50 Minutes (current value 00:51:00)")]
#[case(json!({"time": "09:59"}), "time is below the template's least of 10 Minutes (current value 09:59)")]
#[case(json!({"num_of_task": 7}), "num_of_task exceeds the template's limit of 6 (current value 7)")]
#[case(json!({"memory": "9G"}), "memory exceeds the template's limit of 8 GB (current value 9G)")]
#[case(json!({"partition": "gpu"}), "partition must be one of main, long (current value gpu)")]
#[case(json!({"modules": ["gdal", "gcc"]}),
    "modules must be one of gdal, proj (current value [\"gdal\",\"gcc\"])")]
#[case(json!({"gpus": "3"}), "gpus exceeds the HPC's limit of 2 (current value 3)")]
fn a_slurm_option_is_refused(#[case] raw: Value, #[case] reason: &str) {
    let errors = slurm(&raw).unwrap_err();
    assert_eq!(errors, [ValidationError(format!("slurm config {reason}"))]);
}

#[rstest]
#[case(json!({}))]
#[case(json!({"time": "50:00", "num_of_task": 6, "memory": "8192M", "partition": "long", "gpus": 2}))]
#[case(json!({"time": 10, "memory": "", "partition": null}))]
#[case(json!({"cpu_per_task": 40}))]
#[case(json!({"modules": ["gdal", "proj"]}))]
#[case(json!({"modules": "gdal"}))]
fn a_slurm_option_is_accepted(#[case] raw: Value) {
    assert_eq!(slurm(&raw), Ok(()));
}

#[expect(
    clippy::unwrap_in_result,
    reason = "the values are written in the test"
)]
fn slurm(raw: &Value) -> Result<(), Vec<ValidationError>> {
    let rules = |rules: Value| -> SlurmInputRules {
        let rules = object(rules);
        rules
            .iter()
            .map(|(name, rule)| (name.clone(), SlurmRule::parse(rule).unwrap().0))
            .collect()
    };
    let of_manifest = rules(json!({
        "time": {"max": 50, "min": 10, "default_value": 10, "step": 1, "unit": "Minutes"},
        "num_of_task": {"max": 6, "min": 1, "default_value": 2, "step": 1, "unit": "None"},
        "memory": {"default_value": 4, "unit": "GB"},
        "partition": {"options": ["main", "long"]},
        "modules": {"options": ["gdal", "proj"]},
    }));
    let of_hpc = rules(json!({"gpus": {"max": 2}, "num_of_task": {"max": 1}}));
    let raw = object(raw.clone());
    check_slurm(
        &of_manifest,
        &of_hpc,
        &raw,
        &SlurmOptions::parse(&raw).unwrap(),
    )
}
