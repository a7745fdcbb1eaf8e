//! Turns an error into the response that the workload sees: the single mapping, and the only place for status codes.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;

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

/// What the workload reads, by RFC 9457.
#[derive(Debug, Serialize)]
pub struct Problem<'a> {
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
    status: u16,
    code: &'static str,
    title: &'static str,
    /// The error type of RFC 9209.
    proxy_error: &'static str,
    retryable: bool,
    hint: Option<&'static str>,
    /// Said instead of the error's own words, which are for the operator.
    reason: Option<&'static str>,
    /// Told in Retry-After, where the error itself does not know better.
    wait: Option<Duration>,
}

impl Refusal {
    const fn new(status: u16, code: &'static str, title: &'static str, proxy_error: &'static str) -> Self {
        Self { status, code, title, proxy_error, retryable: false, hint: None, reason: None, wait: None }
    }

    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    const fn reason(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    const fn wait(self, wait: Duration) -> Self {
        Self { wait: Some(wait), ..self }
    }

    const fn retryable(self) -> Self {
        Self { retryable: true, ..self }
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("the table holds valid status codes")
    }
}

const MALFORMED: &str = "claviger; error=http_request_error";
const FORBIDDEN: &str = "claviger; error=http_request_denied";
const OURS: &str = "claviger; error=proxy_internal_error";
const SOON: Duration = Duration::from_secs(1);

const BAD_REQUEST: Refusal = Refusal::new(400, "bad_request", "Not a request we can read", MALFORMED);
const PATH_NOT_CANONICAL: Refusal =
    Refusal::new(400, "path_not_canonical", "The path has more than one reading", MALFORMED)
        .hint("send the path in its plain form, without encoded separators, dots or empty segments");
const HEADER_NOT_ALLOWED: Refusal =
    Refusal::new(400, "header_not_allowed", "A header that is not carried", MALFORMED);
const BODY_FRAMING: Refusal =
    Refusal::new(400, "body_framing", "The body's length has more than one reading", MALFORMED);
const HEADERS_TOO_LARGE: Refusal =
    Refusal::new(431, "headers_too_large", "The request head is too large", MALFORMED)
        .hint("send fewer or shorter headers, or raise limits.header_bytes");
const CALLER_NOT_ALLOWED: Refusal =
    Refusal::new(403, "caller_not_allowed", "This caller may not use this listener", FORBIDDEN);
const BROWSER_REFUSED: Refusal =
    Refusal::new(403, "browser_refused", "Requests from web pages are refused", FORBIDDEN).hint(
        "call by localhost or the bind address, without Origin; add other names to the listener's hosts",
    );
const NO_ROUTE: Refusal = Refusal::new(403, "no_route", "No route matches", FORBIDDEN)
    .hint("the first segment of the path names the route: http://LISTENER/ROUTE/PATH");
const DENIED: Refusal = Refusal::new(403, "denied", "Denied by policy", FORBIDDEN);
const CREDENTIAL_NOT_OFFERED: Refusal =
    Refusal::new(403, "credential_not_offered", "The route does not offer this credential", FORBIDDEN);
const POLICY_ERROR: Refusal = Refusal::new(503, "policy_error", "The policy failed", OURS)
    .reason("the policy did not yield a decision that can be honoured");
const ISSUER_UNAVAILABLE: Refusal =
    Refusal::new(503, "issuer_unavailable", "No credential can be had now", OURS).retryable();
const ISSUER_REFUSED: Refusal = Refusal::new(503, "issuer_refused", "The issuer refused a credential", OURS);
const ADDRESS_FORBIDDEN: Refusal = Refusal::new(
    403,
    "address_forbidden",
    "The upstream's address is not allowed",
    "claviger; error=destination_ip_prohibited",
);
const UPSTREAM_UNREACHABLE: Refusal = Refusal::new(
    502,
    "upstream_unreachable",
    "The upstream cannot be reached",
    "claviger; error=destination_unavailable",
)
.retryable();
const UPSTREAM_TLS: Refusal = Refusal::new(
    502,
    "upstream_tls",
    "The upstream is not who it should be",
    "claviger; error=tls_certificate_error",
)
.reason("the upstream's certificate or handshake was not accepted");
const UPSTREAM_PROTOCOL: Refusal = Refusal::new(
    502,
    "upstream_protocol",
    "The upstream did not speak HTTP",
    "claviger; error=http_protocol_error",
);
const UPSTREAM_TIMEOUT: Refusal = Refusal::new(
    504,
    "upstream_timeout",
    "The upstream took too long",
    "claviger; error=http_response_timeout",
)
.retryable();
const POLICY_UNAVAILABLE: Refusal =
    Refusal::new(503, "policy_unavailable", "There is no policy yet", OURS).retryable().wait(SOON);
const AUDIT_UNAVAILABLE: Refusal =
    Refusal::new(503, "audit_unavailable", "Nothing is carried without a record", OURS)
        .retryable()
        .wait(SOON);
const OVERLOADED: Refusal =
    Refusal::new(503, "overloaded", "Too many requests", "claviger; error=connection_limit_reached")
        .retryable()
        .wait(SOON);
const DRAINING: Refusal =
    Refusal::new(503, "draining", "The sidecar is stopping", OURS).retryable().wait(SOON);

/// The documented code of `error`.
pub fn code(error: &Error) -> &'static str {
    row(error).code
}

