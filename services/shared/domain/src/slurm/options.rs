//! A job's Slurm options, read from what its owner gave.

use serde_json::{Map, Value};

use super::{
    Memory, TimeLimit,
    names::{MAIL_TYPE, MAIL_USER, MODULE, PARTITION, Sort},
};

/// An option whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("slurm config {option} {reason} (current value {value})")]
pub struct OptionError {
    /// Name of the option.
    pub option: String,
    /// What it should be.
    pub reason: String,
    /// What was given.
    pub value: String,
}

/// What the scheduler is asked for; absent means the default of the batch script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    /// Nodes.
    pub num_of_node: Option<u32>,
    /// Tasks, default 1.
    pub num_of_task: Option<u32>,
    /// Time limit, default one hour.
    pub time: Option<TimeLimit>,
    /// Processors for each task, default 1.
    pub cpu_per_task: Option<u32>,
    /// Memory for each GPU.
    pub memory_per_gpu: Option<Memory>,
    /// Memory for each processor.
    pub memory_per_cpu: Option<Memory>,
    /// Memory for each node.
    pub memory: Option<Memory>,
    /// GPUs.
    pub gpus: Option<u32>,
    /// GPUs for each node.
    pub gpus_per_node: Option<u32>,
    /// GPUs for each socket.
    pub gpus_per_socket: Option<u32>,
    /// GPUs for each task.
    pub gpus_per_task: Option<u32>,
    /// Partition, or several with commas between them.
    pub partition: Option<String>,
    /// When to write mails: `END`, `FAIL` …
    pub mail_type: Vec<String>,
    /// To whom: one address, if any.
    pub mail_user: Vec<String>,
    /// Modules to load.
    pub modules: Vec<String>,
}

impl SlurmOptions {
    /// Reads options. Numbers may be written as text, `""` is as good as absent,
    /// and unknown options are ignored, as the legacy server did.
    ///
    /// # Errors
    /// Every option whose value cannot be used.
    pub fn parse(raw: &Map<String, Value>) -> Result<Self, Vec<OptionError>> {
        let mut reader = Reader {
            raw,
            errors: Vec::new(),
        };
        let options = Self {
            num_of_node: reader.count("num_of_node"),
            num_of_task: reader.count("num_of_task"),
            time: reader.time("time"),
            cpu_per_task: reader.count("cpu_per_task"),
            memory_per_gpu: reader.memory("memory_per_gpu"),
            memory_per_cpu: reader.memory("memory_per_cpu"),
            memory: reader.memory("memory"),
            gpus: reader.count_from_zero("gpus"),
            gpus_per_node: reader.count_from_zero("gpus_per_node"),
            gpus_per_socket: reader.count_from_zero("gpus_per_socket"),
            gpus_per_task: reader.count_from_zero("gpus_per_task"),
            partition: reader.word("partition", &PARTITION),
            mail_type: reader.words("mail_type", &MAIL_TYPE),
            mail_user: reader.one_of_words("mail_user", &MAIL_USER),
            modules: reader.words("modules", &MODULE),
        };
        if reader.errors.is_empty() {
            Ok(options)
        } else {
            Err(reader.errors)
        }
    }
}

/// A value as its owner wrote it: text without quotes, the rest as JSON.
pub(super) fn as_written(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// A value that counts as given.
pub(super) fn given<'a>(raw: &'a Map<String, Value>, option: &str) -> Option<&'a Value> {
    raw.get(option)
        .filter(|value| !value.is_null() && value.as_str() != Some(""))
}

struct Reader<'a> {
    raw: &'a Map<String, Value>,
    errors: Vec<OptionError>,
}

impl<'a> Reader<'a> {
    fn get(&self, option: &str) -> Option<&'a Value> {
        given(self.raw, option)
    }

    fn refuse(&mut self, option: &str, reason: &str, value: &Value) {
        let (option, reason) = (option.to_owned(), reason.to_owned());
        self.errors.push(OptionError {
            option,
            reason,
            value: as_written(value),
        });
    }

    fn count(&mut self, option: &str) -> Option<u32> {
        let value = self.get(option)?;
        let count = whole(value).filter(|&count| count > 0);
        if count.is_none() {
            self.refuse(option, "must be a whole number above 0", value);
        }
        count
    }

    fn count_from_zero(&mut self, option: &str) -> Option<u32> {
        let value = self.get(option)?;
        let count = whole(value);
        if count.is_none() {
            self.refuse(option, "must be a whole number", value);
        }
        count.filter(|&count| count > 0)
    }

    fn time(&mut self, option: &str) -> Option<TimeLimit> {
        let value = self.get(option)?;
        let time = match value {
            Value::String(text) => TimeLimit::parse(text).ok(),
            value => whole(value)
                .filter(|&m| m > 0)
                .map(|m| TimeLimit::from_minutes(m.into())),
        };
        if time.is_none() {
            self.refuse(
                option,
                "must be a time like 90 (minutes) or 01:30:00",
                value,
            );
        }
        time
    }

    fn memory(&mut self, option: &str) -> Option<Memory> {
        let value = self.get(option)?;
        // A number alone is refused: who writes 4 means GB, and sbatch takes MB.
        let memory = value.as_str().and_then(|text| Memory::parse(text).ok());
        if memory.is_none() {
            self.refuse(
                option,
                "must be a size with its unit, like 4G or 500M",
                value,
            );
        }
        memory
    }

    fn word(&mut self, option: &str, sort: &Sort) -> Option<String> {
        let value = self.get(option)?;
        let word = value
            .as_str()
            .filter(|word| (sort.holds)(word))
            .map(str::to_owned);
        if word.is_none() {
            self.refuse(option, sort.reason, value);
        }
        word
    }

    /// One word or a list of words.
    fn words(&mut self, option: &str, sort: &Sort) -> Vec<String> {
        let Some(value) = self.get(option) else {
            return Vec::new();
        };
        let words: Option<Vec<&str>> = match value {
            Value::Array(list) => list.iter().map(Value::as_str).collect(),
            value => value.as_str().map(|word| vec![word]),
        };
        match words.filter(|words| words.iter().all(|word| (sort.holds)(word))) {
            Some(words) => words.into_iter().map(str::to_owned).collect(),
            None => {
                self.refuse(option, sort.reason, value);
                Vec::new()
            }
        }
    }

    /// At most one word, possibly in a list as clients send it.
    fn one_of_words(&mut self, option: &str, sort: &Sort) -> Vec<String> {
        let words = self.words(option, sort);
        match self.get(option) {
            Some(value) if words.len() > 1 => {
                self.refuse(option, sort.reason, value);
                Vec::new()
            }
            _ => words,
        }
    }
}

fn whole(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => {
            let float = number.as_f64().filter(|f| f.fract() == 0.0 && *f >= 0.0);
            number
                .as_u64()
                .or_else(|| float.and_then(|f| format!("{f:.0}").parse().ok()))
                .and_then(|n| n.try_into().ok())
        }
        Value::String(text) => {
            let digits = text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| digits)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
