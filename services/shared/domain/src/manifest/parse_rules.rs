//! Reading one rule: its defaults filled in, or the reason why it is broken.

use serde_json::{Map, Value, json};

use super::{ParamRule, SlurmRule};

/// A rule, and the rule with its defaults as clients see it; or what is wrong.
pub(super) type Filled<T> = Result<(T, Map<String, Value>), String>;

/// The rule for the parameter `name`.
pub(super) fn param_rule(name: &str, raw: &Value) -> Filled<ParamRule> {
    let Value::Object(raw) = raw else {
        return Err("is no object".to_owned());
    };
    if !is_name(name) {
        // The program gets it as the variable `param_NAME`.
        return Err("is no name: use letters, digits and _, not beginning with a digit".to_owned());
    }
    let mut shown = raw.clone();
    let require = match raw.get("require") {
        None | Some(Value::Null) => false,
        Some(value) => value.as_bool().ok_or("require is neither true nor false")?,
    };
    let rule = match raw.get("type").and_then(Value::as_str) {
        Some("integer") => {
            let Range {
                min,
                max,
                step,
                default_value,
            } = fill_range(&mut shown)?;
            for key in ["default_value", "max", "min", "step"] {
                if number(&shown, key)?.is_some_and(|number| number.fract() != 0.0) {
                    return Err(format!("{key} is no whole number"));
                }
            }
            ParamRule::Integer {
                min,
                max,
                step,
                default_value,
                require,
            }
        }
        Some("string_option") => {
            let (options, default_value) = fill_options(&mut shown)?;
            ParamRule::StringOption {
                options,
                default_value,
                require,
            }
        }
        Some("string_input") => {
            let default_value = match raw.get("default_value") {
                None | Some(Value::Null) => None,
                Some(value) => Some(value.as_str().ok_or("default_value is no text")?.to_owned()),
            };
            // The user interface reads it in every rule.
            fill(&mut shown, "default_value", json!(""));
            ParamRule::StringInput {
                default_value,
                require,
            }
        }
        Some(other) => {
            return Err(format!(
                "type {other} is not one of integer, string_option, string_input"
            ));
        }
        None => return Err("type is missing".to_owned()),
    };
    Ok((rule, shown))
}

/// The rule for the Slurm option `option` in a manifest.
pub(super) fn slurm_rule(option: &str, raw: &Value) -> Filled<SlurmRule> {
    let Value::Object(raw) = raw else {
        return Err("is no object".to_owned());
    };
    let mut raw = raw.clone();
    if !is_of_options(&raw) {
        if raw.get("default_value").is_none_or(Value::is_null) {
            return Err("default_value is missing".to_owned());
        }
        let unit = match option {
            "time" => "Minutes",
            "memory" | "memory_per_cpu" | "memory_per_gpu" => "GB",
            _ => "None",
        };
        fill(&mut raw, "unit", json!(unit));
        check_unit(
            option,
            raw.get("unit").and_then(Value::as_str).unwrap_or_default(),
        )?;
    }
    SlurmRule::parse(&Value::Object(raw))
}

impl SlurmRule {
    /// Reads one rule for a Slurm option, of a manifest or of an HPC; with it the
    /// rule as clients see it.
    ///
    /// A rule whose unit is `None` gets no limits of its own accord, as the legacy
    /// server had it; the HPC's ceilings hold anyway.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(raw: &Value) -> Result<(Self, Map<String, Value>), String> {
        let Value::Object(raw) = raw else {
            return Err("is no object".to_owned());
        };
        let mut shown = raw.clone();
        if is_of_options(raw) {
            let (options, default_value) = fill_options(&mut shown)?;
            return Ok((
                Self::Options {
                    options,
                    default_value: Some(default_value.into()),
                },
                shown,
            ));
        }
        let unit = match raw.get("unit") {
            None | Some(Value::Null) => None,
            Some(unit) => Some(unit.as_str().ok_or("unit is no text")?.to_owned()),
        };
        let default_value = number(raw, "default_value")?;
        if default_value.is_some() && unit.as_deref().is_some_and(|unit| unit != "None") {
            fill_range(&mut shown)?;
        }
        let (min, max) = (number(&shown, "min")?, number(&shown, "max")?);
        number(&shown, "step")?;
        let least = min.unwrap_or(f64::MIN);
        in_range(
            least,
            max.unwrap_or(f64::MAX),
            default_value.unwrap_or(least),
        )?;
        Ok((
            Self::Number {
                min,
                max,
                default_value,
                unit,
            },
            shown,
        ))
    }
}

