//! Asks the policy, and turns its decision into a permit or a refusal.

mod document;
mod ext_authz;
mod obligation;
mod permit;
mod shown;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use claviger_policy::{Decision, Denial, Dialect, EvalError, Evaluator, Input, Permission, Policy, Trace};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use hyper::body::Body as _;
use serde::Serialize;
use serde_json::Value;

pub use self::document::{LeaseOutlook, Surroundings};
pub use self::permit::{Permit, Terms};
use self::shown::Shown;
use crate::active::{ActivePolicy, Seat};
use crate::admin::metrics::OutcomeLabel;
use crate::clock;
use crate::error::{Denied, Error};
use crate::exchange::Verdict;
use crate::observe::{Judgement, Observers, Papers};
use crate::request::body::{Body, Room, Sample};
use crate::request::query::Query;
use crate::route::{Offer, Routed};

/// A request that the policy permits, with what the permit binds us to. Minted by [`Authorizer::authorize`].
pub struct Permitted {
    routed: Routed,
    /// Which of the route's offers; `None` where it offers nothing.
    offer: Option<usize>,
    permit: Option<Permit>,
    set_headers: Vec<(HeaderName, HeaderValue)>,
    remove_headers: Vec<HeaderName>,
    /// In place of the query that was judged, where the policy changes it.
    query: Option<Query>,
    answer_headers: Vec<(HeaderName, HeaderValue)>,
    hidden_headers: Vec<HeaderName>,
    /// Whether its answer must not tell the credential.
    scrubs: bool,
}

/// One worker's way to the policy.
pub struct Authorizer {
    active: Arc<ActivePolicy>,
    seat: RefCell<Seat>,
    surroundings: Surroundings,
    outlook: Rc<dyn LeaseOutlook>,
    /// For the bodies that are judged.
    room: Rc<Room>,
    observers: Observers,
}

/// What an evaluation gave.
struct Asked {
    decision: Result<Decision, EvalError>,
    took: Duration,
    /// For observers, where there are any.
    papers: Option<Papers>,
}

impl Authorizer {
    /// Evaluates whatever is `active` on this thread.
    pub fn new(active: Arc<ActivePolicy>, surroundings: Surroundings, outlook: Rc<dyn LeaseOutlook>) -> Self {
        let seat = RefCell::new(Seat::new(Arc::clone(&active)));
        Self { active, seat, surroundings, outlook, room: Rc::default(), observers: Observers::default() }
    }

    /// The same with somebody who looks at every judgement.
    #[must_use]
    pub fn observed_by(self, observers: Observers) -> Self {
        Self { observers, ..self }
    }

    /// Lets go of what is no longer active.
    pub fn refresh(&self) {
        self.seat.borrow_mut().refresh();
    }

    /// Lets a request pass only with a clear yes that the route can honour. Waits for as much of the body as the policy
    /// judges, and for nothing where it judges none.
    pub async fn authorize(&self, mut routed: Routed) -> Result<Permitted, Error> {
        // one generation says how much of the body is read, and judges it, however long that takes
        let policy = self.active.current().ok_or(Error::PolicyUnavailable)?;
        let sample = self.read_ahead(&policy, &mut routed).await?;
        let shown = sample.as_ref().map(|sample| Shown::of(&routed, sample)).transpose()?;
        let Asked { decision, took, papers } = self.decide(&policy, &routed, shown.as_ref())?;
        drop(shown);
        if let Some(papers) = papers {
            self.observers.hand_over(judgement(&routed, &policy, &decision, took, papers));
        }
        let exchange = Rc::clone(routed.exchange());
        let (reason, rule, judged) = match decision {
            Ok(Decision::Permit(permission)) => {
                (permission.reason.clone(), permission.rule.clone(), honour(routed, permission))
            }
            Ok(Decision::Deny(denial)) => (denial.reason.clone(), denial.rule.clone(), Err(refusal(denial))),
            Err(error) => (None, None, Err(Error::PolicyFailed(error))),
        };
        let outcome = outcome(&judged);
        let reason = reason.or_else(|| {
            judged.as_ref().err().filter(|_| outcome == OutcomeLabel::error).map(Error::to_string)
        });
        exchange.saw_verdict(Verdict { outcome, reason, rule, took, policy });
        judged
    }

