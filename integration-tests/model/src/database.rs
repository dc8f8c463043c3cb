//! The database's side: claim, take-over and the writes of a runner, each one transaction.

use compute_domain::job::{Change, IllegalChange, Intent, State, Step};

use crate::{
    rules::Rules,
    runner::{Doing, Known, Runner, Write},
    world::{End, LateCommit, Lease, Row, Who, World},
};

/// What became of a write.
enum Written {
    /// It is in the row.
    Done(Row),
    /// The caller does not hold the job any more.
    LeaseLost,
    /// The row is not as the caller knows it.
    Conflict,
}

impl World {
    /// Whether `holder` has a live lease, by the database's clock.
    pub fn is_live(&self, holder: Who) -> bool {
        self.process(holder).lease != Lease::Expired
    }

    /// Whether `who` may take the job from the queue. Both may; the first time it is A, since
    /// they are alike.
    pub fn may_claim(&self, who: Who) -> bool {
        self.is_idle(who)
            && (who == Who::A || self.last_fence > 0)
            && self.row.state == State::Queued
            && self.row.intent != Some(Intent::Pause)
    }

    /// Whether `who` may take the job over.
    pub fn may_take_over(&self, who: Who) -> bool {
        let is_held = self.row.holder.is_some_and(|holder| self.is_live(holder));
        self.is_idle(who) && self.row.state.is_leased() && !is_held
    }

    /// Whether `who` holds the job and has no runner for it.
    pub fn may_restart(&self, who: Who) -> bool {
        self.is_idle(who) && self.row.state.is_leased() && self.row.holder == Some(who)
    }

    fn is_idle(&self, who: Who) -> bool {
        let process = self.process(who);
        process.is_up && process.lease == Lease::Live && process.runner.is_none()
    }

    /// `who` takes the lease: from the queue or, if `change` is absent, from another.
    ///
    /// # Errors
    /// If the row's state does not allow it.
    pub fn take(
        &mut self,
        rules: &Rules,
        who: Who,
        change: Option<Change>,
    ) -> Result<(), IllegalChange> {
        if let Some(change) = change {
            self.row.state = self.row.state.after(change)?;
        }
        let largest = if rules.growing_fence {
            self.last_fence
        } else {
            self.row.fence
        };
        self.row.fence = largest + 1;
        self.last_fence = self.last_fence.max(self.row.fence);
        self.row.holder = Some(who);
        self.row.revision += 1;
        self.start_runner(who, change.is_some());
        self.row_is_written();
        Ok(())
    }

    /// `who` runs the job that it holds.
    pub fn start_runner(&mut self, who: Who, is_claimed: bool) {
        let runner = Runner {
            known: Known::from(&self.row),
            intent: self.row.intent,
            is_pending: self.row.intent.is_some(),
            is_untried: is_claimed,
            is_fresh: is_claimed && !self.is_restored,
            writes_again: false,
            has_raised: is_claimed,
            doing: Doing::Ready,
        };
        self.process_mut(who).runner = Some(runner);
    }

    /// Somebody else has written to the row: a COMMIT under way had lost its lock before.
    pub fn row_is_written(&mut self) {
        self.late_commit = None;
    }

    /// The runner of `who` writes what it is saving.
    pub fn save(&mut self, rules: &Rules, who: Who) {
        let Some(mut runner) = self.process(who).runner else {
            return;
        };
        let Doing::Saving { write, is_repeated } = runner.doing else {
            return;
        };
        match self.written(rules, who, &runner, write, is_repeated) {
            Written::LeaseLost | Written::Conflict => self.drop_runner(who),
            Written::Done(row) => {
                self.row = row;
                self.row_is_written();
                runner.known = Known::from(&self.row);
                runner.is_untried |= matches!(write, Write::Step(_));
                runner.doing = Doing::Ready;
                if let Write::Carried(intent) | Write::NotCarried(intent) = write
                    && rules.forgotten_intent
                {
                    runner.intent = runner.intent.filter(|&latest| latest != intent);
                    runner.is_pending &= runner.intent.is_some();
                }
                let is_over = self.row.state.is_terminal();
                self.process_mut(who).runner = (!is_over).then_some(runner);
            }
        }
    }

    /// The runner of `who` sends COMMIT, and gets no answer.
    pub fn save_unanswered(&mut self, rules: &Rules, who: Who) {
        let Some(mut runner) = self.process(who).runner else {
            return;
        };
        let Doing::Saving { write, is_repeated } = runner.doing else {
            return;
        };
        if let Written::Done(row) = self.written(rules, who, &runner, write, is_repeated) {
            self.late_commit = (row != self.row).then_some(LateCommit { row });
        }
        runner.doing = Doing::Saving {
            write,
            is_repeated: true,
        };
        self.process_mut(who).runner = Some(runner);
    }

    fn written(
        &self,
        rules: &Rules,
        who: Who,
        runner: &Runner,
        write: Write,
        is_repeated: bool,
    ) -> Written {
        let row = &self.row;
        let known = runner.known;
        if rules.conditional_writes {
            let is_held = row.holder == Some(who) && row.fence == known.fence;
            if !is_held || !self.is_live(who) {
                return Written::LeaseLost;
            }
        }
        if rules.revision && row.revision != known.revision {
            return if is_repeated && row.revision == known.revision + 1 {
                Written::Done(row.clone())
            } else {
                Written::Conflict
            };
        }
        match applied(row, &known, write) {
            Ok(row) => Written::Done(row),
            Err(_) => Written::Conflict,
        }
    }
}

/// The row after `write` of a runner that knows the job as `known`.
fn applied(row: &Row, known: &Known, write: Write) -> Result<Row, IllegalChange> {
    let mut row = row.clone();
    let change = match write {
        Write::Step(step) => {
            row.events.step = if row.step == step {
                row.events.step + 1
            } else {
                1
            };
            row.step = step;
            None
        }
        Write::Accepted(id) => {
            row.slurm_id = Some(id);
            row.step = Step::Watch;
            row.events.submitted += 1;
            Some(Change::Accept)
        }
        Write::Over(change, end) => {
            row.end = Some(end);
            Some(change)
        }
        Write::Carried(intent) => {
            let is_paused = known.state == State::Paused;
            if row.intent == Some(intent) {
                row.intent = None;
            }
            match intent {
                Intent::Pause => {
                    row.events.paused += 1;
                    (!is_paused).then_some(Change::Pause)
                }
                Intent::Resume => is_paused.then_some(Change::Requeue),
                Intent::Cancel => None,
            }
        }
        Write::NotCarried(intent) => {
            if row.intent == Some(intent) {
                row.intent = None;
            }
            None
        }
        Write::Seen(change) => Some(change),
        Write::Finished(end) => {
            row.end = Some(end);
            row.step = Step::Collect;
            Some(Change::Finish)
        }
        Write::Collected => Some(match (known.end, row.intent) {
            (Some(End::Well), _) => Change::Succeed,
            (_, Some(Intent::Cancel)) => Change::Cancel,
            _ => Change::Fail,
        }),
    };
    if let Some(change) = change {
        row.state = row.state.after(change)?;
    }
    if row.state.is_terminal() {
        row.holder = None;
        row.events.end += 1;
    }
    row.revision += 1;
    Ok(row)
}
