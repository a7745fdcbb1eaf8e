//! Making tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Algorithm, jwk};
use crate::builtins::{Fault, Outcome, Scope, json_text, operand};
use crate::value::Value;

/// Header, payload and key as objects.
pub(super) fn encode_sign(_: &mut Scope, operands: &[Value]) -> Outcome {
    let part = |index| json_text::write(operand::any(operands, index)?);
    sign(&part(0)?, &part(1)?, &part(2)?)
}

/// Header, payload and key as JSON texts, which go into the token as they are.
pub(super) fn encode_sign_raw(_: &mut Scope, operands: &[Value]) -> Outcome {
    let part = |index| operand::string(operands, index);
    sign(part(0)?, part(1)?, part(2)?)
}

fn sign(header: &str, payload: &str, key: &str) -> Outcome {
    let keys = jwk::of_json(key)?;
    let key = keys.first().ok_or(Fault::Undefined("the set has no key"))?;
    let fields = json_text::read(header)?;
    let fields = fields.as_object().ok_or(Fault::Undefined("the header is no object"))?;
    let field = |name: &str| fields.get(&name.into()).and_then(Value::as_str);
    let algorithm = field("alg").and_then(Algorithm::named);
    let algorithm = algorithm.ok_or(Fault::Undefined("the header names no algorithm that is known"))?;
    if field("typ").is_none_or(|kind| kind == "JWT") && json_text::read(payload).is_err() {
        return Err(Fault::Undefined("the payload is no JSON"));
    }
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = key.sign(algorithm, signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)).into())
}
