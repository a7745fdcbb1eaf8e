//! Modules and inputs whose authors mean harm. Whatever they do, the request is denied soon, the instance is given up, and
//! nobody else notices.

use std::sync::Arc;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::testing::{ENTRYPOINT, LIMITS, Module, PERMISSIVE, compile, opa};
use crate::{Bundle, Decision, EvalError, Evaluator, Limits, LoadError, Policy, Trace};

/// As configured by default, but for memory.
const TIGHT: Limits =
    Limits { eval_time_max: Duration::from_millis(5), memory_bytes_max: 4 * 1024 * 1024, ..LIMITS };
/// Of the thread's own CPU time, ten times what an evaluation may take.
const DENIED_WITHIN: Duration = Duration::from_millis(50);
const TRIES: usize = 5;

fn cpu_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        spent.tv_sec.try_into().expect("it is positive"),
        spent.tv_nsec.try_into().expect("likewise"),
    )
}

fn judge(evaluator: &mut Evaluator, input: &str) -> Result<Decision, EvalError> {
    let result = evaluator.evaluate_json(input.as_bytes(), &mut Trace::new())?;
    Decision::read(&result)
}

/// A module that does this for `true`, whose first letter is 116, and permits everything else.
fn turning(attack: &str) -> Module {
    let eval =
        format!("(if (i32.eq (i32.load8_u (local.get 3)) (i32.const 116)) (then {attack})) (i32.const 1024)");
    Module { eval: eval.leak(), ..PERMISSIVE }
}

fn kind(error: &EvalError) -> &'static str {
    match error {
        EvalError::Aborted { .. } => "aborted",
        EvalError::Trapped { .. } => "trapped",
        EvalError::TimedOut { .. } => "timed out",
        EvalError::OutOfMemory { .. } => "out of memory",
        EvalError::ResultTooLarge { .. } => "result too large",
        EvalError::NotADecision { .. } => "not a decision",
        EvalError::InputTooLarge { .. } | EvalError::InputBeyond { .. } | EvalError::InputNotJson { .. } => {
            "input"
        }
    }
}

/// Denied by this name and within the time, the instance given up; the same thread's next request and another thread's
/// instance, which was there all the while, permit.
fn check(module: &Module, expected: &[&str]) {
    let policy = Arc::new(module.load(TIGHT).unwrap_or_else(|error| panic!("{}: {error}", module.eval)));
    let (mut attacked, mut other) = (Evaluator::new(Arc::clone(&policy)), Evaluator::new(policy));
    assert!(matches!(judge(&mut other, "false"), Ok(Decision::Permit(_))), "{}", module.eval);
    let mut least = Duration::MAX;
    for _ in 0..TRIES {
        let began = cpu_time();
        let outcome = judge(&mut attacked, "true");
        least = least.min(cpu_time().saturating_sub(began));
        let error = outcome.expect_err(module.eval);
        assert!(expected.contains(&kind(&error)), "{}: {error}", module.eval);
        assert!(!attacked.has_instance() || kind(&error) == "not a decision", "{}", module.eval);
        assert!(matches!(judge(&mut attacked, "false"), Ok(Decision::Permit(_))), "{}", module.eval);
        assert!(matches!(judge(&mut other, "false"), Ok(Decision::Permit(_))), "{}", module.eval);
    }
    assert!(least <= DENIED_WITHIN, "{}: {least:?}", module.eval);
}

