//! The one way to talk to an issuer over HTTP: bounded in size, without redirects, proxies or kept connections,
//! and silent about what was said.
//!
//! How long a call may take in all is not decided here but by the one who drives the source.

pub(super) mod oauth;

use std::error::Error;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use claviger_config::{Findings, HttpUrl, Kind, SecretRef, TlsSettings};
use http::HeaderMap;
use http::header::HeaderValue;
use http::{Request, StatusCode};
use reqwest::redirect::Policy;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::material;
use super::source::{self, IssueError};
use crate::tls;

/// An answer is read up to this size.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// A client for the issuer of one source.
pub(crate) struct Issuer {
    tls: Option<TlsSettings>,
    /// Made when first needed, since only then are secrets read, and anew after a failure, since they may have been
    /// replaced.
    client: Mutex<Option<reqwest::Client>>,
}

/// What an issuer answered; wiped when dropped.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Issuer {
    /// A client for the `urls` of a kind, each given with its key. A URL in the clear is a finding unless
    /// `allow_plaintext`, and so is a file of roots that cannot be used.
    pub(super) fn new(
        kind: &Kind,
        urls: &[(&str, Option<&HttpUrl>)],
        allow_plaintext: bool,
        tls: Option<TlsSettings>,
        findings: &mut Findings,
    ) -> Self {
        for (key, _) in urls.iter().filter(|(_, url)| url.is_some_and(HttpUrl::is_plaintext)) {
            if !allow_plaintext {
                let message =
                    "secrets would be readable on the way; use https://, or say `allow_plaintext: true`";
                source::fault(kind, key, "plaintext", message, findings);
            }
        }
        let ca = tls.as_ref().and_then(|tls| tls.ca.as_deref());
        if let Some(error) = ca.and_then(|ca| tls::client_config(Some(ca)).err()) {
            source::fault(kind, "tls.ca", "bad_file", &error.to_string(), findings);
        }
        Self::over(tls)
    }

    /// A client for settings that were judged elsewhere.
    pub(crate) fn over(tls: Option<TlsSettings>) -> Self {
        Self { tls, client: Mutex::new(None) }
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Answer, IssueError> {
        self.send_within(request, ANSWER_BYTES_MAX).await
    }

    /// The same with another bound for the answer's body.
    pub(crate) async fn send_within(
        &self,
        request: Request<Bytes>,
        answer_bytes_max: usize,
    ) -> Result<Answer, IssueError> {
        let request = reqwest::Request::try_from(request)
            .map_err(|_| IssueError::Refused("the issuer's address cannot be used"))?;
        let mut response = self.client()?.execute(request).await.map_err(|error| {
            *self.made() = None;
            unsent(&error)
        })?;
        let too_long = IssueError::Invalid("the answer is too long");
        let length = response.content_length().unwrap_or(0);
        let expected = usize::try_from(length).ok().filter(|length| *length <= answer_bytes_max);
        let mut body = Zeroizing::new(Vec::with_capacity(expected.ok_or(too_long)?));
        let broken = |_| IssueError::Unavailable("the answer broke off");
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            if body.len() + piece.len() > answer_bytes_max {
                return Err(too_long);
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
    }

    fn made(&self) -> MutexGuard<'_, Option<reqwest::Client>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn client(&self) -> Result<reqwest::Client, IssueError> {
        let mut client = self.made();
        if let Some(client) = &*client {
            return Ok(client.clone());
        }
        let made = connect_with(self.tls.as_ref())?;
        *client = Some(made.clone());
        Ok(made)
    }
}

impl Answer {
    /// The body as JSON of the shape `T`.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, IssueError> {
        serde_json::from_slice(&self.body)
            .map_err(|_| IssueError::Invalid("it is not of the documented shape"))
    }
}

/// A header value that is marked sensitive and wiped when dropped. `None` if it has a byte that no header carries.
pub(crate) fn sensitive(value: Zeroizing<String>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(wiped(value)).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Bytes that are wiped when dropped.
pub(super) fn wiped(text: Zeroizing<String>) -> Bytes {
    struct Owner(Zeroizing<String>);
    impl AsRef<[u8]> for Owner {
        fn as_ref(&self) -> &[u8] {
            self.0.as_bytes()
        }
    }
    Bytes::from_owner(Owner(text))
}

fn connect_with(tls: Option<&TlsSettings>) -> Result<reqwest::Client, IssueError> {
    let unusable = |error: tls::SetupError| {
        tracing::error!(%error, "TLS towards an issuer cannot be set up");
        IssueError::Refused("the TLS settings cannot be used")
    };
    let ca = tls.and_then(|tls| tls.ca.as_deref());
    let config = match tls.and_then(|tls| tls.client.as_ref()) {
        None => tls::client_config(ca),
        Some(client) => {
            let chain = tls::certificates(&client.cert).map_err(unusable)?;
            tls::client_config_as(tls::Identity { chain, key: private_key(&client.key)? }, ca)
        }
    };
    let config = config.map_err(unusable)?;
    reqwest::Client::builder()
        .tls_backend_preconfigured(Arc::unwrap_or_clone(config))
        .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .http1_only()
        // calls are rare, and a kept connection that went stale would look like an outage
        .pool_max_idle_per_host(0)
        .build()
        .map_err(|_| IssueError::Refused("the TLS settings cannot be used"))
}

fn private_key(reference: &SecretRef) -> Result<PrivateKeyDer<'static>, IssueError> {
    let pem = material::bytes(reference)?;
    PrivateKeyDer::from_pem_slice(&pem)
        .map_err(|_| IssueError::Refused("the client's key is not a key in PEM"))
}

/// Why no answer came; never with the text of the error, which names addresses and may quote the peer.
fn unsent(error: &reqwest::Error) -> IssueError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return IssueError::Unavailable("TLS could not be agreed on");
        }
        // an io::Error hides what it wraps from `source`
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = wrapped.map(|wrapped| wrapped as _).or_else(|| error.source());
    }
    if error.is_connect() {
        return IssueError::Unavailable("no connection");
    }
    IssueError::Unavailable("no answer")
}

#[cfg(test)]
mod tests;
