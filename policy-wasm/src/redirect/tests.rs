//! Only a module that is built as OPA builds is changed, and what comes out is a module again.

use std::sync::Arc;

use super::redirect;
use crate::testing::{ENTRYPOINT, LIMITS, compile, opa};
use crate::{Evaluator, Policy, Trace};

const IMPORT: &str = r#"(import "env" "opa_builtin2" (func $ask (param i32 i32 i32 i32) (result i32)))"#;

#[test]
fn modules_of_another_shape_stay_as_they_are() {
    let check = |text: &str, expected: bool| {
        let wasm = wat::parse_str(text).expect("a module");
        let changed = redirect(&wasm);
        assert_eq!(changed.is_some(), expected, "{text}");
        if let Some(changed) = changed {
            wasmparser::validate(&changed).unwrap_or_else(|error| panic!("{text}: {error}"));
        }
    };
    let matching = "(func $opa_regex_match (param i32 i32) (result i32) (local i64 i32) i32.const 0)";
    check(&format!("(module {IMPORT} {matching})"), true);
    check(
        &format!(
            "(module {IMPORT} (func $other) {matching} (func $more (drop (call $opa_regex_match (i32.const 1) (i32.const 2)))))"
        ),
        true,
    );
    check(
        &format!("(module {IMPORT} (func $opa_regex_match (param i32 i32) (result i32) i32.const 0))"),
        true,
    );
    check(&format!("(module {IMPORT})"), false);
    check(&format!("(module {matching})"), false);
    check(&format!("(module {IMPORT} (func $opa_regex_match (param i32) (result i32) i32.const 0))"), false);
    check(
        &format!("(module {IMPORT} (func $opa_regex_match (param i32 i64) (result i32) i32.const 0))"),
        false,
    );
    check(&format!("(module {IMPORT} (func $opa_regex_match (param i32 i32)))"), false);
    let import = r#"(import "env" "opa_builtin2" (func (param i32)))"#;
    check(&format!("(module {import} {matching})"), false);
    let import = r#"(import "env" "opa_regex_match" (func $opa_regex_match (param i32 i32) (result i32)))"#;
    check(&format!("(module {IMPORT} {import})"), false);
}

#[test]
fn bytes_that_are_no_module_stay_as_they_are() {
    assert_eq!(redirect(b""), None);
    assert_eq!(redirect(b"\0asm\x01\0\0\0\x0a\x05\x01"), None);
}

#[test]
fn modules_of_opa_ask_the_host() {
    let Some(opa) = opa() else { return };
    let rego =
        "package claviger.authz\n\nimport rego.v1\n\ndecision if regex.match(`^/repos/`, input.path)\n";
    let bundle = compile(&opa, rego, "{}");
    let changed = redirect(bundle.module()).expect("OPA names its functions");
    wasmparser::validate(&changed).expect("it is a module");
    let policy = Arc::new(Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads"));
    let check = |policy: Arc<Policy>, expected: usize| {
        let mut evaluator = Evaluator::new(policy);
        for _ in 0..2 {
            let result = evaluator.evaluate_json(br#"{"path": "/repos/acme"}"#, &mut Trace::new());
            assert_eq!(result.as_deref(), Ok(br#"[{"result":true}]"#.as_slice()));
        }
        assert_eq!(evaluator.patterns_met(), expected);
    };
    check(Arc::new(policy.in_json()), 0);
    check(policy, 1);
}
