//! Decision logs: in OPA's form, masked as the policy says or not sent at all, and counted where they are lost.

use std::time::Duration;

use claviger_tests::bundle::{self, ENTRYPOINT};
use claviger_tests::report_service::Mode;
use claviger_tests::wait::{eventually_within, until};
use claviger_tests::{Case, Config, ReportService, Sidecar, Upstream, needs};
use serde_json::{Value, json};

const POLICY: &str = r#"package claviger.authz

import rego.v1

last := input.request.segments[count(input.request.segments) - 1]

decision := false if last == "no"
else := 7 if last == "error"
else := {"allow": true, "rule": "usual"}
"#;

/// Hides a header, replaces the query, and keeps health checks and the whole of what is under `/secret` out.
const LOG: &str = r#"package system.log

import rego.v1

mask contains "/input/request/headers/x-note"

mask contains {"op": "upsert", "path": "/input/request/query", "value": {"hidden": true}}

mask contains "/result" if input.input.request.path == "/echo/no-result"

drop if input.input.request.path == "/echo/health"
"#;

fn bundle_with(log: &str) -> std::path::PathBuf {
    let entrypoints = [ENTRYPOINT, "system/log/mask", "system/log/drop"];
    bundle::compile_modules(&[POLICY, log], &entrypoints, "{}", "r7")
}

fn config(case: &Case, upstream: &Upstream, bundle: &std::path::Path, service: &ReportService) -> Config {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    Config::mediating(case, bundle::ALLOW, upstream, &source)
        .with(
            "policy",
            json!({ "bundle": { "file": bundle }, "entrypoint": ENTRYPOINT, "eval_timeout": "500ms" }),
        )
        .with(
            "decision_logs",
            json!({ "http": service.settings(), "min_delay": "100ms", "max_delay": "200ms" }),
        )
        .with("identity", json!({ "environment": "test", "labels": { "team": "pay" } }))
}

/// One request with something to hide in a header and in the query; the upstream alone may see that.
fn ask(sidecar: &Sidecar, path: &str, hidden: &str) -> u16 {
    let target = format!("/api{path}?q={hidden}");
    let answer = sidecar.connect().request("GET", &target, &[("X-Note", hidden)], b"").expect("an answer");
    answer.status
}

fn lost(sidecar: &Sidecar, reason: &str) -> f64 {
    sidecar.metric("claviger_decision_log_drops_total", &[&format!("reason=\"{reason}\"")])
}

fn ended(sidecar: &Sidecar, fate: &str) -> f64 {
    sidecar.metric("claviger_decision_log_events_total", &[&format!("fate=\"{fate}\"")])
}

#[test]
fn events_have_opas_form_and_are_masked() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (service, token) = (ReportService::start(&case), case.mint("the server's token"));
    let config = config(&case, &upstream, &bundle_with(LOG), &service)
        .with("decision_logs.http.auth", json!({ "bearer": { "file": case.secret_file(&token) } }));
    let mut sidecar = Sidecar::start(&case, &config);
    let hidden = case.mint("what the mask hides");
    for (path, status) in [
        ("/echo/yes", 200),
        ("/echo/no", 403),
        ("/echo/error", 503),
        ("/echo/health", 200),
        ("/echo/no-result", 200),
    ] {
        assert_eq!(ask(&sidecar, path, &hidden), status, "{path}");
    }
    until("all are sent", || ended(&sidecar, "sent") == 4.0);
    assert_eq!(ended(&sidecar, "excluded"), 1.0);
    let events = service.events();
    let of = |path: &str| {
        let found = |event: &&Value| event["input"]["request"]["path"] == path;
        events.iter().find(found).unwrap_or_else(|| panic!("no event of {path}: {events:?}"))
    };
    let yes = of("/echo/yes");
    let record = sidecar.records(5).into_iter().find(|record| record["id"] == yes["decision_id"]);
    assert_eq!(record.expect("its record")["request"]["path"], "/echo/yes");
    assert_eq!(
        (&yes["path"], &yes["bundles"]),
        (&json!(ENTRYPOINT), &json!({ "policy": { "revision": "r7" } }))
    );
    assert_eq!((&yes["labels"]["team"], &yes["labels"]["environment"]), (&json!("pay"), &json!("test")));
    assert!(yes["labels"]["id"].is_string() && yes["labels"]["version"].is_string());
    assert_eq!(yes["result"], json!({ "allow": true, "rule": "usual" }));
    assert_eq!(yes["input"]["request"]["query"], json!({ "hidden": true }));
    assert_eq!(yes["input"]["workload"]["environment"], "test");
    assert_eq!(yes["input"]["context"]["shadow"], false);
    assert_eq!(yes["erased"], json!(["/input/request/headers/x-note"]));
    assert_eq!(yes["masked"], json!(["/input/request/query"]));
    assert!(yes["metrics"]["timer_rego_query_eval_ns"].as_u64().is_some_and(|ns| ns > 0));
    assert!(yes["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!((&of("/echo/no")["result"], of("/echo/no").get("error")), (&json!(false), None));
    assert_eq!(of("/echo/error")["error"]["code"], "policy_error");
    assert_eq!(of("/echo/error")["result"], 7);
    assert_eq!(of("/echo/no-result").get("result"), None);
    for request in service.requests() {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/reports"));
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), Some(format!("Bearer {token}").as_str()));
    }
    assert_eq!(sidecar.stop(), 0);
}

