//! Private keys taken apart: as JSON Web Keys, and as Go prints them. RSA keys have at least 2048 bits, else they are
//! none: our cryptographic library checks their numbers, and takes no shorter ones.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::keys::{Curve, PrivateKey, PublicKey, Rsa};
use super::{Family, Fault, Outcome, Scope, operand, pem};
use crate::value::{Number, Value};

pub(super) const FAMILY: Family =
    &[("crypto.parse_private_keys", parse_private_keys), ("crypto.x509.parse_rsa_private_key", parse_as_jwk)];

const KEYS_MAX: usize = 64;
const TOO_MANY: Fault = Fault::Halt("there are too many keys");

/// All keys of the text, which may be PEM or its base64.
fn parse_private_keys(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::string(operands, 0)?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    Ok(keys(text)?.iter().map(as_go).collect())
}

/// The first key of the text, of whatever kind.
fn parse_as_jwk(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::string(operands, 0)?;
    if text.is_empty() || !text.starts_with("-----BEGIN") && decoded(text).is_none() {
        return Err(Fault::Undefined("it is neither PEM nor base64"));
    }
    Ok(keys(text)?.first().map_or(Value::Null, as_jwk))
}

fn keys(text: &str) -> Result<Vec<PrivateKey>, Fault> {
    let decoded = decoded(text);
    let (mut rest, mut keys) = (decoded.as_deref().unwrap_or(text), Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        let read = match block.label.as_str() {
            "RSA PRIVATE KEY" => PrivateKey::from_pkcs1,
            "PRIVATE KEY" => PrivateKey::from_pkcs8,
            "EC PRIVATE KEY" => PrivateKey::from_sec1,
            _ => {
                rest = after;
                continue;
            }
        };
        keys.push(read(&block.bytes)?);
        if keys.len() > KEYS_MAX {
            return Err(TOO_MANY);
        }
        rest = after;
    }
    Ok(keys)
}

/// What base64 says, if it is such.
fn decoded(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    String::from_utf8(STANDARD.decode(digits).ok()?).ok()
}

/// As Go's `encoding/json` writes the key.
pub(super) fn as_go(key: &PrivateKey) -> Value {
    match key {
        PrivateKey::Rsa(rsa) => rsa_as_go(rsa),
        PrivateKey::Ec { curve, secret, point } => {
            let (x, y) = coordinates(*curve, point);
            object([
                ("Curve", Value::Object(BTreeMap::new())),
                ("D", decimal(secret)),
                ("X", decimal(x)),
                ("Y", decimal(y)),
            ])
        }
        PrivateKey::Ed25519 { seed, public } => STANDARD.encode([seed.as_slice(), public].concat()).into(),
    }
}

fn rsa_as_go(rsa: &Rsa) -> Value {
    let [p, q] = &rsa.primes;
    let [dp, dq] = &rsa.exponents;
    let precomputed = object([
        ("CRTValues", Value::Array(Vec::new())),
        ("Dp", decimal(dp)),
        ("Dq", decimal(dq)),
        ("Qinv", decimal(&rsa.coefficient)),
    ]);
    object([
        ("D", decimal(&rsa.secret)),
        ("E", decimal(&rsa.exponent)),
        ("N", decimal(&rsa.modulus)),
        ("Precomputed", precomputed),
        ("Primes", [p, q].into_iter().map(|prime| decimal(prime)).collect()),
    ])
}

/// The same of a public key.
pub(super) fn public_as_go(key: &PublicKey) -> Value {
    match key {
        PublicKey::Rsa { modulus, exponent } => {
            object([("E", decimal(&exponent.to_be_bytes())), ("N", decimal(modulus))])
        }
        PublicKey::Ec { curve, point } => {
            let (x, y) = coordinates(*curve, point);
            object([("Curve", Value::Object(BTreeMap::new())), ("X", decimal(x)), ("Y", decimal(y))])
        }
        PublicKey::Ed25519(key) => STANDARD.encode(key).into(),
    }
}

fn as_jwk(key: &PrivateKey) -> Value {
    let digits = |bytes: &[u8]| Value::from(URL_SAFE_NO_PAD.encode(bytes));
    match key {
        PrivateKey::Rsa(rsa) => object([
            ("kty", "RSA".into()),
            ("n", digits(&rsa.modulus)),
            ("e", digits(&rsa.exponent)),
            ("d", digits(&rsa.secret)),
            ("p", digits(&rsa.primes[0])),
            ("q", digits(&rsa.primes[1])),
            ("dp", digits(&rsa.exponents[0])),
            ("dq", digits(&rsa.exponents[1])),
            ("qi", digits(&rsa.coefficient)),
        ]),
        PrivateKey::Ec { curve, secret, point } => {
            let (x, y) = coordinates(*curve, point);
            object([
                ("kty", "EC".into()),
                ("crv", curve.name().into()),
                ("x", digits(x)),
                ("y", digits(y)),
                ("d", digits(secret)),
            ])
        }
        PrivateKey::Ed25519 { seed, public } => object([
            ("kty", "OKP".into()),
            ("crv", "Ed25519".into()),
            ("x", digits(public)),
            ("d", digits(seed)),
        ]),
    }
}

/// The two numbers of an uncompressed point.
fn coordinates(curve: Curve, point: &[u8]) -> (&[u8], &[u8]) {
    let numbers = point.get(1..).unwrap_or_default();
    numbers.split_at(curve.size_bytes().min(numbers.len()))
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::Object(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A number of big-endian bytes.
pub(super) fn decimal(bytes: &[u8]) -> Value {
    const LIMB: u64 = 1_000_000_000;
    // limbs of nine decimal digits, the lowest first
    let mut limbs = vec![0_u64];
    for &byte in bytes {
        let mut carry = u64::from(byte);
        for limb in &mut limbs {
            let sum = *limb * 256 + carry;
            (*limb, carry) = (sum % LIMB, sum / LIMB);
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let (highest, lower) =
        limbs.split_last().map_or((0, [].as_slice()), |(highest, lower)| (*highest, lower));
    let lower: String = lower.iter().rev().map(|limb| format!("{limb:09}")).collect();
    Number::parse(&format!("{highest}{lower}")).map_or(Value::Null, Value::Number)
}
