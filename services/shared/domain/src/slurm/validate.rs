//! What users may set, checked against the rules of template and HPC. Every
//! error is a sentence that its reader can act on.

use serde_json::{Map, Value};

use super::{
    Memory, SlurmOptions, TimeLimit,
    options::{as_written, given},
};
use crate::manifest::{ParamRule, ParamRules, SlurmInputRules, SlurmRule, is_name, shortest};

/// A value that is not allowed, and why, in a sentence for the job's owner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValidationError(pub String);

/// Checks parameters: names, and values against `rules`. Names without a rule
/// are passed on to the program, as the legacy server did.
///
/// # Errors
/// Everything that is wrong.
pub fn check_param(
    rules: &ParamRules,
    param: &Map<String, Value>,
) -> Result<(), Vec<ValidationError>> {
    let mut errors = names("param", param);
    for (name, rule) in rules {
        let wrong = match param.get(name).filter(|value| !value.is_null()) {
            Some(value) => against(rule, value).err(),
            None => is_needed(rule).then(|| "must be given".to_owned()),
        };
        errors.extend(wrong.map(|wrong| ValidationError(format!("param {name} {wrong}"))));
    }
    none_or(errors)
}

/// Checks the names and values of environment variables.
///
/// # Errors
/// Everything that is wrong.
pub fn check_env(env: &Map<String, Value>) -> Result<(), Vec<ValidationError>> {
    none_or(names("env", env))
}

/// Checks Slurm options against the template's rules, and the HPC's for what
/// the template does not rule.
///
/// # Errors
/// Everything that is wrong.
pub fn check_slurm(
    of_manifest: &SlurmInputRules,
    of_hpc: &SlurmInputRules,
    raw: &Map<String, Value>,
    options: &SlurmOptions,
) -> Result<(), Vec<ValidationError>> {
    let inherited = of_hpc
        .iter()
        .filter(|(option, _)| !of_manifest.contains_key(*option));
    let of_manifest = of_manifest.iter().map(|rule| (rule, "template"));
    let mut errors = Vec::new();
    for ((option, rule), whose) in of_manifest.chain(inherited.map(|rule| (rule, "HPC"))) {
        let Some(value) = given(raw, option) else {
            continue;
        };
        if let Err(wrong) = slurm_against(option, rule, whose, value, options) {
            let value = as_written(value);
            errors.push(ValidationError(format!(
                "slurm config {option} {wrong} (current value {value})"
            )));
        }
    }
    none_or(errors)
}

/// The parameters with the defaults of `rules` for those not given.
pub fn filled_param(rules: &ParamRules, param: &Map<String, Value>) -> Map<String, Value> {
    let mut filled = param.clone();
    for (name, rule) in rules {
        let default = match rule {
            ParamRule::Integer { default_value, .. } => Some(shortest(*default_value)),
            ParamRule::StringOption { default_value, .. } => {
                Some(Value::from(default_value.as_str()))
            }
            ParamRule::StringInput { default_value, .. } => {
                default_value.as_deref().map(Value::from)
            }
        };
        let is_given = param.get(name).is_some_and(|value| !value.is_null());
        if let Some(default) = default.filter(|_| !is_given) {
            filled.insert(name.clone(), default);
        }
    }
    filled
}

/// How a value reaches the program: text as it is, everything else as JSON
/// writes it, whole numbers without a point.
pub fn env_value(value: &Value) -> String {
    let float = value.as_f64().filter(|_| value.is_f64());
    float.map_or_else(|| as_written(value), |number| shortest(number).to_string())
}

