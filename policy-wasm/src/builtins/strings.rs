//! Text: `sprintf` and the searches that OPA's compiler leaves to the host.

use super::{Family, Fault, Outcome, Scope, format, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("indexof_n", indexof_n),
    ("sprintf", sprintf),
    ("strings.any_prefix_match", any_prefix_match),
    ("strings.any_suffix_match", any_suffix_match),
    ("strings.count", count),
];

fn sprintf(_: &mut Scope, operands: &[Value]) -> Outcome {
    format::sprintf(operand::string(operands, 0)?, operand::array(operands, 1)?).map(Value::from)
}

fn any_prefix_match(_: &mut Scope, operands: &[Value]) -> Outcome {
    any_match(operands, |text, prefix| text.starts_with(prefix))
}

fn any_suffix_match(_: &mut Scope, operands: &[Value]) -> Outcome {
    any_match(operands, |text, suffix| text.ends_with(suffix))
}

fn any_match(operands: &[Value], matches: fn(&str, &str) -> bool) -> Outcome {
    let texts = operand::strings(operand::any(operands, 0)?)?;
    let ends = operand::strings(operand::any(operands, 1)?)?;
    Ok(texts.iter().any(|text| ends.iter().any(|end| matches(text, end))).into())
}

/// Where the search text begins, counted in characters; overlaps count.
fn indexof_n(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (text, search) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    if search.is_empty() {
        return Err(Fault::Undefined("the search text is empty"));
    }
    let starts = text.char_indices().enumerate().filter(|&(_, (at, _))| text[at..].starts_with(search));
    Ok(starts.map(|(index, _)| whole(index)).collect())
}

/// Without overlaps; an empty search text counts the gaps between characters, as in Go.
fn count(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(whole(operand::string(operands, 0)?.matches(operand::string(operands, 1)?).count()))
}

fn whole(count: usize) -> Value {
    Value::from(i64::try_from(count).unwrap_or(i64::MAX))
}
