//! What a module is tried with before values are built for it: the borders of every rule of the layout.

use serde::Serialize;

use super::hash;
use crate::value::{Number, Value};

/// The document of a [`Sample`] as names of the program and as text.
#[derive(Serialize)]
pub(crate) struct Sample {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
    nothing: Option<u8>,
    request: Inner,
    more: [Inner; 2],
}

#[derive(Serialize)]
struct Inner {
    method: &'static str,
    version: i64,
    segments: &'static [&'static str],
}

/// A document that only a serializer sees as one.
pub(crate) fn sample() -> Sample {
    let inner = |version| Inner { method: "GET", version, segments: &["v1", "ünïcode"] };
    Sample { version: 1, absent: None, nothing: None, request: inner(-7), more: [inner(64), inner(i64::MAX)] }
}

/// Documents as JSON text: borders of numbers, strings, arrays and hash tables.
pub(crate) fn documents() -> Vec<String> {
    const PLAIN: [&str; 30] = [
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "-0",
        "63",
        "64",
        "2147483647",
        "-2147483648",
        "2147483648",
        "9007199254740993",
        "9223372036854775807",
        "123456789012345678901234567890",
        "0.1",
        "-12.50",
        "1e3",
        r#""""#,
        r#""a""#,
        r#""zwölf Ångström \u00e9 \ud83d\ude00 😀""#,
        r#""\" \\ \/ \b \f \n \r \t \u0001""#,
        "[]",
        "{}",
        "[[], {}, [[null]], [true, false]]",
        r#"{"": "", "a": {"b": {"c": [1, {"d": []}]}}}"#,
        r#"{"same": 1, "other": 2, "same": {"last": true}}"#,
        r#"{"z": 1, "y": [2], "x": {"w": 3}, "ü": null, "\u0000": 0}"#,
        r#" { "space" : [ 1 , 2 ] } "#,
        r#"{"request": {"headers": {"accept": ["*/*"], "x": ["1", "2"]}}, "uid": 1000, "now_ns": 1700000000000000001}"#,
    ];
    let mut documents: Vec<String> = PLAIN.iter().map(|text| (*text).to_owned()).collect();
    documents.push(format!("[{}]", joined(0..70, |index| index.to_string())));
    for keys in [5, 6, 11, 12, 22, 23, 44, 45, 90] {
        documents.push(format!("{{{}}}", joined(0..keys, |key| format!("\"k{key}\": {key}"))));
    }
    let colliding = (0..).filter(|key| hash::bytes(format!("k{key}").as_bytes()) % 64 == 5).take(12);
    documents.push(format!("{{{}}}", joined(colliding, |key| format!("\"k{key}\": [{key}]"))));
    documents
}

/// Values that only a builtin gives: sets, and keys of every kind.
pub(crate) fn values() -> Vec<Value> {
    let numbers =
        ["0", "-3", "0.5", "12.25", "4294967296", "9007199254740993", "123456789012345678901234567890"];
    let number = |text: &str| Number::parse(text).map_or(Value::Null, Value::Number);
    let set: Value = Value::Set(numbers.iter().map(|text| number(text)).collect());
    let keys = [
        Value::Null,
        Value::from(true),
        Value::from(false),
        Value::from("text"),
        Value::Array(vec![Value::from(1), Value::from("ü")]),
        Value::Object([(Value::from(7), Value::Null)].into()),
        set.clone(),
    ];
    let keys = keys.into_iter().chain(numbers.iter().map(|text| number(text)));
    vec![
        Value::Set(Default::default()),
        Value::Set((0..100).map(Value::from).collect()),
        Value::Set((0..30).map(|index| Value::from(format!("member {index}"))).collect()),
        Value::Array(vec![set, Value::Array(Vec::new()), Value::Object(Default::default())]),
        Value::Object(keys.enumerate().map(|(index, key)| (key, Value::from(index as i64))).collect()),
    ]
}

fn joined<T>(items: impl IntoIterator<Item = T>, text: impl Fn(T) -> String) -> String {
    items.into_iter().map(text).collect::<Vec<_>>().join(", ")
}
