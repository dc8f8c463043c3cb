//! Compares the manifest reference for authors of templates with the parser.

use std::collections::BTreeSet;

use compute_domain::{
    manifest::{MANIFEST_KEYS, Manifest, ParamRule, SlurmRule},
    slurm::SlurmOptions,
};
use compute_integration_tests::Document;
use serde_json::{Value, json};

const REFERENCE: &str = "docs/contributing-a-template.md";

/// Every JSON example that is a manifest or a part of one.
fn examples() -> anyhow::Result<Vec<(usize, Value)>> {
    let mut examples = Vec::new();
    for block in Document::open(REFERENCE)?.blocks() {
        if block.language == "json" && block.file() != Some("job.json") {
            examples.push((block.line, serde_json::from_str(&block.text)?));
        }
    }
    anyhow::ensure!(examples.len() > 4, "there are few examples");
    Ok(examples)
}

/// The example, completed with the keys that every manifest needs.
fn whole(example: &Value) -> Value {
    let mut whole = json!({"name": "t", "container": "python"});
    let stage = "execution_stage";
    if example.get(format!("{stage}_in_raw_sbatch")).is_none() {
        whole[stage] = json!("true");
    }
    for (key, value) in example.as_object().into_iter().flatten() {
        whole[key] = value.clone();
    }
    whole
}

/// The text in backticks in the first cells of a table.
fn first_cells(section: &str) -> anyhow::Result<Vec<String>> {
    let rows = Document::open(REFERENCE)?.rows(section);
    let first = |row: &Vec<String>| Some(row.first()?.trim_matches('`').to_owned());
    Ok(rows.iter().filter_map(first).collect())
}

#[test]
fn every_example_is_a_good_manifest() -> anyhow::Result<()> {
    for (line, example) in examples()? {
        let whole = whole(&example);
        if let Err(error) = Manifest::parse(&whole, "", None) {
            panic!("{REFERENCE}:{line}: {error}");
        }
        for key in whole.as_object().into_iter().flatten().map(|(key, _)| key) {
            let known = MANIFEST_KEYS.contains(&key.as_str());
            assert!(known, "{REFERENCE}:{line}: {key} means nothing");
        }
    }
    Ok(())
}

#[test]
fn every_key_is_explained_and_has_an_example() -> anyhow::Result<()> {
    assert_eq!(first_cells("Manifest reference")?, MANIFEST_KEYS);
    let examples = examples()?;
    for key in MANIFEST_KEYS {
        let shown = examples
            .iter()
            .any(|(_, example)| example.get(key).is_some());
        assert!(shown, "no example has {key}");
    }
    Ok(())
}

#[test]
fn every_kind_of_parameter_is_explained_and_has_an_example() -> anyhow::Result<()> {
    let kind = |rule: &ParamRule| match rule {
        ParamRule::Integer { .. } => "integer",
        ParamRule::StringOption { .. } => "string_option",
        ParamRule::StringInput { .. } => "string_input",
    };
    let mut in_examples = BTreeSet::new();
    for (_, example) in examples()? {
        let manifest = Manifest::parse(&whole(&example), "", None)?;
        in_examples.extend(manifest.param_rules.values().map(kind));
    }
    // The parser's error lists the types.
    let odd = json!({"param_rules": {"p": {"type": "odd"}}});
    let error =
        Manifest::parse(&whole(&odd), "", None).map_or_else(|e| e.to_string(), |_| String::new());
    let (_, known) = error.split_once("not one of ").unwrap_or_default();
    let known: Vec<_> = known.split(", ").collect();
    let explained = first_cells("param_rules")?;
    assert_eq!(explained, known);
    assert_eq!(in_examples, known.into_iter().collect());
    Ok(())
}

/// The names of all Slurm options. A new field of the struct is a compile error here.
macro_rules! names_of {
    ($($name:ident),*) => {{
        let SlurmOptions { $($name: _),* } = SlurmOptions::default();
        vec![$(stringify!($name)),*]
    }};
}

#[test]
fn every_slurm_option_is_explained_and_has_an_example() -> anyhow::Result<()> {
    let names = names_of![
        num_of_node,
        num_of_task,
        time,
        cpu_per_task,
        memory,
        memory_per_cpu,
        memory_per_gpu,
        gpus,
        gpus_per_node,
        gpus_per_socket,
        gpus_per_task,
        partition,
        mail_type,
        mail_user,
        modules
    ];
    let explained = first_cells("slurm_input_rules")?;
    let (options, keys) = explained.split_at(names.len());
    assert_eq!(options, names);
    assert_eq!(
        keys,
        ["default_value", "unit", "min`, `max`, `step", "options"]
    );
    let mut in_examples = BTreeSet::new();
    for (_, example) in examples()? {
        let manifest = Manifest::parse(&whole(&example), "", None)?;
        in_examples.extend(manifest.slurm_input_rules.into_keys());
    }
    assert_eq!(in_examples, names.iter().map(|n| (*n).to_owned()).collect());
    Ok(())
}

#[test]
fn units_and_defaults_are_as_the_reference_says() -> anyhow::Result<()> {
    for row in Document::open(REFERENCE)?.rows("slurm_input_rules") {
        let [option, unit, _] = &row[..] else {
            continue;
        };
        let option = option.trim_matches('`');
        let filled = |rule: Value| {
            let raw = whole(&json!({"slurm_input_rules": {option: rule}}));
            Manifest::parse(&raw, "", None)
        };
        let (default, others) = match unit.split_once(", or another of ") {
            Some((default, others)) => (default, others),
            None if unit.starts_with('`') => (unit.as_str(), ""),
            None => continue,
        };
        let manifest = filled(json!({"default_value": 2}))?;
        let SlurmRule::Number { unit, max, .. } = &manifest.slurm_input_rules[option] else {
            panic!("{option} is no number");
        };
        let default = default.trim_matches('`');
        assert_eq!(unit.as_deref(), Some(default), "{option}");
        assert_eq!(*max, (default != "None").then_some(4.0), "{option}");
        if !others.is_empty() {
            let odd = filled(json!({"default_value": 2, "unit": "apples"}));
            let odd = odd.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(odd.ends_with(&format!("not one of {others}")), "{odd}");
        }
    }
    Ok(())
}
