//! Semantic versions.

use semver::Version;

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("semver.compare", compare), ("semver.is_valid", is_valid)];

/// -1, 0 or 1; build metadata does not count.
fn compare(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (one, other) = (version(operands, 0)?, version(operands, 1)?);
    Ok(Value::from(one.cmp_precedence(&other) as i64))
}

fn is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::any(operands, 0)?.as_str();
    Ok(text.is_some_and(|text| Version::parse(text).is_ok()).into())
}

fn version(operands: &[Value], index: usize) -> Result<Version, Fault> {
    Version::parse(operand::string(operands, index)?)
        .map_err(|_| Fault::Undefined("it is no semantic version"))
}
