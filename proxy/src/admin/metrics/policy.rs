//! Which policy is in a place, and what came of looking for newer ones: for the place of the active policy, and for that of
//! the shadow.

use claviger_policy::Policy;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{ReloadLabel, ReloadResult, RevisionLabels};

/// Counters and gauges of one place; a copy counts into the same.
#[derive(Clone, Default)]
pub struct PolicyMetrics {
    revision: Family<RevisionLabels, Gauge>,
    reloads: Family<ReloadLabel, Counter>,
}

impl PolicyMetrics {
    /// Tells which policy is in the place, and no longer tells of the one before.
    pub fn replaced(&self, policy: &Policy, before: Option<&Policy>) {
        let labels = |policy: &Policy| RevisionLabels {
            revision: policy.revision().to_owned(),
            digest: policy.digest().to_owned(),
        };
        self.revision.get_or_create(&labels(policy)).set(1);
        if let Some(before) = before.map(labels).filter(|before| *before != labels(policy)) {
            self.revision.remove(&before);
        }
    }

    /// One look for a newer policy ended so.
    pub fn looked(&self, result: ReloadResult) {
        self.reloads.get_or_create(&ReloadLabel { result }).inc();
    }

    /// As `<place>_revision_info` and `<place>_reloads_total`.
    pub(super) fn register(&self, place: &str, registry: &mut Registry) {
        registry.register(format!("{place}_revision_info"), "The policy there", self.revision.clone());
        registry.register(format!("{place}_reloads"), "Looks for a newer policy", self.reloads.clone());
    }
}
