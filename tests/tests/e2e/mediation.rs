//! One request through the sidecar: allowed, denied, without a route, and on the record.

use claviger_tests::bundle::ALLOW;
use claviger_tests::nginx::Nginx;
use claviger_tests::pki::{Fault, Pki};
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::{Value, json};

const READS_ONLY: &str = r#"package claviger.authz

import rego.v1

default decision := {"allow": false, "reason": "writes need a task", "rule": "write-needs-task", "status": 451, "hint": "ask"}

decision := {"allow": true, "reason": "reading is free", "rule": "read"} if input.request.method == "GET"
"#;

fn static_key(case: &Case) -> (String, Value) {
    let token = case.mint("the static token");
    let source = json!({ "static": { "file": case.secret_file(&token) } });
    (token, source)
}

#[test]
fn allowed_request_carries_the_credential() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (token, source) = static_key(&case);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, READS_ONLY, &upstream, &source));

    let own = [
        ("Authorization", "Bearer the-workloads-own"),
        ("Cookie", "a=the-workloads-own"),
        ("X-Stays", "yes"),
    ];
    let answer = sidecar.ask("GET", "/api/echo/a%20b?x=1&y=%20z&x=2", &own, b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["target"], "/echo/a%20b?x=1&y=%20z&x=2");
    let seen = upstream.last();
    assert_eq!(seen.header("authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(seen.header("x-stays"), Some("yes"));
    assert_eq!(seen.header("host"), Some(format!("127.0.0.1:{}", upstream.port()).as_str()));
    assert!(
        !String::from_utf8_lossy(&seen.head).contains("the-workloads-own"),
        "the workload's own credential left"
    );

    let record = &sidecar.records(1)[0];
    assert_eq!(record["decision"]["outcome"], "allow", "{record}");
    assert_eq!(record["decision"]["rule"], "read");
    assert_eq!(record["credential"]["kind"], "static");
    assert_eq!(record["upstream"]["status"], 200);
    assert_eq!(answer.header("claviger-request-id"), record["id"].as_str());
}

#[test]
fn denied_request_goes_nowhere_and_says_why() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar =
        Sidecar::start(&case, &Config::mediating(&case, READS_ONLY, &upstream, &static_key(&case).1));

    let answer = sidecar.ask("POST", "/api/echo", &[("X-Private", "a-private-word")], b"{}");
    assert_eq!((answer.status, answer.code().as_str()), (451, "denied"));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    assert!(answer.header("proxy-status").is_some_and(|mark| mark.starts_with("claviger")), "{answer:?}");
    let body = answer.json();
    for (key, value) in [("reason", "writes need a task"), ("rule", "write-needs-task"), ("hint", "ask")] {
        assert_eq!(body[key], value, "{body}");
    }
    assert!(!String::from_utf8_lossy(&answer.body).contains("a-private-word"), "a refusal repeats no header");
    assert_eq!(upstream.connections(), 0);
    let record = &sidecar.records(1)[0];
    assert_eq!((&record["id"], &record["decision"]["outcome"]), (&body["id"], &json!("deny")), "{record}");
}

#[test]
fn request_without_a_route_is_refused() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &static_key(&case).1));
    for target in ["/", "/ap/echo", "/apix/echo", "/API/echo", "/elsewhere"] {
        let answer = sidecar.call(target);
        assert_eq!((answer.status, answer.code().as_str()), (403, "no_route"), "{target}");
    }
    assert_eq!(upstream.connections(), 0);
    assert!(sidecar.metric("claviger_refusals_total", &[r#"code="no_route""#]) >= 5.0);
}

#[test]
fn each_injection_puts_exactly_one_credential_on_the_wire() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (token, source) = static_key(&case);
    let basic = base64_of(&format!("robot:{token}"));
    case.canaries().watch("the basic credential", &basic);
    for (inject, header, expected) in [
        (json!({ "bearer": {} }), "authorization", format!("Bearer {token}")),
        (json!({ "basic": { "username": "robot" } }), "authorization", format!("Basic {basic}")),
        (
            json!({ "header": { "name": "X-Token", "format": "token {secret}" } }),
            "x-token",
            format!("token {token}"),
        ),
    ] {
        let config = Config::new(&case, ALLOW)
            .route("api", &upstream.url(), "key")
            .credential("key", &source, &inject);
        // one audit file belongs to one process at a time
        let mut sidecar = Sidecar::start(&case, &config);
        let answer = sidecar.ask("GET", "/api/echo", &[(header, "the-workloads-own")], b"");
        assert_eq!(answer.status, 200, "{inject}: {answer:?}");
        assert_eq!(upstream.last().all(header), [expected.as_str()], "{inject}");
        assert_eq!(sidecar.stop(), 0);
    }
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn real_https_server_lets_the_injected_token_in() {
    needs!("opa", "nginx");
    let case = Case::new();
    let pki = Pki::new(case.dir());
    let (token, source) = static_key(&case);
    let nginx = Nginx::start(&case, &pki.leaf(Fault::None), &token);
    let config = Config::new(&case, ALLOW)
        .route("api", &nginx.url(), "key")
        .with("routes.api.tls", json!({ "ca": pki.ca }))
        .credential("key", &source, &json!({ "bearer": {} }));
    let sidecar = Sidecar::start(&case, &config);
    let answer = sidecar.call("/api/anything");
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"welcome".as_slice()), "{answer:?}");
}

#[test]
fn one_connection_serves_many_requests_in_order() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &static_key(&case).1));
    let mut connection = sidecar.connect();
    let pipelined: Vec<u8> = (0..10)
        .flat_map(|number| claviger_tests::client::head("GET", &format!("/api/echo/{number}"), &[], 0))
        .collect();
    connection.send(&pipelined).unwrap();
    for number in 0..10 {
        let answer = connection.response("GET").unwrap();
        assert_eq!(answer.json()["target"], format!("/echo/{number}"), "{answer:?}");
    }
    assert!(upstream.connections() <= 2, "{} upstream connections", upstream.connections());
}
