//! The bounded explorations.

mod all_rules;
mod each_rule;
mod scenarios;
