//! MPI: tasks of a template that is approved for it work together; those of another
//! one are independent programs, and their owner is informed.

use compute_integration_tests::{Client, Template, World, client::log_text};
use serde_json::{Value, json};

/// Says hello with the MPI library of its image (the numbers are from mpi.h of MPICH). It exits without
/// `MPI_Finalize`, in which MPICH 4.0 over UCX can wait for ever for a rank that is past it, on a
/// machine with fewer processors than ranks.
const HELLO: &str = r#"
import ctypes, os

mpi = ctypes.CDLL("libmpich.so.12", mode=ctypes.RTLD_GLOBAL)
world, integer = 0x44000000, 0x4C000405
mpi.MPI_Init(None, None)
rank, size = ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
seen = (ctypes.c_int * size.value)()
mpi.MPI_Allgather(ctypes.byref(rank), 1, integer, seen, 1, integer, world)
print(f"hello from rank {rank.value} of {size.value}, who sees {list(seen)}", flush=True)
mpi.MPI_Barrier(world)
os._exit(0)
"#;

fn hello() -> Template {
    Template::new("hello_mpi", "python hello.py")
        .with("container", json!("python-mpich"))
        .file("hello.py", HELLO)
}

/// What a job of four tasks prints, sorted, and the messages of the submit and of
/// its first event.
async fn said(alice: &Client, hpc: &str) -> anyhow::Result<(Vec<String>, Value, Value)> {
    let settings = json!({"hpc": hpc, "slurm": {"num_of_task": 4}});
    let id = alice.prepare("hello_mpi", settings).await?;
    let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    assert_eq!(answer.status, 200, "{answer:?}");
    let job = alice.over(&id, crate::SOON).await?;
    assert_eq!(job["state"], "ended", "{hpc}: {job}");
    let log = log_text(&job);
    let mut lines: Vec<_> = log
        .lines()
        .filter(|line| line.starts_with("hello from"))
        .map(str::to_owned)
        .collect();
    lines.sort();
    let event = job["events"][0]["message"].clone();
    Ok((lines, answer.body["messages"].clone(), event))
}

#[tokio::test]
async fn approved_tasks_see_each_other() -> anyhow::Result<()> {
    let world = World::with([hello().for_mpi()]).await?;
    let alice = world.client("alice")?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let (lines, messages, event) = said(&alice, hpc).await?;
        let expected: Vec<_> = (0..4)
            .map(|rank| format!("hello from rank {rank} of 4, who sees [0, 1, 2, 3]"))
            .collect();
        assert_eq!(lines, expected, "{hpc}");
        assert_eq!(messages, Value::Null, "{hpc}");
        assert!(!event.to_string().contains("independent"), "{hpc}: {event}");
    }
    Ok(())
}

#[tokio::test]
async fn others_are_alone_and_their_owner_is_informed() -> anyhow::Result<()> {
    let world = World::with([hello()]).await?;
    let alice = world.client("alice")?;
    for hpc in ["local_hpc", "charlie_hpc"] {
        let (lines, messages, event) = said(&alice, hpc).await?;
        assert_eq!(lines, ["hello from rank 0 of 1, who sees [0]"; 4], "{hpc}");
        let words = "its 4 tasks are started as independent programs, since template hello_mpi is \
                     not approved for MPI: if they are meant to work together, ask the operator to \
                     read it and to say `cybergis-compute template approve hello_mpi --mpi`";
        assert_eq!(messages, json!([words]), "{hpc}");
        let event = event.as_str().unwrap_or_default();
        assert!(event.ends_with(words), "{hpc}: {event}");
    }
    let settings = json!({"hpc": "local_hpc", "slurm": {"num_of_task": 1}});
    let id = alice.prepare("hello_mpi", settings).await?;
    let answer = alice.post(&format!("/job/{id}/submit"), json!({})).await?;
    assert_eq!(
        answer.body["messages"],
        Value::Null,
        "one task is alone anyway"
    );
    alice.over(&id, crate::SOON).await?;

    world.operator(&["template", "approve", "hello_mpi", "--mpi"])?;
    let (lines, messages, _) = said(&alice, "local_hpc").await?;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[3].starts_with("hello from rank 3 of 4"), "{lines:?}");
    assert_eq!(messages, Value::Null);
    world.operator(&["template", "withdraw", "hello_mpi", "--mpi"])?;
    let (lines, ..) = said(&alice, "local_hpc").await?;
    assert_eq!(lines, ["hello from rank 0 of 1, who sees [0]"; 4]);
    Ok(())
}
