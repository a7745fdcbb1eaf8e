//! The part of the cache that belongs to one worker: no lock, nothing shared, one lookup for a hit.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::index::LeaseIndex;
use super::{LeaseFrom, Unissued};
use crate::authorize::{LeaseOutlook, Permit, Terms};
use crate::clock;
use crate::credential::forms::automaton::Automaton;
use crate::credential::lease::Lease;
use crate::credential::secret::Written;
use crate::inject::Injection;

/// A worker asks for the renewal of a lease at most this often; the index decides whether it is time.
const RENEWAL_ASKED_EVERY: Duration = Duration::from_millis(500);

/// The leases that one worker knows.
pub struct Leases {
    index: Arc<LeaseIndex>,
    /// By the terms themselves: a digest of them, which names a lease to everybody, takes longer to make.
    local: RefCell<HashMap<Arc<Terms>, Local>>,
}

/// A lease in the hand of a request; while it is held, its issuer is not asked to end it.
pub struct Held {
    /// The lease.
    pub lease: Rc<LocalLease>,
    /// Where it came from.
    pub from: LeaseFrom,
}

/// A lease as one worker holds it: its requests share this, so that none touches a counter that other threads touch.
pub struct LocalLease {
    lease: Arc<Lease>,
    written: Written,
}

/// What an answer must not tell: the secret of a lease that its request carried. A worker's requests share the lease.
pub struct Sought(Rc<LocalLease>);

struct Local {
    lease: Rc<LocalLease>,
    used: Cell<bool>,
    renewal_from: Cell<Instant>,
}

impl Deref for LocalLease {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        &self.lease
    }
}

impl LocalLease {
    /// Its secret as one injection writes it, once it has.
    pub fn written(&self) -> &Written {
        &self.written
    }
}

impl Sought {
    /// The secret of `held` as `injection` put it on the wire. The first time costs what making its forms costs.
    pub fn new(held: &Held, injection: &dyn Injection) -> Self {
        let lease = Rc::clone(&held.lease);
        lease.forms(|secret| injection.composed(secret));
        Self(lease)
    }

    /// Finds every form of it.
    pub(crate) fn forms(&self) -> &Automaton {
        self.0.forms(|_| None).exact()
    }

    /// Finds every form of it in lower case.
    pub(crate) fn folded(&self) -> &Automaton {
        self.0.forms(|_| None).folded(self.0.secret())
    }

    /// A secret out of nowhere, for the unit tests of those who look for one.
    #[cfg(test)]
    pub(crate) fn for_test(secret: &str, composed: Option<&str>) -> Self {
        use crate::credential::lease::{Issued, Lifetime};
        use crate::credential::secret::Secret;

        let secret = Secret::new(secret.into()).expect("printable");
        let issued = Issued { secret, lifetime: None, scopes: Vec::new(), handle: None, renewable: false };
        let lifetime = Lifetime { ttl_max: None, refresh_ahead: 0.8 };
        let lease = Lease::new(issued, lifetime, clock::monotonic());
        lease.forms(|_| composed.map(|composed| composed.to_owned().into()));
        Self(Rc::new(LocalLease { lease: Arc::new(lease), written: Written::default() }))
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
        if let Some(held) = self.hit(permit) {
            return Ok(held);
        }
        let key = self.index.key(permit.terms());
        // seldom needed, and large
        let (lease, from) = Box::pin(self.index.obtain(&key, permit)).await?;
        Ok(self.adopt(permit, lease, from))
    }

    /// Another lease after an upstream answered 401 to `refused`. `None` where no other secret can be had: the
    /// upstream's answer is then the answer.
    pub async fn replace(&self, permit: &Permit, refused: &Held) -> Option<Held> {
        let key = self.index.key(permit.terms());
        let lease = self.index.replace(&key, permit, &refused.lease.lease).await?;
        Some(self.adopt(permit, lease, LeaseFrom::Renewed))
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

    fn hit(&self, permit: &Permit) -> Option<Held> {
        let now = clock::monotonic();
        let leases = self.local.borrow();
        let local = leases.get(permit.terms()).filter(|local| local.lease.usable(now, permit.age_max()))?;
        local.used.set(true);
        if local.lease.renewal_due(now) && now >= local.renewal_from.get() {
            local.renewal_from.set(now + RENEWAL_ASKED_EVERY);
            self.index.renew_ahead(&self.index.key(permit.terms()), permit, &local.lease.lease);
        }
        Some(Held { lease: Rc::clone(&local.lease), from: LeaseFrom::Cache })
    }

    fn adopt(&self, permit: &Permit, lease: Arc<Lease>, from: LeaseFrom) -> Held {
        let mut leases = self.local.borrow_mut();
        if let Some(local) =
            leases.get(permit.terms()).filter(|local| Arc::ptr_eq(&local.lease.lease, &lease))
        {
            return Held { lease: Rc::clone(&local.lease), from };
        }
        let lease = Rc::new(LocalLease { lease, written: Written::default() });
        let now = clock::monotonic();
        let local = Local { lease: Rc::clone(&lease), used: Cell::new(true), renewal_from: Cell::new(now) };
        leases.insert(Arc::clone(permit.terms()), local);
        Held { lease, from }
    }
}

impl LeaseOutlook for Leases {
    /// Nobody but this worker is asked.
    fn peek(&self, terms: &Terms) -> Option<Option<Duration>> {
        let now = clock::monotonic();
        let local = self.local.borrow();
        let lease = &local.get(terms)?.lease;
        lease.usable(now, None).then(|| lease.expires_in(now))
    }
}
