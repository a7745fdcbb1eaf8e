//! The part of the cache that all workers share: one slot per key, one call per key at a time.
//!
//! Calls run as tasks of the control runtime. Whoever waits for one only listens: it may leave, and the call goes
//! on for the others; the call may panic, and they get an error.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use futures_util::FutureExt;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::key::{ByDigest, LeaseKey};
use super::revoke::{Ended, Revocations};
use super::slot::{Entry, Flight, Landed, Launch, Purpose, Slot};
use super::{LEASES_MAX, LeaseFrom, LeaseLedger, LeaseRecord, Unissued};
use crate::admin::metrics::{CredentialLabel, IssuerLabels, IssuerResult, LeaseEvent, LeaseLabels, Metrics};
use crate::authorize::{Permit, Terms};
use crate::clock;
use crate::credential::lease::{Issued, Lease, Lifetime};
use crate::credential::source::{IssueError, Source};

/// Expiry, changed files and due revocations are looked after this often.
const TENDED_EVERY: Duration = Duration::from_secs(1);
/// A request waits this much longer than the source may take, so that it hears of the source's own failure.
const WAIT_MARGIN: Duration = Duration::from_secs(1);
/// A request goes back to its slot at most this often.
const ROUNDS_MAX: usize = 3;
/// What a request is told that no call can serve: all slots are busy, its call was lost, or nothing that came was
/// young enough for its permit.
const LATER: Unissued = Unissued::Unavailable { retry_after: Duration::from_secs(1) };

/// Each configuration's index has a generation of its own, so that no key outlives its configuration.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// One credential of the configuration.
pub struct CredentialSource {
    /// Its name in the configuration.
    pub name: String,
    /// The kind of its source.
    pub kind: String,
    /// Where it comes from.
    pub source: Box<dyn Source>,
    /// How long its leases may be used.
    pub lifetime: Lifetime,
}

/// All leases of the process, by key.
pub struct LeaseIndex {
    generation: u64,
    sources: HashMap<String, Arc<CredentialSource>>,
    slots: DashMap<LeaseKey, Arc<Slot>, ByDigest>,
    slots_max: usize,
    pub(super) revocations: Revocations,
    traffic: watch::Sender<Traffic>,
    control: Handle,
    metrics: Arc<Metrics>,
    ledger: Arc<dyn LeaseLedger>,
}

/// The calls under way, and whether more may start.
#[derive(Default)]
struct Traffic {
    flights: usize,
    closing: bool,
}

/// A call's permission to be under way; told to the index when dropped, also by a panic.
struct Ticket(Arc<LeaseIndex>);

impl LeaseIndex {
    /// An index over `sources` whose calls run on `control`. Its upkeep ends when the last reference is dropped.
    pub fn new(
        sources: Vec<CredentialSource>,
        control: Handle,
        metrics: Arc<Metrics>,
        ledger: Arc<dyn LeaseLedger>,
    ) -> Arc<Self> {
        Self::bounded(sources, control, metrics, ledger, LEASES_MAX)
    }

    pub(super) fn bounded(
        sources: Vec<CredentialSource>,
        control: Handle,
        metrics: Arc<Metrics>,
        ledger: Arc<dyn LeaseLedger>,
        slots_max: usize,
    ) -> Arc<Self> {
        let index = Arc::new(Self {
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
            sources: sources.into_iter().map(|source| (source.name.clone(), Arc::new(source))).collect(),
            slots: DashMap::default(),
            slots_max,
            revocations: Revocations::default(),
            traffic: watch::Sender::default(),
            control,
            metrics,
            ledger,
        });
        index.control.spawn(tend_every_tick(Arc::downgrade(&index)));
        index.control.spawn(revoke_every_tick(Arc::downgrade(&index)));
        index
    }

    /// A configured credential by name.
    pub fn source(&self, credential: &str) -> Option<&CredentialSource> {
        self.sources.get(credential).map(Arc::as_ref)
    }

    /// The public keys of all sources that sign, as JSON Web Keys.
    pub fn public_keys(&self) -> Vec<serde_json::Value> {
        self.sources.values().flat_map(|source| source.source.public_keys()).collect()
    }

    pub(super) fn key(&self, terms: &Terms) -> LeaseKey {
        LeaseKey::of(self.generation, terms)
    }

