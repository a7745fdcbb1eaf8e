//! Hostile modules are stopped, each by the right name, and the evaluator works again afterwards.

use std::sync::Arc;
use std::time::Duration;

use crate::testing::{LIMITS, Module, PERMISSIVE, compile, deciding, opa};
use crate::{Decision, EvalError, Evaluator, Limits, LoadError, Policy, Trace};

/// Short, so that endless loops end soon.
const SHORT: Limits =
    Limits { eval_time_max: Duration::from_millis(20), memory_bytes_max: 4 * 1024 * 1024, ..LIMITS };

fn judge(evaluator: &mut Evaluator, input: &str) -> Result<Decision, EvalError> {
    let result = evaluator.evaluate_json(input.as_bytes(), &mut Trace::new())?;
    Decision::read(&result)
}

fn stopped(eval: &'static str) -> EvalError {
    let module = Module { eval, ..PERMISSIVE };
    let mut evaluator = Evaluator::new(Arc::new(module.load(SHORT).expect("it loads")));
    judge(&mut evaluator, "{}").expect_err("it is stopped")
}

#[test]
fn the_plain_module_permits() {
    let mut evaluator = Evaluator::new(Arc::new(PERMISSIVE.load(SHORT).expect("it loads")));
    assert!(matches!(judge(&mut evaluator, "{}"), Ok(Decision::Permit(_))));
}

#[test]
fn endless_evaluations_time_out() {
    let timed_out = EvalError::TimedOut { time_max_ms: 20 };
    for eval in ["(loop (br 0)) (unreachable)", "(loop (call $eval2) (br 0)) (unreachable)"] {
        let module = Module { eval, more: "(func $eval2)", ..PERMISSIVE };
        let mut evaluator = Evaluator::new(Arc::new(module.load(SHORT).expect("it loads")));
        for _ in 0..2 {
            assert_eq!(judge(&mut evaluator, "{}"), Err(timed_out.clone()), "{eval}");
        }
    }
}

#[test]
fn greed_is_out_of_memory() {
    let out_of_memory = EvalError::OutOfMemory { bytes_max: SHORT.memory_bytes_max };
    let cases = [
        "(loop (drop (memory.grow (i32.const 1))) (br 0)) (unreachable)",
        "(drop (memory.grow (i32.const 65535))) (i32.const 1024)",
    ];
    for eval in cases {
        assert_eq!(stopped(eval), out_of_memory, "{eval}");
    }
}

#[test]
fn faults_are_traps() {
    let cases = [
        ("(unreachable)", "unreachable"),
        ("(i32.div_u (i32.const 1) (i32.const 0))", "divide by zero"),
        ("(i32.load (i32.const -4))", "out of bounds"),
        (
            "(call $eval (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6))",
            "stack exhausted",
        ),
        ("(i32.const 0)", "outside its memory"),
        ("(i32.const -1)", "outside its memory"),
        ("(i32.const 0x7fffffff)", "outside its memory"),
        ("(i32.store8 (i32.const 196607) (i32.const 65)) (i32.const 196607)", "outside its memory"),
        ("(call $abort (i32.const -1)) (i32.const 1024)", "outside its memory"),
        ("(call $builtin0 (i32.const 7) (i32.const 0))", "does not list"),
    ];
    for (eval, expected) in cases {
        let error = stopped(eval);
        assert!(
            matches!(&error, EvalError::Trapped { cause } if cause.contains(expected)),
            "{eval}: {error}"
        );
    }
}

#[test]
fn aborts_keep_their_message_and_do_not_show_it() {
    let error = stopped("(call $abort (i32.const 1200)) (i32.const 1024)");
    assert_eq!(error, EvalError::Aborted { message: "boom".to_owned() });
    assert!(!error.to_string().contains("boom"));
}

#[test]
fn results_are_bounded_and_read_with_care() {
    let endless = "(drop (memory.grow (i32.const 8)))
        (loop (i32.store8 (i32.add (local.get $i) (i32.const 65536)) (i32.const 65))
              (br_if 0 (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 400000))))
        (i32.const 65536)";
    let patient = Limits { eval_time_max: Duration::from_secs(10), ..SHORT };
    let module = Module { eval: endless, ..PERMISSIVE };
    let mut evaluator = Evaluator::new(Arc::new(module.load(patient).expect("it loads")));
    let bytes_max = LIMITS.result_bytes_max;
    assert_eq!(judge(&mut evaluator, "{}"), Err(EvalError::ResultTooLarge { bytes_max }));
    for (address, eval) in [(1300, "(i32.const 1300)"), (1100, "(i32.const 1100)")] {
        assert!(matches!(stopped(eval), EvalError::NotADecision { .. }), "{address}");
    }
}

#[test]
fn a_runaway_leaves_the_next_evaluation_alone() {
    // Loops for `true`, whose first letter is 116, and permits everything else.
    let eval =
        "(if (i32.eq (i32.load8_u (local.get 3)) (i32.const 116)) (then (loop (br 0)))) (i32.const 1024)";
    let module = Module { eval, ..PERMISSIVE };
    let mut evaluator = Evaluator::new(Arc::new(module.load(SHORT).expect("it loads")));
    for _ in 0..3 {
        assert!(matches!(judge(&mut evaluator, "true"), Err(EvalError::TimedOut { .. })));
        assert!(matches!(judge(&mut evaluator, "false"), Ok(Decision::Permit(_))));
    }
}

