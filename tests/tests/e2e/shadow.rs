//! A second policy judges every request too: what it would do otherwise is counted and sampled, and whatever becomes of it,
//! no request notices.

use claviger_tests::bundle::{self, ENTRYPOINT};
use claviger_tests::bundle_service::Mode;
use claviger_tests::sidecar::run;
use claviger_tests::wait::{free_port, until};
use claviger_tests::{BundleService, Case, Config, Sidecar, Upstream, needs};
use serde_json::{Value, json};

/// Permits what is not under `/echo/w`; as a shadow it denies that by a rule, narrows what is under `/echo/n`, and fails
/// under `/echo/f`.
const POLICY: &str = r#"package claviger.authz

import rego.v1

last := input.request.segments[count(input.request.segments) - 1]

decision := {"allow": false, "rule": "no-writes", "reason": data.letter} if {
    input.context.shadow
    last == "w"
} else := {"allow": true, "scopes": []} if {
    input.context.shadow
    last == "n"
} else := 7 if {
    input.context.shadow
    last == "f"
} else := {"allow": true, "rule": input.context.revision}
"#;

fn bundle_of(letter: &str) -> std::path::PathBuf {
    bundle::compile_with(POLICY, &json!({ "letter": letter }).to_string(), letter)
}

fn config(case: &Case, upstream: &Upstream, shadow: &Value) -> Config {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    Config::mediating(case, bundle::ALLOW, upstream, &source).with(
        "policy",
        json!({ "bundle": { "file": bundle_of("a") }, "entrypoint": ENTRYPOINT, "eval_timeout": "500ms",
                "shadow": { "bundle": shadow } }),
    )
}

fn differences(sidecar: &Sidecar, labels: &[&str]) -> f64 {
    sidecar.metric("claviger_shadow_differences_total", labels)
}

fn evaluated(sidecar: &Sidecar, outcome: &str) -> f64 {
    sidecar.metric("claviger_shadow_evaluations_total", &[&format!("outcome=\"{outcome}\"")])
}

fn shadow_is(sidecar: &Sidecar, letter: &str) {
    let label = format!("revision=\"{letter}\"");
    until("the shadow's revision", || sidecar.metric("claviger_shadow_revision_info", &[&label]) == 1.0);
}

