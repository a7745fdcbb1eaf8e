//! Configuration errors as `check` tells them: each found, at its line, with its path, and never with a secret.

use claviger_tests::bundle::{self, ALLOW};
use claviger_tests::sidecar::run;
use claviger_tests::{Case, needs};
use serde_json::Value;

/// Every broken file is this one with a single change.
const VALID: &str = "\
version: 1
listeners:
  app:
    bind: 127.0.0.1:18080
    mode: reverse
routes:
  github:
    upstream: https://api.github.com
    credential: token
    timeouts: { connect: 5s, response: 30s }
  pay:
    upstream: https://pay.example/v2
    credentials: [token, idp]
credentials:
  token:
    source:
      static: { env: CLAVIGER_TESTS_TOKEN }
    inject: { bearer: {} }
  idp:
    source:
      oauth2_client_credentials:
        token_url: https://idp.example/token
        client_id: me
        client_secret: { env: CLAVIGER_TESTS_TOKEN }
        scopes: [read]
    inject:
      header: { name: X-Token, format: \"token {secret}\" }
    ttl_max: 15m
policy:
  bundle: { file: BUNDLE }
  entrypoint: claviger/authz/decision
audit:
  stdout: {}
";

/// What stands in the valid file, what stands there instead, and how the finding's path begins.
const BROKEN: &[(&str, &str, &str)] = &[
    ("version: 1", "version: 2", "version"),
    ("audit:\n", "audits:\n", "audits"),
    ("    mode: reverse\n", "    mode: reverse\n    mode: forward\n", "listeners.app"),
    ("mode: reverse", "mode: revers", "listeners.app.mode"),
    ("mode: reverse", "mode: transparent", "listeners.app.mode"),
    ("bind: 127.0.0.1:18080", "bind: 127.0.0.1", "listeners.app.bind"),
    ("bind: 127.0.0.1:18080", "bind: 0.0.0.0:18080", "listeners.app"),
    ("upstream: https://api.github.com", "upstrem: https://api.github.com", "routes.github"),
    ("upstream: https://api.github.com", "upstream: ftp://api.github.com", "routes.github.upstream"),
    ("upstream: https://api.github.com", "upstream: https://me:pw@api.github.com", "routes.github.upstream"),
    ("upstream: https://api.github.com", "upstream: 7", "routes.github.upstream"),
    ("credential: token", "credential: tokn", "routes.github.credential"),
    (
        "    credential: token\n",
        "    credential: token\n    tls: { ca: /nowhere/ca.pem }\n",
        "routes.github.tls.ca",
    ),
    ("[token, idp]", "[token, ipd]", "routes.pay.credentials"),
    ("connect: 5s", "connect: 5", "routes.github.timeouts"),
    ("connect: 5s", "connect: -5s", "routes.github.timeouts"),
    ("static: { env", "statik: { env", "credentials.token.source"),
    ("{ env: CLAVIGER_TESTS_TOKEN }\n    inject", "{}\n    inject", "credentials.token.source"),
    ("{ bearer: {} }", "{ bearr: {} }", "credentials.token.inject"),
    ("name: X-Token", "name: X Token", "credentials.idp.inject"),
    ("\"token {secret}\"", "\"token\"", "credentials.idp.inject"),
    (
        "client_secret: { env: CLAVIGER_TESTS_TOKEN }",
        "client_secret: hunter2-inline",
        "credentials.idp.source",
    ),
    ("token_url: https://idp", "token_url: http://idp", "credentials.idp.source"),
    ("ttl_max: 15m", "ttl_max: 15", "credentials.idp.ttl_max"),
    ("ttl_max: 15m", "refresh_ahead: 1.8", "credentials.idp.refresh_ahead"),
    ("{ file: BUNDLE }", "{ file: /nowhere/bundle.tar.gz }", "policy.bundle"),
    ("claviger/authz/decision", "claviger/authz/other", "policy.entrypoint"),
    ("claviger/authz/decision", "${CLAVIGER_TESTS_UNSET}", "policy.entrypoint"),
    ("  stdout: {}", "  stduot: {}", "audit"),
];

struct Checked {
    exit: Option<i32>,
    output: String,
    findings: Vec<Value>,
}

fn check(case: &Case, text: &str) -> Checked {
    let file = case.file("claviger.yaml", text).display().to_string();
    let human = run(case, &["check", "-c", &file]);
    let json = run(case, &["check", "-c", &file, "--format", "json"]);
    assert_eq!(human.status.code(), json.status.code(), "the two formats disagree");
    let findings = serde_json::from_slice(&json.stdout).expect("an array of findings");
    let output = [&human.stdout[..], &human.stderr, &json.stdout, &json.stderr].concat();
    Checked { exit: human.status.code(), output: String::from_utf8_lossy(&output).into_owned(), findings }
}

fn valid() -> String {
    VALID.replace("BUNDLE", &bundle::compile(ALLOW).display().to_string())
}

fn first_changed_line(before: &str, after: &str) -> u64 {
    let same = before.lines().zip(after.lines()).take_while(|(before, after)| before == after).count();
    same as u64 + 1
}

#[test]
fn every_broken_file_is_found_at_its_line() {
    needs!("opa");
    let case = Case::new();
    let valid = valid();
    let good = check(&case, &valid);
    assert_eq!((good.exit, good.findings.len()), (Some(0), 0), "{}", good.output);

    let bundle = bundle::compile(ALLOW).display().to_string();
    let mut wrong = Vec::new();
    for (old, new, path) in BROKEN {
        let changed = valid.replacen(&old.replace("BUNDLE", &bundle), new, 1);
        let line = first_changed_line(&valid, &changed);
        let checked = check(&case, &changed);
        let fits = |finding: &Value| {
            finding["line"] == line && finding["path"].as_str().is_some_and(|own| own.starts_with(path))
        };
        if checked.exit != Some(1) || !checked.findings.iter().any(fits) {
            wrong.push(format!(
                "{new:?}: exit {:?}, wanted {path} at line {line}: {:?}",
                checked.exit, checked.findings
            ));
        }
        assert!(!checked.output.contains("hunter2"), "{new:?}: an inline secret is repeated");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), BROKEN.len(), wrong.join("\n"));
}