#[test]
fn hostile_modules_are_denied_soon_and_alone() {
    const RECURSION: &str =
        "(call $eval (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
        (local.get 5) (local.get 6)) drop";
    // dirties every page that it gets
    const GROWTH: &str = "(loop (drop (memory.grow (i32.const 1)))
        (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1)) (br 0))";
    const UNENDING: &str = "(drop (memory.grow (i32.const 8)))
        (memory.fill (i32.const 65536) (i32.const 65) (i32.const 400000)) (return (i32.const 65536))";
    let cases: &[(&str, &[&str])] = &[
        ("(loop (br 0))", &["timed out"]),
        ("(loop (drop (i32.rem_u (i32.const 7) (i32.const 3))) (call $pass) (br 0))", &["timed out"]),
        (RECURSION, &["trapped"]),
        ("(call $ping)", &["trapped"]),
        (GROWTH, &["out of memory"]),
        ("(drop (memory.grow (i32.const 65535)))", &["out of memory"]),
        ("(loop (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536)) (br 0))", &["timed out"]),
        ("(loop (memory.copy (i32.const 4096) (i32.const 8192) (i32.const 65536)) (br 0))", &["timed out"]),
        ("(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))", &["trapped"]),
        ("(drop (i32.load (i32.const -4)))", &["trapped"]),
        ("(i64.store (i32.const 0x7ffffff8) (i64.const 0))", &["trapped"]),
        ("(unreachable)", &["trapped"]),
        ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", &["trapped"]),
        ("(call_indirect (i32.const 0))", &["trapped"]),
        ("(call_indirect (i32.const -1))", &["trapped"]),
        (
            "(loop (br_if 0 (i32.ne (table.grow (ref.null func) (i32.const 1000)) (i32.const -1)))) (unreachable)",
            &["trapped", "timed out"],
        ),
        ("(call $abort (i32.const 1200))", &["aborted"]),
        ("(call $abort (i32.const -1))", &["trapped"]),
        ("(return (i32.const 0))", &["trapped"]),
        ("(return (i32.const -1))", &["trapped"]),
        ("(return (i32.const 0x7fffffff))", &["trapped"]),
        (UNENDING, &["result too large"]),
        ("(return (i32.const 1300))", &["not a decision"]),
        ("(return (i32.const 1100))", &["not a decision"]),
        ("(drop (call $builtin0 (i32.const 7) (i32.const 0)))", &["trapped"]),
        ("(drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const -1)))", &["trapped"]),
        (
            "(loop (drop (call $builtin0 (i32.const 0) (i32.const 0))) (br 0))",
            &["timed out", "out of memory"],
        ),
        (
            "(loop (drop (call $builtin1 (i32.const 1) (i32.const 0) (i32.const 1024))) (br 0))",
            &["timed out", "out of memory"],
        ),
        ("(loop (call $print (i32.const 1200)) (br 0))", &["timed out"]),
    ];
    assert!(cases.len() >= 15);
    for (attack, expected) in cases {
        let module = Module {
            imports: r#"(import "env" "memory" (memory 2)) (import "env" "opa_println" (func $print (param i32)))"#,
            builtins: r#"{\"time.now_ns\": 0, \"crypto.sha256\": 1}"#,
            more: "(table 1 funcref) (func $pass) (func $ping (call $pong)) (func $pong (call $ping))",
            ..turning(attack)
        };
        check(&module, expected);
    }
}

#[test]
fn what_a_storm_says_is_bounded() {
    let module = Module {
        imports: r#"(import "env" "memory" (memory 2)) (import "env" "opa_println" (func $print (param i32)))"#,
        ..turning("(loop (call $print (i32.const 1200)) (br 0))")
    };
    let mut evaluator = Evaluator::new(Arc::new(module.load(TIGHT).expect("it loads")));
    let mut trace = Trace::new();
    assert!(evaluator.evaluate_json(b"true", &mut trace).is_err());
    assert_eq!(trace.lines().len(), 64);
    assert!(trace.lines_dropped() > 0);
}

/// What a module does before it is asked anything keeps it from its place, and ends.
#[test]
fn modules_that_misbehave_when_they_are_set_up_are_refused() {
    const ENTRYPOINTS: &str = r#"(func (export "entrypoints") (result i32) (i32.const 16))"#;
    const BUILTINS: &str = r#"(func (export "builtins") (result i32) (i32.const 512))"#;
    const DUMP: &str = r#"(func (export "opa_json_dump") (param i32) (result i32) (local.get 0))"#;
    const PARSE: &str = r#"(func (export "opa_value_parse") (param i32 i32) (result i32) (local.get 0))"#;
    let endless = |old: &str| old.replacen("(result i32)", "(result i32) (loop (br 0)) (unreachable)", 1);
    let answering = |old: &str, address: &str| {
        old.replacen("(local.get 0))", address, 1).replacen("(i32.const 16))", address, 1)
    };
    let cases = [
        (ENTRYPOINTS, endless(ENTRYPOINTS), "did not finish"),
        (BUILTINS, endless(BUILTINS), "did not finish"),
        (DUMP, endless(DUMP), "did not finish"),
        (PARSE, endless(PARSE), "did not finish"),
        (ENTRYPOINTS, answering(ENTRYPOINTS, "(i32.const -1))"), "outside its memory"),
        (ENTRYPOINTS, answering(ENTRYPOINTS, "(i32.const 131071))"), "malformed"),
        (ENTRYPOINTS, answering(ENTRYPOINTS, "(i32.const 1300))"), "malformed"),
        (
            ENTRYPOINTS,
            ENTRYPOINTS.replace("(result i32) (i32.const 16)", "(result i64) (i64.const 16)"),
            "does not export `entrypoints`",
        ),
        (ENTRYPOINTS, ENTRYPOINTS.replace("\"entrypoints\"", "\"exits\""), "does not export `entrypoints`"),
        (DUMP, DUMP.replace("(param i32)", "(param i32 i32)"), "does not export `opa_json_dump`"),
        (
            DUMP,
            format!("{DUMP} (func $start (drop (memory.grow (i32.const 65535)))) (start $start)"),
            "more than",
        ),
        (DUMP, format!("{DUMP} (data (i32.const 0x7ffffff0) \"beyond\")"), "more than"),
    ];
    for (old, new, expected) in cases {
        let bundle = Bundle::read(&PERMISSIVE.bytes_but(&[(old, &new)])).expect("a bare module is a bundle");
        let refusal: Option<LoadError> = Policy::load(&bundle, ENTRYPOINT, TIGHT).err();
        let refusal = refusal.map(|error| error.to_string()).unwrap_or_default();
        assert!(refusal.contains(expected), "{new}: expected {expected:?}, got {refusal:?}");
    }
}