fn passes(sidecar: &Sidecar, target: &str) {
    let answer = sidecar.call(target);
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[test]
fn differences_are_counted_by_rule_and_sampled_without_headers() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let mut sidecar = Sidecar::start(&case, &config(&case, &upstream, &json!({ "file": bundle_of("b") })));
    shadow_is(&sidecar, "b");
    let canary = case.mint("a header's value, a query and a body");
    for last in ["w", "w", "n", "f", "x"] {
        let target = format!("/api/echo/{last}?q={canary}");
        let headers = [("X-Note", canary.as_str())];
        // the upstream's echo repeats the query, so the answer is not a place to search
        let answer = sidecar.connect().request("POST", &target, &headers, canary.as_bytes()).expect("answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let total = |outcome: &str, count: f64| {
        until(outcome, || evaluated(&sidecar, outcome) == count);
    };
    total("deny", 2.0);
    total("allow", 2.0);
    total("error", 1.0);
    // the policies name their revision as a rule, which makes another difference
    let counted = |active: &str, shadow: &str, rule: &str, count: f64| {
        let labels =
            [format!("active=\"{active}\""), format!("shadow=\"{shadow}\""), format!("rule=\"{rule}\"")];
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        assert_eq!(differences(&sidecar, &labels), count, "{labels:?}");
    };
    counted("allow", "deny", "no-writes", 2.0);
    counted("allow", "error", "a", 1.0);
    counted("allow", "allow", "b", 1.0);
    counted("allow", "allow", "a", 1.0);
    let file = case.dir().join("state/shadow.jsonl");
    let text = std::fs::read_to_string(&file).expect("samples were kept");
    case.canaries().sink("the shadow's samples", text.clone());
    let samples: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let denied = samples.iter().find(|sample| sample["shadow"]["rule"] == "no-writes").expect("a sample");
    assert_eq!(denied["differs"], json!(["outcome"]));
    assert_eq!(denied["request"]["path"], "/echo/w");
    assert_eq!((&denied["active"]["revision"], &denied["shadow"]["revision"]), (&json!("a"), &json!("b")));
    assert_eq!((&denied["active"]["outcome"], &denied["shadow"]["reason"]), (&json!("allow"), &json!("b")));
    let record = sidecar.records(5).into_iter().find(|record| record["id"] == denied["id"]);
    assert_eq!(record.expect("its record")["decision"]["outcome"], "allow");
    let failed = samples.iter().find(|sample| sample["shadow"]["outcome"] == "error").expect("a sample");
    assert!(failed["shadow"]["reason"].as_str().is_some_and(|why| why.contains("decision")), "{failed}");
    assert_eq!(sidecar.stop(), 0);
    assert_eq!(upstream.requests().len(), 5);
}

#[test]
fn a_missing_broken_or_late_shadow_is_nobodys_trouble() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let file = case.dir().join("shadow.tar.gz");
    let config = config(&case, &upstream, &json!({ "file": file }));
    let written = case.file("check.yaml", config.to_yaml()).display().to_string();
    let check = run(&case, &["check", "-c", &written, "--format", "json"]);
    let findings: Value = serde_json::from_slice(&check.stdout).expect("JSON");
    assert_eq!(check.status.code(), Some(1), "{findings}");
    assert_eq!(
        (&findings[0]["severity"], &findings[0]["path"]),
        (&json!("error"), &json!("policy.shadow.bundle.file"))
    );
    let mut sidecar = Sidecar::start(&case, &config);
    passes(&sidecar, "/api/echo/w");
    let dropped =
        |reason: &str| sidecar.metric("claviger_shadow_drops_total", &[&format!("reason=\"{reason}\"")]);
    until("nothing was compared", || dropped("no_policy") == 1.0);
    std::fs::write(&file, "not a bundle").expect("the case's directory is writable");
    until("it is refused", || {
        sidecar.metric("claviger_shadow_reloads_total", &["result=\"invalid\""]) >= 1.0
    });
    passes(&sidecar, "/api/echo/w");
    std::fs::copy(bundle_of("b"), &file).expect("likewise");
    shadow_is(&sidecar, "b");
    passes(&sidecar, "/api/echo/w");
    until("it is compared", || differences(&sidecar, &["rule=\"no-writes\""]) == 1.0);
    assert_eq!(sidecar.admin("/readyz").expect("health").status, 200);
    assert_eq!(sidecar.metric("claviger_policy_reloads_total", &["result=\"invalid\""]), 0.0);
    assert_eq!(sidecar.stop(), 0);
}

#[test]
fn a_shadow_comes_from_a_service_too_and_may_run_away() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let port = free_port();
    let mut sidecar = Sidecar::start(&case, &config(&case, &upstream, &BundleService::settings_at(port)));
    passes(&sidecar, "/api/echo");
    let read = |path: std::path::PathBuf| std::fs::read(path).expect("opa wrote it");
    let service = BundleService::start_at(port, read(bundle_of("b")), Mode::Polled);
    shadow_is(&sidecar, "b");
    let forever = "package claviger.authz\n\nimport rego.v1\n\ndecision if {\n    n := numbers.range(1, 3000)\n    \
                   count([1 | some a in n; some b in n; some c in n; (a + b) + c == -1]) == 0\n}\n";
    service.publish(read(bundle::compile_with(forever, "{}", "forever")));
    shadow_is(&sidecar, "forever");
    let before = evaluated(&sidecar, "error");
    for _ in 0..3 {
        passes(&sidecar, "/api/echo");
    }
    until("it was stopped", || evaluated(&sidecar, "error") > before);
    assert!(differences(&sidecar, &["shadow=\"error\""]) >= 1.0);
    // what is left to compare is not waited for
    assert_eq!(sidecar.stop(), 0);
    // the kept bundle is the shadow's own, and the active policy is not taken from it
    let kept = std::fs::read_dir(case.dir().join("state")).expect("it is there").flatten();
    assert_eq!(kept.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tar.gz")).count(), 1);
    sidecar.restart();
    shadow_is(&sidecar, "forever");
    passes(&sidecar, "/api/echo");
}
