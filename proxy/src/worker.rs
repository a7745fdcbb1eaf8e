//! One data-plane thread: a runtime, a policy instance, a lease cache and upstream connections of its own, so that
//! nothing is shared on a request's way.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use claviger_config::Limits;
use http::header::{CONNECTION, HeaderValue};
use http::{Request as HttpRequest, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::{JoinSet, LocalSet};
use tower::ServiceExt;

use crate::active::ActivePolicy;
use crate::admin::metrics::{ListenerLabel, Metrics};
use crate::audit::Recorder;
use crate::authorize::{Authorizer, LeaseOutlook, Surroundings};
use crate::clock;
use crate::connection::{Connection, ListenerFacts};
use crate::credential::cache::{LeaseIndex, Leases};
use crate::deadline::{Deadlines, TICK};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::identity::process::Finder;
use crate::identity::{Identifier, Inbound};
use crate::inject::Injector;
use crate::listener::screen::{REFUSED_METHOD, Screen, Verdict};
use crate::listener::{Accepted, Stream, reverse};
use crate::observe::Observers;
use crate::pipeline::Pipeline;
use crate::refuse::{self, PROXY_STATUS, REQUEST_ID};
use crate::request::Request;
use crate::request::id::RequestIds;
use crate::route::{Route, Routes};
use crate::service::{self, Bounded};
use crate::tally::Tally;
use crate::upstream::Upstream;
use crate::upstream::body::AnswerBody;
use crate::upstream::dial::Dialler;

/// How long a connection may be silent between requests, or take to send a head.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Parts of it that a connection is looked at after.
const SILENCE_LOOKS: u32 = 4;
/// Connections that may wait for a worker.
const ARRIVALS_MAX: usize = 1_024;
/// Longest response head plus what hyper reads ahead.
const BUFFER_BYTES_MIN: usize = 64 << 10;

/// Whether the process goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// New work is welcome.
    Running,
    /// What has begun is finished.
    Draining,
    /// Nothing is waited for.
    Stopping,
}

/// What a worker is made from.
#[derive(Clone)]
pub struct Plan {
    /// What each listener's requests have in common, by its place in the configuration.
    pub listeners: Vec<ListenerFacts>,
    /// Every route.
    pub routes: Vec<Route>,
    /// The policy, whichever is active.
    pub active: Arc<ActivePolicy>,
    /// What policies learn of this sidecar.
    pub surroundings: Surroundings,
    /// Who looks at judgements.
    pub observers: Observers,
    /// Where processes are looked up.
    pub processes: Arc<Mutex<Finder>>,
    /// The leases of all workers.
    pub index: Arc<LeaseIndex>,
    /// The process's metrics.
    pub metrics: Arc<Metrics>,
    /// The way to every upstream.
    pub dialler: Arc<Dialler>,
    /// Requests that one worker carries at the same time.
    pub requests_max: usize,
    /// `limits.header_bytes` and `limits.request_timeout`.
    pub limits: Limits,
}

/// A worker's thread, and the way to hand it connections.
pub struct Spawned {
    /// Where accepted sockets go.
    pub arrivals: mpsc::Sender<Accepted>,
    /// Ends when the worker has drained.
    pub thread: JoinHandle<()>,
}

/// Tells, when dropped by a panic, which worker is lost; without it the process would look well and serve nobody.
struct Toll {
    number: usize,
    lost: mpsc::UnboundedSender<usize>,
}

impl Drop for Toll {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // whoever listened may have ended first
            let _ = self.lost.send(self.number);
        }
    }
}

/// Starts worker `number`, which serves what arrives until `phase` says otherwise. Should it panic outside of a
/// connection, which a connection's own panics never are, it is told to `lost`.
pub fn spawn(
    number: usize,
    plan: Plan,
    recorder: Recorder,
    phase: watch::Receiver<Phase>,
    lost: mpsc::UnboundedSender<usize>,
) -> io::Result<Spawned> {
    let (arrivals, waiting) = mpsc::channel(ARRIVALS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let thread = std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
        let _toll = Toll { number, lost };
        let worker = Worker::new(plan, recorder);
        LocalSet::new().block_on(&runtime, worker.serve(waiting, phase));
        // a name that is still being resolved has a thread that nobody can stop: it is not waited for
        runtime.shutdown_background();
    })?;
    Ok(Spawned { arrivals, thread })
}

struct Worker {
    listeners: Vec<Rc<ListenerFacts>>,
    connection_counts: Vec<Gauge>,
    pipeline: Rc<Pipeline>,
    bounded: Bounded,
    recorder: Rc<Recorder>,
    tally: Rc<Tally>,
    ids: RequestIds,
    deadlines: Rc<Deadlines>,
    draining: Cell<bool>,
    header_bytes_max: usize,
}