/// A policy may remember what it judged before, in its own thread's instance: it is trusted with every input. What it
/// remembers reaches neither another thread nor a newer policy, and is gone after a fault.
#[test]
fn what_a_module_remembers_stays_with_its_instance() {
    let module = Module {
        more: "(global $asked (mut i32) (i32.const 0))",
        eval: "(global.set $asked (i32.add (global.get $asked) (i32.const 1)))
            (if (i32.eq (i32.load8_u (local.get 3)) (i32.const 116)) (then (unreachable)))
            (select (i32.const 1024) (i32.const 1100) (i32.eq (global.get $asked) (i32.const 1)))",
        ..PERMISSIVE
    };
    let policy = Arc::new(module.load(TIGHT).expect("it loads"));
    let (mut one, mut other) = (Evaluator::new(Arc::clone(&policy)), Evaluator::new(policy));
    assert!(judge(&mut one, "1").is_ok() && judge(&mut one, "1").is_err(), "it remembers");
    assert!(judge(&mut other, "1").is_ok(), "another thread's instance does not");
    assert!(
        judge(&mut one, "true").is_err() && judge(&mut one, "1").is_ok(),
        "and after a fault nobody does"
    );
}

/// An object whose keys share all the low bits of OPA's hash.
fn colliding(count: usize) -> String {
    let hash = |key: &str| {
        key.bytes().fold(0x811c_9dc5_u32, |hash, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(byte))
    };
    let keys = (0..).map(|number| format!("k{number}")).filter(|key| hash(key) & 0xfff == 0).take(count);
    format!("{{{}}}", keys.map(|key| format!("\"{key}\":1")).collect::<Vec<_>>().join(","))
}

#[test]
fn hostile_inputs_are_refused_before_the_module_sees_them() {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let wide: Vec<String> = (0..4097).map(|number| format!("\"k{number}\":1")).collect();
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("colliding keys", colliding(64).into_bytes()),
        ("colliding keys within", format!("{{\"a\":[{}]}}", colliding(64)).into_bytes()),
        ("deep nesting", nested(129).into_bytes()),
        ("very deep nesting", nested(100_000).into_bytes()),
        ("many keys", format!("{{{}}}", wide.join(",")).into_bytes()),
        ("many values", format!("[{}1]", "1,".repeat(70_000)).into_bytes()),
        ("many bytes", format!("\"{}\"", "a".repeat(1024 * 1024)).into_bytes()),
        ("invalid UTF-8", b"\"\xff\xfe\"".to_vec()),
        ("overlong UTF-8", b"\"\xc0\xaf\"".to_vec()),
        ("a surrogate in UTF-8", b"\"\xed\xa0\x80\"".to_vec()),
        ("a lone surrogate", br#""\ud800""#.to_vec()),
        ("half a text", b"{\"a\": \"b".to_vec()),
        ("two texts", b"{} {}".to_vec()),
        ("nothing", Vec::new()),
    ];
    let check = |policy: Policy| {
        let mut evaluator = Evaluator::new(Arc::new(policy));
        assert!(evaluator.evaluate_json(b"{}", &mut Trace::new()).is_ok());
        for (what, input) in &cases {
            let mut least = Duration::MAX;
            for _ in 0..TRIES {
                let began = cpu_time();
                let error = evaluator.evaluate_json(input, &mut Trace::new()).expect_err(what);
                least = least.min(cpu_time().saturating_sub(began));
                assert_eq!(kind(&error), "input", "{what}: {error}");
            }
            assert!(least <= DENIED_WITHIN, "{what}: {least:?}");
            assert!(evaluator.has_instance(), "{what} is no fault of the module's");
            assert!(evaluator.evaluate_json(b"{}", &mut Trace::new()).is_ok(), "{what}");
        }
    };
    check(PERMISSIVE.load(TIGHT).expect("it loads"));
    let Some(opa) = opa() else { return };
    let rego = "package claviger.authz\n\nimport rego.v1\n\ndecision := true\n";
    let bundle = compile(&opa, rego, "{}");
    check(
        Policy::load(&bundle, ENTRYPOINT, Limits { eval_time_max: Duration::from_secs(2), ..TIGHT })
            .expect("it loads"),
    );
}
