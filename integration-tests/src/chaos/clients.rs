//! Clients that submit jobs, once or twice at once, and cancel, pause and resume them, and that ask again
//! until they have an answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{books::Told, random::Random, world::ChaosWorld};
use crate::Client;

/// The template of all jobs.
pub const TEMPLATE: &str = "sleeps";

/// The users of the hub whose jobs run.
const USERS: [&str; 3] = ["alice", "bob", "carol"];

/// Pause between two jobs, milliseconds.
const PAUSE: (u64, u64) = (300, 900);

/// When a client stops waiting for an answer and asks again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before a client asks again.
const AGAIN: Duration = Duration::from_millis(300);

/// How long a client asks, also after the last fault.
const LIMIT: Duration = Duration::from_secs(600);

/// What clients were told, by job.
pub type Ledger = Arc<Mutex<BTreeMap<String, Told>>>;

/// What a client does with its job after the submit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    LetEnd,
    Cancel,
    PauseAndResume,
    PauseAndCancel,
}

/// Submits jobs until `stop`, and returns when each client has its last answer.
///
/// # Errors
/// If a user is not known to the hub.
pub async fn submit_jobs(
    world: Arc<ChaosWorld>,
    mut random: Random,
    ledger: Ledger,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let tracker = TaskTracker::new();
    while !stop.is_cancelled() {
        let Some(user) = random.choose(&USERS) else {
            break;
        };
        let job = OneJob {
            doors: world.clients(user)?,
            random: random.fork(),
            ledger: ledger.clone(),
            began: Instant::now(),
        };
        tracker.spawn(job.live());
        tokio::time::sleep(random.millis(PAUSE.0, PAUSE.1)).await;
    }
    tracker.close();
    tracker.wait().await;
    Ok(())
}

/// One job, seen from its client.
struct OneJob {
    doors: Vec<Client>,
    random: Random,
    ledger: Ledger,
    began: Instant,
}

impl OneJob {
    async fn live(mut self) {
        let plan = match self.random.below(10) {
            0..=4 => Plan::LetEnd,
            5..=6 => Plan::Cancel,
            7..=8 => Plan::PauseAndResume,
            _ => Plan::PauseAndCancel,
        };
        let Some(id) = self.prepare().await else {
            return;
        };
        if !self.submit(&id).await {
            return;
        }
        self.note(&id, |told| told.is_submitted = true);
        if matches!(plan, Plan::PauseAndResume | Plan::PauseAndCancel) {
            self.wait().await;
            self.ask(&id, "pause").await;
        }
        if plan == Plan::PauseAndResume {
            self.wait().await;
            self.ask(&id, "resume").await;
        }
        if matches!(plan, Plan::Cancel | Plan::PauseAndCancel) {
            self.wait().await;
            self.note(&id, |told| told.is_cancel_sent = true);
            let is_cancelled = self.ask(&id, "cancel").await == Some(200);
            self.note(&id, |told| told.is_cancelled = is_cancelled);
        }
    }

    async fn prepare(&mut self) -> Option<String> {
        let seconds = 1 + self.random.below(6);
        while self.began.elapsed() < LIMIT {
            let door = self.random.choose(&self.doors)?.clone();
            let prepared = door.prepare(TEMPLATE, json!({"param": {"seconds": seconds}}));
            if let Ok(Ok(id)) = tokio::time::timeout(ANSWER_TIMEOUT, prepared).await {
                return Some(id);
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    /// Submits, sometimes twice at once, until one answer says that the job is submitted.
    async fn submit(&mut self, id: &str) -> bool {
        let path = format!("/job/{id}/submit");
        let is_twice = self.random.below(3) == 0;
        while self.began.elapsed() < LIMIT {
            let Some(door) = self.random.choose(&self.doors).cloned() else {
                return false;
            };
            let other = self
                .random
                .choose(&self.doors)
                .cloned()
                .filter(|_| is_twice);
            let second = async {
                match &other {
                    Some(other) => send(other, "submit", &path).await,
                    None => None,
                }
            };
            let (one, other) = tokio::join!(send(&door, "submit", &path), second);
            if [one, other]
                .into_iter()
                .flatten()
                .any(|answer| is_submitted(&answer))
            {
                return true;
            }
            tokio::time::sleep(AGAIN).await;
        }
        false
    }

    /// Sends a request until it is answered for good, and returns its status.
    async fn ask(&mut self, id: &str, verb: &str) -> Option<u16> {
        let path = format!("/job/{id}/{verb}");
        while self.began.elapsed() < LIMIT {
            let door = self.random.choose(&self.doors)?.clone();
            let answer = send(&door, verb, &path).await;
            if let Some(answer) =
                answer.filter(|answer| answer.status < 500 && answer.status != 429)
            {
                return Some(answer.status);
            }
            tokio::time::sleep(AGAIN).await;
        }
        None
    }

    async fn wait(&mut self) {
        tokio::time::sleep(self.random.millis(0, 6000)).await;
    }

    fn note(&self, id: &str, change: impl FnOnce(&mut Told)) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        change(ledger.entry(id.to_owned()).or_default());
    }
}

async fn send(door: &Client, verb: &str, path: &str) -> Option<crate::client::Answer> {
    let sent = async {
        if verb == "submit" {
            door.post(path, json!({})).await
        } else {
            door.put(path, json!({})).await
        }
    };
    tokio::time::timeout(ANSWER_TIMEOUT, sent).await.ok()?.ok()
}

/// A submit whose answer was lost is answered with "already submitted" when it is repeated.
fn is_submitted(answer: &crate::client::Answer) -> bool {
    let says = |body: &Value| body.to_string().contains("already submitted");
    answer.status == 200 || (answer.status < 500 && says(&answer.body))
}
