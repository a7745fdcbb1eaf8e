//! The part of the cache that belongs to one worker: no lock, nothing shared, one lookup for a hit.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::index::LeaseIndex;
use super::key::{ByDigest, LeaseKey};
use super::{LeaseFrom, Unissued};
use crate::authorize::{Permit, Terms};
use crate::clock;
use crate::credential::lease::Lease;

/// A worker asks for the renewal of a lease at most this often; the index decides whether it is time.
const RENEWAL_ASKED_EVERY: Duration = Duration::from_millis(500);

/// The leases that one worker knows.
pub struct Leases {
    index: Arc<LeaseIndex>,
    local: RefCell<HashMap<LeaseKey, Rc<Local>, ByDigest>>,
}

/// A lease in the hand of a request; while it is held, its issuer is not asked to end it.
pub struct Held {
    local: Rc<Local>,
    from: LeaseFrom,
}

/// What a policy may know beforehand of the lease that a request would get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cached {
    /// What is left of its use; `None` where it has no end.
    pub expires_in: Option<Duration>,
}

/// Requests of one worker share this, so that none of them touches a counter that other threads touch.
struct Local {
    lease: Arc<Lease>,
    used: Cell<bool>,
    renewal_from: Cell<Instant>,
}

impl Held {
    /// The lease.
    pub fn lease(&self) -> &Lease {
        &self.local.lease
    }

    /// Where it came from.
    pub fn from(&self) -> LeaseFrom {
        self.from
    }
}

impl Leases {
    /// A worker's own view of `index`, empty at first.
    pub fn new(index: Arc<LeaseIndex>) -> Self {
        Self { index, local: RefCell::default() }
    }

    /// The lease for a permitted request, from memory if there is one that is usable; else the request waits for
    /// the issuer, together with all others that need the same, for no longer than the source's timeout.
    pub async fn obtain(&self, permit: &Permit) -> Result<Held, Unissued> {
        let key = self.index.key(permit.terms());
        if let Some(held) = self.hit(&key, permit) {
            return Ok(held);
        }
        let (lease, from) = self.index.obtain(&key, permit).await?;
        Ok(self.adopt(key, lease, from))
    }

    /// Another lease after an upstream answered 401 to `refused`. `None` where no other secret can be had: the
    /// upstream's answer is then the answer.
    pub async fn replace(&self, permit: &Permit, refused: &Held) -> Option<Held> {
        let key = self.index.key(permit.terms());
        let lease = self.index.replace(&key, permit, &refused.local.lease).await?;
        Some(self.adopt(key, lease, LeaseFrom::Renewed))
    }

    /// What this worker has for `terms`, without a word to anyone.
    pub fn peek(&self, terms: &Terms) -> Option<Cached> {
        let now = clock::monotonic();
        let local = self.local.borrow();
        let lease = &local.get(&self.index.key(terms))?.lease;
        lease.usable(now, terms.age_max).then(|| Cached { expires_in: lease.expires_in(now) })
    }

    /// Forgets what can no longer be used, so that it can be revoked, and tells what is in use. The worker calls it
    /// a few times a second.
    pub fn sweep(&self) {
        let now = clock::monotonic();
        self.local.borrow_mut().retain(|_, local| {
            if local.used.replace(false) {
                local.lease.touch(now);
            }
            local.lease.usable(now, None)
        });
    }

    fn hit(&self, key: &LeaseKey, permit: &Permit) -> Option<Held> {
        let now = clock::monotonic();
        let local = Rc::clone(self.local.borrow().get(key)?);
        if !local.lease.usable(now, permit.terms().age_max) {
            return None;
        }
        local.used.set(true);
        if local.lease.renewal_due(now) && now >= local.renewal_from.get() {
            local.renewal_from.set(now + RENEWAL_ASKED_EVERY);
            self.index.renew_ahead(key, permit, &local.lease);
        }
        Some(Held { local, from: LeaseFrom::Cache })
    }

    fn adopt(&self, key: LeaseKey, lease: Arc<Lease>, from: LeaseFrom) -> Held {
        let mut leases = self.local.borrow_mut();
        if let Some(local) = leases.get(&key).filter(|local| Arc::ptr_eq(&local.lease, &lease)) {
            return Held { local: Rc::clone(local), from };
        }
        let local = Local { lease, used: Cell::new(true), renewal_from: Cell::new(clock::monotonic()) };
        let local = Rc::new(local);
        leases.insert(key, Rc::clone(&local));
        Held { local, from }
    }
}