#[test]
fn when_masking_fails_nothing_leaves() {
    needs!("opa");
    let head = "package system.log\n\nimport rego.v1\n\n";
    let forever = "n := numbers.range(1, 3000)\n    \
                   count([1 | some a in n; some b in n; some c in n; (a + b) + c == -1]) == 0";
    let broken = [
        ("not a list", "mask := true".to_owned(), "mask_failed"),
        ("no rule", "mask contains 7".to_owned(), "mask_failed"),
        (
            "no such operation",
            "mask contains {\"op\": \"hide\", \"path\": \"/input\"}".to_owned(),
            "mask_failed",
        ),
        ("elsewhere", "mask contains \"/inputs/request\"".to_owned(), "mask_failed"),
        ("one of two", "mask := [\"/input/request/query\", \"input\"]".to_owned(), "mask_failed"),
        (
            "conflict",
            "mask := [\"/input\"]\n\nmask := [] if input.input.version == 1".to_owned(),
            "mask_failed",
        ),
        ("runaway", format!("mask contains \"/input\" if {{\n    {forever}\n}}"), "mask_failed"),
        ("runaway drop", format!("mask contains \"/input\"\n\ndrop if {{\n    {forever}\n}}"), "drop_failed"),
    ];
    for (what, rules, reason) in broken {
        let (case, upstream) = (Case::new(), Upstream::plain());
        let service = ReportService::start(&case);
        let drop = if rules.contains("drop") { "" } else { "\n\ndrop := false" };
        let mask = bundle_with(&format!("{head}{rules}{drop}\n"));
        let mut sidecar = Sidecar::start(&case, &config(&case, &upstream, &mask, &service));
        let hidden = case.mint("what the mask should hide");
        for path in ["/echo/yes", "/echo/no"] {
            assert!([200, 403].contains(&ask(&sidecar, path, &hidden)), "{what}");
        }
        // an observer steps back before everybody else on a busy machine
        eventually_within(Duration::from_secs(60), what, || (lost(&sidecar, reason) == 2.0).then_some(()));
        assert_eq!(sidecar.stop(), 0, "{what}");
        assert_eq!((service.requests().len(), upstream.requests().len()), (0, 1), "{what}");
    }
}

#[test]
fn a_mask_that_is_named_must_be_there_and_another_may_be_named() {
    needs!("opa");
    let plain = bundle::compile_modules(&[POLICY], &[ENTRYPOINT], "{}", "r7");
    let own = "package own.log\n\nimport rego.v1\n\nhide := [\"/input/request\"]\n";
    let other = bundle::compile_modules(&[POLICY, own], &[ENTRYPOINT, "own/log/hide"], "{}", "r7");
    let check = |bundle: &std::path::Path, key: &str, named: Option<&str>, failed: f64| {
        let (case, upstream) = (Case::new(), Upstream::plain());
        let service = ReportService::start(&case);
        let mut config = config(&case, &upstream, bundle, &service);
        if let Some(named) = named {
            config = config.with(&format!("decision_logs.{key}"), named);
        }
        let mut sidecar = Sidecar::start(&case, &config);
        assert_eq!(ask(&sidecar, "/echo/yes", "x"), 200);
        until("it is sent or lost", || {
            ended(&sidecar, "sent") + lost(&sidecar, &format!("{key}_failed")) == 1.0
        });
        assert_eq!(lost(&sidecar, &format!("{key}_failed")), failed, "{named:?}");
        assert_eq!(sidecar.stop(), 0);
        service.events()
    };
    assert_eq!(check(&plain, "mask", Some("system/log/mask"), 1.0), [] as [Value; 0]);
    assert_eq!(check(&plain, "drop", Some("system/log/drop"), 1.0), [] as [Value; 0]);
    assert_eq!(check(&plain, "mask", None, 0.0)[0]["input"]["request"]["query"], json!({ "q": ["x"] }));
    let masked = check(&other, "mask", Some("own/log/hide"), 0.0);
    assert_eq!((masked[0]["input"].get("request"), &masked[0]["erased"]), (None, &json!(["/input/request"])));
}

/// The ids of all events that were taken: each once.
fn ids(service: &ReportService) -> Vec<String> {
    let id = |event: &Value| event["decision_id"].as_str().expect("an id").to_owned();
    let mut ids: Vec<_> = service.events().iter().map(id).collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "an event was taken twice");
    ids
}

