//! Objects, sets and arrays within one another.

use std::collections::BTreeMap;

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("object.subset", subset)];

fn subset(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (whole, part) = (operand::any(operands, 0)?, operand::any(operands, 1)?);
    if let (Some(whole), Some(part)) = (whole.as_array(), part.as_set()) {
        return Ok(part.iter().all(|element| whole.contains(element)).into());
    }
    holds(whole, part)
        .map(Value::from)
        .ok_or(Fault::Undefined("the operands are not two objects, sets or arrays"))
}

/// `None` where the two cannot be compared.
fn holds(whole: &Value, part: &Value) -> Option<bool> {
    if let (Some(whole), Some(part)) = (whole.as_object(), part.as_object()) {
        return Some(object_holds(whole, part));
    }
    if let (Some(whole), Some(part)) = (whole.as_set(), part.as_set()) {
        return Some(part.is_subset(whole));
    }
    let (whole, part) = (whole.as_array()?, part.as_array()?);
    Some(part.is_empty() || whole.windows(part.len()).any(|window| window == part))
}

fn object_holds(whole: &BTreeMap<Value, Value>, part: &BTreeMap<Value, Value>) -> bool {
    part.iter().all(|(key, value)| {
        whole.get(key).is_some_and(|present| present == value || holds(present, value).unwrap_or(false))
    })
}
