//! Nothing but a clear permit lets a request out, whatever the policy does.

use claviger_tests::sidecar::run;
use claviger_tests::{Case, Config, Sidecar, Upstream, bundle, needs};
use serde_json::json;

/// Answers with the value that stands under the path's last segment, and misbehaves on request.
const POLICY: &str = r#"package claviger.authz

import rego.v1

last := input.request.segments[count(input.request.segments) - 1]

answers := {
    "yes": true, "permit": {"allow": true},
    "no": false, "denial": {"allow": false, "reason": "no"},
    "text": "true", "number": 1, "null": null, "array": [true], "empty": {}, "no-allow": {"reason": "hello"},
    "allow-text": {"allow": "true"}, "unknown-key": {"allow": true, "surprise": 1},
    "scopes-text": {"allow": true, "scopes": "read"}, "ttl-negative": {"allow": true, "ttl_s": -1},
    "rate": {"allow": true, "rate": {"key": "a", "per_minute": 1}}, "status-200": {"allow": false, "status": 200},
    "plants-host": {"allow": true, "set_headers": {"host": "elsewhere.example"}},
    "splits": {"allow": true, "set_headers": {"x-a": "b\r\nx-planted: 1"}},
}

decision := answers[last]

decision := {"allow": true} if last == "conflict"

decision := {"allow": true, "rule": "other"} if last == "conflict"

decision := {"allow": true} if {
    last == "forever"
    n := numbers.range(1, 3000)
    count([1 | some a in n; some b in n; some c in n; (a + b) + c == -1]) == 0
}

decision := {"allow": true} if {
    last == "hungry"
    n := numbers.range(1, 2000)
    count([x | some a in n; some b in n; x := [a, b, "a string that takes some room", a]]) > 0
}
"#;

fn mediating(case: &Case, upstream: &Upstream, eval_timeout: &str) -> Sidecar {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let config = Config::mediating(case, POLICY, upstream, &source)
        .with("policy.eval_timeout", eval_timeout)
        .with("policy.memory_max", "32MiB");
    Sidecar::start(case, &config)
}

fn check(sidecar: &Sidecar, last: &str, status: u16, code: &str, outcome: &str) {
    let answer = sidecar.call(&format!("/api/echo/{last}"));
    assert_eq!((answer.status, answer.code().as_str()), (status, code), "{last}: {answer:?}");
    let id = answer.header("claviger-request-id").expect("every response has one").to_owned();
    let record = claviger_tests::wait::eventually("its record", || {
        sidecar.records(1).into_iter().find(|record| record["id"] == id.as_str())
    });
    assert_eq!(record["decision"]["outcome"], outcome, "{last}: {record}");
}

#[test]
fn only_a_permit_permits() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = mediating(&case, &upstream, "500ms");
    for permit in ["yes", "permit"] {
        check(&sidecar, permit, 200, "", "allow");
    }
    let reached = upstream.requests().len();
    for denial in ["no", "denial", "undefined"] {
        check(&sidecar, denial, 403, "denied", "deny");
    }
    for broken in [
        "text",
        "number",
        "null",
        "array",
        "empty",
        "no-allow",
        "allow-text",
        "unknown-key",
        "scopes-text",
        "ttl-negative",
        "rate",
        "status-200",
        "plants-host",
        "splits",
    ] {
        check(&sidecar, broken, 503, "policy_error", "error");
    }
    assert_eq!(upstream.requests().len(), reached, "a request left without a permit");
}

#[test]
fn aborted_and_hungry_evaluations_deny_and_the_next_one_works() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    // long enough that memory ends first
    let sidecar = mediating(&case, &upstream, "10s");
    for last in ["conflict", "hungry"] {
        check(&sidecar, last, 503, "policy_error", "error");
        check(&sidecar, "yes", 200, "", "allow");
    }
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn runaway_evaluation_is_stopped_and_the_next_one_works() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = mediating(&case, &upstream, "100ms");
    for _ in 0..3 {
        check(&sidecar, "forever", 503, "policy_error", "error");
        check(&sidecar, "yes", 200, "", "allow");
    }
    assert_eq!(upstream.requests().len(), 3);
}

/// A spoilt artefact is not run: the policy is compiled again, and decides.
#[test]
fn machine_code_is_kept_only_where_it_is_asked_for() {
    needs!("opa");
    let kept = |case: &Case| {
        let folder = std::fs::read_dir(case.dir().join("state/compiled-policies"));
        let files = folder.map(|files| files.map(|file| file.expect("an entry").path()).collect());
        files.unwrap_or_else(|_| Vec::<std::path::PathBuf>::new())
    };
    for (wanted, files) in [(false, 0), (true, 1)] {
        let (case, upstream) = (Case::new(), Upstream::plain());
        let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
        let config = Config::mediating(&case, bundle::ALLOW, &upstream, &source)
            .with("state.compiled_policies", wanted);
        let file = case.file("looked-at.yaml", config.to_yaml());
        let looked = run(&case, &["check", "-c", file.to_str().expect("a path of ours")]);
        assert!(looked.status.success(), "{looked:?}");
        assert_eq!(kept(&case).len(), 0, "looking leaves nothing");
        let mut sidecar = Sidecar::start(&case, &config);
        assert_eq!(sidecar.call("/api/echo/a").status, 200);
        assert_eq!(kept(&case).len(), files);
        for file in kept(&case) {
            std::fs::write(file, b"not machine code").expect("it is ours");
        }
        sidecar.stop();
        sidecar.restart();
        assert_eq!(sidecar.call("/api/echo/a").status, 200);
        assert_eq!(kept(&case).len(), files);
        assert!(kept(&case).iter().all(|file| file.metadata().is_ok_and(|about| about.len() > 10_000)));
    }
}
