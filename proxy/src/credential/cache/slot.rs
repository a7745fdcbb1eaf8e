//! One key of the shared index: its live lease, the call under way for it, and its back-off.
//!
//! Nothing here waits, calls or reads a clock: whoever drives a slot says what time it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::{LeaseFrom, Unissued};
use crate::authorize::Permit;
use crate::credential::jitter;
use crate::credential::lease::{Issued, Lease, Lifetime};
use crate::credential::source::IssueError;

/// The first failure holds back new calls for half of this to all of it; each further one for twice as long.
const BACK_OFF_FIRST: Duration = Duration::from_secs(1);
/// No failure holds back new calls for longer.
const BACK_OFF_MAX: Duration = Duration::from_secs(10);
/// An upstream's 401 makes the issuer be asked at most this often.
const CHALLENGE_EVERY: Duration = Duration::from_secs(30);
/// A slot without a lease is forgotten when nobody asked for this long.
const IDLE_MAX: Duration = Duration::from_secs(60);

/// What a call to a source ended in, for everyone who waits for it.
pub(super) type Outcome = Result<(Arc<Lease>, LeaseFrom), Unissued>;

/// A call under way: `None` until it ended. Its sender is dropped without a word if the call was killed.
pub(super) type Flight = watch::Receiver<Option<Outcome>>;

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// There is no lease that a waiting request could use.
    Issue,
    /// The lease is about to end, or what it was made from has changed.
    Renew,
    /// An upstream refused the lease.
    Replace,
}

/// The duty to make the call that a slot now waits for.
pub(super) struct Launch {
    pub(super) purpose: Purpose,
    /// The lease that the call is to replace.
    pub(super) previous: Option<Arc<Lease>>,
    pub(super) flight: Flight,
    landing: watch::Sender<Option<Outcome>>,
}

/// What a request finds that needs a lease.
pub(super) enum Entry {
    /// A lease to use.
    Live(Arc<Lease>),
    /// The issuer failed a moment ago.
    Failing(Unissued),
    /// A call by someone else.
    Wait(Flight),
    /// Nothing: the request has to make the call.
    Launch(Launch),
    /// The slot was dropped from the index; there may be a new one.
    Gone,
}

/// What a landing changed.
pub(super) struct Landed {
    /// To be announced to everyone who waits.
    pub(super) outcome: Outcome,
    /// The lease that had the place of the new one.
    pub(super) replaced: Option<Replaced>,
}

/// A lease whose place another one took.
pub(super) struct Replaced {
    pub(super) lease: Arc<Lease>,
    /// Whether the new one holds the same authority, so that revoking the old would end the new.
    pub(super) lives_on: bool,
}

impl Launch {
    /// Wakes everyone who waits.
    pub(super) fn announce(self, outcome: Outcome) {
        // whoever wakes must not find the old lease in use by this call
        drop(self.previous);
        self.landing.send_replace(Some(outcome));
    }
}

/// A key's place in the index.
pub(super) struct Slot {
    /// The permit that first asked; all that matter to a lease have the same terms.
    pub(super) permit: Permit,
    state: Mutex<State>,
}

struct State {
    live: Option<Arc<Lease>>,
    flight: Option<Flight>,
    failure: Option<Failure>,
    challenged_at: Option<Instant>,
    asked_at: Instant,
    gone: bool,
}

struct Failure {
    error: IssueError,
    until: Instant,
    back_off: Duration,
}

impl Slot {
    pub(super) fn new(permit: Permit, now: Instant) -> Self {
        let state = State {
            live: None,
            flight: None,
            failure: None,
            challenged_at: None,
            asked_at: now,
            gone: false,
        };
        Self { permit, state: Mutex::new(state) }
    }

    /// For a request that has no usable lease of its own.
    pub(super) fn enter(&self, now: Instant, age_max: Option<Duration>) -> Entry {
        let mut state = self.locked();
        state.asked_at = now;
        if state.gone {
            return Entry::Gone;
        }
        if let Some(lease) = state.live.as_ref().filter(|lease| lease.usable(now, age_max)) {
            return Entry::Live(Arc::clone(lease));
        }
        if let Some(flight) = state.flying() {
            return Entry::Wait(flight);
        }
        match state.failing(now) {
            Some(unissued) => Entry::Failing(unissued),
            None => Entry::Launch(state.launch(Purpose::Issue)),
        }
    }

    /// For a lease in use whose renewal is due, or whose source changed: the call, unless one is under way or held back.
    pub(super) fn renew(&self, now: Instant, lease: &Arc<Lease>) -> Option<Launch> {
        let mut state = self.locked();
        let held_back = state.gone || state.flying().is_some() || state.failing(now).is_some();
        (!held_back && state.holds(lease)).then(|| state.launch(Purpose::Renew))
    }

