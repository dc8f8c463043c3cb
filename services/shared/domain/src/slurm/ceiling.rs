//! How much of an HPC one job may ask for.

use serde_json::{Map, Value};

use super::{Memory, SlurmOptions, TimeLimit, ValidationError, options::as_written};
use crate::{manifest::SlurmRule, site::Hpc};

/// The ceilings of one HPC: for each option the smaller of the HPC's
/// `slurm_input_rules` and `slurm_global_cap`, or the general one.
#[derive(Debug, Clone)]
pub struct Ceilings(Vec<Ceiling>);

#[derive(Debug, Clone)]
struct Ceiling {
    option: &'static str,
    /// As the operator wrote it.
    written: String,
    most: u64,
}

/// What an option counts; amounts are compared in units, seconds and KiB.
#[derive(Debug, Clone, Copy)]
enum Measure {
    Count,
    Time,
    Memory,
}

const GENERAL: [(&str, Measure, &str); 11] = [
    ("num_of_node", Measure::Count, "50"),
    ("num_of_task", Measure::Count, "50"),
    ("cpu_per_task", Measure::Count, "50"),
    ("memory_per_cpu", Measure::Memory, "10G"),
    ("memory_per_gpu", Measure::Memory, "10G"),
    ("memory", Measure::Memory, "50G"),
    ("gpus", Measure::Count, "20"),
    ("gpus_per_node", Measure::Count, "20"),
    ("gpus_per_socket", Measure::Count, "20"),
    ("gpus_per_task", Measure::Count, "20"),
    ("time", Measure::Time, "10:00:00"),
];

impl Ceilings {
    /// The ceilings of `hpc`. A cap that cannot be read counts as not written;
    /// [`Ceilings::unreadable`] finds those when the configuration is loaded.
    pub fn of(hpc: &Hpc) -> Self {
        let of_option = |&(option, measure, general): &(&'static str, Measure, &str)| {
            let from_cap = hpc
                .slurm_global_cap
                .get(option)
                .and_then(|value| Some((as_written(value), measure.read(value)?)));
            let from_rule = match hpc.slurm_input_rules.get(option) {
                Some(SlurmRule::Number {
                    max: Some(max),
                    unit,
                    ..
                }) => measure.of_rule(*max, unit.as_deref()),
                _ => None,
            };
            let own = from_cap
                .into_iter()
                .chain(from_rule)
                .min_by_key(|(_, most)| *most);
            let (written, most) = own.unwrap_or_else(|| {
                let value = Value::from(general);
                (general.to_owned(), measure.read(&value).unwrap_or(0))
            });
            Ceiling {
                option,
                written,
                most,
            }
        };
        Self(GENERAL.iter().map(of_option).collect())
    }

    /// Caps of `slurm_global_cap` that cannot be read, each with the reason; caps of
    /// options that have no ceiling do not matter.
    pub fn unreadable(cap: &Map<String, Value>) -> Vec<(&'static str, &'static str)> {
        let wrong = |&(option, measure, _): &(&'static str, Measure, &str)| {
            let value = cap.get(option)?;
            let reason = match measure {
                _ if measure.read(value).is_some() => return None,
                Measure::Count => "must be a whole number",
                Measure::Time => "must be a time like 90 (minutes) or 02:00:00",
                Measure::Memory => "must be a size like 8G",
            };
            Some((option, reason))
        };
        GENERAL.iter().filter_map(wrong).collect()
    }

    /// Whether `options`, which were read from `raw`, stay below all ceilings.
    ///
    /// # Errors
    /// The first option that does not.
    pub fn check(
        &self,
        raw: &Map<String, Value>,
        options: &SlurmOptions,
    ) -> Result<(), ValidationError> {
        for Ceiling {
            option,
            written,
            most,
        } in &self.0
        {
            if amount(options, option).is_some_and(|amount| amount > *most) {
                let value = match raw.get(*option) {
                    Some(value) => as_written(value),
                    None => format!("{}, the default", TimeLimit::default()),
                };
                return Err(ValidationError(format!(
                    "slurm config {option} exceeds the threshold of {written} (current value {value})"
                )));
            }
        }
        self.check_memory_in_all(options)
    }

