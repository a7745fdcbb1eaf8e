//! The compiled policies are those of the sources, and decide as their authors mean.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::{BASELINE, ENTRYPOINT, LEAST_PRIVILEGE};
use crate::testing::{LIMITS, opa};
use crate::{Bundle, Decision, Evaluator, Policy, Trace};

fn evaluator(bundle: &[u8]) -> Evaluator {
    let bundle = Bundle::read(bundle).expect("it is a bundle");
    Evaluator::new(Arc::new(Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads")))
}

fn judge(evaluator: &mut Evaluator, input: &str) -> Decision {
    let result = evaluator.evaluate_json(input.as_bytes(), &mut Trace::new()).expect("it is decided");
    Decision::read(&result).expect("it is a decision")
}

#[test]
fn baseline_decides() {
    let mut evaluator = evaluator(BASELINE);
    let cases = [
        (r#"{"workload": {"uid": 0}, "request": {"method": "GET"}}"#, true, "read"),
        (r#"{"workload": {"uid": 0}, "request": {"method": "POST"}}"#, false, "write-needs-purpose"),
        (
            r#"{"workload": {"uid": 0}, "request": {"method": "POST"}, "claimed": {"purpose": "x"}}"#,
            true,
            "write-with-purpose",
        ),
        (r#"{"workload": {}, "request": {"method": "GET"}}"#, false, "unknown-workload"),
        ("{}", false, "unknown-workload"),
    ];
    for (input, allow, rule) in cases {
        match judge(&mut evaluator, input) {
            Decision::Permit(permission) => {
                assert_eq!((true, Some(rule)), (allow, permission.rule.as_deref()))
            }
            Decision::Deny(denial) => assert_eq!((false, Some(rule)), (allow, denial.rule.as_deref())),
        }
    }
}

#[test]
fn least_privilege_picks_the_credential() {
    let mut evaluator = evaluator(LEAST_PRIVILEGE);
    let input = |method: &str, last: &str| {
        format!(
            r#"{{"request": {{"method": "{method}", "segments": ["repos", "a", "b", "{last}"]}},
                "route": {{"credentials": ["github-read", "github-write"]}}}}"#
        )
    };
    let cases = [
        ("GET", "issues", "github-read"),
        ("POST", "issues", "github-write"),
        ("POST", "pulls", "github-write"),
    ];
    for (method, last, credential) in cases {
        let Decision::Permit(permission) = judge(&mut evaluator, &input(method, last)) else {
            panic!("{method} {last} is denied")
        };
        assert_eq!(permission.credential.as_deref(), Some(credential));
        assert!(permission.scopes.is_some());
    }
    assert!(matches!(judge(&mut evaluator, &input("DELETE", "issues")), Decision::Deny(_)));
}

#[test]
fn the_bundles_are_built_from_the_sources() {
    let Some(opa) = opa() else { return };
    let rego = Path::new(env!("CARGO_MANIFEST_DIR")).join("rego");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let done = Command::new("sh").arg(rego.join("build.sh")).arg(folder.path()).env("OPA", opa).output();
    let done = done.expect("there is a shell");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for name in ["baseline.tar.gz", "least-privilege.tar.gz", "SHA256SUMS"] {
        let read = |folder: &Path| std::fs::read(folder.join(name)).expect("it was built");
        assert!(
            read(folder.path()) == read(&rego.join("dist")),
            "{name} is stale: run policy-wasm/rego/build.sh"
        );
    }
}
