//! The policy that is active: one slot for the process, swapped whole, so that every request sees one generation of
//! module and data and never a mixture.

use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};
use claviger_policy::{Evaluator, Policy};

/// Where the control plane puts a policy and workers look for it. Empty until there is a first.
#[derive(Default)]
pub struct ActivePolicy {
    slot: ArcSwapOption<Policy>,
}

/// One thread's instance of the policy that was active when it last looked.
pub struct Seat {
    active: Arc<ActivePolicy>,
    evaluator: Option<Evaluator>,
}

impl ActivePolicy {
    /// A slot that holds `policy`, if there is one yet.
    pub fn new(policy: Option<Arc<Policy>>) -> Arc<Self> {
        Arc::new(Self { slot: ArcSwapOption::new(policy) })
    }

    /// Puts `policy` in the place of the one before, which is given back. Requests that are being judged end with the
    /// one that they began with.
    pub fn replace(&self, policy: Arc<Policy>) -> Option<Arc<Policy>> {
        self.slot.swap(Some(policy))
    }

    /// The policy now.
    pub fn current(&self) -> Option<Arc<Policy>> {
        self.slot.load_full()
    }

    fn look(&self) -> Guard<Option<Arc<Policy>>> {
        self.slot.load()
    }
}

impl Seat {
    /// A place to judge from; it costs nothing until it is used.
    pub fn new(active: Arc<ActivePolicy>) -> Self {
        Self { active, evaluator: None }
    }

    /// The evaluator of the policy that is active at this moment; `None` while there is none. Whoever judges one request
    /// asks once.
    pub fn evaluator(&mut self) -> Option<&mut Evaluator> {
        let current = self.active.look();
        match (&*current, &self.evaluator) {
            (Some(policy), Some(evaluator)) if Arc::ptr_eq(policy, evaluator.policy()) => {}
            (policy, _) => self.evaluator = policy.clone().map(Evaluator::new),
        }
        self.evaluator.as_mut()
    }

    /// The evaluator of `policy`, which was active when the request that it judges began.
    pub fn evaluator_of(&mut self, policy: &Arc<Policy>) -> &mut Evaluator {
        if self.evaluator.as_ref().is_some_and(|evaluator| !Arc::ptr_eq(policy, evaluator.policy())) {
            self.evaluator = None;
        }
        self.evaluator.get_or_insert_with(|| Evaluator::new(Arc::clone(policy)))
    }

    /// Lets go of a policy that is no longer active, as a thread without requests would not.
    pub fn refresh(&mut self) {
        if self.evaluator.is_some() {
            self.evaluator();
        }
    }
}
