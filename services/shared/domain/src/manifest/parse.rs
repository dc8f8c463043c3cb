//! Reading a manifest: defaults filled in, every broken rule reported.

use std::{collections::BTreeMap, fmt};

use serde_json::{Map, Value, json};

use super::{
    ConnectorVariant, MANIFEST_KEYS, Manifest, ParamRules, SlurmInputRules, Stage,
    parse_rules::{Filled, param_rule, slurm_rule},
};

/// HPC of a manifest that names none, as the legacy server had it.
const OLDER_DEFAULT_HPC: &str = "keeling_community";

/// Keys in the order in which `GET /git` shows them; others follow.
const ORDER: [&str; 14] = [
    "name",
    "container",
    "connector",
    "pre_processing_stage",
    "execution_stage",
    "post_processing_stage",
    "description",
    "estimated_runtime",
    "supported_hpc",
    "default_hpc",
    "repository",
    "require_upload_data",
    "slurm_input_rules",
    "param_rules",
];

/// Everything that is wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError(pub Vec<String>);

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl Manifest {
    /// Reads `raw`, the content of `manifest.json`, of the repository at an
    /// address and a commit.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        raw: &Value,
        repository: &str,
        commit: Option<&str>,
    ) -> Result<Self, ManifestError> {
        let Some(raw) = raw.as_object() else {
            return Err(ManifestError(vec!["it is not a JSON object".to_owned()]));
        };
        let mut reader = Reader {
            raw,
            wrong: Vec::new(),
        };
        let manifest = reader.manifest(repository, commit);
        match manifest {
            Some(manifest) if reader.wrong.is_empty() => Ok(manifest),
            _ => Err(ManifestError(reader.wrong)),
        }
    }
}

struct Reader<'a> {
    raw: &'a Map<String, Value>,
    wrong: Vec<String>,
}

impl<'a> Reader<'a> {
    fn manifest(&mut self, repository: &str, commit: Option<&str>) -> Option<Manifest> {
        let name = self.text("name");
        let container = self.text("container");
        let connector = self.connector();
        let pre_processing = self.stage("pre_processing_stage");
        let execution = self.stage("execution_stage");
        let post_processing = self.stage("post_processing_stage");
        for (key, there) in [
            ("name", name.is_some()),
            (
                "container",
                container.is_some() || connector == ConnectorVariant::Slurm,
            ),
            ("execution_stage", execution.is_some()),
        ] {
            // One of a wrong type has been reported already.
            if !there && self.get(key).is_none_or(is_blank) {
                self.wrong.push(format!("{key} is missing"));
            }
        }
        let supported_hpc = self.supported_hpc();
        let default_hpc = self
            .text("default_hpc")
            .or_else(|| supported_hpc.first().cloned());
        if let Some(default) = default_hpc
            .as_ref()
            .filter(|hpc| !supported_hpc.contains(hpc))
        {
            self.wrong
                .push(format!("default_hpc {default} is not one of supported_hpc"));
        }
        let (param_rules, public_param): (ParamRules, _) = self.rules("param_rules", param_rule);
        let (slurm_input_rules, public_slurm): (SlurmInputRules, _) =
            self.rules("slurm_input_rules", slurm_rule);
        let (require_upload_data, continue_on_error) = (
            self.flag("require_upload_data"),
            self.flag("continue_on_error"),
        );
        let public = self.public(&[
            ("description", self.or("description", json!("none"))),
            (
                "estimated_runtime",
                self.or("estimated_runtime", json!("unknown")),
            ),
            ("supported_hpc", json!(supported_hpc)),
            ("default_hpc", json!(default_hpc)),
            ("repository", json!(repository)),
            ("require_upload_data", json!(require_upload_data)),
            ("slurm_input_rules", public_slurm),
            ("param_rules", public_param),
            ("commit", commit.map_or(Value::Null, |commit| json!(commit))),
        ]);
        Some(Manifest {
            name: name?,
            container: container.unwrap_or_default(),
            connector,
            pre_processing,
            execution: execution?,
            post_processing,
            supported_hpc,
            default_hpc: default_hpc?,
            require_upload_data,
            continue_on_error,
            default_result_folder_downloadable_path: self
                .text("default_result_folder_downloadable_path"),
            param_rules,
            slurm_input_rules,
            public,
        })
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        debug_assert!(MANIFEST_KEYS.contains(&key), "{key} is in no reference");
        let raw: &'a _ = self.raw;
        raw.get(key).filter(|value| !value.is_null())
    }

