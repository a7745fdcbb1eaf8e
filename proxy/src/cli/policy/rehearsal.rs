//! Requests that nobody sent, taken through the stages that would carry them up to the policy's input, so that what is
//! tried here is the document that serving would build.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use claviger_config::{Location, Scheme, Timeouts, Upstream};
use claviger_policy::input::Time;
use claviger_policy::input::ext_authz::Timestamp;
use claviger_policy::{Dialect, Policy};
use futures_util::FutureExt as _;
use http::uri::Authority;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::active::ActivePolicy;
use crate::admin::metrics::Metrics;
use crate::authorize::{Authorizer, LeaseOutlook, Surroundings, Terms};
use crate::connection::{Connection, ListenerFacts, Peer};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::identity::{Identifier, Inbound};
use crate::request::Request;
use crate::request::id::RequestId;
use crate::route::{Route, Routed, Routes};
use crate::tally::Tally;

/// The name of the route that every request takes.
const ROUTE: &str = "test";
/// The id of every request, and of the sidecar.
const ID: &str = "00000000-0000-7000-8000-000000000000";
const TIMEOUT: Duration = Duration::from_secs(1);

/// A request as an author writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// The method.
    pub(super) method: String,
    /// The upstream's URL, with a query.
    pub(super) url: String,
    /// Names and values in order.
    pub(super) headers: Vec<(String, String)>,
    /// The whole body, where there is one.
    pub(super) body: Option<Vec<u8>>,
}

/// One policy's way to its inputs.
pub(super) struct Rehearsal {
    policy: Arc<Policy>,
    authorizer: Authorizer,
    identifier: Identifier,
    tally: Rc<Tally>,
}

/// No lease is ever at hand.
struct NoLeases;

impl LeaseOutlook for NoLeases {
    fn peek(&self, _: &Terms) -> Option<Option<Duration>> {
        None
    }
}

impl Rehearsal {
    pub(super) fn new(policy: &Arc<Policy>) -> Self {
        let surroundings = Surroundings { environment: None, labels: BTreeMap::new(), sidecar: ID.into() };
        let active = ActivePolicy::new(Some(Arc::clone(policy)));
        Self {
            policy: Arc::clone(policy),
            authorizer: Authorizer::new(active, surroundings, Rc::new(NoLeases)),
            identifier: Identifier::new(Arc::default()),
            tally: Rc::new(Tally::new(Arc::new(Metrics::new()))),
        }
    }

    /// The input document for a request at the moment `now_ns`, from a workload of which nothing is known. The error is
    /// a sentence that says why no policy would ever see such a request.
    pub(super) fn document(&self, draft: &Draft, now_ns: i64) -> Result<Value, String> {
        if draft.body.is_some() && self.policy.body_bytes_max().is_none() {
            return Err("the bundle does not ask for bodies, in `claviger.body.max` of its metadata".into());
        }
        let (upstream, head) = split(draft)?;
        let refused = |error: Error| format!("this request is refused before a policy is asked: {error}");
        let routed = self.carry(upstream, head).map_err(refused)?;
        let body = Bytes::from(draft.body.clone().unwrap_or_default());
        let mut document = self.authorizer.explain_with(&routed, &body).map_err(refused)?;
        settle(self.policy.dialect(), &mut document, body.len(), now_ns);
        Ok(document)
    }

    fn carry(&self, upstream: Upstream, head: http::request::Parts) -> Result<Routed, Error> {
        let listener = ListenerFacts { name: "app".into(), callers: None, hosts: Vec::new() };
        let connection = Rc::new(Connection::new(Rc::new(listener), Peer::Pretended { uid: None }));
        let id = RequestId::from_uuid(Uuid::parse_str(ID).expect("a UUID"));
        let exchange = Exchange::begin(id, connection, None, Rc::clone(&self.tally));
        let request = Request::admit(head, None)?;
        let identified =
            self.identifier.identify(Inbound { request: Box::new(request), exchange }).now_or_never();
        let identified = identified.expect("who is pretended is known at once")?;
        Routes::new(&[Route::new(0, route(upstream), Vec::new())]).select(identified)
    }
}

