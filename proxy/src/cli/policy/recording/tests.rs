//! Records become inputs, and what a policy says of them is told apart by what it looks at.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use claviger_policy::{Bundle, Dialect, Limits, shipped};

use super::*;

fn policy(dialect: Dialect) -> Arc<Policy> {
    let bundle = Bundle::read(shipped::BASELINE).expect("it is a bundle");
    let limits = Limits::new(Duration::from_secs(1), 64 << 20);
    let policy = Policy::load(&bundle, shipped::ENTRYPOINT, limits).expect("it loads");
    Arc::new(policy.in_dialect(dialect))
}

fn record(changes: Value) -> Value {
    let mut event = json!({
        "v": 1, "seq": 1, "time": "2026-11-21T23:00:00.5Z", "id": "i1", "listener": "app",
        "workload": { "uid": 1000, "exe": "/bin/a" },
        "request": { "method": "GET", "route": "api", "host": "a.example", "path": "/a/b%20c", "protocol": "HTTP/1.1" },
        "decision": { "outcome": "allow", "reason": "r", "rule": "u", "revision": "", "digest": "d", "eval_us": 1 },
        "credential": { "name": "key" }, "refusal": null, "bytes_in": 0
    });
    super::super::rehearsal::lay(&mut event, &changes);
    event
}

/// What a file of these lines gives.
fn read_text(text: &str, policy: &Arc<Policy>) -> (Vec<(usize, Recorded)>, Counts, bool) {
    read_with(text, &Reading { policy: Arc::clone(policy), settings: None })
}

fn read_with(text: &str, reading: &Reading) -> (Vec<(usize, Recorded)>, Counts, bool) {
    let mut file = tempfile::NamedTempFile::new().expect("a scratch file");
    file.write_all(text.as_bytes()).expect("scratch is writable");
    let (mut found, mut counts) = (Vec::new(), Counts::default());
    let read = read(file.path(), reading, &mut counts, |line, recorded| found.push((line, recorded)));
    (found, counts, read.is_ok())
}

fn only(event: &Value, dialect: Dialect) -> Recorded {
    let (mut found, ..) = read_text(&format!("{event}\n"), &policy(dialect));
    assert_eq!(found.len(), 1, "{event}");
    found.remove(0).1
}

#[test]
fn a_record_is_an_input_with_gaps() {
    let recorded = only(&record(json!({})), Dialect::Mediation);
    assert_eq!((recorded.id.as_str(), recorded.now_ns), ("i1", 1_795_302_000_500_000_000));
    assert_eq!((recorded.was.outcome.as_str(), recorded.was.credential.as_deref()), ("allow", Some("key")));
    let known = recorded.input.without_unknown();
    let expected = [
        ("/time/weekday", json!("Saturday")),
        ("/workload", json!({ "uid": 1000, "exe": "/bin/a" })),
        (
            "/request",
            json!({ "method": "GET", "host": "a.example", "path": "/a/b%20c", "segments": ["a", "b c"], "protocol": "HTTP/1.1" }),
        ),
        ("/route", json!({ "name": "api" })),
        ("/network", json!({ "listener": "app" })),
        ("/task", json!(null)),
    ];
    for (place, value) in expected {
        assert_eq!(known.pointer(place).cloned().unwrap_or_default(), value, "{place}");
    }
    let unknown = recorded.input.unknown();
    for place in
        ["request.headers", "request.query", "claimed", "credential", "workload.labels", "route.upstream"]
    {
        assert!(unknown.iter().any(|other| other == place), "{place}: {unknown:?}");
    }
    assert!(!unknown.iter().any(|place| place == "request.body"), "this policy does not ask for bodies");
    let task = only(&record(json!({ "task": "t-1" })), Dialect::Mediation).input;
    assert!(
        task.without_unknown()["task"] == json!({ "id": "t-1" })
            && task.unknown().contains(&"task.claims".into())
    );
    for cut in
        [json!({ "request": { "path_truncated": true } }), json!({ "workload": { "truncated": true } })]
    {
        let input = only(&record(cut.clone()), Dialect::Mediation).input.without_unknown();
        assert!(input["request"]["path"].is_null() || input["workload"].is_null(), "{cut}: {input}");
    }
}

