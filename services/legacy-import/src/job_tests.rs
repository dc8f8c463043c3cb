//! Jobs of all kinds.

use super::*;

const AT: i64 = 1_795_457_916_794;

fn legacy() -> tables::job::Model {
    tables::job::Model {
        id: "17954579178b5EC".to_owned(),
        user_id: Some("alice@hub:8000".to_owned()),
        name: None,
        maintainer: "community_contribution".to_owned(),
        hpc: "local_hpc".to_owned(),
        local_executable_folder: Some(r#"{"type":"git","gitId":"hello"}"#.to_owned()),
        local_data_folder: None,
        param: Some(r#"{"a":1}"#.to_owned()),
        env: Some("{}".to_owned()),
        slurm: None,
        slurm_id: None,
        created_at: AT,
        updated_at: None,
        deleted_at: None,
        initialized_at: None,
        finished_at: None,
        queued_at: None,
        is_failed: false,
        nodes: Some(1),
        cpus: None,
        cpu_time: None,
        memory: None,
        memory_usage: Some(-1),
        walltime: None,
        remote_executable_folder_id: None,
        remote_data_folder_id: None,
        remote_result_folder_id: Some("f1".to_owned()),
    }
}

fn event(kind: &str, after: i64) -> tables::event::Model {
    tables::event::Model {
        id: after,
        job_id: "17954579178b5EC".to_owned(),
        kind: kind.to_owned(),
        message: format!("says {kind}"),
        created_at: AT + after,
        updated_at: None,
        deleted_at: None,
    }
}

fn mapped(legacy: tables::job::Model, kinds: &[&str]) -> Mapped {
    let events: Vec<_> = (1..).zip(kinds).map(|(n, kind)| event(kind, n)).collect();
    map(legacy, &events, |id| id == "f1").unwrap()
}

#[test]
fn the_state_follows_from_the_row_and_the_events() {
    let queued = || tables::job::Model {
        queued_at: Some(AT),
        ..legacy()
    };
    let finished = |is_failed| tables::job::Model {
        finished_at: Some(AT + 9),
        is_failed,
        ..queued()
    };
    let table: [(_, &[&str], _, _, _); 11] = [
        (legacy(), &[], "created", None, None),
        (queued(), &["JOB_QUEUED", "JOB_ENDED"], "ended", None, None),
        (
            finished(false),
            &["JOB_QUEUED", "JOB_ENDED"],
            "ended",
            None,
            None,
        ),
        (finished(false), &[], "ended", None, Some("JOB_ENDED")),
        (
            finished(true),
            &[],
            "failed",
            Some("the legacy server gave no reason"),
            Some("JOB_FAILED"),
        ),
        (
            queued(),
            &["JOB_QUEUED", "JOB_FAILED"],
            "failed",
            Some("says JOB_FAILED"),
            None,
        ),
        (
            finished(true),
            &["JOB_FAILED"],
            "failed",
            Some("says JOB_FAILED"),
            None,
        ),
        (
            finished(false),
            &["JOB_CANCELLED", "JOB_ENDED"],
            "cancelled",
            Some("says JOB_CANCELLED"),
            None,
        ),
        (
            queued(),
            &["JOB_QUEUED"],
            "failed",
            Some(UNFINISHED),
            Some("JOB_FAILED"),
        ),
        (
            queued(),
            &[],
            "failed",
            Some(UNFINISHED),
            Some("JOB_FAILED"),
        ),
        (
            legacy(),
            &["JOB_QUEUED", "JOB_INIT"],
            "failed",
            Some(UNFINISHED),
            Some("JOB_FAILED"),
        ),
    ];
    for (row, kinds, state, cause, closing) in table {
        let Mapped {
            row,
            closing: closed,
            ..
        } = mapped(row, kinds);
        assert_eq!(
            (row.state.as_str(), row.cause.as_deref()),
            (state, cause),
            "{kinds:?}"
        );
        assert_eq!(
            closed.map(|(event, _)| event.kind.as_str()),
            closing,
            "{kinds:?}"
        );
        assert_eq!(
            row.is_failed,
            matches!(state, "failed" | "cancelled"),
            "{kinds:?}"
        );
        assert_eq!(row.finished_at.is_some(), state != "created", "{kinds:?}");
        let template = (state != "created").then_some("hello");
        assert_eq!(row.template_id.as_deref(), template, "{kinds:?}");
    }
}

#[test]
fn an_unfinished_job_ends_when_it_was_last_seen() {
    let Mapped { row, closing, .. } =
        mapped(legacy(), &["JOB_QUEUED", "JOB_REGISTERED", "JOB_INIT"]);
    assert_eq!(row.finished_at, Some(AT + 3));
    assert_eq!(closing.map(|(_, at)| at), Some(AT + 3));
    assert_eq!(
        (row.submitted_at, row.queued_at),
        (Some(AT + 1), Some(AT + 2))
    );
}

#[test]
fn nobody_s_job_is_left_out() {
    for user_id in [None, Some(String::new())] {
        let nobody_s = tables::job::Model {
            user_id,
            ..legacy()
        };
        assert_eq!(map(nobody_s, &[], |_| true), None);
    }
}

#[test]
fn what_cannot_be_read_is_empty_and_said() {
    let broken = tables::job::Model {
        param: Some("{\"a\":".to_owned()),
        env: Some("[1]".to_owned()),
        slurm: Some("null".to_owned()),
        local_executable_folder: Some("{".to_owned()),
        remote_data_folder_id: Some("gone".to_owned()),
        name: Some("a\0b".to_owned()),
        ..legacy()
    };
    let Mapped { row, notes, .. } = mapped(broken, &[]);
    assert_eq!(
        (row.param.as_str(), row.env.as_str(), row.slurm.as_str()),
        ("{}", "{}", "{}")
    );
    assert_eq!(
        (row.local_executable_folder, row.remote_data_folder_id),
        (None, None)
    );
    assert_eq!(row.name.as_deref(), Some("a\u{fffd}b"));
    assert_eq!((row.nodes, row.memory_usage), (Some(1), None));
    let json = notes.iter().filter(|&&note| note == Note::UnreadableJson);
    assert_eq!(json.count(), 3);
    assert!(notes.contains(&Note::FolderNotHere));
}

#[test]
fn a_good_row_is_taken_as_it_is() {
    let Mapped { row, notes, .. } = mapped(legacy(), &[]);
    assert_eq!(
        (row.param.as_str(), row.slurm.as_str()),
        (r#"{"a":1}"#, "{}")
    );
    assert_eq!(row.remote_result_folder_id.as_deref(), Some("f1"));
    assert_eq!(notes, []);
    assert_eq!(
        (row.created_at, row.updated_at, row.deleted_at),
        (AT, None, None)
    );
}
