//! The casts of old policies: a value that has the type already, or nothing.

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("cast_array", cast_array),
    ("cast_boolean", |_, operands| only(operands, |value| matches!(value, Value::Boolean(_)))),
    ("cast_null", cast_null),
    ("cast_object", |_, operands| only(operands, |value| value.as_object().is_some())),
    ("cast_set", cast_set),
    ("cast_string", |_, operands| only(operands, |value| value.as_str().is_some())),
];

fn only(operands: &[Value], fits: fn(&Value) -> bool) -> Outcome {
    let value = operand::any(operands, 0)?;
    if fits(value) { Ok(value.clone()) } else { Err(Fault::Undefined("the value has another type")) }
}

fn cast_null(_: &mut Scope, operands: &[Value]) -> Outcome {
    only(operands, |value| matches!(value, Value::Null))
}

fn cast_array(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(operand::collection(operand::any(operands, 0)?)?.into_iter().cloned().collect())
}

fn cast_set(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(operand::set_of(operand::collection(operand::any(operands, 0)?)?.into_iter().cloned()))
}
