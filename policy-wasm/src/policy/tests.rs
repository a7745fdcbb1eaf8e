//! What a module must have to be loaded, and how a refusal names what it lacks.

use std::sync::Arc;

use crate::testing::{ENTRYPOINT, LIMITS, Module, PERMISSIVE, compile, opa};
use crate::{Bundle, Evaluator, Limits, Policy, Trace};

fn refusal(module: &Module) -> String {
    let limits = Limits { memory_bytes_max: 1024 * 1024, ..LIMITS };
    match module.load(limits) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// OPA says that a module needs less memory at the start than the table of its rules takes.
#[test]
fn policies_with_many_rules_load() {
    let Some(opa) = opa() else { return };
    let name = |number: usize| format!("rule_{number}_{}", "x".repeat(1100));
    let rules: String = (0..100).map(|number| format!("{} := true\n\n", name(number))).collect();
    let all = (0..100).map(name).collect::<Vec<_>>().join(", ");
    let rego = format!("package claviger.authz\n\n{rules}decision := count([{all}]) == 100\n");
    let policy = Policy::load(&compile(&opa, &rego, "{}"), ENTRYPOINT, LIMITS).expect("it loads");
    let result = Evaluator::new(Arc::new(policy)).evaluate_json(b"{}", &mut Trace::new());
    assert_eq!(result.as_deref(), Ok(br#"[{"result":true}]"#.as_slice()));
}

#[test]
fn modules_are_refused_by_name_of_the_fault() {
    let cases = [
        (PERMISSIVE, "none"),
        (Module { minor: 2, ..PERMISSIVE }, "none"),
        (Module { imports: "", more: "(memory (export \"memory\") 2)", ..PERMISSIVE }, "none"),
        (Module { minor: 1, ..PERMISSIVE }, "ABI 1.1"),
        (Module { malloc: "malloc", ..PERMISSIVE }, "`opa_malloc`"),
        (
            Module { entrypoints: r#"{\"other\": 0}"#, ..PERMISSIVE },
            "`claviger/authz/decision` is not in the bundle, which has `other`",
        ),
        (Module { entrypoints: "{}", ..PERMISSIVE }, "which has none"),
        (Module { entrypoints: r#"{\"a\": \"0\"}"#, ..PERMISSIVE }, "table"),
        (Module { entrypoints: "[]", ..PERMISSIVE }, "table"),
        (Module { entrypoints: r#"{\"a\": 99999999999}"#, ..PERMISSIVE }, "table"),
        (
            Module { builtins: r#"{\"http.send\": 0}"#, ..PERMISSIVE },
            "`http.send`, which is refused: a decision must not wait",
        ),
        (
            Module { builtins: r#"{\"net.lookup_ip_addr\": 0}"#, ..PERMISSIVE },
            "`net.lookup_ip_addr`, which is refused",
        ),
        (Module { builtins: r#"{\"opa.runtime\": 0}"#, ..PERMISSIVE }, "`opa.runtime`, which is refused"),
        (
            Module { builtins: r#"{\"custom.thing\": 0}"#, ..PERMISSIVE },
            "`custom.thing`, which this host does not offer",
        ),
        (
            Module {
                imports: r#"(import "env" "memory" (memory 2)) (import "wasi" "open" (func))"#,
                ..PERMISSIVE
            },
            "`wasi.open`",
        ),
        (Module { imports: r#"(import "env" "memory" (memory 17))"#, ..PERMISSIVE }, "memory"),
        (Module { imports: "", more: "(memory (export \"memory\") 17)", ..PERMISSIVE }, "memory"),
        (Module { more: "(func $start (unreachable)) (start $start)", ..PERMISSIVE }, "unreachable"),
        (
            Module { more: "(func $start (call $abort (i32.const 16))) (start $start)", ..PERMISSIVE },
            "start function",
        ),
        (Module { more: "(table 10000000 funcref)", ..PERMISSIVE }, "set up"),
    ];
    for (module, expected) in cases {
        let refusal = refusal(&module);
        assert!(refusal.contains(expected), "expected {expected:?}, got {refusal:?}");
    }
}

#[test]
fn a_kept_artefact_serves_the_same_policy() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let artefacts = folder.path().join("artefacts");
    let bundle = Bundle::read(&PERMISSIVE.bytes()).expect("a bare module is a bundle");
    for _ in 0..2 {
        let policy = Policy::load_cached(&bundle, ENTRYPOINT, LIMITS, Some(&artefacts)).expect("it loads");
        assert_eq!(policy.entrypoints(), [ENTRYPOINT]);
        assert_eq!(std::fs::read_dir(&artefacts).expect("it was made").count(), 1);
    }
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    let bundle = Bundle::read(b"\0asm\x01\0\0\0garbage").expect("it begins like a module");
    let refusal = Policy::load(&bundle, ENTRYPOINT, LIMITS).err().map(|error| error.to_string());
    assert!(refusal.is_some_and(|refusal| refusal.contains("not a valid WebAssembly module")));
}

#[test]
fn network_builtins_of_real_policies_are_refused() {
    let Some(opa) = opa() else { return };
    let calls = [
        ("http.send", r#"http.send({"method": "GET", "url": "http://127.0.0.1:9/"}).status_code == 200"#),
        ("net.lookup_ip_addr", r#"count(net.lookup_ip_addr("localhost")) > 0"#),
        ("opa.runtime", "opa.runtime().env.HOME == input.home"),
    ];
    for (name, call) in calls {
        let rego = format!("package claviger.authz\n\nimport rego.v1\n\ndecision if {call}\n");
        let bundle = compile(&opa, &rego, "{}");
        let refusal = Policy::load(&bundle, ENTRYPOINT, LIMITS).err().map(|error| error.to_string());
        assert!(refusal.as_deref().is_some_and(|refusal| refusal.contains(name)), "{name}: {refusal:?}");
    }
}

#[test]
fn every_entrypoint_of_a_module_can_be_evaluated() {
    let module = Module {
        entrypoints: r#"{\"claviger/authz/decision\": 0, \"system/log/mask\": 1}"#,
        eval: "(select (i32.const 1100) (i32.const 1024) (local.get 1))",
        ..PERMISSIVE
    };
    let policy = Arc::new(module.load(LIMITS).expect("a sound module"));
    let check = |entrypoint: &str, expected: Option<&str>| {
        let evaluator = Evaluator::for_entrypoint(Arc::clone(&policy), entrypoint);
        let result = evaluator.map(|mut evaluator| {
            let result = evaluator.evaluate_json(b"{}", &mut Trace::new()).expect("it evaluates");
            String::from_utf8(result).expect("JSON is text")
        });
        assert_eq!(result.as_deref(), expected, "{entrypoint}");
    };
    check(ENTRYPOINT, Some(r#"[{"result":true}]"#));
    check("system/log/mask", Some(r#"[{"result":"no"}]"#));
    check("system/log/drop", None);
    check("", None);
}