/// Why a connection is not simply served on.
enum Interruption {
    /// The process drains: it ends with the request that is under way.
    Draining,
    /// Nothing has come of it for too long.
    Silence,
}

impl Worker {
    fn new(plan: Plan, recorder: Recorder) -> Rc<Self> {
        let leases = Rc::new(Leases::new(plan.index));
        let identifier = Rc::new(Identifier::new(plan.processes));
        let deadlines = Deadlines::new();
        let pipeline = Rc::new(Pipeline {
            routes: Routes::new(&plan.routes),
            authorizer: Authorizer::new(
                plan.active,
                plan.surroundings,
                Rc::clone(&leases) as Rc<dyn LeaseOutlook>,
            )
            .observed_by(plan.observers),
            injector: Injector::new(Rc::clone(&identifier)),
            upstream: Upstream::new(
                &plan.routes,
                plan.dialler,
                Arc::clone(&plan.metrics),
                Rc::clone(&deadlines),
            ),
            identifier,
            leases,
        });
        let count = |facts: &ListenerFacts| {
            plan.metrics.connections.get_or_create(&ListenerLabel { listener: facts.name.clone() }).clone()
        };
        Rc::new(Self {
            connection_counts: plan.listeners.iter().map(count).collect(),
            listeners: plan.listeners.into_iter().map(Rc::new).collect(),
            bounded: service::bounded(
                Rc::clone(&pipeline),
                Rc::clone(&deadlines),
                plan.requests_max,
                plan.limits.request_timeout,
            ),
            deadlines,
            draining: Cell::new(false),
            pipeline,
            recorder: Rc::new(recorder),
            tally: Rc::new(Tally::new(plan.metrics)),
            ids: RequestIds::new(),
            header_bytes_max: plan.limits.header_bytes,
        })
    }

    async fn serve(
        self: Rc<Self>,
        mut arrivals: mpsc::Receiver<Accepted>,
        mut phase: watch::Receiver<Phase>,
    ) {
        let mut draining = phase.clone();
        let mut ticker = tokio::time::interval(TICK);
        let mut connections = JoinSet::new();
        let mut open = true;
        while open || !connections.is_empty() {
            tokio::select! {
                accepted = arrivals.recv(), if open => match accepted {
                    Some(accepted) => { connections.spawn_local(Rc::clone(&self).connection(accepted)); }
                    None => open = false,
                },
                Some(_) = connections.join_next() => {}
                _ = ticker.tick() => self.tick(),
                Ok(_) = draining.wait_for(|phase| *phase != Phase::Running), if !self.draining.get() => self.drain(),
                Ok(_) = phase.wait_for(|phase| *phase == Phase::Stopping) => return,
            }
        }
    }

    fn drain(&self) {
        self.draining.set(true);
        self.deadlines.stir();
    }

    fn tick(&self) {
        self.deadlines.tick();
        self.pipeline.identifier.tick();
        self.pipeline.authorizer.refresh();
        self.pipeline.leases.sweep();
        self.pipeline.upstream.sweep();
    }

    async fn connection(self: Rc<Self>, accepted: Accepted) {
        let Accepted { listener, socket, slot } = accepted;
        let (stream, peer) = match socket.registered() {
            Ok(registered) => registered,
            Err(error) => return tracing::debug!(%error, "a connection was gone before it was served"),
        };
        let count = &self.connection_counts[listener];
        count.inc();
        let connection = Rc::new(Connection::new(Rc::clone(&self.listeners[listener]), peer));
        if let Err(error) = Rc::clone(&self).speak_http(stream, connection).await {
            tracing::debug!(%error, "a connection ended");
        }
        count.dec();
        drop(slot);
    }

    async fn speak_http(
        self: Rc<Self>,
        stream: Stream,
        connection: Rc<Connection>,
    ) -> Result<(), hyper::Error> {
        let screen = Screen::new(stream, self.header_bytes_max);
        let verdict = screen.verdict();
        let (worker, carried) = (Rc::clone(&self), Rc::clone(&connection));
        let service = service_fn(move |request| {
            Rc::clone(&worker).answer(request, Rc::clone(&carried), verdict.clone())
        });
        let mut http = pin!(
            http1::Builder::new()
                .header_read_timeout(None)
                .max_buf_size(BUFFER_BYTES_MIN.max(2 * self.header_bytes_max))
                .auto_date_header(false)
                .serve_connection(TokioIo::new(screen), service)
        );
        let interruption = tokio::select! {
            biased;
            ended = http.as_mut() => return ended,
            interruption = self.interruption(&connection) => interruption,
        };
        match interruption {
            Interruption::Draining => http.as_mut().graceful_shutdown(),
            Interruption::Silence => return Ok(()),
        }
        http.await
    }

