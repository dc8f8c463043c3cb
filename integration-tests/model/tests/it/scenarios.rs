//! What may happen in the bounded explorations.

use compute_domain::job::Step;
use compute_model::{Budget, LATE_EFFECT, OVERWRITTEN, Scenario};

const FROM_UPLOAD: &[Step] = &[
    Step::UploadExecutable,
    Step::WriteScript,
    Step::Submit,
    Step::Watch,
    Step::Collect,
];
const FROM_SCRIPT: &[Step] = &[Step::WriteScript, Step::Submit, Step::Watch, Step::Collect];

const NOTHING: Budget = Budget {
    kills: 0,
    lapses: 0,
    timeouts: 0,
    stops: 0,
    lost_commits: 0,
    refusals: 0,
    killed_scripts: 0,
    restores: 0,
    wipes: 0,
    cleanups: 0,
    forgets: 0,
    amnesias: 0,
    pauses: 0,
    cancels: 0,
};

const fn scenario(name: &'static str, steps: &'static [Step], budget: Budget) -> Scenario {
    Scenario {
        name,
        steps,
        budget,
        unpromised: &[],
        is_skewed: false,
    }
}

/// Maintainers are stopped, cut off and killed while the job is submitted.
pub(crate) const SUBMIT: Scenario = scenario(
    "submit",
    FROM_SCRIPT,
    Budget {
        kills: 1,
        lapses: 1,
        timeouts: 1,
        refusals: 1,
        killed_scripts: 1,
        ..NOTHING
    },
);

/// The same while its owner pauses, resumes and cancels it.
pub(crate) const PAUSE: Scenario = scenario(
    "pause and cancel",
    FROM_SCRIPT,
    Budget {
        lapses: 1,
        timeouts: 1,
        pauses: 1,
        cancels: 1,
        ..NOTHING
    },
);

/// A maintainer loses the job while it carries out a pause.
pub(crate) const LATE_PAUSE: Scenario = scenario(
    "late pause",
    FROM_SCRIPT,
    Budget {
        lapses: 1,
        pauses: 1,
        ..NOTHING
    },
);

/// The job is cancelled while its submission is late.
pub(crate) const LATE_SUBMIT: Scenario = scenario(
    "cancel of a late submission",
    FROM_SCRIPT,
    Budget {
        timeouts: 1,
        cancels: 1,
        ..NOTHING
    },
);

/// The program is uploaded more than once.
pub(crate) const UPLOAD: Scenario = scenario(
    "upload",
    FROM_UPLOAD,
    Budget {
        lapses: 1,
        timeouts: 2,
        killed_scripts: 1,
        ..NOTHING
    },
);

/// Slurm refuses the job while calls are late.
pub(crate) const REFUSAL: Scenario = scenario(
    "refusal and late calls",
    FROM_SCRIPT,
    Budget {
        timeouts: 2,
        refusals: 1,
        ..NOTHING
    },
);

/// The job is cancelled while calls are late, and then its folders are removed.
pub(crate) const CLEANUP: Scenario = scenario(
    "cancel, cleanup and late calls",
    FROM_SCRIPT,
    Budget {
        timeouts: 2,
        cancels: 1,
        cleanups: 1,
        ..NOTHING
    },
);

/// The database goes back to a dump.
pub(crate) const RESTORE: Scenario = scenario(
    "restore",
    FROM_UPLOAD,
    Budget {
        lapses: 1,
        timeouts: 1,
        restores: 1,
        ..NOTHING
    },
);

/// The same, and the owner cancels the job.
pub(crate) const RESTORE_AND_CANCEL: Scenario = scenario(
    "restore and cancel",
    FROM_SCRIPT,
    Budget {
        kills: 1,
        restores: 1,
        cancels: 1,
        ..NOTHING
    },
);

/// The same, and the HPC forgets as well.
pub(crate) const FORGET: Scenario = scenario(
    "restore, cleanup and accounting that forgets",
    FROM_SCRIPT,
    Budget {
        timeouts: 1,
        restores: 1,
        forgets: 1,
        cleanups: 1,
        ..NOTHING
    },
);

/// The database goes back to a dump, and the private folder is gone, and the fences with it.
pub(crate) const WIPE: Scenario = Scenario {
    unpromised: &[LATE_EFFECT, OVERWRITTEN],
    ..scenario(
        "restore and an empty private folder",
        FROM_SCRIPT,
        Budget {
            kills: 1,
            restores: 1,
            wipes: 1,
            ..NOTHING
        },
    )
};

/// Answers of the database are lost.
pub(crate) const COMMIT: Scenario = scenario(
    "lost answers of COMMIT",
    FROM_SCRIPT,
    Budget {
        lost_commits: 2,
        stops: 1,
        kills: 1,
        pauses: 1,
        ..NOTHING
    },
);

/// The controller loses the job and gives its id to another.
pub(crate) const IDS: Scenario = scenario(
    "a Slurm id is given twice",
    FROM_SCRIPT,
    Budget {
        amnesias: 1,
        timeouts: 1,
        cancels: 1,
        kills: 1,
        ..NOTHING
    },
);

/// The clock of a maintainer is an hour ahead.
pub(crate) const CLOCK: Scenario = Scenario {
    name: "a clock an hour ahead",
    steps: FROM_SCRIPT,
    budget: Budget {
        kills: 1,
        ..NOTHING
    },
    unpromised: &[],
    is_skewed: true,
};
