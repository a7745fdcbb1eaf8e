//! A request's body as a policy sees it: whole and with one reading, or not at all.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Named, as_map};
use crate::value::{SyntaxError, Value};

/// What a policy is shown of a body.
#[derive(Debug, Clone)]
pub enum Body<'a> {
    /// There is none, or it cannot be shown: null.
    Nothing,
    /// A JSON value.
    Json(Json<'a>),
    /// Other text.
    Text(&'a str),
    /// A form's values by name, in order.
    Form(Vec<Named<'a>>),
    /// The values of a multipart form by name, in order.
    Parts(Vec<(&'a str, Vec<Part<'a>>)>),
}

/// One value of a multipart form.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Part<'a> {
    /// A part of type JSON.
    Json(Json<'a>),
    /// Any other part.
    Text(&'a str),
    /// What is not text: null.
    Nothing,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Body::Nothing => serializer.serialize_unit(),
            Body::Json(json) => json.serialize(serializer),
            Body::Text(text) => serializer.serialize_str(text),
            Body::Form(values) => as_map(values, serializer),
            Body::Parts(parts) => serializer.collect_map(parts.iter().map(|(name, values)| (name, values))),
        }
    }
}

/// JSON text that every reader takes for the same value: no key twice, no half of a surrogate pair, not too deep.
/// Numbers stay as they are written.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(transparent)]
pub struct Json<'a>(&'a RawValue);

/// Why text is not JSON with one reading. Holds no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error("it is not JSON")]
    Malformed,
    /// An object has a key twice.
    #[error("a key is given twice")]
    DuplicateKey,
    /// Objects and arrays in each other, more than 128 levels.
    #[error("it is nested too deeply")]
    TooDeep,
    /// More than four million values.
    #[error("it has too many values")]
    TooMany,
}

impl<'a> Json<'a> {
    /// Takes a whole JSON text.
    ///
    /// # Errors
    /// Why it has no reading, or more than one.
    pub fn read(text: &'a str) -> Result<Json<'a>, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| JsonError::Malformed)?;
        // the grammar is JSON's by now; this looks at what JSON's grammar leaves open
        match Value::parse(raw.get()) {
            Ok(_) => Ok(Json(raw)),
            Err(SyntaxError::Malformed { .. }) => Err(JsonError::Malformed),
            Err(SyntaxError::DuplicateKey) => Err(JsonError::DuplicateKey),
            Err(SyntaxError::TooDeep) => Err(JsonError::TooDeep),
            Err(SyntaxError::TooMany) => Err(JsonError::TooMany),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_one_reading() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let check = |text: &str, expected: Result<(), JsonError>| {
            let found = Json::read(text);
            assert_eq!(found.map(|_| ()), expected, "{text}");
            if let Ok(json) = found {
                let told = serde_json::to_string(&Body::Json(json)).expect("it serialises");
                assert_eq!(told, text.trim(), "{text}");
            }
        };
        for text in [
            "null",
            " {\"a\": [1, {\"a\": true}]}\n",
            "1e400",
            "3.141592653589793238462643383279",
            "-0",
            "\"\\ud83d\\ude00\"",
            "{}",
        ] {
            check(text, Ok(()));
        }
        check(&deep(128), Ok(()));
        check(&deep(129), Err(JsonError::TooDeep));
        check(&"[".repeat(100_000), Err(JsonError::Malformed));
        for text in [
            "",
            "nul",
            "set()",
            "{1}",
            "{1: 2}",
            "{\"a\"}",
            "[1,]",
            "01",
            "+1",
            "1 2",
            "NaN",
            "\u{feff}{}",
            "'a'",
            "\"a\nb\"",
            "\"\\ud83d\"",
            "{\"a\": 1,}",
            "// a\n1",
        ] {
            check(text, Err(JsonError::Malformed));
        }
        check(r#"{"a": 1, "a": 1}"#, Err(JsonError::DuplicateKey));
        check(r#"[{"b": {"a": 1, "\u0061": 2}}]"#, Err(JsonError::DuplicateKey));
    }

    #[test]
    fn every_form_is_told_as_itself() {
        let check = |body: Body<'_>, expected: &str| {
            assert_eq!(serde_json::to_string(&body).expect("it serialises"), expected);
        };
        check(Body::Nothing, "null");
        check(Body::Text("a\"b"), r#""a\"b""#);
        check(Body::Form(vec![("a".into(), vec!["1".into(), "2".into()])]), r#"{"a":["1","2"]}"#);
        let json = Json::read(r#"{"n": 1.0}"#).expect("it is JSON");
        check(Body::Parts(vec![("f", vec![Part::Text("x"), Part::Json(json)])]), r#"{"f":["x",{"n": 1.0}]}"#);
    }
}
