//! What is known so far about one exchange. Its record is opened before effect and closed exactly once,
//! whether the answer ends, breaks off, or the workload leaves.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderValue, Method, StatusCode, Version};

use crate::admin::metrics::OutcomeLabel;
use crate::audit::{
    Closed, CredentialRecord, DecisionRecord, Opened, Record, Recorder, RequestRecord, Unavailable,
    UpstreamRecord,
};
use crate::clock::{self, Timestamp};
use crate::connection::Connection;
use crate::error::Error;
use crate::identity::workload::Identity;
use crate::request::Request;
use crate::request::id::RequestId;
use crate::tally::{RouteName, Tally};

/// One request and its answer, from the head's last byte to the answer's last byte.
pub struct Exchange {
    id: RequestId,
    began: Timestamp,
    began_at: Instant,
    connection: Rc<Connection>,
    /// Absent where a request is only explained.
    recorder: Option<Rc<Recorder>>,
    tally: Rc<Tally>,
    story: RefCell<Story>,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
}

/// What each stage adds.
#[derive(Default)]
struct Story {
    method: Option<Method>,
    protocol: Option<&'static str>,
    host: Option<String>,
    path: Option<String>,
    identity: Option<Rc<Identity>>,
    route: Option<RouteName>,
    verdict: Option<Verdict>,
    credential: Option<CredentialRecord>,
    upstream: Option<UpstreamRecord>,
    refusal: Option<&'static str>,
    status: Option<StatusCode>,
    record: Option<Record>,
}

/// What the policy said, for the record.
pub struct Verdict {
    /// Allow, deny or error.
    pub outcome: OutcomeLabel,
    /// The policy's reason.
    pub reason: Option<String>,
    /// The policy's name for the rule.
    pub rule: Option<String>,
    /// How long the evaluation took.
    pub took: Duration,
    /// Which policy.
    pub policy: Arc<claviger_policy::Policy>,
}

impl Exchange {
    /// Begins with the head's arrival.
    pub fn begin(
        id: RequestId,
        connection: Rc<Connection>,
        recorder: Option<Rc<Recorder>>,
        tally: Rc<Tally>,
    ) -> Rc<Self> {
        connection.begin_exchange();
        Rc::new(Self {
            id,
            began: clock::now(),
            began_at: clock::monotonic(),
            connection,
            recorder,
            tally,
            story: RefCell::default(),
            bytes_in: Cell::new(0),
            bytes_out: Cell::new(0),
        })
    }

    /// The id of its record.
    pub fn id(&self) -> &str {
        self.id.as_str()
    }

    /// The same as a header's value.
    pub fn id_header(&self) -> HeaderValue {
        self.id.header()
    }