    /// The input document for a request without its body, as JSON: for explanations, never on the request's path.
    pub fn explain(&self, routed: &Routed) -> Result<Value, Error> {
        self.explain_with(routed, &Bytes::new())
    }

    /// The same for a request with a body, as far as the policy asks for it.
    pub fn explain_with(&self, routed: &Routed, body: &Bytes) -> Result<Value, Error> {
        let policy = self.active.current().ok_or(Error::PolicyUnavailable)?;
        let beginning = |bytes_max: usize| Sample {
            bytes: body.slice(..body.len().min(bytes_max)),
            truncated: body.len() > bytes_max,
        };
        let sample = policy.body_bytes_max().map(beginning);
        let shown = sample.as_ref().map(|sample| Shown::of(routed, sample)).transpose()?;
        match policy.dialect() {
            Dialect::Mediation => self.with_input(&policy, routed, shown.as_ref(), |input| json(input)),
            Dialect::ExtAuthz => {
                ext_authz::with_request(routed, &self.surroundings, shown.as_ref(), |request| json(request))
            }
        }
    }

    async fn read_ahead(&self, policy: &Policy, routed: &mut Routed) -> Result<Option<Sample>, Error> {
        let Some(bytes_max) = policy.body_bytes_max() else { return Ok(None) };
        let idle_max = routed.route().settings().timeouts.idle;
        let exchange = Rc::clone(routed.exchange());
        match &mut routed.request_mut().body {
            Some(body) => {
                let count = |bytes| exchange.count_in(bytes);
                Box::pin(body.read_ahead(bytes_max, idle_max, &self.room, count)).await.map(Some)
            }
            None => Ok(Some(Sample::default())),
        }
    }

    /// An error where the body cannot be shown; what the policy itself does wrong is in the inner result.
    fn decide(
        &self,
        policy: &Arc<Policy>,
        routed: &Routed,
        shown: Option<&Shown<'_>>,
    ) -> Result<Asked, Error> {
        let began = clock::monotonic();
        let now_ns = routed.exchange().began().nanoseconds();
        let mut seat = self.seat.borrow_mut();
        let evaluator = seat.evaluator_of(policy);
        match policy.dialect() {
            Dialect::Mediation => {
                self.with_input(policy, routed, shown, |input| self.ask(evaluator, input, now_ns, began))
            }
            Dialect::ExtAuthz => ext_authz::with_request(routed, &self.surroundings, shown, |request| {
                self.ask(evaluator, request, now_ns, began)
            }),
        }
    }

    fn ask(&self, evaluator: &mut Evaluator, input: &impl Serialize, now_ns: i64, began: Instant) -> Asked {
        let evaluated = evaluator.evaluate_document(input, now_ns, &mut Trace::default());
        let decision = evaluated.and_then(|()| evaluator.decision());
        let took = clock::monotonic().saturating_duration_since(began);
        Asked { decision, took, papers: self.observers.copy(input, evaluator) }
    }

