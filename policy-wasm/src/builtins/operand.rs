//! Operands as the types that a builtin wants; another type makes the call undefined.

use std::collections::{BTreeMap, BTreeSet};

use super::Fault;
use crate::value::{Number, Value};

const WRONG_TYPE: Fault = Fault::Undefined("an operand has the wrong type");
const MISSING: Fault = Fault::Undefined("an operand is missing");

pub(super) fn any(operands: &[Value], index: usize) -> Result<&Value, Fault> {
    operands.get(index).ok_or(MISSING)
}

pub(super) fn string(operands: &[Value], index: usize) -> Result<&str, Fault> {
    as_string(any(operands, index)?)
}

pub(super) fn number(operands: &[Value], index: usize) -> Result<&Number, Fault> {
    any(operands, index)?.as_number().ok_or(WRONG_TYPE)
}

pub(super) fn integer(operands: &[Value], index: usize) -> Result<i64, Fault> {
    number(operands, index)?.as_i64().ok_or(Fault::Undefined("an operand is no whole number in range"))
}

pub(super) fn wide_integer(operands: &[Value], index: usize) -> Result<i128, Fault> {
    number(operands, index)?.as_i128().ok_or(Fault::Undefined("an operand is no whole number in range"))
}

pub(super) fn array(operands: &[Value], index: usize) -> Result<&[Value], Fault> {
    any(operands, index)?.as_array().ok_or(WRONG_TYPE)
}

pub(super) fn object(operands: &[Value], index: usize) -> Result<&BTreeMap<Value, Value>, Fault> {
    any(operands, index)?.as_object().ok_or(WRONG_TYPE)
}

/// The elements of an array or a set.
pub(super) fn collection(value: &Value) -> Result<Vec<&Value>, Fault> {
    match (value.as_array(), value.as_set()) {
        (Some(elements), _) => Ok(elements.iter().collect()),
        (None, Some(elements)) => Ok(elements.iter().collect()),
        (None, None) => Err(WRONG_TYPE),
    }
}

/// One string, or an array or set of strings.
pub(super) fn strings(value: &Value) -> Result<Vec<&str>, Fault> {
    match value.as_str() {
        Some(text) => Ok(vec![text]),
        None => collection(value)?.into_iter().map(as_string).collect(),
    }
}

pub(super) fn as_string(value: &Value) -> Result<&str, Fault> {
    value.as_str().ok_or(WRONG_TYPE)
}

pub(super) fn as_boolean(value: &Value) -> Result<bool, Fault> {
    if let Value::Boolean(value) = value { Ok(*value) } else { Err(WRONG_TYPE) }
}

pub(super) fn set_of(values: impl IntoIterator<Item = Value>) -> Value {
    Value::Set(values.into_iter().collect::<BTreeSet<_>>())
}

/// An object with these fields.
pub(super) fn record<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
