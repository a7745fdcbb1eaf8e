//! A server of the operator's that the sidecar calls on its own account: a bundle service, or whoever takes its reports.
//!
//! Calls are bounded in time and size, follow no redirect and no proxy, and leave nothing of what was said in the log.

pub mod auth;
pub mod retry;

use std::time::Duration;

use bytes::Bytes;
use claviger_config::{Findings, HttpUrl, TlsSettings};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, StatusCode};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::credential::issuer::{Answer, Issuer};
use crate::credential::source::IssueError;
use crate::tls;
use auth::Auth;

/// A configured server, whom we trust there, and who we are there.
pub struct Endpoint {
    url: HttpUrl,
    client: Issuer,
    auth: Auth,
    timeout: Duration,
}

/// One call of an endpoint's URL.
pub struct Call {
    /// As `GET`.
    pub method: Method,
    /// Beside those of HTTP itself and `Authorization`.
    pub headers: HeaderMap,
    /// Empty where there is none.
    pub body: Bytes,
    /// Beside the configured timeout, for a server that was asked to hold its answer.
    pub patience: Duration,
    /// What is longer is no answer.
    pub answer_bytes_max: usize,
}

/// What a server answered, whatever the status; the body is wiped when dropped.
pub struct Reply {
    /// The status; a redirect is one that nobody follows.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer. Never with a byte of what the server said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Down, slow, not who it should be, or cut off; another try may help.
    #[error("the server is unavailable: {0}")]
    Unavailable(&'static str),
    /// Our own settings or secrets cannot be used.
    #[error("the server cannot be called: {0}")]
    Unusable(&'static str),
    /// Longer than the call allows.
    #[error("the server's answer cannot be used: {0}")]
    Invalid(&'static str),
    /// There is no token to call it with.
    #[error("there is no token for the server: {0}")]
    NoToken(IssueError),
}

impl Endpoint {
    /// An endpoint with checked settings, without network and without needing a secret; `None` when findings were added.
    pub fn new(settings: &claviger_config::Endpoint, findings: &mut Findings) -> Option<Self> {
        let auth = match &settings.auth {
            Some(kind) => auth::build(kind, findings),
            None => Some(Auth::Nobody),
        };
        let ca = settings.tls_ca.as_ref();
        if let Some((ca, error)) = ca.and_then(|ca| Some((ca, tls::client_config(Some(&ca.value)).err()?))) {
            findings.error("bad_file", ca.path.clone(), ca.location, error.to_string());
            return None;
        }
        let tls = TlsSettings { ca: ca.map(|ca| ca.value.clone()), client: settings.tls_client.clone() };
        let (url, timeout) = (settings.url.value.clone(), settings.timeout);
        Some(Self { url, client: Issuer::over(Some(tls)), auth: auth?, timeout })
    }

    /// Where it is, for the log.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Calls it once, or twice where a token that it no longer takes could be replaced.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn send(&self, call: &Call) -> Result<Reply, CallError> {
        let whole = timeout(self.timeout + call.patience, self.send_as_somebody(call));
        whole.await.unwrap_or(Err(CallError::Unavailable("no answer in time")))
    }

    async fn send_as_somebody(&self, call: &Call) -> Result<Reply, CallError> {
        let reply = self.send_once(call).await?;
        if reply.status == StatusCode::UNAUTHORIZED && self.auth.forget().await {
            return self.send_once(call).await;
        }
        Ok(reply)
    }

    async fn send_once(&self, call: &Call) -> Result<Reply, CallError> {
        let proof = self.auth.proof().await.map_err(CallError::NoToken)?;
        let mut request = Request::new(call.body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() =
            self.url.as_str().parse().map_err(|_| CallError::Unusable("its address cannot be used"))?;
        *request.headers_mut() = call.headers.clone();
        if let Some(proof) = proof {
            request.headers_mut().insert(AUTHORIZATION, proof);
        }
        let answer = self.client.send_within(request, call.answer_bytes_max).await;
        answer.map(Reply::from).map_err(CallError::from)
    }
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        let Answer { status, headers, body } = answer;
        Self { status, headers, body }
    }
}

/// The engine is the issuers', and so are its words.
impl From<IssueError> for CallError {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Unavailable(why) => Self::Unavailable(why),
            IssueError::Refused(why) => Self::Unusable(why),
            IssueError::Invalid(why) => Self::Invalid(why),
        }
    }
}

#[cfg(test)]
mod tests;
