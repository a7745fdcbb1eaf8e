//! A small HTTP server on loopback, for the parts of the demo that are not ours: the issuer and the upstream.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

const CONNECTIONS_MAX: usize = 64;
const HEAD_SECONDS_MAX: Duration = Duration::from_secs(30);
/// Bytes of a request's body.
const BODY_BYTES_MAX: usize = 1 << 20;

/// A server that ends when dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Answers on a free port of 127.0.0.1.
    pub(super) async fn start<A, F>(answer: A) -> io::Result<Self>
    where
        A: Fn(Request<Bytes>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Bytes>> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { address: listener.local_addr()?, task: tokio::spawn(accept(listener, answer)) })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{body:#}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn accept<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Request<Bytes>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Bytes>> + Send + 'static,
{
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| read_and_answer(request, answer.clone()));
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEAD_SECONDS_MAX);
            if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
                tracing::debug!(%error, "a connection of the demo ended");
            }
            drop(slot);
        });
    }
}

async fn read_and_answer<A, F>(
    request: Request<Incoming>,
    answer: A,
) -> Result<Response<Full<Bytes>>, Infallible>
where
    A: Fn(Request<Bytes>) -> F,
    F: Future<Output = Response<Bytes>>,
{
    let (head, body) = request.into_parts();
    let response = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => answer(Request::from_parts(head, body.to_bytes())).await,
        Err(_) => json(StatusCode::PAYLOAD_TOO_LARGE, &Value::from("the body is too large, or broke off")),
    };
    Ok(response.map(Full::new))
}