fn none_or(errors: Vec<ValidationError>) -> Result<(), Vec<ValidationError>> {
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// With a default there is always a value.
fn is_needed(rule: &ParamRule) -> bool {
    matches!(
        rule,
        ParamRule::StringInput {
            require: true,
            default_value: None
        }
    )
}

fn names(what: &str, values: &Map<String, Value>) -> Vec<ValidationError> {
    let mut errors = Vec::new();
    for (name, value) in values {
        if !is_name(name) {
            let words = "is no name: use letters, digits and _, not beginning with a digit";
            errors.push(ValidationError(format!("{what} {name:?} {words}")));
        }
        if env_value(value).contains('\0') {
            let words = "holds a NUL, which cannot be given to a program";
            errors.push(ValidationError(format!("{what} {name:?} {words}")));
        }
    }
    errors
}

fn against(rule: &ParamRule, value: &Value) -> Result<(), String> {
    let text = as_written(value);
    match rule {
        ParamRule::Integer { min, max, step, .. } => {
            let Some(given) = whole(value) else {
                return Err(format!(
                    "must be a whole number from {min} to {max} (current value {text})"
                ));
            };
            if given < *min || given > *max {
                return Err(format!(
                    "must be from {min} to {max} (current value {text})"
                ));
            }
            if (given - min) % step != 0.0 {
                let next = min + step;
                return Err(format!(
                    "must be {min}, {next} and so on in steps of {step} (current value {text})"
                ));
            }
            Ok(())
        }
        ParamRule::StringOption { options, .. } => {
            one_of(options, &text).map_err(|wrong| format!("{wrong} (current value {text})"))
        }
        ParamRule::StringInput { .. } if !value.is_string() => {
            Err(format!("must be text (current value {text})"))
        }
        // What the user interface sends for a field left blank.
        ParamRule::StringInput { .. } if text.is_empty() && is_needed(rule) => {
            Err("must be given".to_owned())
        }
        ParamRule::StringInput { .. } => Ok(()),
    }
}

/// A whole number, or text of one.
fn whole(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| all)
        }
        value => value.as_f64().filter(|number| number.fract() == 0.0),
    }
}

fn one_of(options: &[String], text: &str) -> Result<(), String> {
    if options.iter().any(|option| option == text) {
        return Ok(());
    }
    Err(format!("must be one of {}", options.join(", ")))
}

fn slurm_against(
    option: &str,
    rule: &SlurmRule,
    whose: &str,
    value: &Value,
    options: &SlurmOptions,
) -> Result<(), String> {
    let (min, max, unit) = match rule {
        SlurmRule::Options { options, .. } => {
            return match value {
                Value::Array(words) => words
                    .iter()
                    .try_for_each(|word| one_of(options, &as_written(word))),
                word => one_of(options, &as_written(word)),
            };
        }
        SlurmRule::Number { min, max, unit, .. } => (min, max, unit),
    };
    let unit = unit.as_deref().filter(|unit| *unit != "None");
    let Some(given) = in_unit(option, unit, value, options) else {
        return Ok(());
    };
    let named = unit.map(|unit| format!(" {unit}")).unwrap_or_default();
    if let Some(max) = max.filter(|max| given > *max) {
        return Err(format!("exceeds the {whose}'s limit of {max}{named}"));
    }
    if let Some(min) = min.filter(|min| given < *min) {
        return Err(format!("is below the {whose}'s least of {min}{named}"));
    }
    Ok(())
}

/// The option's value in the rule's unit.
fn in_unit(option: &str, unit: Option<&str>, value: &Value, o: &SlurmOptions) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "seconds and KiB of a job are far below 2^53"
    )]
    let float = |n: u64| n as f64;
    let memory = |memory: Option<Memory>| {
        let one = Memory::parse(&format!("1{}", unit.unwrap_or("GB"))).ok()?;
        Some(float(memory?.kib()) / float(one.kib()))
    };
    match option {
        "time" => {
            let one = TimeLimit::of_unit(1.0, unit.unwrap_or("Minutes"))?;
            Some(float(o.time?.seconds()) / float(one.seconds()))
        }
        "memory" => memory(o.memory),
        "memory_per_cpu" => memory(o.memory_per_cpu),
        "memory_per_gpu" => memory(o.memory_per_gpu),
        _ => whole(value),
    }
}

#[cfg(test)]
mod tests;
