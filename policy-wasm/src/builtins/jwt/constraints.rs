//! Verification of a token as a whole: signature, issuer, audience and times.

use std::collections::BTreeMap;

use super::jwk::{self, Key};
use super::{Algorithm, Token};
use crate::builtins::{Fault, Outcome, Scope, operand};
use crate::value::{Number, Value};

const NANOSECONDS: f64 = 1e9;

/// What the policy demands of a token.
struct Constraints<'a> {
    trust: Trust<'a>,
    alg: &'a str,
    iss: &'a str,
    aud: &'a str,
    /// Seconds, as a double: OPA compares so.
    time: Number,
}

/// What may have signed it.
enum Trust<'a> {
    Keys(Vec<Key>),
    Secret(&'a str),
}

/// `[true, header, payload]`, or `[false, {}, {}]` where a constraint is not met.
pub(super) fn decode_verify(scope: &mut Scope, operands: &[Value]) -> Outcome {
    let mut text = operand::string(operands, 0)?.to_owned();
    let constraints = Constraints::read(operand::object(operands, 1)?, scope.now_ns)?;
    loop {
        let token = Token::parse(&text)?;
        let fields = token.fields()?;
        if !fields.are_valid() || !constraints.alg.is_empty() && constraints.alg != fields.alg {
            return Ok(unverified());
        }
        let signature = token.signature()?;
        if !constraints.trust.verifies(&fields.kid, &fields.alg, token.signed(), &signature) {
            return Ok(unverified());
        }
        if !fields.say_nested() {
            let payload = token.payload_object()?;
            return match constraints.admit(payload.as_object().ok_or(WRONG_CLAIM)?)? {
                true => Ok([true.into(), Value::Object(token.header), payload].into_iter().collect()),
                false => Ok(unverified()),
            };
        }
        text = token.payload_text()?;
    }
}

fn unverified() -> Value {
    [false.into(), Value::Object(BTreeMap::new()), Value::Object(BTreeMap::new())].into_iter().collect()
}

const WRONG_CLAIM: Fault = Fault::Undefined("a claim has the wrong type");

impl<'a> Constraints<'a> {
    fn read(fields: &'a BTreeMap<Value, Value>, now_ns: i64) -> Result<Constraints<'a>, Fault> {
        let (mut keys, mut secret, mut time) = (None, "", Number::from(now_ns).as_f64());
        let (mut alg, mut iss, mut aud) = ("", "", "");
        for (name, value) in fields {
            match operand::as_string(name)? {
                "cert" => keys = Some(jwk::read(operand::as_string(value)?)?),
                "secret" => secret = operand::as_string(value)?,
                "alg" => alg = operand::as_string(value)?,
                "iss" => iss = operand::as_string(value)?,
                "aud" => aud = operand::as_string(value)?,
                "time" => time = operand::number(std::slice::from_ref(value), 0)?.as_f64(),
                _ => return Err(Fault::Undefined("a constraint is not known")),
            }
        }
        let trust = match (keys, secret) {
            (Some(keys), "") => Trust::Keys(keys),
            (Some(_), _) => return Err(Fault::Undefined("there are two constraints on the key")),
            (None, "") => return Err(Fault::Undefined("there is no constraint on the key")),
            (None, secret) => Trust::Secret(secret),
        };
        let seconds = Some(time).filter(|time| time.is_finite() && *time >= 0.0);
        let time = seconds.and_then(|time| Number::parse(&format!("{}", time / NANOSECONDS)));
        Ok(Constraints { trust, alg, iss, aud, time: time.ok_or(Fault::Undefined("the time is no time"))? })
    }

    /// Whether the claims meet them.
    fn admit(&self, claims: &BTreeMap<Value, Value>) -> Result<bool, Fault> {
        let claim = |name: &str| claims.get(&name.into());
        let issuer = claim("iss").map(operand::as_string);
        if !self.iss.is_empty() && issuer.transpose()? != Some(self.iss) {
            return Ok(false);
        }
        let audience_fits = match claim("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(self.aud)),
            Some(one) => one.as_str() == Some(self.aud),
            None => self.aud.is_empty(),
        };
        let time = |name: &str| claim(name).map(|value| value.as_number().ok_or(WRONG_CLAIM)).transpose();
        if !audience_fits || time("exp")?.is_some_and(|expires| self.time >= *expires) {
            return Ok(false);
        }
        Ok(time("nbf")?.is_none_or(|begins| self.time >= *begins))
    }
}

impl Trust<'_> {
    fn verifies(&self, kid: &str, alg: &str, signed: &[u8], signature: &[u8]) -> bool {
        let Some(algorithm) = Algorithm::named(alg) else { return false };
        let keys = match self {
            Trust::Secret(secret) => {
                return algorithm.verifies_secret(secret.as_bytes(), signed, signature);
            }
            Trust::Keys(keys) => keys,
        };
        if let Some(named) = jwk::named(kid, keys) {
            return named.verifies(algorithm, signed, signature);
        }
        let fitting = keys.iter().filter(|key| key.algorithm.as_deref().is_none_or(|told| told == alg));
        fitting.into_iter().any(|key| key.verifies(algorithm, signed, signature))
    }
}