    async fn interruption(&self, connection: &Connection) -> Interruption {
        let mut silence = pin!(self.silence(connection));
        poll_fn(|cx| match self.draining.get() {
            true => Poll::Ready(Interruption::Draining),
            false => silence.as_mut().poll(cx).map(|()| Interruption::Silence),
        })
        .await
    }

    /// Ends when a connection has carried nothing for at least [`SILENCE_MAX`].
    async fn silence(&self, connection: &Connection) {
        let mut looks = 0;
        while looks < SILENCE_LOOKS {
            let begun = connection.exchanges_begun();
            self.deadlines.wait(SILENCE_MAX / SILENCE_LOOKS).await;
            let silent = connection.is_idle() && connection.exchanges_begun() == begun;
            looks = if silent { looks + 1 } else { 0 };
        }
    }

    /// Answers one request: carried, or refused.
    async fn answer(
        self: Rc<Self>,
        request: HttpRequest<Incoming>,
        connection: Rc<Connection>,
        verdict: Verdict,
    ) -> Result<Response<AnswerBody>, Infallible> {
        let id = self.ids.next(clock::now());
        let recorder = Some(Rc::clone(&self.recorder));
        let exchange = Exchange::begin(id, connection, recorder, Rc::clone(&self.tally));
        let has_body = !request.body().is_end_stream();
        let outcome = match admit(request, &exchange, &verdict) {
            Ok(inbound) => self
                .bounded
                .clone()
                .oneshot(inbound)
                .await
                .unwrap_or_else(|bound| Err(service::exceeded(&bound))),
            Err(error) => Err(error),
        };
        let response = match outcome {
            Ok(response) => response,
            Err(error) => {
                let error = told(error, &verdict);
                let refusal = refused(&error, &exchange);
                // what is left of a body is not read, so that no further request is either
                if has_body || error.breaks_connection() { closing(refusal) } else { refusal }
            }
        };
        Ok(signed(response, &exchange))
    }
}

/// The request gate: what the byte check said, where the request seems to come from, and its one meaning.
fn admit(
    request: HttpRequest<Incoming>,
    exchange: &Rc<Exchange>,
    verdict: &Verdict,
) -> Result<Inbound, Error> {
    if request.method().as_str() == REFUSED_METHOD {
        return Err(verdict.refusal().map_or(Error::BadRequest("this method is reserved"), Error::from));
    }
    let (head, body) = request.into_parts();
    exchange.saw_head(&head);
    reverse::admit(&head.headers, exchange.connection())?;
    let request = Box::new(Request::admit(head, Some(body))?);
    exchange.saw_request(&request);
    Ok(Inbound { request, exchange: Rc::clone(exchange) })
}

fn refused(error: &Error, exchange: &Rc<Exchange>) -> Response<AnswerBody> {
    let code = refuse::code(error);
    tracing::debug!(id = exchange.id(), code, %error, "refused");
    exchange.saw_refusal(code);
    refuse::refuse(error, exchange.id()).map(|body| AnswerBody::own(body, Rc::clone(exchange)))
}

/// Says that the connection ends with this answer.
fn closing(mut response: Response<AnswerBody>) -> Response<AnswerBody> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A body that the byte check has ended broke off for the reason that the check gives.
fn told(error: Error, verdict: &Verdict) -> Error {
    match (error, verdict.refusal()) {
        (Error::BodyBroken, Some(reason)) => reason.into(),
        (error, _) => error,
    }
}

/// Puts our marks on an answer.
fn signed(mut response: Response<AnswerBody>, exchange: &Exchange) -> Response<AnswerBody> {
    let status = response.status();
    exchange.saw_status(status);
    let headers = response.headers_mut();
    if let Some(status) = exchange.upstream_status() {
        headers.insert(PROXY_STATUS, refuse::received(status));
    }
    headers.insert(REQUEST_ID, exchange.id_header());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request has on its way is kept for every connection, idle or not.
    #[test]
    fn a_request_takes_little_room() {
        fn room<A, B, C, D, F>(_: impl Fn(A, B, C, D) -> F) -> usize {
            size_of::<F>()
        }
        let bytes = room::<Rc<Worker>, HttpRequest<Incoming>, _, _, _>(Worker::answer);
        assert!(bytes <= 3 << 10, "{bytes} bytes");
    }

    #[test]
    fn a_worker_that_panics_is_missed() {
        let check = |work: fn(), expected: Option<usize>| {
            let (lost, mut missed) = mpsc::unbounded_channel();
            let thread = std::thread::spawn(move || {
                let _toll = Toll { number: 3, lost };
                work();
            });
            assert_eq!(thread.join().is_err(), expected.is_some());
            assert_eq!(missed.blocking_recv(), expected);
        };
        check(|| {}, None);
        check(|| panic!("a tick that goes wrong"), Some(3));
    }
}
