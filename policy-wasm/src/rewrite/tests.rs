//! What is rewritten, and what is left as it is.

use std::sync::Arc;

use super::{leaves_tables_alone, rewritten};
use crate::bundle::Bundle;
use crate::testing::{ENTRYPOINT, LIMITS, Module, PERMISSIVE};
use crate::{Evaluator, Policy, Trace, shipped};

#[test]
fn only_modules_of_opas_shape_are_rewritten() {
    let cases = [
        (PERMISSIVE, true),
        (Module { more: "(func $s) (start $s)", ..PERMISSIVE }, true),
        (Module { more: "(global (mut i64) (i64.const 5))", ..PERMISSIVE }, true),
        (Module { more: "(global (mut f64) (f64.const 5))", ..PERMISSIVE }, false),
        (Module { more: "(global (mut funcref) (ref.null func))", ..PERMISSIVE }, false),
        (Module { more: "(data \"passive\")", ..PERMISSIVE }, false),
        (
            Module {
                imports: r#"(import "env" "memory" (memory 2)) (import "env" "at" (global $at i32))"#,
                more: "(data (global.get $at) \"moved\")",
                ..PERMISSIVE
            },
            false,
        ),
        (Module { imports: "", more: "(memory (export \"memory\") 2)", ..PERMISSIVE }, false),
        (Module { more: "(func (export \"claviger:start\"))", ..PERMISSIVE }, false),
        (
            Module {
                more: "(table 2 funcref) (func (table.set (i32.const 0) (ref.null func)))",
                ..PERMISSIVE
            },
            false,
        ),
    ];
    for (module, expected) in cases {
        let bytes = module.bytes();
        let taken = rewritten(&bytes).is_some_and(|rewritten| leaves_tables_alone(&rewritten.wasm));
        assert_eq!(taken, expected, "{:?} {:?}", module.imports, module.more);
    }
    assert!(rewritten(b"\0asm\x01\0\0\0garbage").is_none());
    assert!(rewritten(b"").is_none());
}

#[test]
fn shipped_policies_begin_with_a_snapshot() {
    for bytes in [shipped::BASELINE, shipped::LEAST_PRIVILEGE] {
        let bundle = Bundle::read(bytes).expect("it is shipped");
        let policy = Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads");
        assert!(policy.is_snapshotted());
    }
}

/// The start function writes to memory and to globals, the evaluation counts on: each instance must begin at the same.
#[test]
fn instances_begin_with_what_the_start_function_left() {
    let started = |more: &'static str| Module {
        more,
        eval: "(local.set $i (i32.add (i32.load8_u (i32.const 4000)) (global.get $count)))
               (i32.store8 (i32.const 4000) (i32.const 9))
               (global.set $count (i32.const 9))
               (i32.store8 (i32.const 2001) (i32.add (i32.const 48) (local.get $i)))
               (i32.const 1990)",
        ..PERMISSIVE
    };
    let with_start = "(global $count (mut i32) (i32.const 1))
        (data (i32.const 1990) \"[{\\\"result\\\":0}]\\00\")
        (func $start (i32.store8 (i32.const 4000) (i32.const 3))
            (global.set $count (i32.add (global.get $count) (i32.const 1))))
        (start $start)";
    let policy = Arc::new(started(with_start).load(LIMITS).expect("a sound module"));
    assert!(policy.is_snapshotted());
    for _ in 0..2 {
        let mut evaluator = Evaluator::new(Arc::clone(&policy));
        let result = evaluator.evaluate_json(b"{}", &mut Trace::new()).expect("it evaluates");
        assert_eq!(String::from_utf8_lossy(&result), r#"[{"result":5}]"#);
    }
}

#[test]
fn what_is_not_rewritten_serves_all_the_same() {
    let module = Module { more: "(global (mut f64) (f64.const 5))", ..PERMISSIVE };
    let policy = Arc::new(module.load(LIMITS).expect("a sound module"));
    assert!(!policy.is_snapshotted());
    let result = Evaluator::new(policy).evaluate_json(b"{}", &mut Trace::new());
    assert_eq!(result.as_deref(), Ok(br#"[{"result":true}]"#.as_slice()));
}
