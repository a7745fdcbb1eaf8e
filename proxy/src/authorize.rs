//! Asks the policy, and turns its decision into a permit or a refusal.

mod document;
mod obligation;
mod permit;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use claviger_policy::{Decision, Permission, Trace};
use http::header::{HeaderName, HeaderValue};
use hyper::body::{Body as _, Incoming};

pub use self::document::{LeaseOutlook, Surroundings};
pub use self::permit::{Permit, Terms};
use crate::active::{ActivePolicy, Seat};
use crate::admin::metrics::OutcomeLabel;
use crate::clock;
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
    active: Arc<ActivePolicy>,
    seat: RefCell<Seat>,
    surroundings: Surroundings,
    outlook: Rc<dyn LeaseOutlook>,
}

impl Authorizer {
    /// Evaluates whatever is `active` on this thread.
    pub fn new(active: Arc<ActivePolicy>, surroundings: Surroundings, outlook: Rc<dyn LeaseOutlook>) -> Self {
        let seat = RefCell::new(Seat::new(Arc::clone(&active)));
        Self { active, seat, surroundings, outlook }
    }

    /// Lets go of what is no longer active.
    pub fn refresh(&self) {
        self.seat.borrow_mut().refresh();
    }

    /// Lets a request pass only with a clear yes that the route can honour.
    pub fn authorize(&self, routed: Routed) -> Result<Permitted, Error> {
        let began = clock::monotonic();
        let mut seat = self.seat.borrow_mut();
        let evaluator = seat.evaluator().ok_or(Error::PolicyUnavailable)?;
        let policy = Arc::clone(evaluator.policy());
        let decision = document::with_input(&routed, &self.surroundings, &policy, &*self.outlook, |input| {
            evaluator.evaluate(input, &mut Trace::default())
        });
        let took = clock::monotonic().saturating_duration_since(began);
        let exchange = Rc::clone(routed.exchange());
        let (reason, rule, judged) = match decision {
            Ok(Decision::Permit(permission)) => {
                (permission.reason.clone(), permission.rule.clone(), honour(routed, permission))
            }
            Ok(Decision::Deny(denial)) => {
                (denial.reason.clone(), denial.rule.clone(), Err(Error::Denied(Box::new(denial))))
            }
            Err(error) => (None, None, Err(Error::PolicyFailed(error))),
        };
        let outcome = outcome(&judged);
        let reason = reason.or_else(|| {
            judged.as_ref().err().filter(|_| outcome == OutcomeLabel::error).map(Error::to_string)
        });
        exchange.saw_verdict(Verdict { outcome, reason, rule, took, policy });
        judged
    }

    /// The input document for a request, as JSON: for explanations, never on the request's path.
    pub fn explain(&self, routed: &Routed) -> Result<serde_json::Value, Error> {
        let policy = self.active.current().ok_or(Error::PolicyUnavailable)?;
        Ok(document::with_input(routed, &self.surroundings, &policy, &*self.outlook, |input| {
            serde_json::to_value(input).expect("the input document always serialises")
        }))
    }
}

/// What the record says of a judgement: a permit that cannot be honoured is the policy's error, not its yes.
fn outcome(judged: &Result<Permitted, Error>) -> OutcomeLabel {
    match judged {
        Ok(_) => OutcomeLabel::allow,
        Err(Error::Denied(_) | Error::CredentialNotOffered(_)) => OutcomeLabel::deny,
        Err(error) => {
            tracing::error!(%error, "the policy failed");
            OutcomeLabel::error
        }
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