    fn with_input<T>(
        &self,
        policy: &Policy,
        routed: &Routed,
        shown: Option<&Shown<'_>>,
        judge: impl FnOnce(&Input<'_>) -> T,
    ) -> Result<T, Error> {
        document::with_input(routed, &self.surroundings, policy, &*self.outlook, shown, judge)
    }
}

/// What observers are told.
fn judgement(
    routed: &Routed,
    policy: &Arc<Policy>,
    decision: &Result<Decision, EvalError>,
    took: Duration,
    papers: Papers,
) -> Judgement {
    Judgement {
        id: routed.exchange().id().to_owned(),
        time: routed.exchange().began(),
        route: Arc::clone(routed.route().name()),
        method: routed.request().method.as_str().to_owned(),
        host: routed.route().host().to_owned(),
        path: routed.path().to_owned(),
        workload: routed.identity().record().to_owned(),
        policy: Arc::clone(policy),
        papers,
        decision: decision.clone(),
        took,
    }
}

fn json(document: &impl Serialize) -> Value {
    serde_json::to_value(document).expect("the documents always serialise")
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

/// A denial as the workload gets to know it; headers that cannot be put on it make it the policy's error.
fn refusal(denial: Denial) -> Error {
    match obligation::answer_headers(&denial.headers) {
        Ok(headers) => {
            let mut told = HeaderMap::with_capacity(headers.len());
            replace(&mut told, &headers);
            Error::Denied(Box::new(Denied { denial, headers: told }))
        }
        Err(error) => error,
    }
}

/// Checks that the permit narrows what the route offers, and never widens it.
fn honour(routed: Routed, permission: Permission) -> Result<Permitted, Error> {
    let owned: Vec<&HeaderName> =
        routed.route().offers().iter().filter_map(|offer| offer.injection.owned_header()).collect();
    let set_headers = obligation::headers_to_set(&permission.set_headers, &owned)?;
    let remove_headers = obligation::headers_to_remove(&permission.remove_headers, &owned)?;
    let answer_headers = obligation::answer_headers(&permission.answer.set_headers)?;
    let hidden_headers = obligation::answer_names(&permission.answer.remove_headers)?;
    let query = obligation::query(&permission.query, routed.query(), &routed.route().owned_queries())?;
    let scrubs = obligation::scrubbing(routed.route().scrubs(), permission.answer.scrub)?;
    let offer = obligation::offer(routed.route().offers(), permission.credential.as_deref())?;
    let permit = match offer {
        Some(index) => Some(permit(&routed, &routed.route().offers()[index], permission)?),
        None => None,
    };
    Ok(Permitted {
        routed,
        offer,
        permit,
        set_headers,
        remove_headers,
        query,
        answer_headers,
        hidden_headers,
        scrubs,
    })
}

fn permit(routed: &Routed, offer: &Offer, permission: Permission) -> Result<Permit, Error> {
    let terms = Terms {
        credential: Arc::clone(&offer.name),
        route: Arc::clone(routed.route().name()),
        subject: Arc::clone(routed.identity().subject()),
        scopes: obligation::scopes(&offer.scopes, permission.scopes)?,
        audience: permission.audience,
        resource: permission.resource,
    };
    Ok(Permit::new(terms, permission.ttl_s.map(Duration::from_secs)))
}

/// Puts all values of each name in place of those that are there.
pub fn replace(headers: &mut HeaderMap, wanted: &[(HeaderName, HeaderValue)]) {
    for (name, _) in wanted {
        headers.remove(name);
    }
    for (name, value) in wanted {
        headers.append(name, value.clone());
    }
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

    /// Whether the credential is taken out of its answer.
    pub fn scrubs(&self) -> bool {
        self.scrubs
    }

    /// Path and query to send, before injection.
    pub fn target(&self) -> String {
        self.routed.target_with(self.query.as_ref().unwrap_or_else(|| self.routed.query()))
    }

    /// Changes the head of the upstream's answer as the policy says.
    pub fn dress(&self, answer: &mut HeaderMap) {
        for name in &self.hidden_headers {
            answer.remove(name);
        }
        replace(answer, &self.answer_headers);
    }

    /// The workload's body, once.
    pub(crate) fn take_body(&mut self) -> Option<Body> {
        self.routed.request_mut().body.take().filter(|body| !body.is_end_stream())
    }

    /// Whether the request can be sent again: it has no body, and its method means the same the second time.
    pub fn repeatable(&self) -> bool {
        let request = self.routed.request();
        request.content_length == Some(0) && request.method.is_idempotent()
    }
}