/// What the wire and the clock would have said.
fn settle(dialect: Dialect, document: &mut Value, body_bytes: usize, now_ns: i64) {
    match dialect {
        Dialect::Mediation => {
            document["time"] = json!(Time::from_ns(now_ns));
            document["request"]["content_length"] = json!(body_bytes);
        }
        Dialect::ExtAuthz => {
            let request = &mut document["attributes"]["request"];
            request["time"] = json!(Timestamp::from_ns(now_ns));
            if body_bytes > 0 {
                request["http"]["size"] = json!(body_bytes);
                request["http"]["headers"]["content-length"] = json!(body_bytes.to_string());
            }
        }
    }
}

/// The upstream that a URL names, and the head that a workload would send to a reverse listener.
fn split(draft: &Draft) -> Result<(Upstream, http::request::Parts), String> {
    let (scheme, rest) = draft.url.split_once("://").ok_or("a URL begins with https:// or http://")?;
    let scheme = match scheme {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return Err("a URL begins with https:// or http://".into()),
    };
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority: Authority =
        rest[..at].parse().map_err(|_| format!("`{}` is no host with or without a port", &rest[..at]))?;
    let upstream = Upstream {
        scheme,
        host: authority.host().trim_matches(['[', ']']).to_ascii_lowercase(),
        port: authority.port_u16().unwrap_or(scheme.default_port()),
        base_path: String::new(),
    };
    let slash = if rest[at..].starts_with('/') { "" } else { "/" };
    let mut head = http::Request::builder()
        .method(draft.method.as_bytes())
        .uri(format!("/{ROUTE}{slash}{}", &rest[at..]));
    for (name, value) in &draft.headers {
        head = head.header(name, value);
    }
    let request = head.body(()).map_err(|error| format!("this is no request: {error}"))?;
    Ok((upstream, request.into_parts().0))
}

fn route(upstream: Upstream) -> claviger_config::Route {
    claviger_config::Route {
        name: ROUTE.into(),
        hosts: vec![upstream.authority()],
        upstream,
        credentials: Vec::new(),
        timeouts: Timeouts { connect: TIMEOUT, response: TIMEOUT, idle: TIMEOUT },
        tls_ca: None,
        scrub: false,
        strip_response_headers: Vec::new(),
        allow_private: false,
        location: Location::START,
    }
}

