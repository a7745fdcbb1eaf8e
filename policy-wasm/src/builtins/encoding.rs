//! Text encodings that OPA's compiler leaves to the host.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("base64url.encode_no_pad", base64url_encode_no_pad),
    ("hex.decode", hex_decode),
    ("hex.encode", hex_encode),
    ("urlquery.decode", urlquery_decode),
    ("urlquery.decode_object", urlquery_decode_object),
    ("urlquery.encode", urlquery_encode),
    ("urlquery.encode_object", urlquery_encode_object),
];

const NOT_UTF8: Fault = Fault::Undefined("the decoded bytes are not UTF-8");
/// What Go's `url.QueryEscape` leaves alone beside letters and digits.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b' ');

fn base64url_encode_no_pad(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(URL_SAFE_NO_PAD.encode(operand::string(operands, 0)?).into())
}

fn hex_encode(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(hex::encode(operand::string(operands, 0)?).into())
}

fn hex_decode(_: &mut Scope, operands: &[Value]) -> Outcome {
    let bytes =
        hex::decode(operand::string(operands, 0)?).map_err(|_| Fault::Undefined("it is not hexadecimal"))?;
    String::from_utf8(bytes).map(Value::from).map_err(|_| NOT_UTF8)
}

fn urlquery_encode(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(escape(operand::string(operands, 0)?).into())
}

fn urlquery_decode(_: &mut Scope, operands: &[Value]) -> Outcome {
    unescape(operand::string(operands, 0)?).map(Value::from)
}

/// Names in order; each value a string, or an array of strings that repeats the name.
fn urlquery_encode_object(_: &mut Scope, operands: &[Value]) -> Outcome {
    let mut pairs = Vec::new();
    for (name, value) in operand::object(operands, 0)? {
        let name = escape(operand::as_string(name)?);
        for value in operand::strings(value)? {
            pairs.push(format!("{name}={}", escape(value)));
        }
    }
    Ok(pairs.join("&").into())
}

fn urlquery_decode_object(_: &mut Scope, operands: &[Value]) -> Outcome {
    let mut fields: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
    for pair in operand::string(operands, 0)?.split('&').filter(|pair| !pair.is_empty()) {
        if pair.contains(';') {
            return Err(Fault::Undefined("a semicolon separates nothing"));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        fields.entry(unescape(name)?.into()).or_default().push(unescape(value)?.into());
    }
    Ok(Value::Object(fields.into_iter().map(|(name, values)| (name, Value::Array(values))).collect()))
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace(' ', "+")
}

fn unescape(text: &str) -> Result<String, Fault> {
    let broken = Fault::Undefined("a percent sign is not followed by two hexadecimal digits");
    let text = text.replace('+', " ");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2).ok_or(broken)?;
        bytes.extend(hex::decode(digits).map_err(|_| broken)?);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| NOT_UTF8)
}
