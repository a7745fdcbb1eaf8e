//! OPA's values on the host's side: what builtins take and give, and what a result is read as.
//!
//! The derived order is OPA's: null, booleans, numbers, strings, arrays, objects, sets.

mod number;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use number::Number;
pub(crate) use text::SyntaxError;

/// A value of OPA's data model.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Value {
    /// `null`
    Null,
    /// `true` and `false`
    Boolean(bool),
    /// Numbers are exact decimals.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Value>),
    /// A map; keys may be any value.
    Object(BTreeMap<Value, Value>),
    /// A set, which JSON does not have.
    Set(BTreeSet<Value>),
}

impl Value {
    /// Reads the text of `opa_value_dump` or `opa_json_dump`; a repeated key is an error.
    pub(crate) fn parse(text: &str) -> Result<Value, SyntaxError> {
        text::parse(text)
    }

    /// The text of a string.
    pub(crate) fn as_str(&self) -> Option<&str> {
        if let Value::String(text) = self { Some(text) } else { None }
    }

    /// The elements of an array.
    pub(crate) fn as_array(&self) -> Option<&[Value]> {
        if let Value::Array(elements) = self { Some(elements) } else { None }
    }

    /// The fields of an object.
    pub(crate) fn as_object(&self) -> Option<&BTreeMap<Value, Value>> {
        if let Value::Object(fields) = self { Some(fields) } else { None }
    }

    /// The elements of a set.
    pub(crate) fn as_set(&self) -> Option<&BTreeSet<Value>> {
        if let Value::Set(elements) = self { Some(elements) } else { None }
    }

    /// A number.
    pub(crate) fn as_number(&self) -> Option<&Number> {
        if let Value::Number(number) = self { Some(number) } else { None }
    }

    /// A string as it is, anything else in OPA's notation: a key's name, a printed word.
    pub(crate) fn to_plain(&self) -> String {
        self.as_str().map_or_else(|| self.to_string(), str::to_owned)
    }

    /// JSON, as OPA makes it of a result: sets become arrays, in OPA's order.
    pub(crate) fn to_json(&self) -> String {
        let mut text = String::new();
        // writing to a string cannot fail
        let _ = text::write_json(&mut text, self);
        text
    }

    /// The same with sets as arrays, in OPA's order, at any depth.
    pub(crate) fn with_arrays_for_sets(self) -> Value {
        let plain = Value::with_arrays_for_sets;
        match self {
            Value::Set(elements) => elements.into_iter().map(plain).collect(),
            Value::Array(elements) => elements.into_iter().map(plain).collect(),
            Value::Object(fields) => {
                Value::Object(fields.into_iter().map(|(key, value)| (key, plain(value))).collect())
            }
            scalar @ (Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_)) => scalar,
        }
    }

    /// OPA's name of the type, for messages.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
            Value::Set(_) => "a set",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Boolean(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Number(Number::from(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::String(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::String(value.to_owned())
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Value {
        Value::Array(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests;
