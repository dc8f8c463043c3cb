use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{fixtures, manifest::SlurmInputRules};

fn hpc(cap: Value, rules: Value) -> Hpc {
    let rules = rules.as_object().unwrap();
    let rules: SlurmInputRules = rules
        .iter()
        .map(|(name, rule)| (name.clone(), SlurmRule::parse(rule).unwrap().0))
        .collect();
    Hpc {
        slurm_global_cap: cap.as_object().unwrap().clone(),
        slurm_input_rules: rules,
        ..fixtures::hpc()
    }
}

/// The HPC with which the messages of the legacy server were recorded.
fn recorded() -> Hpc {
    hpc(
        json!({"num_of_task": 4, "time": "02:00:00", "memory": "8G"}),
        json!({"time": {"max": 90, "min": 1, "default_value": 10, "step": 1, "unit": "Minutes"}}),
    )
}

#[expect(
    clippy::unwrap_in_result,
    reason = "the values are written in the test"
)]
fn check(hpc: &Hpc, raw: Value) -> Result<(), String> {
    let raw = raw.as_object().unwrap();
    let options = SlurmOptions::parse(raw).unwrap();
    Ceilings::of(hpc)
        .check(raw, &options)
        .map_err(|error| error.to_string())
}

#[rstest]
#[case(json!({"num_of_task": 5}), "num_of_task exceeds the threshold of 4 (current value 5)")]
#[case(json!({"num_of_task": "100"}), "num_of_task exceeds the threshold of 4 (current value 100)")]
#[case(json!({"memory": "9G"}), "memory exceeds the threshold of 8G (current value 9G)")]
#[case(json!({"memory": "8193M"}), "memory exceeds the threshold of 8G (current value 8193M)")]
#[case(json!({"memory_per_cpu": "11GB"}), "memory_per_cpu exceeds the threshold of 10G (current value 11GB)")]
#[case(json!({"memory_per_cpu": "9G"}), "memory_per_cpu exceeds the threshold of 8G of memory for each node (current value 9G, for processors: 1)")]
#[case(json!({"memory_per_cpu": "2G", "num_of_task": 4, "cpu_per_task": 2}), "memory_per_cpu exceeds the threshold of 8G of memory for each node (current value 2G, for processors: 8)")]
#[case(json!({"memory_per_cpu": "10G", "cpu_per_task": 50, "num_of_node": 50}), "memory_per_cpu exceeds the threshold of 8G of memory for each node (current value 10G, for processors: 50)")]
#[case(json!({"memory_per_gpu": "3G", "gpus_per_task": 1, "num_of_task": 3}), "memory_per_gpu exceeds the threshold of 8G of memory for each node (current value 3G, for GPUs: 3)")]
#[case(json!({"memory_per_gpu": "3G", "gpus_per_node": 3}), "memory_per_gpu exceeds the threshold of 8G of memory for each node (current value 3G, for GPUs: 3)")]
#[case(json!({"memory_per_gpu": "1T"}), "memory_per_gpu exceeds the threshold of 10G (current value 1T)")]
#[case(json!({"gpus": 21}), "gpus exceeds the threshold of 20 (current value 21)")]
#[case(json!({"gpus_per_node": 21}), "gpus_per_node exceeds the threshold of 20 (current value 21)")]
#[case(json!({"cpu_per_task": 51}), "cpu_per_task exceeds the threshold of 50 (current value 51)")]
#[case(json!({"num_of_node": 51}), "num_of_node exceeds the threshold of 50 (current value 51)")]
#[case(json!({"time": "01:30:01"}), "time exceeds the threshold of 01:30:00 (current value 01:30:01)")]
#[case(json!({"time": 91}), "time exceeds the threshold of 01:30:00 (current value 91)")]
fn over_a_ceiling(#[case] raw: Value, #[case] message: &str) {
    assert_eq!(
        check(&recorded(), raw),
        Err(format!("slurm config {message}"))
    );
}

#[rstest]
#[case(json!({}))]
#[case(json!({"num_of_task": 4, "time": "01:30:00", "memory": "8192MB"}))]
#[case(json!({"gpus": 20, "cpu_per_task": 50, "num_of_node": 50}))]
#[case(json!({"memory_per_cpu": "2G", "num_of_task": 2, "cpu_per_task": 2}))]
#[case(json!({"memory_per_cpu": "2G", "num_of_task": 4, "cpu_per_task": 2, "num_of_node": 2}))]
#[case(json!({"memory_per_gpu": "2G", "gpus": 4}))]
#[case(json!({"memory_per_gpu": "8G"}))]
#[case(json!({"bogus": 1_000_000}))]
fn below_all_ceilings(#[case] raw: Value) {
    assert_eq!(check(&recorded(), raw), Ok(()));
}

