//! The part of the cache that all workers share: one slot per key, one call per key at a time.
//!
//! Calls run as tasks of the control runtime. Whoever waits for one only listens: it may leave, and the call goes
//! on for the others; the call may panic, and they get an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::flight::{Traffic, wait};
use super::key::{ByDigest, LeaseKey};
use super::revoke::{Ended, Revocations};
use super::slot::{Entry, Landed, Outcome, Purpose, Slot};
use super::upkeep::{revoke_every_tick, tend_every_tick};
use super::{LEASES_MAX, LeaseFrom, LeaseLedger, Unissued};
use crate::admin::metrics::{CredentialLabel, LeaseEvent, LeaseLabels, Metrics};
use crate::audit::LeaseRecord;
use crate::authorize::{Permit, Terms};
use crate::clock;
use crate::credential::lease::{Lease, Lifetime};
use crate::credential::source::Source;

/// A request goes back to its slot at most this often.
const ROUNDS_MAX: usize = 3;
/// What a request is told that no call can serve: all slots are busy, its call was lost, or nothing that came was
/// young enough for its permit.
pub(super) const LATER: Unissued = Unissued::Unavailable { retry_after: Duration::from_secs(1) };

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
    pub(super) sources: HashMap<String, Arc<CredentialSource>>,
    pub(super) slots: DashMap<LeaseKey, Arc<Slot>, ByDigest>,
    slots_max: usize,
    pub(super) revocations: Revocations,
    pub(super) traffic: watch::Sender<Traffic>,
    pub(super) control: Handle,
    pub(super) metrics: Arc<Metrics>,
    ledger: Arc<dyn LeaseLedger>,
}

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
    pub(super) async fn obtain(self: &Arc<Self>, key: &LeaseKey, permit: &Permit) -> Outcome {
        let source = self.sources.get(&*permit.terms().credential).ok_or(LATER)?;
        let age_max = permit.age_max();
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

    /// Has `lease` renewed if nothing holds that back; returns at once.
    pub(super) fn renew(
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

    /// Takes down what a landing changed.
    pub(super) fn settle(&self, permit: &Permit, purpose: Purpose, landed: Landed) {
        let Ok((lease, _)) = &landed.outcome else { return };
        match landed.replaced {
            None => self.count_leases(permit, 1),
            Some(replaced) if replaced.lives_on => replaced.lease.retire(),
            Some(replaced) => self.revocations.add(self.ended(permit, replaced.lease)),
        }
        let event = match purpose {
            Purpose::Issue => LeaseEvent::issued,
            Purpose::Renew | Purpose::Replace => LeaseEvent::renewed,
        };
        self.record(event, permit, lease);
    }

    /// A lease has left its slot: it is revoked, unless its life is over.
    pub(super) fn end(&self, permit: &Permit, lease: Arc<Lease>) {
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

    /// Counts an event and has it written down.
    pub(super) fn record(&self, event: LeaseEvent, permit: &Permit, lease: &Lease) {
        let Terms { credential, route, subject, .. } = &**permit.terms();
        let labels = LeaseLabels { credential: credential.to_string(), event };
        self.metrics.lease_events.get_or_create(&labels).inc();
        self.ledger.record(&LeaseRecord {
            time: clock::now(),
            event,
            name: credential,
            kind: &self.sources[&**credential].kind,
            lease: lease.id(),
            expires: lease.expires(),
            scopes: lease.scopes(),
            route,
            subject,
        });
    }
}

/// What may take the place of a refused lease.
fn another(lease: Arc<Lease>, refused: &Lease) -> Option<Arc<Lease>> {
    let usable = lease.usable(clock::monotonic(), None) && !lease.secret().same_as(refused.secret());
    usable.then_some(lease)
}