    /// When the head was there.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// The connection that it came in on.
    pub fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// A head came in, whatever is thought of it.
    pub fn saw_head(&self, head: &http::request::Parts) {
        let mut story = self.story.borrow_mut();
        story.method = Some(head.method.clone());
        story.protocol = Some(if head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" });
    }

    /// The head has one meaning.
    pub fn saw_request(&self, request: &Request) {
        self.story.borrow_mut().path = Some(request.path.as_str().to_owned());
    }

    /// The caller is known.
    pub fn saw_identity(&self, identity: &Rc<Identity>) {
        self.story.borrow_mut().identity = Some(Rc::clone(identity));
    }

    /// A route was found.
    pub fn saw_route(&self, route: RouteName, host: &str, path: &str) {
        let mut story = self.story.borrow_mut();
        story.path = Some(path.to_owned());
        story.host = Some(host.to_owned());
        story.route = Some(route);
    }

    /// The policy has spoken.
    pub fn saw_verdict(&self, verdict: Verdict) {
        self.tally.policy_evaluated(verdict.took);
        self.story.borrow_mut().verdict = Some(verdict);
    }

    /// What the policy said: the outcome, the reason and the rule.
    pub fn verdict(&self) -> Option<(OutcomeLabel, Option<String>, Option<String>)> {
        let story = self.story.borrow();
        story.verdict.as_ref().map(|verdict| (verdict.outcome, verdict.reason.clone(), verdict.rule.clone()))
    }

    /// A credential was obtained.
    pub fn saw_lease(&self, lease: CredentialRecord) {
        self.story.borrow_mut().credential = Some(lease);
    }

    /// A connection to the upstream was made or taken.
    pub fn saw_address(&self, address: SocketAddr) {
        self.story.borrow_mut().upstream = Some(UpstreamRecord { address: Some(address), status: None });
    }

    /// The upstream answered.
    pub fn saw_answer(&self, status: StatusCode) {
        let mut story = self.story.borrow_mut();
        if let Some(upstream) = &mut story.upstream {
            upstream.status = Some(status.as_u16());
        }
    }

    /// What the upstream answered, unless we refuse in its place.
    pub fn upstream_status(&self) -> Option<StatusCode> {
        let story = self.story.borrow();
        match (&story.upstream, story.refusal) {
            (Some(upstream), None) => upstream.status.and_then(|status| StatusCode::from_u16(status).ok()),
            _ => None,
        }
    }

    /// It ends in a refusal of ours.
    pub fn saw_refusal(&self, code: &'static str) {
        self.tally.refused(code);
        self.story.borrow_mut().refusal = Some(code);
    }

    /// The upstream sent back what it must not; it was taken out.
    pub fn saw_reflection(&self) {
        let story = self.story.borrow();
        let Some(route) = &story.route else { return };
        tracing::warn!(
            id = self.id.as_str(),
            route = &*route.name,
            "an upstream's answer held its credential"
        );
        self.tally.scrubbed(route);
    }

    /// The head of the answer is on its way to the workload.
    pub fn saw_status(&self, status: StatusCode) {
        self.story.borrow_mut().status = Some(status);
    }

    /// Body bytes came from the workload.
    pub fn count_in(&self, bytes: usize) {
        self.bytes_in.set(self.bytes_in.get() + bytes as u64);
    }

    /// How many body bytes came from the workload so far.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.get()
    }

    /// Body bytes go to the workload.
    pub fn count_out(&self, bytes: usize) {
        self.bytes_out.set(self.bytes_out.get() + bytes as u64);
    }

    /// Writes the record where a crash cannot lose it. Nothing may leave before.
    pub fn open(&self) -> Result<(), Error> {
        let Some(recorder) = &self.recorder else { return Ok(()) };
        let mut story = self.story.borrow_mut();
        let record = recorder.open(&self.opened(&story)).map_err(|Unavailable| Error::AuditUnavailable)?;
        story.record = Some(record);
        Ok(())
    }

    fn opened<'a>(&'a self, story: &'a Story) -> Opened<'a> {
        let decision = story.verdict.as_ref().map(|verdict| DecisionRecord {
            outcome: verdict.outcome.as_str(),
            reason: verdict.reason.as_deref(),
            rule: verdict.rule.as_deref(),
            revision: verdict.policy.revision(),
            digest: verdict.policy.digest(),
            eval_us: microseconds(verdict.took),
        });
        Opened {
            time: self.began,
            id: self.id.as_str(),
            listener: &self.connection.listener().name,
            workload: story.identity.as_ref().map_or("{}", |identity| identity.record()),
            task: None,
            request: RequestRecord {
                method: story.method.as_ref().map(Method::as_str),
                route: story.route.as_ref().map(|route| &*route.name),
                host: story.host.as_deref(),
                path: story.path.as_deref(),
                protocol: story.protocol,
            },
            decision,
        }
    }

    /// The record of an exchange that ended before one was opened, and so without effect.
    fn belated(&self, story: &Story) -> Option<Record> {
        Some(self.recorder.as_ref()?.open_without_effect(&self.opened(story)))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.connection.end_exchange();
        let mut story = self.story.take();
        let duration = clock::monotonic().saturating_duration_since(self.began_at);
        let outcome = story.verdict.as_ref().map_or(OutcomeLabel::error, |verdict| verdict.outcome);
        self.tally.answered(story.route.as_ref(), outcome, story.status, duration);
        let Some(record) = story.record.take().or_else(|| self.belated(&story)) else { return };
        record.close(Closed {
            credential: story.credential,
            upstream: story.upstream,
            refusal: story.refusal,
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            duration_us: microseconds(duration),
        });
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