#[test]
fn without_own_ceilings_the_general_ones_hold() {
    let bare = hpc(json!({}), json!({}));
    assert_eq!(
        check(
            &bare,
            json!({"time": "10:00:00", "memory": "50G", "num_of_task": 50})
        ),
        Ok(())
    );
    let refused = check(&bare, json!({"time": "10:00:01"})).unwrap_err();
    assert_eq!(
        refused,
        "slurm config time exceeds the threshold of 10:00:00 (current value 10:00:01)"
    );
}

#[test]
fn own_ceilings_may_be_above_the_general_ones() {
    let large = hpc(
        json!({"num_of_node": 200}),
        json!({"memory": {"max": 1, "unit": "TB"}}),
    );
    assert_eq!(
        check(&large, json!({"num_of_node": 200, "memory": "1T"})),
        Ok(())
    );
    let refused = check(&large, json!({"memory": "1025G"})).unwrap_err();
    assert_eq!(
        refused,
        "slurm config memory exceeds the threshold of 1TB (current value 1025G)"
    );
}

#[test]
fn a_job_that_says_nothing_asks_for_an_hour() {
    let short = hpc(json!({"time": "00:30:00"}), json!({}));
    assert_eq!(
        check(&short, json!({})).unwrap_err(),
        "slurm config time exceeds the threshold of 00:30:00 (current value 01:00:00, the default)"
    );
}

#[test]
fn caps_that_cannot_be_read_are_found() {
    let cap =
        json!({"memory": "much", "time": "1:2:3:4", "gpus": 1.5, "num_of_task": 3, "walltime": 1});
    let found = Ceilings::unreadable(cap.as_object().unwrap());
    let named: Vec<_> = found.iter().map(|(option, _)| *option).collect();
    assert_eq!(named, ["memory", "gpus", "time"]);
}

prop_compose! {
    fn amounts()(
        counts in prop::collection::vec(prop::option::of(0u64..120), 8),
        memory in prop::collection::vec(prop::option::of((1u64..60_000, "K|M|G|GB|mb|")), 3),
        time in prop::option::of(prop_oneof![
            (1u64..2000).prop_map(|m| json!(m)),
            (0u64..30, 0u64..60, 1u64..60).prop_map(|(h, m, s)| json!(format!("{h}:{m}:{s}"))),
            (0u64..2, 1u64..24).prop_map(|(d, h)| json!(format!("{d}-{h}"))),
        ]),
    ) -> Map<String, Value> {
        let mut raw = Map::new();
        let (mut counts, mut memory) = (counts.into_iter(), memory.into_iter());
        for (option, measure, _) in GENERAL {
            let value = match measure {
                Measure::Count => counts.next().flatten().map(|n| json!(n)),
                Measure::Memory => memory.next().flatten().map(|(n, unit)| json!(format!("{n}{unit}"))),
                Measure::Time => time.clone(),
            };
            raw.extend(value.map(|value| (option.to_owned(), value)));
        }
        raw
    }
}

proptest! {
    /// Judged by sbatch's own arithmetic, written down once more.
    #[test]
    fn nothing_above_a_ceiling_passes(raw in amounts(), tasks in 1u32..60, minutes in 60u64..900, gib in 1u64..60) {
        let hpc = hpc(
            json!({"num_of_task": tasks, "memory": format!("{gib}G")}),
            json!({"time": {"max": minutes, "unit": "Minutes"}}),
        );
        let Ok(options) = SlurmOptions::parse(&raw) else { return Ok(()) };
        let kib = |m: Option<Memory>| m.map_or(0, Memory::kib);
        let (one, nodes) = (|n: Option<u32>| u64::from(n.unwrap_or(1)), options.num_of_node.unwrap_or(1));
        let cpus = one(options.num_of_task) * one(options.cpu_per_task);
        let gpus = [one(options.gpus), one(options.gpus_per_node.map(|n| n * nodes)),
            one(options.gpus_per_socket.map(|n| n * nodes)),
            options.gpus_per_task.map_or(1, |n| u64::from(n) * one(options.num_of_task))];
        let in_all = (kib(options.memory_per_cpu) * cpus).max(kib(options.memory_per_gpu) * gpus.into_iter().max().unwrap());
        let within = in_all <= u64::from(nodes) * (gib << 20) && options.num_of_task.unwrap_or(1) <= tasks
            && options.time.unwrap_or_default().seconds() <= minutes * 60
            && kib(options.memory) <= gib << 20
            && kib(options.memory_per_cpu).max(kib(options.memory_per_gpu)) <= 10 << 20
            && options.num_of_node.unwrap_or(0).max(options.cpu_per_task.unwrap_or(0)) <= 50
            && [options.gpus, options.gpus_per_node, options.gpus_per_socket, options.gpus_per_task]
                .into_iter().flatten().all(|gpus| gpus <= 20);
        prop_assert_eq!(Ceilings::of(&hpc).check(&raw, &options).is_ok(), within);
    }
}
