//! Asks the policy, and turns its decision into a permit or a refusal.

mod document;
mod obligation;
mod permit;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger_policy::{Decision, EvalError, Evaluator, Permission, Policy, Trace};
use http::header::{HeaderName, HeaderValue};
use hyper::body::{Body as _, Incoming};

pub use self::document::Surroundings;
pub use self::permit::{Permit, Terms};
use crate::admin::metrics::OutcomeLabel;
use crate::clock;
use crate::credential::cache::Leases;
use crate::error::Error;
use crate::exchange::Verdict;
use crate::route::{Offer, Routed};

/// A request that the policy permits, with what the permit binds us to. Minted by [`Authorizer::authorize`].
pub struct Permitted {
    routed: Routed,
    /// Which of the route's offers; `None` where it offers nothing.
    offer: Option<usize>,
    permit: Option<Permit>,
    set_headers: Vec<(HeaderName, HeaderValue)>,
    remove_headers: Vec<HeaderName>,
}

/// One worker's way to the policy.
pub struct Authorizer {
    policy: Arc<Policy>,
    evaluator: RefCell<Evaluator>,
    surroundings: Surroundings,
    leases: Rc<Leases>,
}

impl Authorizer {
    /// Evaluates `policy` on this thread.
    pub fn new(policy: Arc<Policy>, surroundings: Surroundings, leases: Rc<Leases>) -> Self {
        let evaluator = RefCell::new(Evaluator::new(Arc::clone(&policy)));
        Self { policy, evaluator, surroundings, leases }
    }

    /// Lets a request pass only with a clear yes that the route can honour.
    pub fn authorize(&self, routed: Routed) -> Result<Permitted, Error> {
        let began = clock::monotonic();
        let decision = self.decide(&routed);
        routed.exchange().saw_verdict(self.verdict(&decision, began));
        match decision? {
            Decision::Deny(denial) => Err(Error::Denied(Box::new(denial))),
            Decision::Permit(permission) => honour(routed, permission),
        }
    }

    /// The input document for a request, as JSON: for explanations, never on the request's path.
    pub fn explain(&self, routed: &Routed) -> serde_json::Value {
        document::with_input(routed, &self.surroundings, &self.policy, &self.leases, |input| {
            serde_json::to_value(input).expect("the input document always serialises")
        })
    }

    fn decide(&self, routed: &Routed) -> Result<Decision, EvalError> {
        document::with_input(routed, &self.surroundings, &self.policy, &self.leases, |input| {
            self.evaluator.borrow_mut().evaluate(input, &mut Trace::default())
        })
    }

    fn verdict(&self, decision: &Result<Decision, EvalError>, began: Instant) -> Verdict {
        let eval_us = u64::try_from(clock::monotonic().saturating_duration_since(began).as_micros()).unwrap_or(u64::MAX);
        let (outcome, reason, rule) = match decision {
            Ok(Decision::Permit(permission)) => (OutcomeLabel::allow, permission.reason.clone(), permission.rule.clone()),
            Ok(Decision::Deny(denial)) => (OutcomeLabel::deny, denial.reason.clone(), denial.rule.clone()),
            Err(error) => {
                tracing::error!(%error, "the policy failed");
                (OutcomeLabel::error, Some(error.to_string()), None)
            }
        };
        Verdict { outcome, reason, rule, eval_us, policy: Arc::clone(&self.policy) }
    }
}

/// Checks that the permit narrows what the route offers, and never widens it.
fn honour(routed: Routed, permission: Permission) -> Result<Permitted, Error> {
    let owned: Vec<&HeaderName> =
        routed.route().offers().iter().filter_map(|offer| offer.injection.owned_header()).collect();
    let set_headers = obligation::headers_to_set(&permission.set_headers, &owned)?;
    let remove_headers = obligation::headers_to_remove(&permission.remove_headers, &owned)?;
    let offer = obligation::offer(routed.route().offers(), permission.credential.as_deref())?;
    let permit = match offer {
        Some(index) => Some(permit(&routed, &routed.route().offers()[index], permission)?),
        None => None,
    };
    Ok(Permitted { routed, offer, permit, set_headers, remove_headers })
}

fn permit(routed: &Routed, offer: &Offer, permission: Permission) -> Result<Permit, Error> {
    Ok(Permit::new(Terms {
        credential: Arc::clone(&offer.name),
        route: Arc::clone(routed.route().name()),
        subject: Arc::clone(routed.identity().subject()),
        scopes: obligation::scopes(&offer.scopes, permission.scopes)?,
        audience: permission.audience,
        resource: permission.resource,
        age_max: permission.ttl_s.map(Duration::from_secs),
    }))
}

impl Permitted {
    /// The request and where it goes.
    pub fn routed(&self) -> &Routed {
        &self.routed
    }

    /// The proof that a credential may be issued for it; `None` where the route offers none.
    pub fn permit(&self) -> Option<&Permit> {
        self.permit.as_ref()
    }

    /// The credential that it goes out with.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.map(|index| &self.routed.route().offers()[index])
    }

    /// Headers that the policy writes.
    pub fn set_headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.set_headers
    }

    /// Headers that the policy takes out.
    pub fn remove_headers(&self) -> &[HeaderName] {
        &self.remove_headers
    }

    /// The workload's body, once.
    pub(crate) fn take_body(&mut self) -> Option<Incoming> {
        self.routed.request_mut().body.take().filter(|body| !body.is_end_stream())
    }

    /// Whether the request can be sent again: it has no body, and its method means the same the second time.
    pub fn repeatable(&self) -> bool {
        let request = self.routed.request();
        request.content_length == Some(0) && request.method.is_idempotent()
    }
}
