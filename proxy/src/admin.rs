//! What an operator sees: health, metrics, and the public keys of signing sources. Nothing here is mediated, and
//! nothing tells of a request.

pub mod metrics;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use claviger_config::Bind;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use self::metrics::Metrics;
use crate::active::ActivePolicy;
use crate::listener::{self, AcceptedSocket, BindError, Listening};

/// Operators' connections at the same time.
const CONNECTIONS_MAX: usize = 64;
const HEAD_SECONDS_MAX: Duration = Duration::from_secs(30);

/// Whether the sidecar can mediate.
pub struct Health {
    active: Arc<ActivePolicy>,
    ready: AtomicBool,
    draining: AtomicBool,
}

impl Health {
    /// Not before there is an active policy.
    pub fn new(active: Arc<ActivePolicy>) -> Self {
        Self { active, ready: AtomicBool::new(false), draining: AtomicBool::new(false) }
    }

    /// The listeners are bound.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// The process was told to stop.
    pub fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// What is missing; nothing when all is well.
    pub fn missing(&self) -> Vec<&'static str> {
        let draining = self.draining.load(Ordering::Acquire).then_some("draining");
        let starting = (!self.ready.load(Ordering::Acquire)).then_some("starting");
        let policy = self.active.current().is_none().then_some("policy");
        [starting, policy, draining].into_iter().flatten().collect()
    }
}

/// The operators' server; it ends when dropped.
pub struct Admin {
    task: JoinHandle<()>,
}

struct Pages {
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    public_keys: Bytes,
}

impl Admin {
    /// Binds and serves on the runtime that it is called on.
    pub fn start(
        bind: &Bind,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
        public_keys: Vec<Value>,
    ) -> Result<Self, BindError> {
        let listening = listener::bind("metrics", bind)?;
        tracing::info!(address = listening.address(), "metrics and health");
        let public_keys = json!({ "keys": public_keys }).to_string().into();
        let pages = Arc::new(Pages { metrics, health, public_keys });
        Ok(Self { task: tokio::spawn(serve(listening, pages)) })
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listening: Listening, pages: Arc<Pages>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let socket = listening.accept_patiently().await;
        let pages = Arc::clone(&pages);
        tokio::spawn(async move {
            speak_http(socket, pages).await;
            drop(slot);
        });
    }
}

async fn speak_http(socket: AcceptedSocket, pages: Arc<Pages>) {
    let Ok(stream) = socket.stream() else { return };
    let service = service_fn(move |request| {
        let answer = pages.answer(&request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_SECONDS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an operator's connection ended");
    }
}

impl Pages {
    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return page(
                StatusCode::METHOD_NOT_ALLOWED,
                "text/plain",
                "only GET and HEAD are answered here\n".into(),
            );
        }
        match request.uri().path() {
            "/livez" => page(StatusCode::OK, "text/plain", "ok\n".into()),
            "/readyz" => self.readiness(),
            "/metrics" => page(
                StatusCode::OK,
                "application/openmetrics-text; version=1.0.0; charset=utf-8",
                self.metrics.page().into(),
            ),
            "/jwks.json" => page(StatusCode::OK, "application/jwk-set+json", self.public_keys.clone()),
            _ => page(
                StatusCode::NOT_FOUND,
                "text/plain",
                "there is /livez, /readyz, /metrics and /jwks.json\n".into(),
            ),
        }
    }

    fn readiness(&self) -> Response<Full<Bytes>> {
        let missing = self.health.missing();
        if missing.is_empty() {
            return page(StatusCode::OK, "text/plain", "ok\n".into());
        }
        page(StatusCode::SERVICE_UNAVAILABLE, "application/json", json!(missing).to_string().into())
    }
}

fn page(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
