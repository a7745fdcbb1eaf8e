//! Tables become cases, or findings with their places.

use std::time::Duration;

use claviger_policy::{Bundle, Limits, shipped};

use super::*;

fn policy(dialect: Dialect) -> Arc<Policy> {
    let bundle = Bundle::read(shipped::BASELINE).expect("it is a bundle");
    let limits = Limits::new(Duration::from_secs(1), 64 << 20);
    let policy = Policy::load(&bundle, shipped::ENTRYPOINT, limits).expect("it loads");
    Arc::new(policy.in_dialect(dialect))
}

fn read(yaml: &str, dialect: Dialect) -> Result<Vec<Case>, Findings> {
    Table::read(&Source::new("table.yaml", yaml))?.cases(&policy(dialect))
}

#[test]
fn cases_are_layered() {
    let cases = read(
        r#"
defaults:
  time: 2026-11-21T23:00:00Z
  input:
    workload: { uid: 1000, labels: { team: payments } }
    route: { name: github, credentials: [github] }
    request: { headers: { accept: [a/b], x-a: ["1"] } }
    claimed: { purpose: nothing }
cases:
  - request: GET https://api.github.com/repos/acme?page=1
    expect: allow

  - name: the long form
    request:
      method: POST
      url: https://api.github.com/repos
      headers: { Accept: c/d, Claviger-Purpose: close }
    input: { workload: { uid: 7, labels: null }, request: { segments: [other] } }
    expect: { allow: false }
  - time: 2026-01-01T00:00:00.5Z
    expect: deny
"#,
        Dialect::Mediation,
    );
    let cases = cases.unwrap_or_else(|findings| panic!("{}", findings.to_json()));
    let check = |at: usize, place: &str, expected: Value| {
        assert_eq!(cases[at].document.pointer(place).cloned().unwrap_or_default(), expected, "{at} {place}");
    };
    assert_eq!(cases.iter().map(|case| case.line).collect::<Vec<_>>(), [10, 13, 20]);
    assert_eq!(cases[0].name, "GET https://api.github.com/repos/acme?page=1");
    assert_eq!(cases[1].name, "the long form");
    check(0, "/time/rfc3339", json!("2026-11-21T23:00:00Z"));
    check(0, "/workload", json!({ "uid": 1000, "labels": { "team": "payments" } }));
    check(
        0,
        "/route",
        json!({ "name": "github", "upstream": "https://api.github.com", "credentials": ["github"] }),
    );
    check(0, "/request/query", json!({ "page": ["1"] }));
    check(0, "/request/headers", json!({ "accept": ["a/b"], "x-a": ["1"] }));
    check(0, "/claimed", json!({ "purpose": "nothing" }));
    check(1, "/workload", json!({ "uid": 7 }));
    check(1, "/request/headers", json!({ "accept": ["c/d"], "x-a": ["1"] }));
    check(1, "/request/segments", json!(["other"]));
    check(1, "/request/path", json!("/repos"));
    check(1, "/claimed", json!({ "purpose": "close" }));
    check(2, "/time/now_ns", json!(1_767_225_600_500_000_000_i64));
}

#[test]
fn envoys_inputs_are_layered_too() {
    let table = "
defaults: { input: { attributes: { contextExtensions: { route: github } } } }
cases:
  - request: GET https://api.github.com/repos?page=1
    expect: { allowed: true }
";
    let cases = read(table, Dialect::ExtAuthz).unwrap_or_else(|findings| panic!("{}", findings.to_json()));
    let document = &cases[0].document;
    assert_eq!(document["attributes"]["contextExtensions"]["route"], "github");
    assert_eq!(document["attributes"]["request"]["http"]["path"], "/repos?page=1");
    assert_eq!(document["parsed_query"], json!({ "page": ["1"] }));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let check = |yaml: &str, expected: &[(&str, usize, &str)]| {
        let findings = read(yaml, Dialect::Mediation).err().unwrap_or_default();
        let found: Vec<_> =
            findings.iter().map(|found| (found.code, found.location.line, found.path.as_str())).collect();
        assert_eq!(found, expected, "{yaml}\n{}", findings.to_json());
    };
    check("cases: []", &[("no_cases", 1, "cases")]);
    check("case: []", &[("unknown_key", 1, "case")]);
    check("cases:\n  - expect: allow\n    expct: deny", &[("unknown_key", 3, "cases.0.expct")]);
    check("cases:\n  - name: a", &[("missing_key", 2, "cases.0.expect")]);
    check("dialect: envoy\ncases: [{ expect: allow }]", &[("unknown_variant", 1, "dialect")]);
    check(
        "cases:\n  - expect: allow\n  - expect: maybe\n  - expect:\n      alow: true",
        &[("bad_expectation", 3, "cases.1.expect"), ("bad_expectation", 4, "cases.2.expect")],
    );
    check("cases:\n  - request: GET\n    expect: allow", &[("bad_request", 2, "cases.0.request")]);
    check(
        "cases:\n  - request: GET https://a/b%2fc\n    expect: allow",
        &[("bad_request", 2, "cases.0.request")],
    );
    check(
        "cases:\n  - request:\n      url: https://a/\n      header: {}\n    expect: allow",
        &[("unknown_key", 4, "cases.0.request.header")],
    );
    check(
        "cases:\n  - request: { url: https://a/, headers: { a: { b: c } } }\n    expect: allow",
        &[("bad_header", 2, "cases.0.request")],
    );
    check(
        "cases:\n  - request: { url: https://a/, body: x }\n    expect: allow",
        &[("bad_request", 2, "cases.0.request")],
    );
    check("cases:\n  - expect: allow\n    time: tomorrow", &[("bad_time", 3, "cases.0.time")]);
    check("defaults: { time: tomorrow }\ncases: [{ expect: allow }]", &[("bad_time", 1, "defaults.time")]);
    check(
        "cases:\n  - expect: allow\n    input:\n      worklod: {}",
        &[("unknown_key", 4, "cases.0.input.worklod")],
    );
    check("cases:\n  - expect: allow\n    input: 7", &[("wrong_type", 3, "cases.0.input")]);
}