#[test]
fn a_record_is_envoys_input_with_gaps_too() {
    let recorded = only(&record(json!({})), Dialect::ExtAuthz);
    let known = recorded.input.without_unknown();
    assert_eq!(known["parsed_path"], json!(["a", "b c"]));
    assert_eq!(
        known["attributes"]["request"]["time"],
        json!({ "seconds": 1_795_302_000, "nanos": 500_000_000 })
    );
    let facts = json!({ "route": "api", "listener": "app", "uid": "1000", "exe": "/bin/a" });
    assert_eq!(known["attributes"]["contextExtensions"], facts);
    assert!(recorded.input.unknown().contains(&"parsed_query".into()));
    assert_eq!(
        only(&record(json!({ "request": { "path": "/" } })), Dialect::ExtAuthz).input.without_unknown()["parsed_path"],
        json!([""])
    );
}

#[test]
fn a_decision_log_is_exact_but_for_what_was_masked() {
    let event = json!({
        "decision_id": "d1", "path": "claviger/authz/decision", "timestamp": "2026-11-21T23:00:00Z",
        "input": { "request": { "method": "GET", "path": "/a" }, "route": { "name": "api" } },
        "result": { "allow": true, "credential": "key" }
    });
    let with = |changes: Value| {
        let mut changed = event.clone();
        super::super::rehearsal::lay(&mut changed, &changes);
        changed
    };
    let recorded = only(&event, Dialect::Mediation);
    assert!(recorded.input.unknown().is_empty());
    assert_eq!((recorded.id.as_str(), recorded.now_ns), ("d1", 1_795_302_000_000_000_000));
    assert_eq!((recorded.route.as_deref(), recorded.was.credential.as_deref()), (Some("api"), Some("key")));
    let own_time = only(&with(json!({ "input": { "time": { "now_ns": 7 } } })), Dialect::Mediation);
    assert_eq!(own_time.now_ns, 7);
    let masked = only(
        &with(json!({ "erased": ["/input/request/headers"], "masked": ["/input/request/path"] })),
        Dialect::Mediation,
    );
    assert_eq!(masked.input.unknown(), ["request.headers", "request.path"]);
    let outcome = |changes: Value| only(&with(changes), Dialect::Mediation).was.outcome;
    assert_eq!(outcome(json!({ "result": null })), "deny");
    assert_eq!(outcome(json!({ "result": "yes" })), "error");
    assert_eq!(outcome(json!({ "result": null, "error": { "message": "no" } })), "error");
    let passed_over =
        |changes: Value| read_text(&with(changes).to_string(), &policy(Dialect::Mediation)).1.passed_over;
    assert_eq!(passed_over(json!({ "path": "system/log/mask" })).len(), 1);
    assert_eq!(passed_over(json!({ "input": null })).len(), 1);
    assert_eq!(passed_over(json!({ "erased": ["/result/reason"] })).len(), 1);
}

#[test]
fn files_hold_records_or_nothing_is_made_of_them() {
    let policy = policy(Dialect::Mediation);
    let check = |text: &str, decisions: usize, passed_over: usize, whole: bool| {
        let (found, counts, read) = read_text(text, &policy);
        let passed: usize = counts.passed_over.values().sum();
        assert_eq!(
            (found.len(), counts.decisions, passed, read),
            (decisions, decisions, passed_over, whole),
            "{text}"
        );
    };
    let (event, lease) = (record(json!({})), json!({ "v": 1, "seq": 2, "event": "lease_issued" }));
    check("", 0, 0, true);
    check(&format!("{event}\n\n{lease}\n{event}"), 2, 1, true);
    check(&format!("{event}\n{{\"v\":1,"), 1, 1, true);
    check(&format!("{{\"v\":1,\n{event}\n"), 0, 0, false);
    check(&format!("[{event},{event}]\n"), 2, 0, true);
    check("{}\n", 0, 0, false);
    check("7\n", 0, 0, false);
    for undecided in [
        json!({ "decision": null }),
        json!({ "refusal": "credential_not_offered", "decision": { "outcome": "deny" } }),
        json!({ "decision": { "outcome": "error", "reason": "the policy's decision cannot be honoured: `host` may not be set" } }),
    ] {
        check(&record(undecided).to_string(), 0, 1, true);
    }
}

#[test]
fn what_the_policy_looks_at_makes_a_verdict_incomplete() {
    let policy = policy(Dialect::Mediation);
    let mut evaluator = Evaluator::new(Arc::clone(&policy));
    let mut check = |changes: Value, outcome: &str, ground: Ground, looks_at: &[&str]| {
        let recorded = only(&record(changes.clone()), Dialect::Mediation);
        let answer = ask(&mut evaluator, &recorded.input, recorded.now_ns);
        assert_eq!((answer.verdict.outcome(), answer.ground), (outcome, ground), "{changes}");
        assert_eq!(parts_looked_at(&mut evaluator, &recorded.input, recorded.now_ns), looks_at, "{changes}");
    };
    // the shipped baseline lets known workloads read, and write when they claim a purpose
    check(json!({}), "allow", Ground::Certain, &[]);
    check(json!({ "request": { "method": "POST" } }), "deny", Ground::Incomplete, &["claimed"]);
}

