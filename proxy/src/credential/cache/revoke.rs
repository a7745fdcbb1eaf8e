//! The end of leases: who is no longer used is revoked at its issuer, with a few tries, and the record says so.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;

use super::index::{CredentialSource, LeaseIndex};
use crate::admin::metrics::LeaseEvent;
use crate::authorize::Permit;
use crate::clock;
use crate::credential::lease::Lease;
use crate::credential::source::IssueError;

/// A retired lease that requests still hold is revoked after this all the same.
const IN_USE_MAX: Duration = Duration::from_secs(30);
/// Revocations under way at a time.
const PARALLEL_MAX: usize = 64;
/// A lease that the issuer did not end after so many tries is left to its own end.
const TRIES_MAX: u32 = 4;
/// The wait before the second try; each further one is twice as long.
const BACK_OFF_FIRST: Duration = Duration::from_secs(2);
/// The wait between tries while stopping.
const CLOSING_PAUSE: Duration = Duration::from_millis(250);
/// Leases that wait to be revoked, at most; beyond it the oldest are left to their own end.
const ENDED_MAX: usize = 20_000;

/// The leases that wait to be revoked.
#[derive(Default)]
pub(super) struct Revocations {
    waiting: Mutex<Vec<Ended>>,
    /// Held while some are being revoked, which are then not on the list.
    round: tokio::sync::Mutex<()>,
}

/// A retired lease that may have to be revoked.
pub(super) struct Ended {
    source: Arc<CredentialSource>,
    permit: Permit,
    lease: Arc<Lease>,
    since: Instant,
    tries: u32,
    due_at: Instant,
}

/// What one try to revoke a lease came to.
enum Fate {
    /// The issuer ended it, or its life was over, or there was nothing to end.
    Over,
    /// The issuer did not end it.
    Standing(Ended),
}

impl Ended {
    pub(super) fn new(
        source: Arc<CredentialSource>,
        permit: Permit,
        lease: Arc<Lease>,
        now: Instant,
    ) -> Self {
        Self { source, permit, lease, since: now, tries: 0, due_at: now }
    }

    fn due(&self, now: Instant) -> bool {
        let unused = Arc::strong_count(&self.lease) == 1;
        now >= self.due_at && (unused || now.saturating_duration_since(self.since) >= IN_USE_MAX)
    }

    fn failed(mut self, now: Instant) -> Self {
        self.due_at = now + BACK_OFF_FIRST * 2u32.saturating_pow(self.tries);
        self.tries += 1;
        self
    }
}

impl Revocations {
    /// Puts a lease on the list; while the list is full, those that wait longest drop off it.
    pub(super) fn add(&self, ended: Ended) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= ENDED_MAX {
            tracing::error!("too many leases wait to be revoked; the oldest are left to their own end");
            waiting.drain(..ENDED_MAX / 16);
        }
        waiting.push(ended);
    }

    fn take(&self, due: impl Fn(&Ended) -> bool) -> Vec<Ended> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extract_if(.., |ended| due(ended)).collect()
    }
}

impl LeaseIndex {
    /// Revokes what is on the list and no longer used.
    pub(super) async fn revoke_due(&self, now: Instant) {
        let _round = self.revocations.round.lock().await;
        let due = self.revocations.take(|ended| ended.due(now));
        stream::iter(due).for_each_concurrent(PARALLEL_MAX, |ended| self.revoke_later(ended)).await;
    }

    /// Revokes everything on the list, used or not, in what is left of the time.
    pub(super) async fn revoke_all(&self, until: Instant) {
        let left = until.saturating_duration_since(clock::monotonic());
        let _round = tokio::time::timeout(left, self.revocations.round.lock()).await;
        let all = self.revocations.take(|_| true);
        stream::iter(all).for_each_concurrent(PARALLEL_MAX, |ended| self.revoke_until(ended, until)).await;
    }

    async fn revoke_later(&self, ended: Ended) {
        let patience = ended.source.source.timeout();
        match self.revoke(ended, patience).await {
            Fate::Over => (),
            Fate::Standing(ended) if ended.tries + 1 >= TRIES_MAX => self.give_up(&ended),
            Fate::Standing(ended) => self.revocations.add(ended.failed(clock::monotonic())),
        }
    }

    async fn revoke_until(&self, mut ended: Ended, until: Instant) {
        for _ in 0..TRIES_MAX {
            let left = until.saturating_duration_since(clock::monotonic());
            ended = match self.revoke(ended, left).await {
                Fate::Over => return,
                Fate::Standing(ended) => ended,
            };
            if left < CLOSING_PAUSE {
                break;
            }
            tokio::time::sleep(CLOSING_PAUSE).await;
        }
        self.give_up(&ended);
    }

    async fn revoke(&self, ended: Ended, patience: Duration) -> Fate {
        if ended.lease.ended(clock::monotonic()) {
            self.record(LeaseEvent::expired, &ended.permit, &ended.lease);
            return Fate::Over;
        }
        let call = async { ended.source.source.revoke(&ended.lease).await };
        let timely = tokio::time::timeout(patience, call).await;
        match timely.unwrap_or(Err(IssueError::Unavailable("no answer in time"))) {
            Ok(true) => self.record(LeaseEvent::revoked, &ended.permit, &ended.lease),
            Ok(false) => (),
            Err(error) => {
                tracing::warn!(credential = ended.source.name, lease = &**ended.lease.id(), %error, "not revoked");
                return Fate::Standing(ended);
            }
        }
        Fate::Over
    }

    fn give_up(&self, ended: &Ended) {
        self.record(LeaseEvent::revoke_failed, &ended.permit, &ended.lease);
    }
}
