//! Turns an error into the response that the workload sees: the single mapping, and the only place for status codes.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::error::Error;

/// Our mark on every response.
pub const PROXY_STATUS: HeaderName = HeaderName::from_static("proxy-status");
/// The id of the audit record, on every response.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("claviger-request-id");

/// The mark on an upstream's answer of this status, by RFC 9209.
pub fn received(status: StatusCode) -> HeaderValue {
    if status == StatusCode::OK {
        return HeaderValue::from_static("claviger; received-status=200");
    }
    let text = format!("claviger; received-status={}", status.as_u16());
    HeaderValue::from_str(&text).expect("digits are valid in a header value")
}

/// What the caller reads, by RFC 9457.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// A row of the mapping.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    /// The error type of RFC 9209.
    proxy_error: &'static str,
    retryable: bool,
    hint: Option<&'static str>,
}

/// The documented code of `error`.
pub fn code(error: &Error) -> &'static str {
    row(error).code
}

/// The response to a request that ended in `error`; `id` is that of its audit record.
pub fn refuse(error: &Error, id: &str) -> Response<Bytes> {
    let row = row(error);
    let mut response = Response::new(Bytes::from(problem(error, id).to_string()));
    *response.status_mut() = denial_status(error).unwrap_or(row.status);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(PROXY_STATUS, HeaderValue::from_static(row.proxy_error));
    if let Some(wait) = retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil().max(1.0) as u64));
    }
    response
}

/// The problem document that the workload reads.
pub fn problem(error: &Error, id: &str) -> Value {
    let row = row(error);
    let (reason, rule, hint) = words(error);
    let problem = Problem {
        r#type: format!("https://claviger.dev/problems/{}", row.code),
        title: row.title,
        status: denial_status(error).unwrap_or(row.status).as_u16(),
        code: row.code,
        id,
        reason,
        rule,
        retryable: row.retryable,
        hint: hint.or(row.hint),
    };
    serde_json::to_value(problem).expect("strings and numbers always serialise")
}

/// The policy's own words on a denial; ours on everything else. Never a word of an issuer or an upstream.
fn words(error: &Error) -> (Option<String>, Option<&str>, Option<&str>) {
    match error {
        Error::Denied(denial) => (denial.reason.clone(), denial.rule.as_deref(), denial.hint.as_deref()),
        Error::UpstreamTls(_) => (Some("the upstream's certificate or handshake was not accepted".into()), None, None),
        Error::PolicyFailed(_) | Error::PolicyUnsound(_) => {
            (Some("the policy did not yield a decision that can be honoured".into()), None, None)
        }
        other => (Some(other.to_string()), None, None),
    }
}

fn denial_status(error: &Error) -> Option<StatusCode> {
    let Error::Denied(denial) = error else { return None };
    denial.status.and_then(|status| StatusCode::from_u16(status).ok())
}

fn retry_after(error: &Error) -> Option<Duration> {
    match error {
        Error::IssuerUnavailable { retry_after } | Error::IssuerRefused { retry_after } => Some(*retry_after),
        Error::AuditUnavailable | Error::Overloaded | Error::Draining => Some(Duration::from_secs(1)),
        _ => None,
    }
}

