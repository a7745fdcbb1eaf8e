//! The document as policies see it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn named<'a>(name: &'a str, values: &[&'a str]) -> Named<'a> {
    (Cow::Borrowed(name), values.iter().map(|value| Cow::Borrowed(*value)).collect())
}

/// The least that is known of a request.
fn sparse() -> Input<'static> {
    Input {
        version: VERSION,
        id: "0192f0c1",
        time: Time::from_ns(1_795_302_000_000_000_000),
        workload: Workload {
            uid: None,
            gid: None,
            pid: None,
            exe: None,
            cgroup: None,
            spiffe_id: None,
            trust_domain: None,
            kubernetes: None,
            environment: None,
            labels: None,
        },
        task: None,
        claimed: None,
        request: Request {
            method: "GET",
            scheme: "https",
            host: "api.github.com",
            port: 443,
            path: "/",
            segments: &[],
            query: &[],
            headers: &[],
            presented: &[],
            protocol: "HTTP/1.1",
            content_type: None,
            content_length: None,
            body: None,
            body_truncated: None,
        },
        route: Route { name: "github", upstream: "https://api.github.com", credentials: &["github"] },
        credential: None,
        network: Network { listener: "app", mode: "reverse", peer: None },
        context: Context { sidecar: None, revision: None, shadow: false },
    }
}

#[test]
fn absent_facts_are_absent_keys() {
    let expected = json!({
        "version": 1,
        "id": "0192f0c1",
        "time": {"now_ns": 1_795_302_000_000_000_000_i64, "rfc3339": "2026-11-21T23:00:00Z", "weekday": "Saturday"},
        "workload": {},
        "request": {
            "method": "GET", "scheme": "https", "host": "api.github.com", "port": 443, "path": "/", "segments": [],
            "query": {}, "headers": {}, "presented": [], "protocol": "HTTP/1.1"
        },
        "route": {"name": "github", "upstream": "https://api.github.com", "credentials": ["github"]},
        "network": {"listener": "app", "mode": "reverse"},
        "context": {"shadow": false}
    });
    assert_eq!(serde_json::to_value(sparse()).expect("it serialises"), expected);
}

#[test]
fn present_facts_stand_where_the_contract_says() {
    let labels = BTreeMap::from([("team".to_owned(), "payments".to_owned())]);
    let claims = serde_json::Map::new();
    let segments = [Cow::Borrowed("repos"), Cow::Borrowed("acme")];
    let query = [named("page", &["1", "2"])];
    let headers = [named("accept", &["application/json"])];
    let scopes = ["repo.read".to_owned()];
    let body = Body::Json(body::Json::read(r#"{"a": 1}"#).expect("it is JSON"));
    let input = Input {
        workload: Workload {
            uid: Some(1000),
            gid: Some(1000),
            pid: Some(4242),
            exe: Some("/usr/bin/python3.11"),
            spiffe_id: Some("spiffe://example.org/ledger"),
            kubernetes: Some(Kubernetes { namespace: "pay", service_account: "ledger", pod: None }),
            environment: Some("production"),
            labels: Some(&labels),
            ..sparse().workload
        },
        task: Some(Task {
            id: "t-81",
            purpose: Some("nightly-close"),
            issued_ns: 0,
            expires_ns: 1,
            requests_left: Some(40),
            claims: &claims,
        }),
        claimed: Some(Claimed { purpose: Some("close books") }),
        request: Request {
            segments: &segments,
            query: &query,
            headers: &headers,
            presented: &["authorization"],
            content_length: Some(0),
            body: Some(body),
            ..sparse().request
        },
        credential: Some(Credential {
            name: "github",
            kind: "oauth2_client_credentials",
            scopes: Some(&scopes),
            cached: Some(true),
            expires_in_s: Some(512),
        }),
        ..sparse()
    };
    let told = serde_json::to_value(input).expect("it serialises");
    let expected = [
        ("/workload/uid", json!(1000)),
        ("/workload/labels/team", json!("payments")),
        ("/workload/kubernetes", json!({"namespace": "pay", "service_account": "ledger"})),
        (
            "/task",
            json!({"id": "t-81", "purpose": "nightly-close", "issued_ns": 0, "expires_ns": 1, "requests_left": 40, "claims": {}}),
        ),
        ("/claimed/purpose", json!("close books")),
        ("/request/segments", json!(["repos", "acme"])),
        ("/request/query", json!({"page": ["1", "2"]})),
        ("/request/headers", json!({"accept": ["application/json"]})),
        ("/request/presented", json!(["authorization"])),
        ("/request/body", json!({"a": 1})),
        ("/credential/scopes", json!(["repo.read"])),
        ("/credential/expires_in_s", json!(512)),
    ];
    for (place, value) in expected {
        assert_eq!(told.pointer(place), Some(&value), "{place}");
    }
}

#[test]
fn times_are_utc() {
    let cases = [
        (0, "1970-01-01T00:00:00Z", "Thursday"),
        (1_795_302_000_123_456_789, "2026-11-21T23:00:00.123456789Z", "Saturday"),
        (-1, "1969-12-31T23:59:59.999999999Z", "Wednesday"),
        (i64::MAX, "2262-04-11T23:47:16.854775807Z", "Friday"),
        (i64::MIN, "1677-09-21T00:12:43.145224192Z", "Tuesday"),
    ];
    for (now_ns, rfc3339, weekday) in cases {
        let told = serde_json::to_value(Time::from_ns(now_ns)).expect("it serialises");
        assert_eq!(told, json!({"now_ns": now_ns, "rfc3339": rfc3339, "weekday": weekday}));
    }
}

#[test]
fn the_schema_describes_the_document() {
    let schema = input_schema();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let required = schema["required"].as_array().expect("some parts are always there");
    for part in ["version", "id", "time", "workload", "request", "route", "network", "context"] {
        assert!(required.iter().any(|name| name == part), "{part}");
    }
    for part in ["task", "claimed", "credential"] {
        assert!(
            schema["properties"][part].is_object() && !required.iter().any(|name| name == part),
            "{part}"
        );
    }
}

#[test]
fn the_schema_has_no_place_for_null() {
    let schema = input_schema();
    assert!(!schema.to_string().contains("\"null\""), "{schema}");
    for (place, expected) in [
        ("/properties/task/$ref", json!("#/$defs/Task")),
        ("/properties/claimed/$ref", json!("#/$defs/Claimed")),
        ("/$defs/Workload/properties/kubernetes/$ref", json!("#/$defs/Kubernetes")),
        ("/$defs/Workload/properties/uid/type", json!("integer")),
        ("/$defs/Workload/properties/labels/type", json!("object")),
    ] {
        assert_eq!(schema.pointer(place), Some(&expected), "{place}");
    }
    assert!(
        schema["$defs"]["Request"]["properties"]["body"].get("type").is_none(),
        "any JSON may stand in a body"
    );
}

#[test]
fn a_moment_is_read_from_text() {
    let check = |text: &str, now_ns: Option<i64>| {
        assert_eq!(Time::from_rfc3339(text).map(|time| time.now_ns()), now_ns, "{text}");
    };
    check("2026-01-01T00:00:00Z", Some(1_767_225_600_000_000_000));
    check("2026-01-01T01:00:00.5+01:00", Some(1_767_225_600_500_000_000));
    check("2026-01-01", None);
    check("3000-01-01T00:00:00Z", None);
    check("", None);
}
