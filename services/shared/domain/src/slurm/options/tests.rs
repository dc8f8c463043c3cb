use serde_json::json;

use super::*;

fn parse(value: Value) -> Result<SlurmOptions, Vec<OptionError>> {
    SlurmOptions::parse(value.as_object().unwrap())
}

#[test]
fn what_the_client_sends() {
    let options = parse(json!({"num_of_task": 2, "time": "00:10:00", "memory": "1G",
        "gpus": 0, "mail_type": ["END"], "cpu_per_task": "3", "unknown": []}))
    .unwrap();
    assert_eq!(options.num_of_task, Some(2));
    assert_eq!(options.cpu_per_task, Some(3));
    assert_eq!(options.time.unwrap().to_string(), "00:10:00");
    assert_eq!(options.memory.unwrap().to_string(), "1G");
    assert_eq!(options.gpus, None);
    assert_eq!(options.mail_type, ["END"]);
    // What the user interface makes of 30 minutes and of 36 hours.
    for (text, written) in [("30:00", "00:30:00"), ("01-12:00:00", "36:00:00")] {
        let options = parse(json!({"time": text})).unwrap();
        assert_eq!(options.time.unwrap().to_string(), written);
    }
}

#[test]
fn absent_is_absent() {
    let nothing = json!({"time": null, "memory": "", "partition": "", "modules": []});
    assert_eq!(parse(nothing).unwrap(), SlurmOptions::default());
}

#[test]
fn every_bad_value_is_named() {
    let errors = parse(json!({"num_of_task": "many", "time": [], "memory": {},
        "partition": "a\n#SBATCH --uid=0", "num_of_node": 0, "gpus": -1,
        "modules": ["gcc", "x; id"]}))
    .unwrap_err();
    let named: Vec<_> = errors.iter().map(|error| error.option.as_str()).collect();
    assert_eq!(
        named,
        [
            "num_of_node",
            "num_of_task",
            "time",
            "memory",
            "gpus",
            "partition",
            "modules"
        ]
    );
    assert_eq!(
        errors[1].to_string(),
        "slurm config num_of_task must be a whole number above 0 (current value many)"
    );
}

#[test]
fn a_size_without_unit_is_refused_when_it_is_a_number() {
    let errors = parse(json!({"memory": 9})).unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "slurm config memory must be a size with its unit, like 4G or 500M (current value 9)"
    );
}

#[test]
fn one_address_in_a_list_as_the_client_sends_it() {
    let options = parse(json!({"mail_user": ["a@example.org"]})).unwrap();
    assert_eq!(options.mail_user, ["a@example.org"]);
    for several in [
        json!(["a@example.org", "b@example.org"]),
        json!("a@example.org,b@example.org"),
    ] {
        let errors = parse(json!({"mail_user": several})).unwrap_err();
        let said = errors[0].to_string();
        let words = "slurm config mail_user must be one mail address, like alice@example.org";
        assert!(said.starts_with(words), "{said}");
    }
}

#[test]
fn a_module_is_no_path() {
    for path in [
        "/scratch/x/evil",
        "../evil",
        "a/../../evil",
        "~/evil",
        "./evil",
    ] {
        let errors = parse(json!({"modules": ["gcc", path]})).unwrap_err();
        assert!(
            errors[0].to_string().contains("must be names of modules"),
            "{errors:?}"
        );
    }
}

#[test]
fn no_option_can_carry_a_second_directive() {
    for hostile in [
        "a b", "a\nb", "$(id)", "-x", "a'b", "a\"b", "a;b", "a#b", "a\\b", "é",
    ] {
        for option in ["partition", "mail_type", "mail_user", "modules"] {
            assert!(
                parse(json!({option: hostile})).is_err(),
                "{option} {hostile:?}"
            );
        }
    }
}
