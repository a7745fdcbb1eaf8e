//! The author's tools on compiled bundles: tables, recorded decisions, and two bundles side by side.

use std::path::Path;

use claviger_tests::bundle::{compile, compile_with};
use claviger_tests::sidecar::run;
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::{Value, json};

/// Reads are permitted, also below `/echo/private`; with a header, writes are too.
const OLD: &str = r#"package claviger.authz

import rego.v1

default decision := {"allow": false, "rule": "none"}

decision := {"allow": true, "rule": "read"} if input.request.method == "GET"

decision := {"allow": true, "rule": "write"} if {
	input.request.method == "PUT"
	input.request.headers["x-why"]
}
"#;

/// The same, but for one part of the paths.
const NEW: &str = r#"package claviger.authz

import rego.v1

default decision := {"allow": false, "rule": "none", "reason": "not this"}

decision := {"allow": true, "rule": "read"} if {
	input.request.method == "GET"
	not "private" in input.request.segments
}

decision := {"allow": true, "rule": "write"} if {
	input.request.method == "PUT"
	input.request.headers["x-why"]
}
"#;

/// Runs `claviger policy`; gives the exit code, and standard output as JSON where it is that.
fn policy(case: &Case, words: &[&str], code: i32) -> Value {
    let output = run(case, &[&["policy"], words].concat());
    let told = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {told}");
    serde_json::from_slice(&output.stdout).unwrap_or(Value::String(told))
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn tables_are_held_against_a_bundle() {
    needs!("opa");
    let case = Case::new();
    let bundle = text(&compile(OLD));
    let right = "
cases:
  - request: GET https://a.example/x
    expect: { allow: true, rule: read }
  - request: { method: PUT, url: https://a.example/x, headers: { X-Why: because } }
    expect: allow
  - request: PUT https://a.example/x
    expect: deny
";
    let right = text(&case.file("right.yaml", right));
    let told = policy(&case, &["test", &bundle, &right, "--format", "json"], 0);
    assert_eq!((&told["passed"], &told["failed"]), (&json!(3), &json!(0)), "{told}");

    let wrong = "cases:\n  - expect: { allow: false, rule: other }\n    name: <wrong>\n";
    let wrong = text(&case.file("wrong.yaml", wrong));
    let told = policy(&case, &["test", &bundle, &right, &wrong, "--format", "json"], 1);
    let last = &told["cases"][3];
    assert_eq!(
        (&last["line"], &last["passed"], &told["failed"]),
        (&json!(2), &json!(false), &json!(1)),
        "{told}"
    );
    assert_eq!(last["mismatches"][0], json!({ "path": "allow", "expected": false, "found": true }));
    let human = policy(&case, &["test", &bundle, &wrong], 1).to_string();
    for shown in ["FAIL", "wrong.yaml:2", "rule: expected", "0 passed, 1 failed"] {
        assert!(human.contains(shown), "{shown} is not in {human}");
    }
    let junit = policy(&case, &["test", &bundle, &wrong, "--format", "junit"], 1);
    let junit = junit.as_str().expect("it is XML");
    assert!(junit.contains("failures=\"1\"") && junit.contains("name=\"&lt;wrong&gt;\""), "{junit}");

    let misspelt =
        text(&case.file("misspelt.yaml", "cases:\n  - expect: allow\n    input: { worklod: {} }\n"));
    let told = policy(&case, &["test", &bundle, &right, &misspelt], 2).to_string();
    assert!(told.contains("misspelt.yaml:3") && told.contains("workload"), "{told}");
    policy(&case, &["test", &bundle, "no-such-file.yaml"], 2);
    policy(&case, &["test", &bundle], 2);
    policy(&case, &["test", &bundle, &right, "-e", "no/such/entrypoint"], 2);
}

#[test]
fn envoys_policies_have_tables_too() {
    needs!("opa");
    let case = Case::new();
    let rego = "package claviger.authz\n\ndecision := {\"allowed\": input.attributes.request.http.method == \"GET\", \"headers\": {\"x-a\": input.parsed_path[0]}}\n";
    let bundle = text(&compile(rego));
    let table = "
dialect: ext_authz
cases:
  - request: GET https://a.example/x
    expect: { allowed: true, headers: { x-a: x } }
  - request: PUT https://a.example/x
    expect: deny
";
    let table = text(&case.file("table.yaml", table));
    policy(&case, &["test", &bundle, &table], 0);
    policy(&case, &["test", &bundle, &table, "--dialect", "mediation"], 2);
    let input = json!({ "attributes": { "request": { "http": { "method": "GET" } } }, "parsed_path": ["y"] });
    let input = text(&case.file("input.json", input.to_string()));
    let told = policy(&case, &["eval", &bundle, "-i", &input, "--dialect", "ext_authz"], 0);
    assert_eq!(told, json!({ "allowed": true, "headers": { "x-a": "y" } }));
}

/// Lets a sidecar carry some requests under [`OLD`]; gives its configuration and its audit file.
fn carried(case: &Case, upstream: &Upstream) -> (Config, String) {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let config = Config::mediating(case, OLD, upstream, &source);
    let mut sidecar = Sidecar::start(case, &config);
    for (method, path, headers, status) in [
        ("GET", "/api/echo/a", &[][..], 200),
        ("GET", "/api/echo/private/b", &[], 200),
        ("PUT", "/api/echo/c", &[("x-why", "because")], 200),
        ("PUT", "/api/echo/d", &[], 403),
        ("DELETE", "/api/echo/e", &[], 403),
        ("GET", "/nowhere", &[], 403),
    ] {
        assert_eq!(sidecar.ask(method, path, headers, b"").status, status, "{method} {path}");
    }
    sidecar.records(6);
    assert_eq!(sidecar.stop(), 0);
    let audit = text(&sidecar.audit_file());
    (config, audit)
}

/// The paths of a replay's drift.
fn drifted(told: &Value) -> Vec<&str> {
    let drift = told["drift"].as_array().into_iter().flatten();
    drift.filter_map(|drift| drift["path"].as_str()).collect()
}

#[test]
fn planted_drift_is_found_in_a_real_record() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let (config, audit) = carried(&case, &upstream);
    let (old, new) = (text(&compile(OLD)), text(&compile(NEW)));

    let told = policy(&case, &["replay", &old, &audit, "--format", "json"], 0);
    assert_eq!(
        (&told["decisions"], &told["same"], &told["drift"]),
        (&json!(5), &json!(3), &json!([])),
        "{told}"
    );
    assert_eq!(
        (&told["unjudged_count"], &told["looks_at"]),
        (&json!(2), &json!({ "request.headers": 2 })),
        "{told}"
    );
    assert_eq!(told["passed_over"]["no policy was asked"], 1, "{told}");
    policy(&case, &["replay", &old, &audit, "--strict"], 1);

    let told = policy(&case, &["replay", &new, &audit, "--format", "json"], 1);
    let drift = told["drift"].as_array().expect("it is listed");
    assert_eq!((drift.len(), &told["same"], &told["unjudged_count"]), (1, &json!(2), &json!(2)), "{told}");
    let drift = &drift[0];
    assert_eq!((&drift["route"], &drift["path"]), (&json!("api"), &json!("/echo/private/b")), "{drift}");
    assert_eq!(
        (&drift["was"]["outcome"], &drift["was"]["rule"]),
        (&json!("allow"), &json!("read")),
        "{drift}"
    );
    assert_eq!(
        (&drift["now"]["outcome"], &drift["now"]["decision"]["reason"]),
        (&json!("deny"), &json!("not this"))
    );
    assert!(drift["id"].is_string() && drift["time"].is_string() && drift["differs"] == json!(["outcome"]));
    let human = policy(&case, &["replay", &new, &audit], 1).to_string();
    for shown in ["allow -> deny", "api/echo/private/b", "not this", "no headers, query or body"] {
        assert!(human.contains(shown), "{shown} is not in {human}");
    }

    let told = policy(&case, &["diff", &old, &new, "--audit", &audit, "--format", "json"], 1);
    let verdicts = &told["verdicts"];
    assert_eq!(
        (&verdicts["asked"], verdicts["differences"].as_array().map(Vec::len)),
        (&json!(5), Some(1)),
        "{told}"
    );
    let by_port = OLD.replace("input.request.method == \"GET\"", "input.request.port > 0");
    let by_port = text(&compile(&by_port));
    policy(&case, &["replay", &by_port, &audit], 1);
    let config = text(&case.file("replayed.yaml", config.to_yaml()));
    let told = policy(&case, &["replay", &by_port, &audit, "-c", &config, "--format", "json"], 1);
    assert_eq!((drifted(&told), &told["unjudged_count"]), (vec!["/echo/e"], &json!(2)), "{told}");
    policy(&case, &["replay", &new, &text(&case.file("no.jsonl", "no record\n"))], 2);
    policy(&case, &["replay", &new, "no-such-file"], 2);
}

#[test]
fn decisions_depend_on_their_own_time() {
    needs!("opa");
    let case = Case::new();
    let rego = "package claviger.authz\n\nimport rego.v1\n\ndecision if time.now_ns() < 1000000000\n";
    let event = |timestamp: &str, result: bool| json!({ "decision_id": "d", "path": "claviger/authz/decision", "timestamp": timestamp, "input": {}, "result": result });
    let log = [
        event("1970-01-01T00:00:00.5Z", true),
        event("1970-01-01T00:00:02Z", false),
        event("1970-01-01T00:00:02Z", true),
    ];
    let log = case.file("log.jsonl", log.map(|event| event.to_string()).join("\n"));
    let told = policy(&case, &["replay", &text(&compile(rego)), &text(&log), "--format", "json"], 1);
    // the second is undefined now and was false: both deny
    assert_eq!(
        (&told["same"], &told["unjudged_count"], &told["drift"][0]["line"]),
        (&json!(2), &json!(0), &json!(3)),
        "{told}"
    );
}

#[test]
fn bundles_are_compared() {
    needs!("opa");
    let case = Case::new();
    let old = text(&compile_with(OLD, r#"{"grants": {"a": 1, "b": 2}}"#, "r1"));
    let new = text(&compile_with(OLD, r#"{"grants": {"a": 1, "b": 3, "c": 4}}"#, "r2"));
    let told = policy(&case, &["diff", &old, &old, "--format", "json"], 0);
    assert_eq!((&told["equal"], &told["differences"]), (&json!(true), &json!({})), "{told}");
    let told = policy(&case, &["diff", &old, &new, "--format", "json"], 1);
    let differences = &told["differences"];
    assert_eq!(differences["revision"], json!({ "old": "r1", "new": "r2" }), "{told}");
    assert_eq!(
        differences["data"],
        json!({ "added": ["grants/c"], "removed": [], "changed": ["grants/b"], "count": 2 })
    );
    assert!(differences["digest"].is_object() && differences["entrypoints"].is_null(), "{told}");

    let hashing = OLD.replace("input.request.headers", "crypto.sha256(input.id); input.request.headers");
    let told = policy(&case, &["diff", &old, &text(&compile(&hashing)), "--format", "json"], 1);
    assert_eq!(
        told["differences"]["builtins"],
        json!({ "removed": [], "added": ["crypto.sha256"] }),
        "{told}"
    );

    let input =
        text(&case.file(
            "input.json",
            json!({ "request": { "method": "GET", "segments": ["private"] } }).to_string(),
        ));
    let table = text(&case.file("table.yaml", "cases: [{ request: 'GET https://a/private', expect: allow }, { request: 'GET https://a/b', expect: allow }]"));
    let words = [
        "diff",
        &text(&compile(OLD)),
        &text(&compile(NEW)),
        "-i",
        &input,
        "--table",
        &table,
        "--format",
        "json",
    ];
    let told = policy(&case, &words, 1);
    let verdicts = &told["verdicts"];
    assert_eq!(
        (&verdicts["asked"], verdicts["differences"].as_array().map(Vec::len)),
        (&json!(3), Some(2)),
        "{told}"
    );
    assert_eq!(verdicts["differences"][0]["new"]["outcome"], "deny", "{told}");
    assert!(
        verdicts["differences"][1]["source"].as_str().is_some_and(|source| source.ends_with("table.yaml:1")),
        "{told}"
    );
}
