//! An upstream that hands the credential back, in whatever form, hands it to nobody.

use claviger_tests::bundle::ALLOW;
use claviger_tests::client::Response;
use claviger_tests::{Case, Config, Issuer, Sidecar, Upstream, needs};
use serde_json::{Value, json};

const SCRUBBED: &str = "claviger_scrubbed_total";

fn source(case: &Case) -> (String, Value) {
    let token = case.mint("the token");
    let source = json!({ "static": { "file": case.secret_file(&token) } });
    (token, source)
}

fn started(case: &Case, upstream: &Upstream, rego: &str, scrub: Option<bool>) -> (String, Sidecar) {
    let (token, source) = source(case);
    let config = Config::mediating(case, rego, upstream, &source);
    let config = scrub.into_iter().fold(config, |config, scrub| config.with("routes.api.scrub", scrub));
    (token, Sidecar::start(case, &config))
}

/// An answer that does not count as seen by the workload.
fn unwatched(sidecar: &Sidecar, target: &str) -> Response {
    sidecar.connect().request("GET", target, &[], b"").expect("an answer")
}

fn contains(answer: &Response, text: &str) -> bool {
    [&answer.head, &answer.body].iter().any(|part| String::from_utf8_lossy(part).contains(text))
}

#[test]
fn reflected_credential_reaches_nobody_in_any_form() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (_, sidecar) = started(&case, &upstream, ALLOW, None);
    // the case's end looks for every form of the token in everything that came back
    let body = sidecar.call("/api/mirror/body");
    assert_eq!(body.status, 200);
    let lines = String::from_utf8(body.body.clone()).expect("asterisks are text");
    assert!(lines.lines().count() > 20 && lines.lines().all(|line| line.contains("***")), "{lines}");
    assert!(lines.starts_with("{\"form\":\"*****"), "{lines}");
    assert_eq!(body.header("content-length"), Some(body.body.len().to_string().as_str()));
    assert_eq!(body.header("accept-ranges"), None);

    assert_eq!(sidecar.call("/api/mirror/chunks").body, body.body);
    let decoded = sidecar.call("/api/mirror/gzip");
    assert_eq!((&decoded.body, decoded.header("content-encoding")), (&body.body, None));
    for (how, status) in [("reason", 200), ("headers", 200), ("hints", 200)] {
        let answer = sidecar.call(&format!("/api/mirror/{how}"));
        assert_eq!((answer.status, answer.body.as_slice()), (status, b"fine".as_slice()), "{how}");
    }
    assert_eq!(sidecar.metric(SCRUBBED, &[r#"route="api""#]), 5.0);
    assert_eq!(sidecar.ask("HEAD", "/api/status/200", &[], b"").status, 200);
    assert_eq!(sidecar.call("/api/status/204").status, 204);
}

#[test]
fn answers_that_cannot_be_searched_are_refused() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (_, sidecar) = started(&case, &upstream, ALLOW, None);
    for how in ["part", "unknown"] {
        let answer = sidecar.call(&format!("/api/mirror/{how}"));
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_protocol"), "{how}");
    }
    let truncated = sidecar.connect().request("GET", "/api/mirror/truncated", &[], b"");
    assert!(truncated.is_err(), "half an encoded answer ended as if it were whole");
    assert_eq!(sidecar.call("/api/echo").status, 200);
}

#[test]
fn events_do_not_wait_for_each_other() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (token, sidecar) = started(&case, &upstream, ALLOW, None);
    let mut connection = sidecar.connect();
    connection.send(&claviger_tests::client::head("GET", "/api/mirror/events", &[], 0)).unwrap();
    let answer = connection.response_head().unwrap();
    let expected = format!("data: {{\"token\":\"{}\"}}\n\n", "*".repeat(token.len()));
    // the upstream sends no more, so what is held back would never come
    let event = connection.first_bytes(&answer, expected.len()).unwrap();
    assert_eq!(String::from_utf8_lossy(&event), expected);
}

#[test]
fn upstream_is_asked_for_what_can_be_searched() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (_, sidecar) = started(&case, &upstream, ALLOW, None);
    let headers = [("Accept-Encoding", "gzip, br"), ("Range", "bytes=1-2"), ("If-Range", "\"tag\"")];
    assert_eq!(sidecar.ask("GET", "/api/echo", &headers, b"").status, 200);
    let seen = upstream.last();
    assert_eq!(seen.all("accept-encoding"), ["identity"]);
    assert!(seen.all("range").is_empty() && seen.all("if-range").is_empty());
}

#[test]
fn both_credentials_of_a_second_try_are_hidden() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    let answer = sidecar.call("/api/once401/both");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(issuer.tokens().len(), 2);
    let hidden: Vec<String> =
        issuer.tokens().iter().map(|token| "*".repeat("Bearer ".len() + token.len())).collect();
    let lengths: Vec<usize> = String::from_utf8_lossy(&answer.body).lines().map(str::len).collect();
    assert_eq!(lengths, hidden.iter().map(String::len).collect::<Vec<_>>());
}

#[test]
fn scrubbing_can_be_turned_off_and_a_policy_turns_it_on() {
    const ASKS: &str =
        "package claviger.authz\n\ndecision := {\"allow\": true, \"response\": {\"scrub\": true}}\n";
    const WAIVES: &str =
        "package claviger.authz\n\ndecision := {\"allow\": true, \"response\": {\"scrub\": false}}\n";
    needs!("opa");
    let check = |rego: &str, scrub: Option<bool>, status: u16, seen: bool| {
        let (case, upstream) = (Case::new(), Upstream::plain());
        let (token, sidecar) = started(&case, &upstream, rego, scrub);
        let answer = unwatched(&sidecar, "/api/mirror/body");
        assert_eq!((answer.status, contains(&answer, &token)), (status, seen), "{rego} {scrub:?}");
        let encoding = upstream.requests().first().map(|request| request.all("accept-encoding").len());
        assert_eq!(encoding, (status == 200).then_some(usize::from(!seen)), "{rego} {scrub:?}");
    };
    check(ALLOW, Some(true), 200, false);
    check(ALLOW, Some(false), 200, true);
    check(ASKS, Some(false), 200, false);
    check(ASKS, None, 200, false);
    check(WAIVES, Some(false), 200, true);
    check(WAIVES, None, 503, false);
}
