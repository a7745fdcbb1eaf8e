//! Why a request was not carried: one variant per cause, each saying who is to blame and whether a retry helps.
//!
//! [`crate::refuse`] alone turns these into responses.

use std::time::Duration;

use claviger_policy::{Denial, EvalError};
use http::HeaderMap;

/// The end of a request that is not an upstream's answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The head is not a request that we can read in one way only.
    #[error("{0}")]
    BadRequest(&'static str),
    /// The path has more than one reading.
    #[error("{0}")]
    PathNotCanonical(&'static str),
    /// A header that we do not carry.
    #[error("{0}")]
    HeaderNotAllowed(&'static str),
    /// The length of the body has more than one reading.
    #[error("{0}")]
    BodyFraming(&'static str),
    /// The workload's body ended before its length, or nothing came of it for too long.
    #[error("the request's body broke off")]
    BodyBroken,
    /// The head is longer than `limits.header_bytes`.
    #[error("the request head is too large")]
    HeadTooLarge,
    /// The caller's uid is not among the listener's `callers`, or cannot be told.
    #[error("this caller may not use this listener")]
    CallerNotAllowed,
    /// It smells of a web page: a foreign `Origin`, `Sec-Fetch-Site` or `Host`.
    #[error("{0}")]
    BrowserRefused(&'static str),
    /// No route bears that name.
    #[error("no route matches this request")]
    NoRoute,
    /// No policy has come yet.
    #[error("there is no policy yet")]
    PolicyUnavailable,
    /// The policy said no.
    #[error("denied by policy")]
    Denied(Box<Denied>),
    /// The policy chose a credential or scopes that the route does not offer.
    #[error("{0}")]
    CredentialNotOffered(&'static str),
    /// The policy did not yield a decision.
    #[error("the policy could not be evaluated: {0}")]
    PolicyFailed(#[from] EvalError),
    /// The policy's permit cannot be honoured.
    #[error("the policy's decision cannot be honoured: {0}")]
    PolicyUnsound(String),
    /// The issuer did not answer in time, or not with a usable credential.
    #[error("the issuer is unavailable")]
    IssuerUnavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The issuer answered, and refused us.
    #[error("the issuer refused")]
    IssuerRefused {
        /// When to try again.
        retry_after: Duration,
    },
    /// The upstream's name leads to an address that the route does not allow.
    #[error("the upstream resolves to an address that this route does not allow")]
    AddressForbidden,
    /// No connection could be made.
    #[error("the upstream cannot be reached: {0}")]
    UpstreamUnreachable(&'static str),
    /// The upstream is not who it should be.
    #[error("the upstream's TLS was refused: {0}")]
    UpstreamTls(String),
    /// What came back is not HTTP that we can read in one way only.
    #[error("the upstream did not speak HTTP: {0}")]
    UpstreamProtocol(&'static str),
    /// The upstream took longer than the route's timeouts.
    #[error("the upstream took too long: {0}")]
    UpstreamTimeout(&'static str),
    /// The whole request took longer than `limits.request_timeout`.
    #[error("the request took too long")]
    DeadlineExceeded,
    /// The audit cannot be written.
    #[error("the audit record cannot be written")]
    AuditUnavailable,
    /// Too much is going on.
    #[error("too many requests are under way")]
    Overloaded,
    /// The sidecar is stopping.
    #[error("the sidecar is stopping")]
    Draining,
}

/// A policy's no.
#[derive(Debug)]
pub struct Denied {
    /// Its words.
    pub denial: Denial,
    /// Headers that it puts on the refusal.
    pub headers: HeaderMap,
}

impl Error {
    /// Whether what follows on the connection can no longer be trusted to be a request.
    pub fn breaks_connection(&self) -> bool {
        matches!(
            self,
            Self::BadRequest(_)
                | Self::BodyFraming(_)
                | Self::BodyBroken
                | Self::HeadTooLarge
                | Self::Draining
        )
    }
}