    /// The live lease of `key`, or the outcome of the one call that is made for everyone who asks.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        key: &LeaseKey,
        permit: &Permit,
    ) -> Result<(Arc<Lease>, LeaseFrom), Unissued> {
        let source = self.sources.get(&*permit.terms().credential).ok_or(LATER)?;
        let age_max = permit.terms().age_max;
        for _ in 0..ROUNDS_MAX {
            let slot = self.slot(key, permit)?;
            let flight = match slot.enter(clock::monotonic(), age_max) {
                Entry::Live(lease) => return Ok((lease, LeaseFrom::Cache)),
                Entry::Failing(unissued) => return Err(unissued),
                Entry::Wait(flight) => flight,
                Entry::Launch(launch) => self.fly(source, &slot, permit, launch)?,
                Entry::Gone => continue,
            };
            let (lease, from) = wait(flight, source).await?;
            // one that was only prolonged may be too old for this permit
            if from == LeaseFrom::Issued || lease.usable(clock::monotonic(), age_max) {
                return Ok((lease, from));
            }
        }
        Err(LATER)
    }

    /// Has `lease` renewed in the background if it is time; returns at once.
    pub(super) fn renew_ahead(self: &Arc<Self>, key: &LeaseKey, permit: &Permit, lease: &Arc<Lease>) {
        let source = self.sources.get(&*permit.terms().credential);
        let slot = self.slots.get(key).map(|slot| Arc::clone(&slot));
        if let (Some(source), Some(slot)) = (source, slot) {
            self.renew(source, &slot, permit, lease);
        }
    }

    /// A lease with another secret than `refused`, if there is one to be had.
    pub(super) async fn replace(
        self: &Arc<Self>,
        key: &LeaseKey,
        permit: &Permit,
        refused: &Arc<Lease>,
    ) -> Option<Arc<Lease>> {
        let source = self.sources.get(&*permit.terms().credential)?;
        let slot = self.slots.get(key).map(|slot| Arc::clone(&slot))?;
        let flight = match slot.challenge(clock::monotonic(), refused)? {
            Entry::Live(lease) => return another(lease, refused),
            Entry::Wait(flight) => flight,
            Entry::Launch(launch) => self.fly(source, &slot, permit, launch).ok()?,
            Entry::Failing(_) | Entry::Gone => return None,
        };
        let (lease, _) = wait(flight, source).await.ok()?;
        another(lease, refused)
    }

    fn renew(
        self: &Arc<Self>,
        source: &Arc<CredentialSource>,
        slot: &Arc<Slot>,
        permit: &Permit,
        lease: &Arc<Lease>,
    ) {
        if let Some(launch) = slot.renew(clock::monotonic(), lease) {
            // nobody waits; while closing there is nothing to renew
            let _unawaited = self.fly(source, slot, permit, launch);
        }
    }

    fn slot(&self, key: &LeaseKey, permit: &Permit) -> Result<Arc<Slot>, Unissued> {
        if let Some(slot) = self.slots.get(key) {
            return Ok(Arc::clone(&slot));
        }
        if self.slots.len() >= self.slots_max {
            self.make_room();
        }
        if self.slots.len() >= self.slots_max {
            return Err(LATER);
        }
        let slot = self.slots.entry(*key);
        Ok(Arc::clone(&slot.or_insert_with(|| Arc::new(Slot::new(permit.clone(), clock::monotonic())))))
    }

    /// Drops the sixteenth of the slots that was not used for longest.
    fn make_room(&self) {
        let mut used: Vec<_> = self.slots.iter().map(|slot| (slot.used_at(), *slot.key())).collect();
        used.sort_unstable_by_key(|(at, _)| *at);
        for (_, key) in used.iter().take(self.slots_max / 16 + 1) {
            let mut lease = None;
            let evicted = self.slots.remove_if(key, |_, slot| {
                let evicted = slot.evict();
                lease = evicted.clone().flatten();
                evicted.is_some()
            });
            if let (Some((_, slot)), Some(lease)) = (evicted, lease) {
                self.end(&slot.permit, lease);
            }
        }
    }

    /// Sends a call on its way and returns at once.
    fn fly(
        self: &Arc<Self>,
        source: &Arc<CredentialSource>,
        slot: &Arc<Slot>,
        permit: &Permit,
        launch: Launch,
    ) -> Result<Flight, Unissued> {
        let ticket = Ticket::take(self).ok_or(Unissued::Closing)?;
        let flight = launch.flight.clone();
        let (source, slot, permit) = (Arc::clone(source), Arc::clone(slot), permit.clone());
        self.control.spawn(async move {
            let index = &ticket.0;
            let result = index.call(&source, &permit, &launch).await;
            let purpose = launch.purpose;
            let landed = slot.land(launch, result, source.lifetime, clock::monotonic());
            index.settle(&slot.permit, purpose, landed);
        });
        Ok(flight)
    }

    async fn call(
        &self,
        source: &CredentialSource,
        permit: &Permit,
        launch: &Launch,
    ) -> Result<Issued, IssueError> {
        let begun = clock::monotonic();
        let call = async {
            match launch
                .previous
                .as_deref()
                .filter(|old| launch.purpose == Purpose::Renew && old.prolongable())
            {
                Some(old) => source.source.renew(permit, old).await,
                None => source.source.issue(permit).await,
            }
        };
        let call = AssertUnwindSafe(call).catch_unwind();
        let result = match tokio::time::timeout(source.source.timeout(), call).await {
            Ok(Ok(result)) => result,
            Ok(Err(_panic)) => Err(IssueError::Unavailable("the source broke down")),
            Err(_elapsed) => Err(IssueError::Unavailable("no answer in time")),
        };
        self.count_call(source, result.as_ref().err(), begun);
        result
    }

    fn count_call(&self, source: &CredentialSource, error: Option<&IssueError>, begun: Instant) {
        let credential = source.name.clone();
        let result = match error {
            None => IssuerResult::ok,
            Some(IssueError::Refused(_)) => IssuerResult::refused,
            Some(IssueError::Unavailable(_)) => IssuerResult::unavailable,
            Some(IssueError::Invalid(_)) => IssuerResult::invalid,
        };
        if let Some(error) = error {
            tracing::warn!(credential, kind = source.kind, %error, "no credential was issued");
        }
        let took = clock::monotonic().saturating_duration_since(begun);
        let seconds = CredentialLabel { credential: credential.clone() };
        self.metrics.issuer_seconds.get_or_create(&seconds).observe(took.as_secs_f64());
        self.metrics.issuer_requests.get_or_create(&IssuerLabels { credential, result }).inc();
    }

    fn settle(&self, permit: &Permit, purpose: Purpose, landed: Landed) {
        let Some(lease) = landed.lease else { return };
        match landed.replaced {
            None => self.count_leases(permit, 1),
            Some(replaced) if replaced.lives_on => replaced.lease.retire(),
            Some(replaced) => self.revocations.add(self.ended(permit, replaced.lease)),
        }
        let event = match purpose {
            Purpose::Issue => LeaseEvent::issued,
            Purpose::Renew | Purpose::Replace => LeaseEvent::renewed,
        };
        self.record(event, permit, &lease);
    }

    /// A lease has left its slot: it is revoked, unless its life is over.
    fn end(&self, permit: &Permit, lease: Arc<Lease>) {
        self.count_leases(permit, -1);
        if lease.ended(clock::monotonic()) {
            lease.retire();
            self.record(LeaseEvent::expired, permit, &lease);
        } else {
            self.revocations.add(self.ended(permit, lease));
        }
    }

    fn ended(&self, permit: &Permit, lease: Arc<Lease>) -> Ended {
        lease.retire();
        let source = Arc::clone(&self.sources[&*permit.terms().credential]);
        Ended::new(source, permit.clone(), lease, clock::monotonic())
    }

    fn count_leases(&self, permit: &Permit, more: i64) {
        let credential = permit.terms().credential.to_string();
        self.metrics.leases.get_or_create(&CredentialLabel { credential }).inc_by(more);
    }

    pub(super) fn record(&self, event: LeaseEvent, permit: &Permit, lease: &Lease) {
        let Terms { credential, route, subject, .. } = permit.terms();
        let labels = LeaseLabels { credential: credential.to_string(), event };
        self.metrics.lease_events.get_or_create(&labels).inc();
        self.ledger.record(LeaseRecord {
            event,
            credential,
            kind: &self.sources[&**credential].kind,
            lease_id: lease.id(),
            expires: lease.expires(),
            scopes: lease.scopes(),
            route,
            subject,
        });
    }

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

