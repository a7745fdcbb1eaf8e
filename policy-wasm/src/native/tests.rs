//! What the host builds is what OPA's own parser builds, within bounds; and what a module gives back is read with care.

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Budget, Builder, Constants, Fault, Flaw, Scratch, Sets, hash, read, sole_result};
use crate::limits::InputBounds;
use crate::testing::{ENTRYPOINT, LIMITS, PERMISSIVE, compile, opa};
use crate::value::Value;
use crate::{Decision, EvalError, Evaluator, InputMode, Policy, Trace};

const START: u32 = 8 + Constants::BYTES as u32;

fn build(
    bounds: InputBounds,
    write: impl Fn(&mut Builder<'_>) -> Result<u32, Fault>,
) -> Result<Value, Fault> {
    let mut memory = vec![0xaa; 1 << 20];
    memory[8..START as usize].copy_from_slice(&Constants::bytes());
    let mut scratch = Scratch::default();
    let mut builder = Builder::new(&mut memory, START, Constants::at(8), &mut scratch, bounds);
    let address = write(&mut builder)?;
    let mut budget = budget();
    Ok(read(&memory, address, &mut budget).expect("what was built can be read"))
}

fn budget() -> Budget {
    Budget { steps: 10_000, bytes: 100_000, depth: 64, sets: Sets::Kept }
}

#[test]
fn documents_are_built_as_serde_json_spells_them() {
    #[derive(Serialize)]
    enum Variant {
        Unit,
        Newtype(u8),
        Tuple(u8, i8),
        Struct { a: u64 },
    }
    let raw = RawValue::from_string(r#"{"big": 12345678901234567890123, "s": "\u00e9\n", "s2": 1e2}"#.into());
    let raw = raw.expect("it is JSON");
    let map = std::collections::BTreeMap::from([(-1, 'x'), (300, 'y')]);
    let document = (
        (Variant::Unit, Variant::Newtype(1), Variant::Tuple(2, -3), Variant::Struct { a: u64::MAX }),
        (1.5_f64, f64::NAN, 0.1_f32, i128::MAX, Some(()), None::<u8>),
        serde_json::json!({"a": [1, {"b": null}], "": {}, "f": 1.0}),
        (raw, map, [true, false]),
    );
    let expected = Value::parse(&serde_json::to_string(&document).expect("it serialises"));
    let built = build(LIMITS.input(), |builder| super::put_document(builder, &document));
    assert_eq!(built, Ok(expected.expect("it is a value")));
}

#[test]
fn input_is_bounded() {
    let tight = InputBounds {
        bytes_max: 64,
        values_max: 12,
        depth_max: 3,
        object_keys_max: 4,
        hash_chain_keys_max: 2,
    };
    let crowd: Vec<String> = (0..)
        .filter(|key| hash::bytes(format!("{key}").as_bytes()) % 8 == 3)
        .take(3)
        .map(|key| format!("\"{key}\": 0"))
        .collect();
    let beyond = |unit, max| Some(EvalError::InputBeyond { unit, max });
    let cases = [
        ("[[[0]]]".to_owned(), None),
        ("[[[[0]]]]".to_owned(), beyond("levels", 3)),
        ("{\"a\": {\"b\": [{}]}}".to_owned(), beyond("levels", 3)),
        ("[0,0,0,0,0,0,0,0,0,0,0]".to_owned(), None),
        ("[0,0,0,0,0,0,0,0,0,0,0,0]".to_owned(), beyond("values", 12)),
        ("{\"a\":0,\"b\":0,\"c\":0,\"d\":0}".to_owned(), None),
        ("{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0}".to_owned(), beyond("keys in one object", 4)),
        (format!("{{{}}}", crowd[..2].join(",")), None),
        (format!("{{{}}}", crowd.join(",")), beyond("keys of one hash in one object", 2)),
        (format!("\"{}\"", "x".repeat(63)), None),
        (format!("\"{}\"", "x".repeat(64)), Some(EvalError::InputTooLarge { bytes_max: 64 })),
    ];
    for (text, refused) in cases {
        let built = build(tight, |builder| super::put_text(builder, &text));
        assert_eq!(built.err(), refused.map(Fault::Refused), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let malformed = [
        "",
        " ",
        "[1",
        "[1,]",
        "[,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{1:2}",
        "nul",
        "tru",
        "01",
        "1.",
        "-",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "\"",
        "[1] 2",
        "set()",
        "{1}",
        "\"\\",
    ];
    for text in malformed {
        let built = build(LIMITS.input(), |builder| super::put_text(builder, text));
        assert!(matches!(built, Err(Fault::Refused(EvalError::InputNotJson { .. }))), "{text}: {built:?}");
    }
}

#[test]
fn memory_that_lies_is_read_with_care() {
    let mut memory = vec![0_u8; 4096];
    let mut put = |at: usize, words: &[u32]| {
        for (index, word) in words.iter().enumerate() {
            memory[at + 4 * index..at + 4 * index + 4].copy_from_slice(&word.to_le_bytes());
        }
    };
    put(16, &[5, 40, 1, 1]); // an array whose element is itself
    put(40, &[0, 16]);
    put(64, &[7, 96, 1, 1, 0]); // a set whose chain is a ring
    put(96, &[112]);
    put(112, &[128, 112]);
    put(128, &[1]);
    put(160, &[4, 8, u32::MAX - 3]); // a string at the end of the address space
    put(192, &[4, u32::MAX, 16]); // an endless string
    put(224, &[5, 16, u32::MAX, 1]); // an endless array
    put(256, &[6, 16, u32::MAX, 1]); // an endless object
    put(288, &[0x0903]); // a number of no form
    put(320, &[99]); // of no kind
    put(352, &[4, 2, 380]); // not UTF-8
    put(380, &[0xffff_ffff]);
    let cases = [
        (16, Flaw::TooLarge),
        (64, Flaw::TooLarge),
        (160, Flaw::Broken),
        (192, Flaw::TooLarge),
        (224, Flaw::Broken),
        (256, Flaw::TooLarge),
        (288, Flaw::Broken),
        (320, Flaw::Broken),
        (352, Flaw::Malformed("it is not UTF-8")),
        (0, Flaw::Broken),
        (4095, Flaw::Broken),
        (4096, Flaw::Broken),
        (u32::MAX, Flaw::Broken),
    ];
    for (address, flaw) in cases {
        assert_eq!(read(&memory, address, &mut budget()), Err(flaw), "{address}");
        assert!(sole_result(&memory, address, &mut budget()).is_err(), "{address}");
    }
}

/// The policy gives back what it is given, and what it found in it.
const ECHO: &str = r#"package claviger.authz

import rego.v1

decision := {
	"input": input,
	"found": [input.a.b[_], input["ü"], input.list[7], count(input.wide), input.wide.k77],
	"looked_up": [v | some k in ["k1", "k50", "k99", "no"]; v := input.wide[k]],
	"builtin": sprintf("%v %v", [input.a, {1, "x"}]),
	"numbers": [input.big, input.now + 1, input.small * 2, input.float],
	"set": {x | some x in input.list},
}
"#;

#[test]
fn policies_see_the_same_either_way() {
    let Some(opa) = opa() else { return };
    let wide: Vec<String> = (0..100).map(|key| format!("\"k{key}\": {key}")).collect();
    let text = format!(
        r#"{{"a": {{"b": ["one"]}}, "ü": "😀", "list": [9,8,7,6,5,4,3,2,1,0], "big": 123456789012345678901,
            "now": 1700000000000000001, "small": -21, "float": 1.25, "wide": {{{}}}}}"#,
        wide.join(",")
    );
    let bundle = compile(&opa, ECHO, "{}");
    let policy = Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads");
    assert_eq!(policy.input_mode(), InputMode::Host);
    let in_json = policy.in_json();
    let mut results = [policy, in_json].map(|policy| {
        let mut evaluator = Evaluator::new(Arc::new(policy));
        let first = evaluator.evaluate_json(text.as_bytes(), &mut Trace::new()).expect("it evaluates");
        let again = evaluator.evaluate_json(text.as_bytes(), &mut Trace::new()).expect("it evaluates again");
        assert_eq!(first, again);
        assert!(matches!(evaluator.decision(), Err(EvalError::NotADecision { .. })));
        String::from_utf8(first).expect("JSON is text")
    });
    let [host, json] = &mut results;
    assert_eq!(host, json);
    assert!(host.contains(r#""found":["one","😀",2,100,77]"#), "{host}");
    assert!(host.contains("123456789012345678901,1700000000000000002,-42,1.25"), "{host}");
    assert!(host.contains(r#""set":[0,1,2,3,4,5,6,7,8,9]"#), "{host}");
}

#[test]
fn without_a_document_input_is_undefined() {
    let Some(opa) = opa() else { return };
    let rego = "package claviger.authz\n\nimport rego.v1\n\ndefault decision := false\n\n\
                decision if not input\n";
    let policy = Policy::load(&compile(&opa, rego, "{}"), ENTRYPOINT, LIMITS).expect("it loads");
    let in_json = policy.in_json();
    for policy in [policy, in_json] {
        let mut evaluator = Evaluator::new(Arc::new(policy));
        evaluator.evaluate_nothing(0, &mut Trace::new()).expect("it is judged");
        assert!(matches!(evaluator.decision(), Ok(Decision::Permit(_))));
        evaluator.evaluate_document(&(), 0, &mut Trace::new()).expect("null is a document");
        assert!(matches!(evaluator.decision(), Ok(Decision::Deny(_))));
    }
}

#[test]
fn refused_input_costs_no_instance() {
    let Some(opa) = opa() else { return };
    let bundle = compile(&opa, "package claviger.authz\n\nimport rego.v1\n\ndecision := true\n", "{}");
    let hosts = Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads");
    let strangers = PERMISSIVE.load(LIMITS).expect("it loads");
    assert_eq!((hosts.input_mode(), strangers.input_mode()), (InputMode::Host, InputMode::Json));
    let crowd: Vec<String> = (0..)
        .filter(|key| hash::bytes(format!("{key}").as_bytes()) % 1024 == 3)
        .take(40)
        .map(|key| format!("\"{key}\": 0"))
        .collect();
    let hostile = [
        format!("{}{}", "[".repeat(127), "]".repeat(127)),
        format!("{{{}}}", crowd.join(",")),
        format!("[{}0]", "0,".repeat(70_000)),
    ];
    for policy in [hosts, strangers] {
        let mut evaluator = Evaluator::new(Arc::new(policy));
        for (index, text) in hostile.iter().enumerate() {
            let outcome = evaluator.evaluate_json(text.as_bytes(), &mut Trace::new());
            let refused = matches!(outcome, Err(EvalError::InputBeyond { .. }));
            assert_eq!(refused, index > 0, "{outcome:?}");
            assert!(evaluator.has_instance());
            evaluator.evaluate_document(&1, 0, &mut Trace::new()).expect("the next one is judged");
            assert!(matches!(evaluator.decision(), Ok(Decision::Permit(_))));
        }
    }
}
