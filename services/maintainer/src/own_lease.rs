//! The lease of this process, as the process itself judges it: by a monotonic clock, which goes
//! on while the process is stopped, and counted from before each renewal was sent. So the
//! process gives its lease up before the database counts it as expired.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use compute_db::LeaseHolder;
use compute_domain::ids::MaintainerId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The part of a lease by which the process gives it up early: for monotonic clocks that do not
/// run equally fast.
const MARGIN: u32 = 10;

/// The lease of a maintainer process.
#[derive(Debug)]
pub struct OwnLease {
    id: MaintainerId,
    /// How long a lease is valid after a renewal was sent.
    valid: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    epoch: i64,
    /// When the lease is over, unless renewed; none if there is no lease.
    until: Option<Instant>,
    /// Set when the lease is over.
    lost: CancellationToken,
}

impl OwnLease {
    /// The leases, each of that `duration`, of the process `id`, which has none yet.
    pub fn new(id: MaintainerId, duration: Duration) -> Self {
        let state = State {
            epoch: 0,
            until: None,
            lost: CancellationToken::new(),
        };
        Self {
            id,
            valid: duration.saturating_sub(duration / MARGIN),
            state: Mutex::new(state),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease that the process may begin after the one that is over.
    pub fn next(&self) -> LeaseHolder {
        self.named(self.lock().epoch.saturating_add(1))
    }

    /// The lease `holder` has begun; the request was sent at `sent`.
    pub fn begin(&self, holder: &LeaseHolder, sent: Instant) {
        let mut state = self.lock();
        state.lost.cancel();
        *state = State {
            epoch: holder.epoch,
            until: Some(sent + self.valid),
            lost: CancellationToken::new(),
        };
    }

    /// The lease `holder` was renewed; the request was sent at `sent`. A lease that is over
    /// stays so.
    pub fn renewed(&self, holder: &LeaseHolder, sent: Instant) {
        let mut state = self.lock();
        if state.is_held(holder.epoch, Instant::now()) {
            state.until = Some(sent + self.valid);
        }
    }

    /// The lease, if the process holds one now.
    pub fn holder(&self) -> Option<LeaseHolder> {
        let state = self.lock();
        let held = state.is_held(state.epoch, Instant::now());
        held.then(|| self.named(state.epoch))
    }

    /// Whether the lease of that epoch is held now.
    pub fn is_held(&self, epoch: i64) -> bool {
        self.lock().is_held(epoch, Instant::now())
    }

    /// Is set as soon as the lease of that epoch is over.
    pub fn lost(&self, epoch: i64) -> CancellationToken {
        let state = self.lock();
        if state.is_held(epoch, Instant::now()) {
            return state.lost.clone();
        }
        let over = CancellationToken::new();
        over.cancel();
        over
    }

    /// When the lease is over, unless renewed.
    pub fn until(&self) -> Option<Instant> {
        self.lock().until
    }

    /// Ends the lease if its time has passed; whether it was ended now.
    pub fn end_if_over(&self) -> bool {
        self.lock().end_if_over(Instant::now())
    }

    /// Ends the lease `holder`; whether it was ended now.
    pub fn end(&self, holder: &LeaseHolder) -> bool {
        let mut state = self.lock();
        state.epoch == holder.epoch && state.end()
    }

    fn named(&self, epoch: i64) -> LeaseHolder {
        LeaseHolder {
            id: self.id.clone(),
            epoch,
        }
    }
}

impl State {
    fn is_held(&self, epoch: i64, now: Instant) -> bool {
        self.epoch == epoch && self.until.is_some_and(|until| now < until)
    }

    fn end_if_over(&mut self, now: Instant) -> bool {
        self.until.is_some_and(|until| until <= now) && self.end()
    }

    fn end(&mut self) -> bool {
        self.lost.cancel();
        self.until.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn begun(sent: Instant) -> (OwnLease, LeaseHolder) {
        let own = OwnLease::new(MaintainerId::from_text("m1"), LEASE);
        assert_eq!(own.holder(), None);
        let holder = own.next();
        own.begin(&holder, sent);
        (own, holder)
    }

    #[test]
    fn it_is_over_before_the_database_says_so() {
        let sent = Instant::now();
        let (own, holder) = begun(sent);
        assert_eq!(own.holder(), Some(holder.clone()));
        let lost = own.lost(holder.epoch);
        let (early, late) = (sent + LEASE * 8 / 10, sent + LEASE * 9 / 10);
        let mut state = own.lock();
        assert!(state.is_held(1, early) && !state.end_if_over(early));
        assert!(!state.is_held(1, late), "without a timer that has run");
        assert!(!lost.is_cancelled());
        assert!(state.end_if_over(late) && lost.is_cancelled());
        assert!(!state.end_if_over(late), "once");
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_sent_and_comes_in_time_or_not_at_all() {
        let now = Instant::now();
        let (own, holder) = begun(now);
        let sent = now + LEASE / 3;
        own.renewed(&holder, sent);
        assert_eq!(own.until(), Some(sent + LEASE * 9 / 10));
        own.end(&holder);
        own.renewed(&holder, sent);
        assert_eq!((own.until(), own.holder()), (None, None));
    }

    #[test]
    fn the_next_lease_is_another_one() {
        let (own, first) = begun(Instant::now());
        let lost = own.lost(first.epoch);
        let second = own.next();
        own.begin(&second, Instant::now());
        assert_eq!(second.epoch, first.epoch + 1);
        assert!(lost.is_cancelled() && own.lost(first.epoch).is_cancelled());
        assert!(!own.end(&first), "it is over already");
        assert!(own.is_held(second.epoch) && own.end(&second));
        assert_eq!(own.holder(), None);
    }
}
