//! Containers (`container.json`) and kernels (`kernel.json`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A container image that templates name.
#[derive(Debug, Clone, PartialEq)]
pub struct Container {
    /// Its name: the key in `container.json`.
    pub name: String,
    /// HPC → path of the image there (a SIF, a sandbox or a `ch-run` directory).
    pub hpc_path: BTreeMap<String, String>,
    /// HPC → folders bound into this container there: HPC folder → folder in the container.
    pub mount: BTreeMap<String, BTreeMap<String, String>>,
    /// The entry as `GET /container` shows it.
    pub public: Map<String, Value>,
}

/// A kernel of the SingCVMFS connector: how a shell gets ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Its name: the key in `kernel.json`.
    pub name: String,
    /// Lines of `kernel_init.sh`.
    pub init: Vec<String>,
}
