//! A decision's keys, taken one by one: whatever is left in the end was not understood.

use std::collections::BTreeMap;

use super::header::{header_name, header_value};
use super::not_a_decision;
use crate::error::EvalError;
use crate::value::Value;

pub(super) const NAME_BYTES_MAX: usize = 256;
const HEADERS_MAX: usize = 64;
const SHOWN_KEY_BYTES_MAX: usize = 32;

/// The fields that are not read yet.
pub(super) struct Fields(BTreeMap<String, Value>);

impl Fields {
    pub(super) fn of(fields: BTreeMap<Value, Value>) -> Result<Fields, EvalError> {
        let named = |(key, value)| {
            let Value::String(name) = key else {
                return Err(not_a_decision(format!("a key is {}", key.type_name())));
            };
            Ok((name, value))
        };
        fields.into_iter().map(named).collect::<Result<_, _>>().map(Fields)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// A boolean that must be there.
    pub(super) fn verdict(&mut self, key: &str) -> Result<bool, EvalError> {
        match self.0.remove(key) {
            Some(Value::Boolean(allow)) => Ok(allow),
            Some(other) => Err(mistyped(key, &other, "a boolean")),
            None => Err(not_a_decision(format!("`{key}` is missing"))),
        }
    }

    /// A boolean that may be missing.
    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, EvalError> {
        match self.0.remove(key) {
            None => Ok(None),
            Some(Value::Boolean(flag)) => Ok(Some(flag)),
            Some(other) => Err(mistyped(key, &other, "a boolean")),
        }
    }

    pub(super) fn text(&mut self, key: &str, bytes_max: usize) -> Result<Option<String>, EvalError> {
        self.0.remove(key).map(|value| text(key, value, bytes_max)).transpose()
    }

    pub(super) fn texts(&mut self, key: &str, count_max: usize) -> Result<Option<Vec<String>>, EvalError> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        let elements = list(key, value, "an array of strings")?;
        bounded(key, elements.len(), count_max)?;
        let texts = elements.into_iter().map(|element| text(key, element, NAME_BYTES_MAX));
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// The names of headers, in lower case.
    pub(super) fn header_names(&mut self, key: &str) -> Result<Vec<String>, EvalError> {
        let names = self.texts(key, HEADERS_MAX)?.unwrap_or_default();
        names.into_iter().map(|name| header_name(key, &Value::String(name))).collect()
    }

    pub(super) fn whole(&mut self, key: &str) -> Result<Option<i64>, EvalError> {
        self.0.remove(key).map(|value| whole(key, &value)).transpose()
    }

    /// `not_yet` are keys that contracts describe and this version does not obey.
    pub(super) fn must_be_empty(&self, not_yet: &[&str]) -> Result<(), EvalError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) if not_yet.contains(&key.as_str()) => {
                Err(not_a_decision(format!("`{key}` is not supported yet")))
            }
            Some(key) => Err(not_a_decision(format!("unknown key{}", shown(key)))),
        }
    }
}

/// Headers with their values: lower-case names, printable values, in order.
pub(super) fn headers(key: &str, pairs: Vec<(Value, Value)>) -> Result<Vec<(String, String)>, EvalError> {
    bounded(key, pairs.len(), HEADERS_MAX)?;
    let header = |(name, value)| {
        let name = header_name(key, &name)?;
        let value = header_value(key, &name, &value)?;
        Ok((name, value))
    };
    pairs.into_iter().map(header).collect()
}

/// The elements of an array, or of a set, which JSON writes as one.
pub(super) fn list(key: &str, value: Value, wanted: &str) -> Result<Vec<Value>, EvalError> {
    match value {
        Value::Array(elements) => Ok(elements),
        Value::Set(elements) => Ok(elements.into_iter().collect()),
        other
        @ (Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            Err(mistyped(key, &other, wanted))
        }
    }
}

pub(super) fn text(key: &str, value: Value, bytes_max: usize) -> Result<String, EvalError> {
    let Value::String(text) = value else { return Err(mistyped(key, &value, "a string")) };
    match text.len() <= bytes_max {
        true => Ok(text),
        false => Err(not_a_decision(format!("`{key}` is longer than {bytes_max} bytes"))),
    }
}

pub(super) fn bounded(key: &str, count: usize, count_max: usize) -> Result<(), EvalError> {
    match count <= count_max {
        true => Ok(()),
        false => Err(not_a_decision(format!("`{key}` has more than {count_max} elements"))),
    }
}

pub(super) fn mistyped(key: &str, value: &Value, wanted: &str) -> EvalError {
    not_a_decision(format!("`{key}` must be {wanted}, it is {}", value.type_name()))
}

fn whole(key: &str, value: &Value) -> Result<i64, EvalError> {
    let number = value.as_number().ok_or_else(|| mistyped(key, value, "a whole number"))?;
    number.as_i64().ok_or_else(|| not_a_decision(format!("`{key}` must be a whole number in range")))
}

/// A key that looks like one is shown; another might be anything.
fn shown(key: &str) -> String {
    let plain =
        key.len() <= SHOWN_KEY_BYTES_MAX && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!(" `{key}`") } else { String::new() }
}
