//! OPA's hashes: where a key stands in an object or set.

use crate::value::Value;

/// FNV-1a over 32 bits, as `fnv1a32` in `value.c` spells it.
pub(super) fn bytes(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, &byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(byte))
}

/// The hash of any value; `None` where the module itself would give up on a number, or where its arithmetic has no
/// defined result.
pub(super) fn value(value: &Value) -> Option<u32> {
    match value {
        Value::Null => Some(0),
        Value::Boolean(value) => Some(u32::from(!value)),
        Value::Number(number) => Some(bytes(&as_float(number.as_str())?.to_le_bytes())),
        Value::String(text) => Some(bytes(text.as_bytes())),
        Value::Array(elements) => sum(elements.iter()),
        Value::Set(members) => sum(members.iter()),
        Value::Object(fields) => sum(fields.iter().flat_map(|(key, value)| [key, value])),
    }
}

fn sum<'a>(values: impl Iterator<Item = &'a Value>) -> Option<u32> {
    values.map(value).try_fold(0, |sum: u32, hash| Some(sum.wrapping_add(hash?)))
}

/// `opa_atof64`, with its roundings: it reads digit by digit.
fn as_float(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text),
    };
    // What `opa_atof64` does with an exponent overflows, so no exponent is followed.
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut value = 0.0;
    for digit in whole.bytes() {
        value = 10.0 * value + digit_of(digit)?;
    }
    value *= sign;
    let (mut part, mut weight) = (0.0, 0.1);
    for digit in fraction.bytes() {
        part += weight * digit_of(digit)?;
        weight /= 10.0;
    }
    if digits.contains('.') {
        value += part * sign;
    }
    Some(value)
}

fn digit_of(byte: u8) -> Option<f64> {
    byte.is_ascii_digit().then(|| f64::from(byte - b'0'))
}