    /// For a request whose lease an upstream refused. `None`: there will be no other.
    pub(super) fn challenge(&self, now: Instant, refused: &Arc<Lease>) -> Option<Entry> {
        let mut state = self.locked();
        if let Some(lease) = state.live.as_ref().filter(|lease| !Arc::ptr_eq(lease, refused)) {
            return Some(Entry::Live(Arc::clone(lease)));
        }
        if let Some(flight) = state.flying() {
            return Some(Entry::Wait(flight));
        }
        let too_soon =
            state.challenged_at.is_some_and(|at| now.saturating_duration_since(at) < CHALLENGE_EVERY);
        if too_soon || state.gone || state.failing(now).is_some() {
            return None;
        }
        state.challenged_at = Some(now);
        Some(Entry::Launch(state.launch(Purpose::Replace)))
    }

    /// Ends a call: a credential becomes the live lease, a failure begins or lengthens the back-off.
    pub(super) fn land(
        &self,
        launch: &Launch,
        result: Result<Issued, IssueError>,
        lifetime: Lifetime,
        now: Instant,
    ) -> Landed {
        let mut state = self.locked();
        state.flight = None;
        match result {
            Ok(issued) => {
                let (lease, replaced) = state.succeed(issued, lifetime, now);
                Landed { outcome: Ok((lease, launch.purpose.into())), replaced }
            }
            Err(error) => Landed { outcome: Err(state.fail(error, now)), replaced: None },
        }
    }

    /// The live lease.
    pub(super) fn live(&self) -> Option<Arc<Lease>> {
        self.locked().live.clone()
    }

    /// Takes the lease out once its use is over.
    pub(super) fn take_expired(&self, now: Instant) -> Option<Arc<Lease>> {
        let mut state = self.locked();
        state.live.take_if(|lease| lease.expires_in(now).is_some_and(|left| left.is_zero()))
    }

    /// When it was last needed.
    pub(super) fn used_at(&self) -> Instant {
        let state = self.locked();
        state.live.as_ref().map_or(state.asked_at, |lease| lease.used_at().max(state.asked_at))
    }

    /// Whether it is worth nothing any more; if so it is gone for whoever still holds it.
    pub(super) fn forget_if_idle(&self, now: Instant) -> bool {
        let mut state = self.locked();
        let idle = now.saturating_duration_since(state.asked_at) >= IDLE_MAX;
        state.gone = state.gone || (idle && state.live.is_none() && state.flying().is_none());
        state.gone
    }

    /// Makes room: gone with its lease, unless a call is under way.
    pub(super) fn evict(&self) -> Option<Option<Arc<Lease>>> {
        let mut state = self.locked();
        if state.flying().is_some() {
            return None;
        }
        state.gone = true;
        Some(state.live.take())
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn holds(&self, lease: &Arc<Lease>) -> bool {
        self.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, lease))
    }

    /// The call under way; one that was killed does not count.
    fn flying(&self) -> Option<Flight> {
        self.flight.clone().filter(|flight| flight.has_changed().is_ok())
    }

    fn failing(&self, now: Instant) -> Option<Unissued> {
        let failure = self.failure.as_ref().filter(|failure| now < failure.until)?;
        Some(Unissued::after(failure.error, failure.until - now))
    }

    fn launch(&mut self, purpose: Purpose) -> Launch {
        let (landing, flight) = watch::channel(None);
        self.flight = Some(flight.clone());
        Launch { purpose, previous: self.live.clone(), flight, landing }
    }

    fn succeed(
        &mut self,
        issued: Issued,
        lifetime: Lifetime,
        now: Instant,
    ) -> (Arc<Lease>, Option<Replaced>) {
        self.failure = None;
        let previous = self.live.take();
        let prolonged = previous
            .as_ref()
            .filter(|lease| issued.handle.is_some() && lease.handle() == issued.handle.as_deref());
        let lease = Arc::new(match prolonged {
            Some(old) => old.prolonged(issued, lifetime, now),
            None => Lease::new(issued, lifetime, now),
        });
        self.live = Some(Arc::clone(&lease));
        let replaced = previous.map(|old| {
            let lives_on = lease.id() == old.id() || lease.secret().same_as(old.secret());
            Replaced { lease: old, lives_on }
        });
        (lease, replaced)
    }

    fn fail(&mut self, error: IssueError, now: Instant) -> Unissued {
        let back_off =
            self.failure.as_ref().map_or(BACK_OFF_FIRST, |last| (last.back_off * 2).min(BACK_OFF_MAX));
        let retry_after = back_off.mul_f64(0.5 + 0.5 * jitter::fraction());
        self.failure = Some(Failure { error, until: now + retry_after, back_off });
        Unissued::after(error, retry_after)
    }
}

impl From<Purpose> for LeaseFrom {
    fn from(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Issue => Self::Issued,
            Purpose::Renew | Purpose::Replace => Self::Renewed,
        }
    }
}

#[cfg(test)]
mod tests;