#[test]
fn memory_is_fresh_after_a_fault_only() {
    // Counts its evaluations at 4096 and traps at the third.
    let eval = "(i32.store (i32.const 4096) (i32.add (i32.load (i32.const 4096)) (i32.const 1)))
        (if (i32.eq (i32.load (i32.const 4096)) (i32.const 3)) (then (unreachable)))
        (i32.const 1024)";
    let module = Module { eval, ..PERMISSIVE };
    let mut evaluator = Evaluator::new(Arc::new(module.load(SHORT).expect("it loads")));
    let worked: Vec<bool> = (0..6).map(|_| judge(&mut evaluator, "{}").is_ok()).collect();
    assert_eq!(worked, [true, true, false, true, true, false]);
}

#[test]
fn input_is_bounded() {
    let limits = Limits { input_bytes_max: 16, ..SHORT };
    let mut evaluator = Evaluator::new(Arc::new(PERMISSIVE.load(limits).expect("it loads")));
    let too_large = Err(EvalError::InputTooLarge { bytes_max: 16 });
    assert!(judge(&mut evaluator, "[1,2,3,4,5,6,78]").is_ok());
    assert_eq!(judge(&mut evaluator, "[1,2,3,4,5,6,789]"), too_large);
    assert!(matches!(judge(&mut evaluator, "{"), Err(EvalError::InputNotJson { .. })));
}

#[test]
fn opa_decides() {
    let Some(opa) = opa() else { return };
    let rego = r#"package claviger.authz

import rego.v1

default decision := {"allow": false, "reason": "no"}

decision := {"allow": true, "reason": sprintf("%s for %s", [input.method, data.teams[input.team]])} if {
	print("team", input.team, input.nothing)
	input.method in {"GET", "HEAD"}
}

decision := {"allow": true, "rule": "other"} if input.method == "HEAD"
"#;
    let bundle = compile(&opa, rego, r#"{"teams": {"a": "pay", "b": "ops"}}"#);
    let policy = Policy::load(&bundle, crate::testing::ENTRYPOINT, LIMITS).expect("it loads");
    assert_eq!(policy.revision(), "r1");
    assert_eq!(policy.entrypoints(), ["claviger/authz/decision"]);
    assert!(policy.builtins().iter().any(|name| name == "sprintf"), "{:?}", policy.builtins());
    let mut evaluator = Evaluator::new(Arc::new(policy));
    for _ in 0..100 {
        let Ok(Decision::Permit(permission)) = judge(&mut evaluator, r#"{"method": "GET", "team": "b"}"#)
        else {
            panic!("a permit was expected")
        };
        assert_eq!(permission.reason.as_deref(), Some("GET for ops"));
        assert!(matches!(judge(&mut evaluator, r#"{"method": "GET", "team": "c"}"#), Ok(Decision::Deny(_))));
        let conflict = judge(&mut evaluator, r#"{"method": "HEAD", "team": "a"}"#);
        assert!(matches!(conflict, Err(EvalError::Aborted { .. })), "{conflict:?}");
    }
}

#[test]
fn undefined_denies_and_the_clock_stands_still() {
    let Some(opa) = opa() else { return };
    let mut undefined = deciding(&opa, "input.nothing");
    assert!(matches!(judge(&mut undefined, "{}"), Ok(Decision::Deny(_))));
    let mut clock = deciding(
        &opa,
        "{\"allow\": time.now_ns() == time.now_ns(), \"reason\": sprintf(\"%d\", [time.now_ns()])}",
    );
    let told = judge(&mut clock, "{}");
    assert!(matches!(told, Ok(Decision::Permit(_))), "{told:?}");
}

#[test]
fn runaway_rego_is_stopped() {
    let Some(opa) = opa() else { return };
    let rego = r#"package claviger.authz

import rego.v1

decision := {"allow": true} if input.what == "walk"

decision := {"allow": true} if {
	input.what == "run"
	n := numbers.range(1, 3000)
	count([1 | some a in n; some b in n; some c in n; (a + b) + c == -1]) == 0
}
"#;
    let bundle = compile(&opa, rego, "{}");
    let short_of_time =
        Limits { eval_time_max: Duration::from_millis(20), memory_bytes_max: 1 << 30, ..LIMITS };
    let short_of_memory = Limits { eval_time_max: Duration::from_secs(20), ..SHORT };
    let bytes_max = short_of_memory.memory_bytes_max;
    let cases = [
        (short_of_time, EvalError::TimedOut { time_max_ms: 20 }),
        (short_of_memory, EvalError::OutOfMemory { bytes_max }),
    ];
    for (limits, expected) in cases {
        let policy = Policy::load(&bundle, crate::testing::ENTRYPOINT, limits).expect("it loads");
        let mut evaluator = Evaluator::new(Arc::new(policy));
        for _ in 0..2 {
            assert_eq!(judge(&mut evaluator, r#"{"what": "run"}"#), Err(expected.clone()));
            assert!(matches!(judge(&mut evaluator, r#"{"what": "walk"}"#), Ok(Decision::Permit(_))));
        }
    }
}

#[test]
fn a_looping_start_function_is_refused_at_load() {
    let module = Module { more: "(func $start (loop (br 0))) (start $start)", ..PERMISSIVE };
    let refused = module.load(SHORT).err();
    assert!(matches!(refused, Some(LoadError::Setup(EvalError::TimedOut { .. }))), "{refused:?}");
}