/// Whether `name` may be a variable's name: `[A-Za-z_][A-Za-z0-9_]*`, not too long.
pub(crate) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    name.len() <= 128
        && bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_of_options(rule: &Map<String, Value>) -> bool {
    rule.contains_key("options") || rule.get("default_value").is_some_and(Value::is_string)
}

fn check_unit(option: &str, unit: &str) -> Result<(), String> {
    let known: &[&str] = match option {
        "time" => &["Seconds", "Minutes", "Hours", "Days"],
        "memory" | "memory_per_cpu" | "memory_per_gpu" => {
            &["KB", "MB", "GB", "TB", "K", "M", "G", "T"]
        }
        _ => return Ok(()),
    };
    if known.iter().any(|known| known.eq_ignore_ascii_case(unit)) {
        return Ok(());
    }
    Err(format!("unit {unit} is not one of {}", known.join(", ")))
}

struct Range {
    min: f64,
    max: f64,
    step: f64,
    default_value: f64,
}

/// Fills in max = 2 × default, min = 0 and step = 1, in this order.
fn fill_range(shown: &mut Map<String, Value>) -> Result<Range, String> {
    let default_value = number(shown, "default_value")?.ok_or("default_value is missing")?;
    fill(shown, "max", shortest(default_value * 2.0));
    fill(shown, "min", json!(0));
    fill(shown, "step", json!(1));
    let filled = |key: &str| number(shown, key).map(Option::unwrap_or_default);
    let (min, max, step) = (filled("min")?, filled("max")?, filled("step")?);
    if step <= 0.0 {
        return Err(format!("step {step} is not above 0"));
    }
    in_range(min, max, default_value)?;
    Ok(Range {
        min,
        max,
        step,
        default_value,
    })
}

fn in_range(min: f64, max: f64, default: f64) -> Result<(), String> {
    if min > max {
        return Err(format!("min {min} is above max {max}"));
    }
    if default < min {
        return Err(format!("default_value {default} is below min {min}"));
    }
    if default > max {
        return Err(format!("default_value {default} is above max {max}"));
    }
    Ok(())
}

/// A number, if given.
fn number(rule: &Map<String, Value>, key: &str) -> Result<Option<f64>, String> {
    match rule.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_f64()
            .map(Some)
            .ok_or_else(|| format!("{key} is no number")),
    }
}

/// `number` as JSON, without a point if it is whole.
pub(crate) fn shortest(number: f64) -> Value {
    let whole = format!("{number:.0}")
        .parse::<i64>()
        .ok()
        .filter(|_| number.fract() == 0.0);
    whole.map_or(json!(number), |whole| json!(whole))
}

fn fill(rule: &mut Map<String, Value>, key: &str, default: Value) {
    if rule.get(key).is_none_or(Value::is_null) {
        rule.insert(key.to_owned(), default);
    }
}

/// Options that include the default; without a default the first option is it.
fn fill_options(shown: &mut Map<String, Value>) -> Result<(Vec<String>, String), String> {
    let mut options = match shown.get("options") {
        None | Some(Value::Null) => Vec::new(),
        Some(list) => list.as_array().ok_or("options is no list")?.clone(),
    };
    if let Some(odd) = options
        .iter()
        .find(|option| option.is_object() || option.is_array())
    {
        return Err(format!("option {odd} is neither text nor a number"));
    }
    let given = shown
        .get("default_value")
        .filter(|value| !value.is_null())
        .cloned();
    let default = given.or_else(|| options.first().cloned());
    let default = default.ok_or("it has neither options nor default_value")?;
    if !options.contains(&default) {
        options.push(default.clone());
    }
    let text = |option: &Value| {
        option
            .as_str()
            .map_or_else(|| option.to_string(), str::to_owned)
    };
    let read = (options.iter().map(text).collect(), text(&default));
    shown.insert("options".to_owned(), json!(options));
    shown.insert("default_value".to_owned(), default);
    Ok(read)
}