/// Lays `over` on `document`: objects are laid on each other key by key, null takes a key away, all else is put in place
/// of what was there (RFC 7396).
pub(super) fn lay(document: &mut Value, over: &Value) {
    let Value::Object(fields) = over else {
        *document = over.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    for (key, value) in fields {
        match (value, document.as_object_mut()) {
            (Value::Null, Some(known)) => drop(known.remove(key)),
            (_, Some(known)) => lay(known.entry(key.clone()).or_insert(Value::Null), value),
            (_, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use claviger_policy::{Bundle, Limits, shipped};

    use super::*;

    fn rehearsal(dialect: Dialect) -> Rehearsal {
        let bundle = Bundle::read(shipped::BASELINE).expect("it is a bundle");
        let limits = Limits::new(Duration::from_secs(1), 64 << 20);
        let policy = Policy::load(&bundle, shipped::ENTRYPOINT, limits).expect("it loads");
        Rehearsal::new(&Arc::new(policy.in_dialect(dialect)))
    }

    fn draft(method: &str, url: &str, headers: &[(&str, &str)]) -> Draft {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Draft { method: method.into(), url: url.into(), headers, body: None }
    }

    #[test]
    fn documents_are_what_serving_would_build() {
        let rehearsal = rehearsal(Dialect::Mediation);
        let headers =
            [("Accept", "a/b"), ("Authorization", "x"), ("Claviger-Purpose", "close"), ("accept", "c/d")];
        let asked = draft("GET", "https://API.example:8443/a/../b%41/?q=1&q=%32&token=t&sig=s", &headers);
        let document = rehearsal.document(&asked, 1_767_225_600_000_000_000).expect("it is a request");
        let expected = json!({
            "version": 1, "id": ID,
            "time": { "now_ns": 1_767_225_600_000_000_000_i64, "rfc3339": "2026-01-01T00:00:00Z", "weekday": "Thursday" },
            "workload": {},
            "claimed": { "purpose": "close" },
            "request": {
                "method": "GET", "scheme": "https", "host": "api.example", "port": 8443, "path": "/bA/",
                "segments": ["bA", ""], "query": { "q": ["1", "2"], "token": ["t"] },
                "headers": { "accept": ["a/b", "c/d"] }, "presented": ["authorization", "sig"],
                "protocol": "HTTP/1.1", "content_length": 0
            },
            "route": { "name": "test", "upstream": "https://api.example:8443", "credentials": [] },
            "network": { "listener": "app", "mode": "reverse" },
            "context": { "sidecar": ID, "shadow": false }
        });
        let mut shown = document.clone();
        lay(&mut shown, &json!({ "context": { "revision": null } }));
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_no_policy_would_see_is_an_error() {
        let rehearsal = rehearsal(Dialect::Mediation);
        let check = |draft: &Draft, why: &str| {
            let found = rehearsal.document(draft, 0).expect_err(&draft.url);
            assert!(found.contains(why), "{}: {found}", draft.url);
        };
        check(&draft("GET", "api.example/a", &[]), "https://");
        check(&draft("GET", "ftp://api.example/a", &[]), "https://");
        check(&draft("GET", "https://a b/", &[]), "no host");
        check(&draft("GET", "https:///a", &[]), "no host");
        check(&draft("GET", "https://api.example/a%2fb", &[]), "refused before");
        check(&draft("GET", "https://api.example//a", &[]), "refused before");
        check(&draft("TRACE", "https://api.example/", &[]), "refused before");
        check(&draft("G T", "https://api.example/", &[]), "no request");
        check(&draft("GET", "https://api.example/", &[("a b", "c")]), "no request");
        check(&draft("GET", "https://api.example/", &[("a_b", "c")]), "refused before");
        check(
            &Draft { body: Some(Vec::new()), ..draft("PUT", "https://api.example/", &[]) },
            "ask for bodies",
        );
    }

    #[test]
    fn envoys_documents_too() {
        let asked = draft("GET", "http://api.example?a=1", &[("accept", "a/b")]);
        let document = rehearsal(Dialect::ExtAuthz).document(&asked, 1_500_000_000).expect("it is a request");
        let request = &document["attributes"]["request"];
        assert_eq!(request["time"], json!({ "seconds": 1, "nanos": 500_000_000 }));
        assert_eq!(
            (&request["http"]["path"], &request["http"]["host"]),
            (&json!("/?a=1"), &json!("api.example"))
        );
        assert_eq!(
            (&document["parsed_path"], &document["parsed_query"]),
            (&json!([""]), &json!({ "a": ["1"] }))
        );
    }

    #[test]
    fn layers() {
        let check = |document: Value, over: Value, expected: Value| {
            let mut laid = document;
            lay(&mut laid, &over);
            assert_eq!(laid, expected, "{over}");
        };
        check(
            json!({ "a": { "b": 1, "c": 2 } }),
            json!({ "a": { "b": 3 } }),
            json!({ "a": { "b": 3, "c": 2 } }),
        );
        check(json!({ "a": { "b": 1 } }), json!({ "a": { "b": null }, "d": null }), json!({ "a": {} }));
        check(json!({ "a": [1, 2] }), json!({ "a": [3] }), json!({ "a": [3] }));
        check(
            json!({ "a": 1 }),
            json!({ "a": { "b": { "c": 1, "d": null } } }),
            json!({ "a": { "b": { "c": 1 } } }),
        );
    }
}