#[test]
fn what_a_server_does_not_take_is_sent_again_and_the_last_on_a_drained_stop() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = ReportService::start(&case);
    let config = config(&case, &upstream, &bundle_with(LOG), &service);
    let mut sidecar = Sidecar::start(&case, &config);
    let mut asked = 0;
    let mut uploads_fail = |mode: Mode| {
        service.behave(mode.clone());
        let failed = || sidecar.metric("claviger_decision_log_uploads_total", &["result=\"failed\""]);
        let before = failed();
        assert_eq!(ask(&sidecar, "/echo/yes", "x"), 200);
        asked += 1;
        until(&format!("{mode:?}"), || failed() > before);
        service.behave(Mode::Taking);
        let sent = f64::from(asked);
        eventually_within(Duration::from_secs(20), &format!("sent after {mode:?}"), || {
            (ended(&sidecar, "sent") == sent).then_some(())
        });
    };
    for mode in [
        Mode::Answering(500, ""),
        Mode::Answering(503, "Retry-After: 1\r\n"),
        Mode::Answering(307, "Location: /elsewhere\r\n"),
        Mode::Answering(401, ""),
        Mode::Slow,
    ] {
        uploads_fail(mode);
    }
    assert_eq!(ids(&service).len(), 5);
    // the same again would be refused again
    service.behave(Mode::Answering(400, ""));
    assert_eq!(ask(&sidecar, "/echo/yes", "x"), 200);
    until("it is given up", || lost(&sidecar, "refused") == 1.0);
    let tried = service.requests().len();
    service.behave(Mode::Answering(503, "Retry-After: 60\r\n"));
    for _ in 0..20 {
        assert_eq!(ask(&sidecar, "/echo/yes", "x"), 200);
    }
    until("the server is left alone", || service.requests().len() > tried);
    service.behave(Mode::Taking);
    assert_eq!(sidecar.stop(), 0);
    assert_eq!(ids(&service).len(), 25);
    assert!(!sidecar.logs().contains("canary-of-the-report-service"), "{}", sidecar.logs());
}

#[test]
fn a_stop_does_not_wait_for_a_server_that_is_away() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = ReportService::start(&case);
    let mut sidecar = Sidecar::start(&case, &config(&case, &upstream, &bundle_with(LOG), &service));
    service.behave(Mode::Answering(500, ""));
    assert_eq!(ask(&sidecar, "/echo/yes", "x"), 200);
    until("it was tried", || !service.requests().is_empty());
    assert_eq!(sidecar.stop(), 0);
    assert!(sidecar.logs().contains("stopping before all decisions were logged"), "{}", sidecar.logs());
    assert_eq!(service.events(), [] as [Value; 0]);
}

#[test]
fn uploads_fit_their_bound_and_the_servers_and_the_oldest_gives_way() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let service = ReportService::start(&case);
    let mask = "package system.log\n\nimport rego.v1\n\nmask := []\n\ndrop := false\n";
    let config = config(&case, &upstream, &bundle_with(mask), &service)
        .with("decision_logs.upload_bytes_max", "8KiB")
        .with("decision_logs.buffer_bytes_max", "256KiB");
    let mut sidecar = Sidecar::start(&case, &config);
    let noise = |seed: usize, bytes: usize| -> String {
        let mut state = seed as u64 + 1;
        let mut letter = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(
                b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[(state >> 58) as usize],
            )
        };
        (0..bytes).map(|_| letter()).collect()
    };
    let mut connection = sidecar.connect();
    let mut send = |seed: usize, bytes: usize| {
        let headers = [("X-Note", &noise(seed, bytes)[..])];
        let answer = connection.request("GET", "/api/echo/yes", &headers, b"").expect("an answer");
        assert_eq!(answer.status, 200);
    };
    (0..40).for_each(|seed| send(seed, 1000));
    until("they are sent", || ended(&sidecar, "sent") == 40.0);
    assert!(service.requests().iter().all(|request| request.body_bytes <= 8 << 10));
    assert!(service.requests().len() < 40, "{} uploads", service.requests().len());
    // one alone beyond the bound cannot be sent, and does not stand in the way
    send(99, 16_000);
    until("it is given up", || lost(&sidecar, "too_large") == 1.0);
    // a server with less room than we were told
    service.behave(Mode::Cramped(4000));
    (100..120).for_each(|seed| send(seed, 1000));
    until("they are sent in smaller parts", || ended(&sidecar, "sent") == 60.0);
    assert_eq!(ids(&service).len(), 60);
    // a server that is away for long
    service.behave(Mode::Answering(503, "Retry-After: 1\r\n"));
    (200..600).for_each(|seed| send(seed, 1000));
    until("the oldest give way", || lost(&sidecar, "buffer_full") > 100.0);
    let held = sidecar.metric("claviger_decision_log_buffer_bytes", &[]);
    assert!(held <= 262_144.0, "{held}");
    service.behave(Mode::Taking);
    until("the rest is sent", || ended(&sidecar, "sent") + lost(&sidecar, "buffer_full") == 460.0);
    let last = service.events().pop().expect("the newest");
    assert_eq!(last["input"]["request"]["headers"]["x-note"][0], json!(noise(599, 1000)));
    assert_eq!(sidecar.stop(), 0);
}