    /// Memory for each processor or GPU, all taken together, is no way around the
    /// ceiling of `memory`, which is one of each node.
    fn check_memory_in_all(&self, o: &SlurmOptions) -> Result<(), ValidationError> {
        let Some(ceiling) = self.0.iter().find(|ceiling| ceiling.option == "memory") else {
            return Ok(());
        };
        let count = |n: Option<u32>| u64::from(n.unwrap_or(0));
        let (nodes, tasks) = (count(o.num_of_node).max(1), count(o.num_of_task).max(1));
        let cpus = tasks.saturating_mul(count(o.cpu_per_task).max(1));
        let gpus = [
            count(o.gpus),
            nodes.saturating_mul(count(o.gpus_per_node)),
            nodes.saturating_mul(count(o.gpus_per_socket)),
            tasks.saturating_mul(count(o.gpus_per_task)),
        ];
        let gpus = gpus.into_iter().fold(1, u64::max);
        for (option, each, number, what) in [
            ("memory_per_cpu", o.memory_per_cpu, cpus, "processors"),
            ("memory_per_gpu", o.memory_per_gpu, gpus, "GPUs"),
        ] {
            let Some(each) = each else { continue };
            if each.kib().saturating_mul(number) > ceiling.most.saturating_mul(nodes) {
                let written = &ceiling.written;
                return Err(ValidationError(format!(
                    "slurm config {option} exceeds the threshold of {written} of memory for each \
                     node (current value {each}, for {what}: {number})"
                )));
            }
        }
        Ok(())
    }
}

fn amount(o: &SlurmOptions, option: &str) -> Option<u64> {
    let count = |n: Option<u32>| n.map(u64::from);
    match option {
        "num_of_node" => count(o.num_of_node),
        "num_of_task" => count(o.num_of_task),
        "cpu_per_task" => count(o.cpu_per_task),
        "memory_per_cpu" => o.memory_per_cpu.map(Memory::kib),
        "memory_per_gpu" => o.memory_per_gpu.map(Memory::kib),
        "memory" => o.memory.map(Memory::kib),
        "gpus" => count(o.gpus),
        "gpus_per_node" => count(o.gpus_per_node),
        "gpus_per_socket" => count(o.gpus_per_socket),
        "gpus_per_task" => count(o.gpus_per_task),
        // The batch script asks for the default when the job says nothing.
        "time" => Some(o.time.unwrap_or_default().seconds()),
        _ => None,
    }
}

impl Measure {
    fn read(self, value: &Value) -> Option<u64> {
        let text = as_written(value);
        match self {
            Self::Count => text.parse().ok(),
            Self::Time => TimeLimit::parse(&text).ok().map(TimeLimit::seconds),
            Self::Memory if value.is_number() => {
                value.as_f64().and_then(Memory::from_gib).map(Memory::kib)
            }
            Self::Memory => Memory::parse(&text).ok().map(Memory::kib),
        }
    }

    /// A rule's `max`, which is a number of the rule's unit; written as a value of
    /// the option would be.
    fn of_rule(self, max: f64, unit: Option<&str>) -> Option<(String, u64)> {
        match self {
            Self::Count => format!("{:.0}", max.floor())
                .parse()
                .ok()
                .map(|most| (format!("{max}"), most)),
            Self::Time => {
                let time = TimeLimit::of_unit(max, unit.unwrap_or("Minutes"))?;
                Some((time.to_string(), time.seconds()))
            }
            Self::Memory => {
                let written = format!("{max}{}", unit.unwrap_or("GB"));
                let most = Memory::parse(&written).ok()?.kib();
                Some((written, most))
            }
        }
    }
}

#[cfg(test)]
mod tests;
