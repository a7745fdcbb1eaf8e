//! One worker's idle upstream connections, by route: what binds a credential to a connection (verified name, port,
//! roots) is the route's, so no connection ever serves another route.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;

use super::body::RequestBody;
use super::dial::DialledStream;
use crate::admin::metrics::{Metrics, UpstreamLabels, UpstreamState};
use crate::clock;
use crate::error::Error;
use crate::route::Route;

/// Idle connections kept for one route by one worker.
const IDLE_MAX: usize = 256;
/// Shorter than most servers keep an idle connection.
const IDLE_SECONDS_MAX: Duration = Duration::from_secs(55);
/// Read at once from an upstream, and so the longest response head.
const READ_BYTES_MAX: usize = 64 << 10;

/// Idle connections of every route.
pub(super) struct Pool {
    routes: Vec<PerRoute>,
}

struct PerRoute {
    idle: RefCell<Vec<Idle>>,
    idle_count: Gauge,
    active_count: Gauge,
}

struct Idle {
    sender: SendRequest<RequestBody>,
    address: SocketAddr,
    since: Instant,
}

/// A connection in use. It goes back to the pool only from [`Pooled::give_back`]; dropped, it is closed.
pub(super) struct Pooled {
    sender: Option<SendRequest<RequestBody>>,
    address: SocketAddr,
    route: usize,
    pool: Rc<Pool>,
}

impl Pool {
    /// An empty pool for `routes`, whose indexes are their places.
    pub(super) fn new(routes: &[Route], metrics: Arc<Metrics>) -> Rc<Self> {
        let gauge = |route: &Route, state| {
            let labels = UpstreamLabels { route: route.name().to_string(), state };
            metrics.upstream_connections.get_or_create(&labels).clone()
        };
        let per_route = |route: &Route| PerRoute {
            idle: RefCell::default(),
            idle_count: gauge(route, UpstreamState::idle),
            active_count: gauge(route, UpstreamState::active),
        };
        Rc::new(Self { routes: routes.iter().map(per_route).collect() })
    }

    /// The connection that was last in use, for it is the least likely to be closed.
    pub(super) fn take(self: &Rc<Self>, route: &Route) -> Option<Pooled> {
        let own = &self.routes[route.index()];
        let mut idle = own.idle.borrow_mut();
        while let Some(last) = idle.pop() {
            own.idle_count.dec();
            if last.sender.is_ready() && !last.sender.is_closed() {
                drop(idle);
                return Some(self.in_use(last.sender, last.address, route.index()));
            }
        }
        None
    }

    /// Begins HTTP/1.1 on a fresh connection.
    pub(super) async fn adopt(
        pool: &Rc<Self>,
        route: &Route,
        stream: DialledStream,
        address: SocketAddr,
    ) -> Result<Pooled, Error> {
        let mut builder = http1::Builder::new();
        builder.read_buf_exact_size(Some(READ_BYTES_MAX));
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Error::UpstreamUnreachable("the connection broke"))?;
        tokio::task::spawn_local(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "an upstream connection ended");
            }
        });
        Ok(pool.in_use(sender, address, route.index()))
    }

    fn in_use(
        self: &Rc<Self>,
        sender: SendRequest<RequestBody>,
        address: SocketAddr,
        route: usize,
    ) -> Pooled {
        self.routes[route].active_count.inc();
        Pooled { sender: Some(sender), address, route, pool: Rc::clone(self) }
    }

    /// Closes connections that have been idle for long or were closed by the other side.
    pub(super) fn sweep(&self) {
        let now = clock::monotonic();
        for route in &self.routes {
            let mut idle = route.idle.borrow_mut();
            let before = idle.len();
            idle.retain(|idle| !idle.sender.is_closed() && now.duration_since(idle.since) < IDLE_SECONDS_MAX);
            route.idle_count.dec_by(i64::try_from(before - idle.len()).unwrap_or(i64::MAX));
        }
    }
}

impl Pooled {
    /// Where it leads.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends one request; a request that was not even begun comes back in the error.
    pub(super) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        self.sender.as_mut().expect("only give_back and drop take the sender").try_send_request(request).await
    }

    /// Its answer was read to the end: the connection may serve again.
    pub(super) fn give_back(mut self) {
        let Some(sender) = self.sender.take() else { return };
        let own = &self.pool.routes[self.route];
        let mut idle = own.idle.borrow_mut();
        if idle.len() < IDLE_MAX && !sender.is_closed() {
            own.idle_count.inc();
            idle.push(Idle { sender, address: self.address, since: clock::monotonic() });
        }
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.routes[self.route].active_count.dec();
    }
}