/// The response to a request that ended in `error`; `id` is that of its audit record.
pub fn refuse(error: &Error, id: &str) -> Response<Bytes> {
    let row = row(error);
    let mut response = Response::new(own_body(error).unwrap_or_else(|| problem_body(error, id)));
    *response.status_mut() = denial_status(error).unwrap_or_else(|| row.status());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(wait) = retry_after(error) {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs_f64().ceil().max(1.0) as u64));
    }
    if let Error::Denied(denied) = error {
        for name in denied.headers.keys() {
            headers.remove(name);
        }
        headers.extend(denied.headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    if own_body(error).is_none() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    }
    headers.insert(PROXY_STATUS, HeaderValue::from_static(row.proxy_error));
    response
}

fn problem_body(error: &Error, id: &str) -> Bytes {
    let mut body = serde_json::to_vec(&problem(error, id)).expect("strings and numbers always serialise");
    body.push(b'\n');
    body.into()
}

/// The whole body of a denial where the policy gives it together with its media type.
fn own_body(error: &Error) -> Option<Bytes> {
    let Error::Denied(denied) = error else { return None };
    let body = denied.denial.body.as_ref().filter(|_| denied.headers.contains_key(CONTENT_TYPE))?;
    Some(Bytes::copy_from_slice(body.as_bytes()))
}

/// The problem document that the workload reads.
pub fn problem<'a>(error: &'a Error, id: &'a str) -> Problem<'a> {
    let row = row(error);
    let (reason, rule, hint) = words(error);
    Problem {
        r#type: format!("https://claviger.dev/problems/{}", row.code),
        title: row.title,
        status: denial_status(error).unwrap_or_else(|| row.status()).as_u16(),
        code: row.code,
        id,
        reason,
        rule,
        retryable: row.retryable,
        hint: hint.or(row.hint),
    }
}

/// Reason, rule and hint: the policy's own on a denial, ours on everything else. Never a word of an issuer or an
/// upstream.
fn words(error: &Error) -> (Option<String>, Option<&str>, Option<&str>) {
    if let Error::Denied(denied) = error {
        let denial = &denied.denial;
        let reason = denial.body.as_ref().or(denial.reason.as_ref());
        return (reason.cloned(), denial.rule.as_deref(), denial.hint.as_deref());
    }
    let reason = row(error).reason.map_or_else(|| error.to_string(), str::to_owned);
    (Some(reason), None, None)
}

fn denial_status(error: &Error) -> Option<StatusCode> {
    let Error::Denied(denied) = error else { return None };
    denied.denial.status.and_then(|status| StatusCode::from_u16(status).ok())
}

fn retry_after(error: &Error) -> Option<Duration> {
    if let Error::IssuerUnavailable { retry_after } | Error::IssuerRefused { retry_after } = error {
        return Some(*retry_after);
    }
    row(error).wait
}

fn row(error: &Error) -> &'static Refusal {
    match error {
        Error::BadRequest(_) | Error::BodyBroken => &BAD_REQUEST,
        Error::PathNotCanonical(_) => &PATH_NOT_CANONICAL,
        Error::HeaderNotAllowed(_) => &HEADER_NOT_ALLOWED,
        Error::BodyFraming(_) => &BODY_FRAMING,
        Error::HeadTooLarge => &HEADERS_TOO_LARGE,
        Error::CallerNotAllowed => &CALLER_NOT_ALLOWED,
        Error::BrowserRefused(_) => &BROWSER_REFUSED,
        Error::NoRoute => &NO_ROUTE,
        Error::Denied(_) => &DENIED,
        Error::CredentialNotOffered(_) => &CREDENTIAL_NOT_OFFERED,
        Error::PolicyUnavailable => &POLICY_UNAVAILABLE,
        Error::PolicyFailed(_) | Error::PolicyUnsound(_) => &POLICY_ERROR,
        Error::IssuerUnavailable { .. } => &ISSUER_UNAVAILABLE,
        Error::IssuerRefused { .. } => &ISSUER_REFUSED,
        Error::AddressForbidden => &ADDRESS_FORBIDDEN,
        Error::UpstreamUnreachable(_) => &UPSTREAM_UNREACHABLE,
        Error::UpstreamTls(_) => &UPSTREAM_TLS,
        Error::UpstreamProtocol(_) => &UPSTREAM_PROTOCOL,
        Error::UpstreamTimeout(_) | Error::DeadlineExceeded => &UPSTREAM_TIMEOUT,
        Error::AuditUnavailable => &AUDIT_UNAVAILABLE,
        Error::Overloaded => &OVERLOADED,
        Error::Draining => &DRAINING,
    }
}

