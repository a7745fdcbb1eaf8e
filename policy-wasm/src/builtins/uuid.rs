//! Universally unique identifiers.

use std::collections::BTreeMap;

use uuid::{Uuid, Variant};

use super::{Fault, Outcome, Scope, operand};
use crate::value::Value;

const TIME: usize = 1;
const TIME_AND_DOMAIN: usize = 2;
/// Time counts in ticks since the Gregorian calendar began.
const TICK_NS: i64 = 100;
const TICKS_BEFORE_1970: i64 = 0x01b2_1dd2_1381_4000;

/// A random one; the same operand gives the same within an evaluation.
pub(super) fn rfc4122(scope: &mut Scope, operands: &[Value]) -> Outcome {
    scope.drawn_once("uuid.rfc4122", operands, || Ok(Uuid::new_v4().to_string().into()))
}

/// Version and variant, and the parts of those that are made of time and place.
pub(super) fn parse(_: &mut Scope, operands: &[Value]) -> Outcome {
    let uuid =
        Uuid::try_parse(operand::string(operands, 0)?).map_err(|_| Fault::Undefined("it is no UUID"))?;
    let known =
        [(Variant::RFC4122, "RFC4122"), (Variant::Microsoft, "Microsoft"), (Variant::Future, "Future")];
    let variant = known.into_iter().find(|(variant, _)| *variant == uuid.get_variant());
    let variant = variant.map_or("Reserved", |(_, name)| name);
    let version = uuid.get_version_num();
    let mut fields = vec![("version", whole(version as u64)), ("variant", variant.into())];
    if matches!(version, TIME | TIME_AND_DOMAIN) {
        fields.extend(made_of(&uuid));
    }
    if version == TIME_AND_DOMAIN {
        let (identifier, ..) = uuid.as_fields();
        fields.extend([("id", whole(u64::from(identifier))), ("domain", domain(uuid.as_bytes()[9]).into())]);
    }
    Ok(Value::Object(
        fields.into_iter().map(|(key, value)| (Value::from(key), value)).collect::<BTreeMap<_, _>>(),
    ))
}

fn made_of(uuid: &Uuid) -> [(&'static str, Value); 4] {
    let (low, middle, high, rest) = uuid.as_fields();
    let ticks = i64::from(low) | i64::from(middle) << 32 | i64::from(high & 0xfff) << 48;
    // what lies too far ahead wraps, as in Go
    let time_ns = (ticks - TICKS_BEFORE_1970).wrapping_mul(TICK_NS);
    let clock = u64::from(rest[0] & 0x3f) << 8 | u64::from(rest[1]);
    let node: Vec<String> = rest[2..].iter().map(|byte| format!("{byte:02x}")).collect();
    let scope = if rest[2] & 2 == 0 { "global" } else { "local" };
    let cast = if rest[2] & 1 == 0 { "unicast" } else { "multicast" };
    [
        ("time", time_ns.into()),
        ("clocksequence", whole(clock)),
        ("nodeid", node.join("-").into()),
        ("macvariables", format!("{scope}:{cast}").into()),
    ]
}

fn domain(number: u8) -> String {
    let known = ["Person", "Group", "Org"].get(usize::from(number));
    known.map_or_else(|| format!("Domain{number}"), |name| (*name).to_owned())
}

fn whole(number: u64) -> Value {
    Value::Number(i128::from(number).into())
}
