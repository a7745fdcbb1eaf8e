//! Universally unique identifiers.

use std::collections::BTreeMap;

use uuid::{Uuid, Variant};

use super::{Fault, Outcome, Scope, operand};
use crate::value::Value;

/// A random one; the same operand gives the same within an evaluation.
pub(super) fn rfc4122(scope: &mut Scope, operands: &[Value]) -> Outcome {
    scope.drawn_once("uuid.rfc4122", operands, || Ok(Uuid::new_v4().to_string().into()))
}

/// Version and variant; the parts of time-based ones are not taken apart.
pub(super) fn parse(_: &mut Scope, operands: &[Value]) -> Outcome {
    let uuid =
        Uuid::try_parse(operand::string(operands, 0)?).map_err(|_| Fault::Undefined("it is no UUID"))?;
    let known =
        [(Variant::RFC4122, "RFC4122"), (Variant::Microsoft, "Microsoft"), (Variant::Future, "Future")];
    let variant = known.into_iter().find(|(variant, _)| *variant == uuid.get_variant());
    let variant = variant.map_or("Reserved", |(_, name)| name);
    let version = i64::try_from(uuid.get_version_num()).unwrap_or(0);
    if matches!(version, 1 | 2) {
        return Err(Fault::Undefined("the parts of a time-based UUID are not supported"));
    }
    let fields = [("version", Value::from(version)), ("variant", Value::from(variant))];
    Ok(Value::Object(
        fields.map(|(key, value)| (Value::from(key), value)).into_iter().collect::<BTreeMap<_, _>>(),
    ))
}