#[cfg(test)]
mod tests {
    use claviger_policy::Denial;
    use serde_json::Value;

    use super::*;
    use crate::error::Denied;

    #[test]
    fn every_refusal_is_a_problem_document_with_its_own_status() {
        let soon = Duration::from_millis(1500);
        for (error, status, code, retry_after) in [
            (Error::BadRequest("x"), 400, "bad_request", None),
            (Error::HeadTooLarge, 431, "headers_too_large", None),
            (Error::NoRoute, 403, "no_route", None),
            (Error::IssuerUnavailable { retry_after: soon }, 503, "issuer_unavailable", Some("2")),
            (Error::UpstreamTls("names the certificate".into()), 502, "upstream_tls", None),
            (Error::DeadlineExceeded, 504, "upstream_timeout", None),
            (Error::Draining, 503, "draining", Some("1")),
            (Error::PolicyUnavailable, 503, "policy_unavailable", Some("1")),
        ] {
            let response = refuse(&error, "id-1");
            assert_eq!(response.status().as_u16(), status, "{code}");
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(
                response.headers().get(RETRY_AFTER).map(|wait| wait.to_str().expect("digits")),
                retry_after
            );
            let body: Value = serde_json::from_slice(response.body()).expect("JSON");
            assert_eq!(
                (&body["code"], &body["status"], &body["id"]),
                (&code.into(), &status.into(), &"id-1".into())
            );
            assert!(!body.to_string().contains("names the certificate"), "{body}");
        }
    }

    fn denied(denial: Denial, headers: &[(HeaderName, &'static str)]) -> Error {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        Error::Denied(Box::new(Denied { denial, headers: headers.collect() }))
    }

    fn silent() -> Denial {
        Denial { reason: None, rule: None, hint: None, status: None, headers: Vec::new(), body: None }
    }

    #[test]
    fn a_denial_speaks_in_the_policys_words() {
        let denial = Denial {
            reason: Some("writes need a task".into()),
            rule: Some("write-needs-task".into()),
            hint: Some("ask for a task".into()),
            status: Some(451),
            ..silent()
        };
        let error = denied(denial, &[]);
        let problem = serde_json::to_value(problem(&error, "id-1")).expect("JSON");
        assert_eq!(problem["status"], 451);
        assert_eq!(problem["reason"], "writes need a task");
        assert_eq!(problem["rule"], "write-needs-task");
        assert_eq!(problem["hint"], "ask for a task");
        assert_eq!(problem["retryable"], false);
    }

    #[test]
    fn an_envoy_policys_text_is_the_reason_or_with_its_type_the_body() {
        let told = || Denial { body: Some("<p>no</p>".into()), status: Some(401), ..silent() };
        let challenge = (HeaderName::from_static("www-authenticate"), "Basic");
        let plain = refuse(&denied(told(), std::slice::from_ref(&challenge)), "id-1");
        assert_eq!(plain.headers()[CONTENT_TYPE], "application/problem+json");
        let problem: Value = serde_json::from_slice(plain.body()).expect("JSON");
        assert_eq!((&problem["reason"], &problem["code"]), (&"<p>no</p>".into(), &"denied".into()));

        let html = refuse(&denied(told(), &[challenge, (CONTENT_TYPE, "text/html")]), "id-1");
        assert_eq!(
            (html.headers()[CONTENT_TYPE].as_bytes(), &html.body()[..]),
            (&b"text/html"[..], &b"<p>no</p>"[..])
        );
        for response in [&plain, &html] {
            assert_eq!(response.status(), 401);
            assert_eq!(response.headers()["www-authenticate"], "Basic");
            assert_eq!(response.headers()[PROXY_STATUS], "claviger; error=http_request_denied");
            assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        }

        let bodiless = refuse(&denied(silent(), &[(CONTENT_TYPE, "text/html")]), "id-1");
        assert_eq!(bodiless.headers().get_all(CONTENT_TYPE).iter().count(), 1);
        assert_eq!(bodiless.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
