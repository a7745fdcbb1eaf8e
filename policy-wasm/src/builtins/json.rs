//! Objects, sets and arrays within one another.

use std::collections::BTreeMap;

use super::json_text::{self, Indent};
use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family =
    &[("json.marshal_with_options", marshal_with_options), ("object.subset", subset)];

const INDENT_BYTES_MAX: usize = 256;

/// `prefix` and `indent` break lines, unless `pretty` says otherwise.
fn marshal_with_options(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (mut indent, mut pretty, mut asked) = (Indent { prefix: "", step: "\t" }, false, None);
    for (key, value) in operand::object(operands, 1)? {
        match operand::as_string(key)? {
            "prefix" => (indent.prefix, pretty) = (operand::as_string(value)?, true),
            "indent" => (indent.step, pretty) = (operand::as_string(value)?, true),
            "pretty" => asked = Some(operand::as_boolean(value)?),
            _ => return Err(Fault::Undefined("an option is not known")),
        }
    }
    if indent.prefix.len().max(indent.step.len()) > INDENT_BYTES_MAX {
        return Err(Fault::Halt("the indentation is too wide"));
    }
    let value = operand::any(operands, 0)?;
    match asked.unwrap_or(pretty) {
        true => Ok(format!("{}{}", indent.prefix, json_text::write_indented(value, &indent)?).into()),
        false => json_text::write(value).map(Value::from),
    }
}

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
