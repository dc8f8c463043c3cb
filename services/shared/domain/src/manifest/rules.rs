//! Rules for what users may set.

use std::collections::BTreeMap;

use serde_json::Value;

/// Rules for parameters, by name.
pub type ParamRules = BTreeMap<String, ParamRule>;

/// Rules for Slurm options, by name.
pub type SlurmInputRules = BTreeMap<String, SlurmRule>;

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamRule {
    /// A whole number from `min` to `max` in steps of `step` from `min`.
    Integer {
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
        /// Distance of neighbours.
        step: f64,
        /// What it is if not given.
        default_value: f64,
        /// Whether it must be given.
        require: bool,
    },
    /// One of some texts.
    StringOption {
        /// What may be chosen.
        options: Vec<String>,
        /// What it is if not given.
        default_value: String,
        /// Whether it must be given.
        require: bool,
    },
    /// Any text.
    StringInput {
        /// What it is if not given.
        default_value: Option<String>,
        /// Whether it must be given.
        require: bool,
    },
}

/// What a Slurm option may be.
#[derive(Debug, Clone, PartialEq)]
pub enum SlurmRule {
    /// A number of `unit` from `min` to `max`.
    Number {
        /// Smallest.
        min: Option<f64>,
        /// Largest.
        max: Option<f64>,
        /// What it is if not given.
        default_value: Option<f64>,
        /// `None`, `Minutes`, `GB`, … as the manifest has it.
        unit: Option<String>,
    },
    /// One of some texts, e.g. partitions.
    Options {
        /// What may be chosen.
        options: Vec<String>,
        /// What it is if not given.
        default_value: Option<Value>,
    },
}
