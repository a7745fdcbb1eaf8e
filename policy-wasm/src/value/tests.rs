//! Text to value and back, and OPA's order.

use std::cmp::Ordering;

use super::{Number, SyntaxError, Value};

#[test]
fn reads_and_writes() {
    let cases = [
        ("null", "null"),
        (" true ", "true"),
        ("-12.50e+3", "-12.50e+3"),
        (r#""a\u00e9\n\"\\""#, r#""aé\n\"\\""#),
        (r#""\ud83d\ude00""#, "\"😀\""),
        ("\"\\u0001\"", "\"\\u0001\""),
        ("[]", "[]"),
        ("[1,[2],{}]", "[1, [2], {}]"),
        (r#"{"b":1,"a":{2:3}}"#, r#"{"a": {2: 3}, "b": 1}"#),
        ("{3,1,2,1}", "{1, 2, 3}"),
        ("{{1:2},set()}", "{{1: 2}, set()}"),
    ];
    for (text, written) in cases {
        let value = Value::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_string(), written);
        assert_eq!(Value::parse(written), Ok(value), "{written}");
    }
}

#[test]
fn json_has_neither_sets_nor_other_keys_than_strings() {
    let cases = [
        ("{3, 1, 2}", "[1,2,3]"),
        (r#"{"a": {{"b"}, {"a"}}, "c": set()}"#, r#"{"a":[["a"],["b"]],"c":[]}"#),
        (r#"{1: 2, {"3": 4}: 5, [1, {2}]: "x\n"}"#, r#"{"1":2,"[1,[2]]":"x\n","{\"3\":4}":5}"#),
    ];
    for (text, json) in cases {
        assert_eq!(Value::parse(text).map(|value| value.to_json()), Ok(json.to_owned()));
    }
}

#[test]
fn refuses_what_is_no_value() {
    let malformed = [
        "", "nul", "1 2", "01", "1.", "-", "1e", "+1", "\"a", "\"\\q\"", "\"\\", "[1", "[1,]", "[,]", "{1:}",
        "{1:2,3}", "{1,2:3}", "{1,}", "}", "set(1)", "\u{e9}",
    ];
    for text in malformed {
        assert!(matches!(Value::parse(text), Err(SyntaxError::Malformed { .. })), "{text}");
    }
    assert_eq!(Value::parse(r#"{"a":1,"a":1}"#), Err(SyntaxError::DuplicateKey));
    assert_eq!(Value::parse(r#"{1:1,1.0:1}"#), Err(SyntaxError::DuplicateKey));
    assert_eq!(Value::parse(&"[".repeat(100_000)), Err(SyntaxError::TooDeep));
}

#[test]
fn numbers_compare_by_value() {
    let cases = [
        ("1", "1.0", Ordering::Equal),
        ("0", "-0.0", Ordering::Equal),
        ("10", "1e1", Ordering::Equal),
        ("0.001", "1e-3", Ordering::Equal),
        ("2", "10", Ordering::Less),
        ("-2", "-10", Ordering::Greater),
        ("-1", "0.5", Ordering::Less),
        ("9007199254740993", "9007199254740992.5", Ordering::Greater),
        ("123456789012345678901234567890", "123456789012345678901234567891", Ordering::Less),
    ];
    for (a, b, expected) in cases {
        let (left, right) = (number(a), number(b));
        assert_eq!(left.cmp(&right), expected, "{a} and {b}");
        assert_eq!(right.cmp(&left), expected.reverse(), "{b} and {a}");
    }
}

#[test]
fn whole_numbers_are_seen_in_any_spelling() {
    let cases = [
        ("60", Some(60)),
        ("60.0", Some(60)),
        ("6e1", Some(60)),
        ("-0.0", Some(0)),
        ("1.5", None),
        ("1e-1", None),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("1e18", Some(1_000_000_000_000_000_000)),
        ("1e19", None),
        ("1e999999999999", None),
    ];
    for (text, expected) in cases {
        assert_eq!(number(text).as_i64(), expected, "{text}");
    }
}

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|| panic!("{text} is a number"))
}