#[test]
fn drift_is_what_is_decided_otherwise() {
    let check = |was: Value, now: Value, expected: &[&str]| {
        let was = Verdict::recorded(Dialect::Mediation, Some(&was));
        let told = was.to_json();
        let was = Was {
            outcome: was.outcome().into(),
            reason: None,
            rule: None,
            credential: None,
            decision: Some(told.clone()),
        };
        let found = differences(&was, &Verdict::recorded(Dialect::Mediation, Some(&now)));
        assert_eq!(found, expected, "{told} {now}");
    };
    check(json!(true), json!({ "allow": true, "rule": "r", "reason": "w" }), &[]);
    check(json!(true), json!(false), &["outcome"]);
    check(json!(true), json!("yes"), &["outcome"]);
    check(
        json!({ "allow": true, "credential": "a" }),
        json!({ "allow": true, "credential": "b", "ttl_s": 1 }),
        &["credential", "ttl_s"],
    );
    let on_record = |credential: Option<&str>, now: Value| {
        let credential = credential.map(str::to_owned);
        let was = Was { outcome: "allow".into(), reason: None, rule: None, credential, decision: None };
        differences(&was, &Verdict::recorded(Dialect::Mediation, Some(&now)))
    };
    assert_eq!(on_record(Some("a"), json!({ "allow": true, "credential": "b" })), ["credential"]);
    assert!(on_record(Some("a"), json!({ "allow": true, "scopes": ["x"] })).is_empty());
    assert!(on_record(None, json!({ "allow": true, "credential": "b" })).is_empty());
}

#[test]
fn the_configuration_fills_gaps() {
    const CONFIG: &str = "
version: 1
listeners: { app: { bind: 127.0.0.1:8080, mode: reverse } }
identity: { environment: production }
routes:
  api: { upstream: \"https://a.example:8443/base\", credential: key }
  both: { upstream: \"https://b.example\", credentials: [key, other] }
credentials:
  key: { source: { static: { env: NOWHERE } }, inject: { bearer: {} } }
  other: { source: { static: { env: NOWHERE } }, inject: { bearer: {} } }
policy: { bundle: { file: bundle.tar.gz }, entrypoint: a/b }
state: { dir: state }
";
    let settings = || {
        let draft = claviger_config::parse(&claviger_config::Source::new("claviger.yaml", CONFIG), &|_| None);
        Settings::of(draft.config.unwrap_or_else(|| panic!("{}", draft.findings.to_json())))
    };
    let check = |dialect: Dialect, changes: Value, expected: &[(&str, Value)]| {
        let reading = Reading { policy: policy(dialect), settings: Some(settings()) };
        let (mut found, ..) = read_with(&record(changes.clone()).to_string(), &reading);
        let input = found.remove(0).1.input;
        let known = input.without_unknown();
        for (place, value) in expected {
            let found = known.pointer(place).cloned().unwrap_or_default();
            assert_eq!(&found, value, "{changes} {place}");
        }
    };
    check(
        Dialect::Mediation,
        json!({}),
        &[
            ("/request/scheme", json!("https")),
            ("/request/port", json!(8443)),
            (
                "/route",
                json!({ "name": "api", "upstream": "https://a.example:8443/base", "credentials": ["key"] }),
            ),
            ("/credential", json!({ "name": "key", "kind": "static" })),
            ("/workload", json!({ "uid": 1000, "exe": "/bin/a", "environment": "production" })),
            ("/workload/labels", json!(null)),
            ("/network/mode", json!("reverse")),
        ],
    );
    check(
        Dialect::Mediation,
        json!({ "request": { "route": "both" } }),
        &[("/route/credentials", json!(["key", "other"])), ("/credential", json!(null))],
    );
    check(Dialect::Mediation, json!({ "workload": { "truncated": true } }), &[("/workload", json!(null))]);
    check(
        Dialect::ExtAuthz,
        json!({}),
        &[
            ("/attributes/contextExtensions/upstream", json!("https://a.example:8443/base")),
            ("/attributes/contextExtensions/environment", json!("production")),
            ("/attributes/request/http/host", json!("a.example:8443")),
        ],
    );
}