fn row(error: &Error) -> Refusal {
    let refusal = |status, code, title, proxy_error| Refusal {
        status,
        code,
        title,
        proxy_error,
        retryable: false,
        hint: None,
    };
    let again = |refusal| Refusal { retryable: true, ..refusal };
    let hinted = |refusal, hint| Refusal { hint: Some(hint), ..refusal };
    const MALFORMED: &str = "claviger; error=http_request_error";
    const FORBIDDEN: &str = "claviger; error=http_request_denied";
    const OURS: &str = "claviger; error=proxy_internal_error";
    use StatusCode as S;
    match error {
        Error::BadRequest(_) => refusal(S::BAD_REQUEST, "bad_request", "Not a request we can read", MALFORMED),
        Error::PathNotCanonical(_) => hinted(
            refusal(S::BAD_REQUEST, "path_not_canonical", "The path has more than one reading", MALFORMED),
            "send the path in its plain form, without encoded separators, dots or empty segments",
        ),
        Error::HeaderNotAllowed(_) => {
            refusal(S::BAD_REQUEST, "header_not_allowed", "A header that is not carried", MALFORMED)
        }
        Error::BodyFraming(_) => {
            refusal(S::BAD_REQUEST, "body_framing", "The body's length has more than one reading", MALFORMED)
        }
        Error::HeadTooLarge => hinted(
            refusal(S::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large", "The request head is too large", MALFORMED),
            "send fewer or shorter headers, or raise limits.header_bytes",
        ),
        Error::CallerNotAllowed => {
            refusal(S::FORBIDDEN, "caller_not_allowed", "This caller may not use this listener", FORBIDDEN)
        }
        Error::BrowserRefused(_) => hinted(
            refusal(S::FORBIDDEN, "browser_refused", "Requests from web pages are refused", FORBIDDEN),
            "call by localhost or the bind address, without Origin; add other names to the listener's hosts",
        ),
        Error::NoRoute => hinted(
            refusal(S::FORBIDDEN, "no_route", "No route matches", FORBIDDEN),
            "the first segment of the path names the route: http://LISTENER/ROUTE/PATH",
        ),
        Error::Denied(_) => refusal(S::FORBIDDEN, "denied", "Denied by policy", FORBIDDEN),
        Error::CredentialNotOffered(_) => {
            refusal(S::FORBIDDEN, "credential_not_offered", "The route does not offer this credential", FORBIDDEN)
        }
        Error::PolicyFailed(_) | Error::PolicyUnsound(_) => {
            refusal(S::SERVICE_UNAVAILABLE, "policy_error", "The policy failed", OURS)
        }
        Error::IssuerUnavailable { .. } => {
            again(refusal(S::SERVICE_UNAVAILABLE, "issuer_unavailable", "No credential can be had now", OURS))
        }
        Error::IssuerRefused { .. } => {
            refusal(S::SERVICE_UNAVAILABLE, "issuer_refused", "The issuer refused a credential", OURS)
        }
        Error::AddressForbidden => refusal(
            S::FORBIDDEN,
            "address_forbidden",
            "The upstream's address is not allowed",
            "claviger; error=destination_ip_prohibited",
        ),
        Error::UpstreamUnreachable(_) => again(refusal(
            S::BAD_GATEWAY,
            "upstream_unreachable",
            "The upstream cannot be reached",
            "claviger; error=destination_unavailable",
        )),
        Error::UpstreamTls(_) => refusal(
            S::BAD_GATEWAY,
            "upstream_tls",
            "The upstream is not who it should be",
            "claviger; error=tls_certificate_error",
        ),
        Error::UpstreamProtocol(_) => refusal(
            S::BAD_GATEWAY,
            "upstream_protocol",
            "The upstream did not speak HTTP",
            "claviger; error=http_protocol_error",
        ),
        Error::UpstreamTimeout(_) | Error::DeadlineExceeded => again(refusal(
            S::GATEWAY_TIMEOUT,
            "upstream_timeout",
            "The upstream took too long",
            "claviger; error=http_response_timeout",
        )),
        Error::AuditUnavailable => again(refusal(
            S::SERVICE_UNAVAILABLE,
            "audit_unavailable",
            "Nothing is carried without a record",
            OURS,
        )),
        Error::Overloaded => again(refusal(
            S::SERVICE_UNAVAILABLE,
            "overloaded",
            "Too many requests",
            "claviger; error=connection_limit_reached",
        )),
        Error::Draining => again(refusal(S::SERVICE_UNAVAILABLE, "draining", "The sidecar is stopping", OURS)),
    }
}
