//! Without one rule, the fault is found that it is there for, and the shortest sequence that
//! leads to it is printed.

use std::collections::BTreeSet;

use compute_model::{
    DOUBLED, LATE_EFFECT, NO_WAY_TO_AN_END, OTHER_JOB, OVERWRITTEN, RUNS_AFTER_END, Rules,
    SENT_LATE, Scenario, System, TOLD_TWICE, explore,
};

use crate::scenarios;

struct Case {
    rule: &'static str,
    rules: Rules,
    scenario: Scenario,
    /// What is found before.
    ignored: &'static [&'static str],
    expected: &'static str,
}

/// The case of `rule`, in this scenario.
macro_rules! without {
    ($rule:ident, $scenario:ident, $expected:ident) => {
        without!($rule, $scenario, $expected, [])
    };
    ($rule:ident, $scenario:ident, $expected:ident, [$($ignored:ident)*]) => {
        Case {
            rule: stringify!($rule),
            rules: Rules { $rule: false, ..Rules::ALL },
            scenario: scenarios::$scenario,
            ignored: &[$($ignored)*],
            expected: $expected,
        }
    };
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        without!(database_clock, CLOCK, NO_WAY_TO_AN_END),
        without!(self_fencing, SUBMIT, SENT_LATE),
        without!(fence_at_hpc, LATE_PAUSE, LATE_EFFECT),
        without!(fence_under_lock, LATE_PAUSE, LATE_EFFECT),
        without!(released_hold, PAUSE, NO_WAY_TO_AN_END),
        without!(forgotten_intent, PAUSE, NO_WAY_TO_AN_END),
        without!(fence_per_runner, COMMIT, TOLD_TWICE),
        without!(revision, COMMIT, TOLD_TWICE),
        without!(mark_before_sbatch, SUBMIT, DOUBLED, [OVERWRITTEN]),
        without!(look_unless_fresh, WIPE, DOUBLED),
        without!(look_unless_fresh, RESTORE_AND_CANCEL, RUNS_AFTER_END),
        without!(kept_refusal, REFUSAL, RUNS_AFTER_END),
        without!(lasting_refusal, REFUSAL, RUNS_AFTER_END),
        without!(closing_search, LATE_SUBMIT, RUNS_AFTER_END),
        without!(tombstone, FORGET, DOUBLED, [LATE_EFFECT]),
        without!(higher_tombstone, CLEANUP, RUNS_AFTER_END),
        without!(upload_token, UPLOAD, OVERWRITTEN),
        without!(closed_files, RESTORE_AND_CANCEL, OVERWRITTEN),
        without!(whole_name, IDS, OTHER_JOB),
    ];
    // Some faults are prevented twice: by a second rule, which is switched off as well.
    let mut writes = without!(conditional_writes, SUBMIT, TOLD_TWICE);
    writes.rules.revision = false;
    let mut held = without!(fence_at_hpc, LATE_PAUSE, NO_WAY_TO_AN_END, [LATE_EFFECT]);
    held.rules.released_hold = false;
    let mut refused = without!(growing_fence, RESTORE_AND_CANCEL, NO_WAY_TO_AN_END);
    refused.rules.fence_per_runner = false;
    cases.extend([writes, held, refused]);
    cases
}

#[test]
fn without_a_rule_its_fault_is_found() {
    let mut wrong = Vec::new();
    for case in cases() {
        let Case {
            rule,
            rules,
            scenario,
            ignored,
            expected,
        } = case;
        let explored = explore(&System {
            scenario,
            rules,
            ignored,
        });
        let fault = explored.fault.as_ref();
        let found = fault.map_or("nothing", |fault| fault.what);
        let trace = fault.map_or(String::new(), |fault| fault.trace.join("\n  "));
        println!(
            "without {rule} ({}, {} states): {found}\n  {trace}\n",
            scenario.name, explored.states
        );
        if found != expected {
            wrong.push(format!("{rule}: {found} instead of {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_rule_has_a_case() {
    let shown = format!("{:?}", Rules::ALL);
    let (_, fields) = shown.split_once('{').unwrap();
    let rules = fields.split(',').filter_map(|field| field.split_once(':'));
    let rules: BTreeSet<&str> = rules.map(|(name, _)| name.trim()).collect();
    let tried: BTreeSet<&str> = cases().iter().map(|case| case.rule).collect();
    assert_eq!(rules, tried);
}