#[test]
fn all_errors_come_at_once_with_suggestions() {
    needs!("opa");
    let case = Case::new();
    let changes = [
        ("mode: reverse", "mode: sideways", "listeners.app.mode"),
        ("credential: token", "credential: tokn", "routes.github.credential"),
        ("ttl_max: 15m", "ttl_max: soon", "credentials.idp.ttl_max"),
        ("{ bearer: {} }", "{ bearr: {} }", "credentials.token.inject"),
    ];
    let changed = changes.iter().fold(valid(), |text, (old, new, _)| text.replacen(old, new, 1));
    let checked = check(&case, &changed);
    for (_, new, path) in changes {
        let found = checked
            .findings
            .iter()
            .any(|finding| finding["path"].as_str().is_some_and(|own| own.starts_with(path)));
        assert!(found, "{new:?} is not among {:?}", checked.findings);
    }
    for near in ["token", "bearer"] {
        let suggested =
            |finding: &Value| finding["suggestion"].as_str().is_some_and(|text| text.contains(near));
        assert!(checked.findings.iter().any(suggested), "{near} is not suggested: {:?}", checked.findings);
    }
}

#[test]
fn serve_refuses_a_broken_file_and_shows_no_secret() {
    needs!("opa");
    let case = Case::new();
    let changed =
        valid().replacen("client_secret: { env: CLAVIGER_TESTS_TOKEN }", "client_secret: hunter2-inline", 1);
    case.canaries().watch("the inline secret", "hunter2-inline");
    let file = case.file("secret-inline.yaml", changed).display().to_string();
    let output = run(&case, &["serve", "-c", &file]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
}
