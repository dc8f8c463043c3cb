use super::*;

const WELL: [&str; 8] = [
    "JOB_QUEUED",
    "JOB_REGISTERED",
    "SLURM_UPLOAD_EXECUTABLE",
    "SLURM_CREATE_RESULT",
    "SLURM_SUBMIT",
    "SLURM_SUBMIT_SUCCESS",
    "JOB_INIT",
    "JOB_ENDED",
];

fn events(kinds: &[&str]) -> Vec<Event> {
    let event = |(at, kind): (usize, &&str)| Event {
        kind: (*kind).to_owned(),
        message: String::new(),
        at: i64::try_from(at).unwrap(),
    };
    kinds.iter().enumerate().map(event).collect()
}

/// One job that was submitted.
fn books(state: &str, kinds: &[&str], slurm: &[&str]) -> Evidence {
    let told = Told {
        is_submitted: true,
        ..Told::default()
    };
    let row = Row {
        state: state.to_owned(),
        events: events(kinds),
    };
    let accounted = |(n, state): (usize, &&str)| Accounted {
        slurm_id: n.to_string(),
        state: (*state).to_owned(),
    };
    Evidence {
        told: BTreeMap::from([("job".to_owned(), told)]),
        rows: BTreeMap::from([("job".to_owned(), row)]),
        slurm: BTreeMap::from([(
            "job".to_owned(),
            slurm.iter().enumerate().map(accounted).collect(),
        )]),
        has_killed_controller: false,
    }
}

fn found(evidence: &Evidence) -> Vec<Finding> {
    let balance = balance(evidence);
    assert_eq!(balance.jobs, 1);
    balance.wrong.into_values().flatten().collect()
}

#[test]
fn a_job_that_ended_once_is_right() {
    assert_eq!(found(&books("ended", &WELL, &["COMPLETED"])), []);
}

#[test]
fn a_row_that_is_gone_or_not_at_rest_is_lost() {
    let mut gone = books("ended", &WELL, &["COMPLETED"]);
    gone.rows.clear();
    assert_eq!(found(&gone), [Finding::Lost]);
    assert_eq!(
        found(&books("running", &WELL[..7], &["RUNNING"])),
        [Finding::Lost]
    );
}

#[test]
fn a_slurm_job_without_a_row_is_lost() {
    let mut unknown = books("ended", &WELL, &["COMPLETED"]);
    unknown.rows.clear();
    unknown.told.clear();
    assert_eq!(found(&unknown), [Finding::Lost]);
}

#[test]
fn two_slurm_jobs_of_one_name_are_doubled() {
    let twice = books("ended", &WELL, &["COMPLETED", "COMPLETED"]);
    assert_eq!(found(&twice), [Finding::Doubled]);
}

#[test]
fn an_end_that_slurm_or_the_owner_contradicts_is_wrong() {
    let mut cancelled = WELL;
    cancelled[7] = "JOB_FAILED";
    assert_eq!(found(&books("ended", &WELL, &[])), [Finding::WrongEnd]);
    assert_eq!(
        found(&books("failed", &cancelled, &["COMPLETED"])),
        [Finding::WrongEnd]
    );
    let kinds = [&WELL[..7], &["JOB_CANCELLED", "JOB_FAILED"]].concat();
    let mut asked = books("cancelled", &kinds, &["CANCELLED"]);
    assert_eq!(found(&asked), [Finding::WrongEnd]);
    asked.told.get_mut("job").unwrap().is_cancel_sent = true;
    assert_eq!(found(&asked), []);
    asked.slurm.get_mut("job").unwrap()[0].state = "RUNNING".to_owned();
    assert_eq!(found(&asked), [Finding::WrongEnd]);
}

#[test]
fn doubled_and_missing_events_are_found() {
    for (at, kind) in WELL.iter().enumerate() {
        let mut twice = WELL.to_vec();
        twice.insert(at, kind);
        assert_eq!(
            found(&books("ended", &twice, &["COMPLETED"])),
            [Finding::Events],
            "{twice:?}"
        );
    }
    let mut late = WELL;
    late.swap(5, 6);
    assert_eq!(
        found(&books("ended", &late, &["COMPLETED"])),
        [Finding::Events]
    );
}

#[test]
fn pauses_and_resumes_alternate() {
    let with = |more: &[&str]| {
        let kinds = [&WELL[..7], more, &WELL[7..]].concat();
        found(&books("ended", &kinds, &["COMPLETED"]))
    };
    assert_eq!(with(&["JOB_PAUSED", "JOB_RESUMED"]), []);
    assert_eq!(
        with(&["JOB_PAUSED", "JOB_PAUSED", "JOB_RESUMED"]),
        [Finding::Events]
    );
    assert_eq!(with(&["JOB_RESUMED"]), []);
    assert_eq!(with(&["JOB_RESUMED", "JOB_RESUMED"]), [Finding::Events]);
}

#[test]
fn a_draft_is_no_job() {
    let mut draft = books("created", &[], &[]);
    draft.told.clear();
    assert_eq!(balance(&draft), Balance::default());
}

#[test]
fn what_a_killed_controller_forgot_is_counted_apart() {
    let mut forgotten = books("failed", &["JOB_QUEUED", "JOB_FAILED"], &["PENDING"]);
    assert_eq!(found(&forgotten), [Finding::WrongEnd]);
    forgotten.has_killed_controller = true;
    assert_eq!(found(&forgotten), []);
    assert_eq!(balance(&forgotten).forgotten, 1);
}