    fn or(&self, key: &str, default: Value) -> Value {
        self.get(key).cloned().unwrap_or(default)
    }

    /// A text; one of spaces alone is as good as none.
    fn text(&mut self, key: &str) -> Option<String> {
        let value = self.get(key).filter(|value| !is_blank(value))?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong.push(format!("{key} is no text"));
        }
        text
    }

    fn flag(&mut self, key: &str) -> bool {
        let Some(value) = self.get(key) else {
            return false;
        };
        value.as_bool().unwrap_or_else(|| {
            self.wrong.push(format!("{key} is neither true nor false"));
            false
        })
    }

    fn lines(&mut self, key: &str) -> Option<Vec<String>> {
        let lines = self.get(key)?.as_array().map(|list| {
            list.iter()
                .map(|line| line.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
        });
        let lines = lines.flatten();
        if lines.is_none() {
            self.wrong.push(format!("{key} is no list of texts"));
        }
        lines
    }

    fn stage(&mut self, key: &str) -> Option<Stage> {
        let raw = self
            .lines(&format!("{key}_in_raw_sbatch"))
            .filter(|lines| !lines.is_empty());
        let command = self.text(key).map(Stage::Command);
        raw.map(Stage::RawSbatch).or(command)
    }

    fn connector(&mut self) -> ConnectorVariant {
        match self.text("connector").as_deref() {
            None | Some("SingularityConnector") => ConnectorVariant::Singularity,
            Some("SlurmConnector") => ConnectorVariant::Slurm,
            Some("SingCVMFSConnector") => ConnectorVariant::SingCvmfs,
            Some(other) => {
                self.wrong.push(format!(
                    "connector {other} is not one of SlurmConnector, SingularityConnector, \
                     SingCVMFSConnector"
                ));
                ConnectorVariant::Singularity
            }
        }
    }

    fn supported_hpc(&mut self) -> Vec<String> {
        let named = self.lines("supported_hpc").filter(|list| !list.is_empty());
        named.unwrap_or_else(|| vec![OLDER_DEFAULT_HPC.to_owned()])
    }

    /// The rules under `key`, read by `read`; with them the rules as clients see
    /// them, in the order of the file.
    fn rules<T>(
        &mut self,
        key: &str,
        read: fn(&str, &Value) -> Filled<T>,
    ) -> (BTreeMap<String, T>, Value) {
        let (mut rules, mut public) = (BTreeMap::new(), Map::new());
        match self.get(key) {
            None => {}
            Some(Value::Object(written)) => {
                for (name, rule) in written {
                    match read(name, rule) {
                        Ok((rule, shown)) => {
                            rules.insert(name.clone(), rule);
                            public.insert(name.clone(), Value::Object(shown));
                        }
                        Err(wrong) => self.wrong.push(format!("{key}.{name}: {wrong}")),
                    }
                }
            }
            Some(_) => self.wrong.push(format!("{key} is no object")),
        }
        (rules, Value::Object(public))
    }

    fn public(&self, filled: &[(&str, Value)]) -> Map<String, Value> {
        let mut values = self.raw.clone();
        for (key, value) in filled {
            values.insert((*key).to_owned(), value.clone());
        }
        let mut public = Map::new();
        for key in ORDER {
            if let Some(value) = values.get(key) {
                public.insert(key.to_owned(), value.clone());
            }
        }
        for (key, value) in values {
            public.entry(key).or_insert(value);
        }
        public
    }
}

fn is_blank(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim().is_empty())
}
