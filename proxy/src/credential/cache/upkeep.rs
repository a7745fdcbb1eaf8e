//! What happens to leases without a request: they expire, their files change, they are forgotten, and at the end
//! they are all given up.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::index::{CredentialSource, LeaseIndex};
use crate::clock;

/// Expiry, changed files and due revocations are looked after this often.
const TENDED_EVERY: Duration = Duration::from_secs(1);

impl LeaseIndex {
    /// Ends what has expired, renews what has changed, forgets what nobody asks for.
    pub(super) fn tend(self: &Arc<Self>, now: Instant) {
        let slots: Vec<_> = self.slots.iter().map(|slot| Arc::clone(&slot)).collect();
        for slot in slots {
            if let Some(lease) = slot.take_expired(now) {
                self.end(&slot.permit, lease);
            }
            let source = &self.sources[&*slot.permit.terms().credential];
            if let Some(lease) = slot.live().filter(|lease| source.source.outdated(lease)) {
                self.renew(source, &slot, &slot.permit, &lease);
            }
        }
        self.slots.retain(|_, slot| !slot.forget_if_idle(now));
    }

    /// Issues nothing more, revokes every lease and lets every source give up what it holds itself. Takes at most
    /// `deadline`; what could not be revoked by then is told in events. To be awaited on the control runtime.
    pub async fn close(&self, deadline: Duration) {
        let until = clock::monotonic() + deadline;
        self.traffic.send_modify(|traffic| traffic.closing = true);
        let mut traffic = self.traffic.subscribe();
        // half of the time for calls under way, what is left for their leases, an eighth of all for the sources
        let landed = traffic.wait_for(|traffic| traffic.flights == 0);
        if tokio::time::timeout(deadline / 2, landed).await.is_err() {
            tracing::warn!("a source is still being asked while stopping");
        }
        let keys: Vec<_> = self.slots.iter().map(|slot| *slot.key()).collect();
        for key in keys {
            if let Some((_, slot)) = self.slots.remove(&key)
                && let Some(lease) = slot.evict().flatten()
            {
                self.end(&slot.permit, lease);
            }
        }
        self.revoke_all(until - deadline / 8).await;
        let left = until.saturating_duration_since(clock::monotonic());
        futures_util::future::join_all(self.sources.values().map(|source| close_source(source, left))).await;
    }
}

async fn close_source(source: &CredentialSource, left: Duration) {
    let closed = tokio::time::timeout(left, source.source.close()).await;
    if !matches!(closed, Ok(Ok(()))) {
        tracing::warn!(credential = source.name, "the source could not give up what it holds at the issuer");
    }
}

pub(super) async fn tend_every_tick(index: Weak<LeaseIndex>) {
    loop {
        tokio::time::sleep(TENDED_EVERY).await;
        let Some(index) = index.upgrade() else { return };
        index.tend(clock::monotonic());
    }
}

pub(super) async fn revoke_every_tick(index: Weak<LeaseIndex>) {
    loop {
        tokio::time::sleep(TENDED_EVERY).await;
        let Some(index) = index.upgrade() else { return };
        index.revoke_due(clock::monotonic()).await;
    }
}