impl Ticket {
    fn take(index: &Arc<LeaseIndex>) -> Option<Self> {
        let open = index.traffic.send_if_modified(|traffic| {
            traffic.flights += usize::from(!traffic.closing);
            !traffic.closing
        });
        open.then(|| Self(Arc::clone(index)))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.traffic.send_modify(|traffic| traffic.flights -= 1);
    }
}

async fn wait(mut flight: Flight, source: &CredentialSource) -> Result<(Arc<Lease>, LeaseFrom), Unissued> {
    let landed = flight.wait_for(Option::is_some);
    let outcome = match tokio::time::timeout(source.source.timeout() + WAIT_MARGIN, landed).await {
        Ok(Ok(landed)) => landed.clone(),
        Ok(Err(_killed)) => None,
        Err(_elapsed) => None,
    };
    outcome.unwrap_or(Err(LATER))
}

fn another(lease: Arc<Lease>, refused: &Lease) -> Option<Arc<Lease>> {
    let usable = lease.usable(clock::monotonic(), None) && !lease.secret().same_as(refused.secret());
    usable.then_some(lease)
}

async fn close_source(source: &CredentialSource, left: Duration) {
    let closed = tokio::time::timeout(left, source.source.close()).await;
    if !matches!(closed, Ok(Ok(()))) {
        tracing::warn!(credential = source.name, "the source could not give up what it holds at the issuer");
    }
}

async fn tend_every_tick(index: Weak<LeaseIndex>) {
    loop {
        tokio::time::sleep(TENDED_EVERY).await;
        let Some(index) = index.upgrade() else { return };
        index.tend(clock::monotonic());
    }
}

async fn revoke_every_tick(index: Weak<LeaseIndex>) {
    loop {
        tokio::time::sleep(TENDED_EVERY).await;
        let Some(index) = index.upgrade() else { return };
        index.revoke_due(clock::monotonic()).await;
    }
}
