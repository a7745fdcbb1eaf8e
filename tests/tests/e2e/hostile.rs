//! Modules that OPA would never compile: what one does to the request that woke it stays with that request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use claviger_tests::bundle::ALLOW;
use claviger_tests::wait::eventually;
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::{Value, json};

/// Permits everything, but for a path with `/attack/` and a letter: then it does what stands for the letter.
const MODULE: &str = r#"(module
  (import "env" "memory" (memory 2))
  (import "env" "opa_abort" (func $abort (param i32)))
  (import "env" "opa_builtin0" (func $builtin0 (param i32 i32) (result i32)))
  (export "memory" (memory 0))
  (global (export "opa_wasm_abi_version") i32 (i32.const 1))
  (global (export "opa_wasm_abi_minor_version") i32 (i32.const 3))
  (global $heap (mut i32) (i32.const 8192))
  (data (i32.const 16) "{\"claviger/authz/decision\": 0}\00")
  (data (i32.const 512) "{\"time.now_ns\": 0}\00")
  (data (i32.const 1024) "[{\"result\": true}]\00")
  (data (i32.const 1200) "boom\00")
  (table 1 funcref)
  (type $plain (func))
  (func (export "opa_malloc") (param i32) (result i32)
    (global.get $heap) (global.set $heap (i32.add (global.get $heap) (local.get 0))))
  (func (export "opa_value_parse") (param i32 i32) (result i32) (local.get 0))
  (func (export "opa_value_dump") (param i32) (result i32) (local.get 0))
  (func (export "opa_json_dump") (param i32) (result i32) (local.get 0))
  (func (export "opa_heap_ptr_get") (result i32) (global.get $heap))
  (func (export "entrypoints") (result i32) (i32.const 16))
  (func (export "builtins") (result i32) (i32.const 512))
  (func $ping (call $pong))
  (func $pong (call $ping))
  (func $letter (param $at i32) (param $length i32) (result i32)
    (local $end i32)
    (local.set $end (i32.sub (i32.add (local.get $at) (local.get $length)) (i32.const 9)))
    (loop $next
      (if (i64.eq (i64.load (local.get $at)) (i64.const 0x2f6b63617474612f))
        (then (return (i32.load8_u offset=8 (local.get $at)))))
      (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $end))))
    (i32.const 0))
  (func (export "opa_eval") (param i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $letter i32)
    (local.set $letter (call $letter (local.get 3) (local.get 4)))
    (if (i32.eq (local.get $letter) (i32.const 97)) (then (loop (br 0))))
    (if (i32.eq (local.get $letter) (i32.const 98)) (then (call $ping)))
    (if (i32.eq (local.get $letter) (i32.const 99)) (then
      (loop (drop (memory.grow (i32.const 16)))
        (memory.fill (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1048576)) (i32.const 1) (i32.const 1048576))
        (br 0))))
    (if (i32.eq (local.get $letter) (i32.const 100)) (then (call $abort (i32.const 1200))))
    (if (i32.eq (local.get $letter) (i32.const 101)) (then (return (i32.const -1))))
    (if (i32.eq (local.get $letter) (i32.const 102)) (then
      (drop (memory.grow (i32.const 16)))
      (memory.fill (i32.const 65536) (i32.const 65) (i32.const 1000000))
      (return (i32.const 65536))))
    (if (i32.eq (local.get $letter) (i32.const 103)) (then (unreachable)))
    (if (i32.eq (local.get $letter) (i32.const 104)) (then
      (loop (drop (call $builtin0 (i32.const 0) (i32.const 0))) (br 0))))
    (if (i32.eq (local.get $letter) (i32.const 105)) (then (drop (call $builtin0 (i32.const 9) (i32.const 0)))))
    (if (i32.eq (local.get $letter) (i32.const 106)) (then (call_indirect (type $plain) (i32.const 0))))
    (i32.const 1024)))"#;
const ATTACKS: &str = "abcdefghij";
const ROUNDS: usize = 3;
const MEMORY_MAX_KIB: usize = 32 << 10;

fn resident_kib(sidecar: &mut Sidecar) -> usize {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", sidecar.process().pid())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("Linux tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn a_hostile_module_harms_the_request_that_woke_it_and_no_other() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let module = case.file("policy.wasm", wat::parse_str(MODULE).expect("it is a module"));
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let policy = json!({
        "bundle": { "file": module }, "entrypoint": "claviger/authz/decision", "eval_timeout": "50ms",
        "memory_max": format!("{}KiB", MEMORY_MAX_KIB),
    });
    let config = Config::new(&case, ALLOW)
        .with("policy", policy)
        .route("api", &upstream.url(), "key")
        .credential("key", &source, &json!({ "bearer": {} }))
        .with("limits", json!({ "workers": 2 }));
    let mut sidecar = Sidecar::start(&case, &config);
    // connections are dealt out in turn: these two are on different workers
    let (mut attacker, mut other) = (sidecar.connect(), sidecar.connect());
    let mut get = |target: &str| attacker.request("GET", target, &[], b"").expect("an answer");
    assert_eq!(get("/api/echo").status, 200);
    assert_eq!(other.request("GET", "/api/echo", &[], b"").expect("an answer").status, 200);
    let (before, over) = (resident_kib(&mut sidecar), AtomicBool::new(false));
    let (served, denied) = std::thread::scope(|threads| {
        let beside = threads.spawn(|| {
            let mut served = 0_usize;
            while !over.load(Ordering::Relaxed) {
                let answer = other.request("GET", "/api/echo", &[], b"").expect("an answer");
                assert_eq!(answer.status, 200, "{answer:?}");
                served += 1;
                std::thread::sleep(Duration::from_millis(2));
            }
            served
        });
        let mut denied = 0_usize;
        for letter in ATTACKS.repeat(ROUNDS).chars() {
            let answer = get(&format!("/api/echo/attack/{letter}"));
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (503, "policy_error"),
                "{letter}: {answer:?}"
            );
            denied += 1;
            assert_eq!(get("/api/echo").status, 200, "after {letter}");
        }
        over.store(true, Ordering::Relaxed);
        (beside.join().expect("no request beside was refused"), denied)
    });
    assert_eq!(denied, ATTACKS.len() * ROUNDS);
    assert!(served > 0);
    let after = resident_kib(&mut sidecar);
    assert!(after < before + MEMORY_MAX_KIB, "{before} KiB before, {after} KiB after");
    let records = sidecar.records(2 + served + 2 * denied);
    let errors = records.iter().filter(|record: &&Value| record["decision"]["outcome"] == "error").count();
    assert_eq!(errors, denied);
    let left = upstream.requests();
    assert!(!left.iter().any(|seen| seen.target.contains("attack")), "what was denied did not leave");
    let quiet = eventually("it says why", || Some(sidecar.logs()).filter(|logs| logs.contains("policy")));
    assert!(!quiet.contains("panicked"), "{quiet}");
    assert_eq!(sidecar.stop(), 0);
}
