//! The demo's workload: a plain HTTP client that holds no credential.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, HeaderMap};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

const CALL_SECONDS_MAX: Duration = Duration::from_secs(10);
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A request, and how a person would send it.
pub(super) struct Call<'a> {
    /// Its method.
    pub(super) method: Method,
    /// `host:port`.
    pub(super) address: &'a str,
    /// The path on that host.
    pub(super) path: &'a str,
    /// A header's name and value.
    pub(super) header: Option<(&'static str, &'a str)>,
}

/// What came back.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl<'a> Call<'a> {
    /// A plain request to read.
    pub(super) fn read(address: &'a str, path: &'a str) -> Self {
        Self { method: Method::GET, address, path, header: None }
    }

    /// As a person would type it; of a header's value nothing but `shown`.
    pub(super) fn as_curl(&self, shown: &str) -> String {
        let method = if self.method == Method::GET { String::new() } else { format!(" -X {}", self.method) };
        let header = self.header.map(|(name, _)| format!(" -H '{name}: {shown}'")).unwrap_or_default();
        format!("curl{method}{header} http://{}{}", self.address, self.path)
    }

    /// Sends it on a connection of its own and reads the whole answer.
    pub(super) async fn send(&self) -> Result<Answer, String> {
        match tokio::time::timeout(CALL_SECONDS_MAX, self.exchange()).await {
            Ok(answer) => answer.map_err(|error| format!("no answer from {}: {error}", self.address)),
            Err(_) => Err(format!("no answer from {} in time", self.address)),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the demo plays the workload, which is not ours to guard")]
    async fn exchange(&self) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
        let stream = TcpStream::connect(self.address).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder().method(&self.method).uri(self.path).header(HOST, self.address);
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        let (head, body) = sender.send_request(request.body(Full::<Bytes>::default())?).await?.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
        drop(sender);
        connection.await??;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl Answer {
    /// The problem document of a refusal; null where it is none.
    pub(super) fn problem(&self) -> Value {
        let is_problem =
            self.headers.get(CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        is_problem.then(|| serde_json::from_slice(&self.body).ok()).flatten().unwrap_or_default()
    }

    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
