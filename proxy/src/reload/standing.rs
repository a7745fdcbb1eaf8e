//! How a bundle stands: when it was asked for, what came, what is in place, and what went wrong. For whoever is told of it;
//! nobody decides by it.

use std::sync::{Arc, Mutex, PoisonError};

use claviger_policy::Policy;

use crate::clock::{self, Timestamp};

/// One bundle's standing, shared by those who change it and those who tell it.
#[derive(Clone, Default)]
pub struct Standing {
    facts: Arc<Mutex<Facts>>,
}

/// What is known at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The revision of the policy that is in place, empty where it has none.
    pub revision: String,
    /// How large the last bundle was that came whole.
    pub bytes: Option<usize>,
    /// When a newer one was looked for.
    pub looked: Option<Timestamp>,
    /// When whoever has it last answered.
    pub answered: Option<Timestamp>,
    /// When a bundle last came whole.
    pub came: Option<Timestamp>,
    /// When a policy was last put in place.
    pub activated: Option<Timestamp>,
    /// What is wrong since then, if anything. Never with a byte of what a server said.
    pub failure: Option<Failure>,
}

/// Why there is no newer policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In words.
    pub message: String,
    /// The status of the server that refused.
    pub status: Option<u16>,
}

impl Standing {
    /// A copy of what is known now.
    pub fn now(&self) -> Facts {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A newer one is looked for.
    pub(super) fn looks(&self) {
        self.change(|facts, now| facts.looked = Some(now));
    }

    /// Whoever has it answered, if only that there is none.
    pub(super) fn answered(&self) {
        self.change(|facts, now| facts.answered = Some(now));
    }

    /// A bundle came whole.
    pub(super) fn came(&self, bytes: usize) {
        self.change(|facts, now| (facts.came, facts.bytes) = (Some(now), Some(bytes)));
    }

    /// This policy is in place.
    pub(super) fn activated(&self, policy: &Policy) {
        self.change(|facts, now| {
            facts.revision = policy.revision().to_owned();
            (facts.activated, facts.failure) = (Some(now), None);
        });
    }

    /// What is in place is the newest.
    pub(super) fn is_newest(&self) {
        self.change(|facts, _| facts.failure = None);
    }

    /// There is no newer one, or none that can be used.
    pub(super) fn failed(&self, message: String, status: Option<u16>) {
        self.change(|facts, _| facts.failure = Some(Failure { message, status }));
    }

    fn change(&self, change: impl FnOnce(&mut Facts, Timestamp)) {
        change(&mut self.facts.lock().unwrap_or_else(PoisonError::into_inner), clock::now());
    }
}
