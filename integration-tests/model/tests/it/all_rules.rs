//! With all rules in force, nothing is found.

use compute_model::{Rules, Scenario, System, explore};

use crate::scenarios;

/// Explores `scenario` and prints its size; panics with the trace if there is a fault.
#[expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a part of each test here"
)]
fn explore_all(scenario: Scenario) {
    let name = scenario.name;
    let system = System {
        scenario,
        rules: Rules::ALL,
        ignored: &[],
    };
    let explored = explore(&system);
    println!(
        "{name}: {} states, {} steps",
        explored.states, explored.steps
    );
    if let Some(fault) = explored.fault {
        panic!("{name}: {}:\n  {}", fault.what, fault.trace.join("\n  "));
    }
}

#[test]
fn a_submission_survives_kills_lapses_and_late_calls() {
    explore_all(scenarios::SUBMIT);
    explore_all(scenarios::REFUSAL);
    explore_all(scenarios::CLEANUP);
    explore_all(scenarios::UPLOAD);
}

#[test]
fn a_pause_or_a_cancel_survives_them() {
    explore_all(scenarios::PAUSE);
}

#[test]
fn a_restore_survives_them() {
    explore_all(scenarios::RESTORE);
}

#[test]
fn what_is_forgotten_is_found_elsewhere() {
    explore_all(scenarios::RESTORE_AND_CANCEL);
    explore_all(scenarios::FORGET);
    explore_all(scenarios::WIPE);
    explore_all(scenarios::IDS);
}

#[test]
fn lost_answers_and_wrong_clocks_change_nothing() {
    explore_all(scenarios::COMMIT);
    explore_all(scenarios::CLOCK);
}
