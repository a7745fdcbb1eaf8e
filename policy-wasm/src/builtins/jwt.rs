//! JSON Web Tokens: taken apart, verified against certificates, keys and secrets, and made.
//!
//! What a token says of itself never chooses the kind of key: each algorithm works with its own kind alone.

mod algorithm;
mod constraints;
mod encode;
mod jwk;
mod token;

use super::{Family, Outcome, Scope, operand};
use crate::value::Value;
use algorithm::Algorithm;
use token::Token;

pub(super) const FAMILY: Family = &[
    ("io.jwt.decode", decode),
    ("io.jwt.decode_verify", constraints::decode_verify),
    ("io.jwt.encode_sign", encode::encode_sign),
    ("io.jwt.encode_sign_raw", encode::encode_sign_raw),
    ("io.jwt.verify_eddsa", |_, operands| verify(operands, Algorithm::EdDsa)),
    ("io.jwt.verify_es256", |_, operands| verify(operands, Algorithm::Es256)),
    ("io.jwt.verify_es384", |_, operands| verify(operands, Algorithm::Es384)),
    ("io.jwt.verify_es512", |_, operands| verify(operands, Algorithm::Es512)),
    ("io.jwt.verify_hs256", |_, operands| verify_secret(operands, Algorithm::Hs256)),
    ("io.jwt.verify_hs384", |_, operands| verify_secret(operands, Algorithm::Hs384)),
    ("io.jwt.verify_hs512", |_, operands| verify_secret(operands, Algorithm::Hs512)),
    ("io.jwt.verify_ps256", |_, operands| verify(operands, Algorithm::Ps256)),
    ("io.jwt.verify_ps384", |_, operands| verify(operands, Algorithm::Ps384)),
    ("io.jwt.verify_ps512", |_, operands| verify(operands, Algorithm::Ps512)),
    ("io.jwt.verify_rs256", |_, operands| verify(operands, Algorithm::Rs256)),
    ("io.jwt.verify_rs384", |_, operands| verify(operands, Algorithm::Rs384)),
    ("io.jwt.verify_rs512", |_, operands| verify(operands, Algorithm::Rs512)),
];

/// Header, payload and signature in hexadecimal; nothing is verified. A token within a token is opened.
fn decode(_: &mut Scope, operands: &[Value]) -> Outcome {
    let mut text = operand::string(operands, 0)?.to_owned();
    loop {
        let token = Token::parse(&text)?;
        if !token.is_nested()? {
            let signature = hex::encode(token.signature()?);
            let payload = token.payload_object()?;
            return Ok([Value::Object(token.header), payload, signature.into()].into_iter().collect());
        }
        text = token.payload_text()?.trim_matches(['"', '\'']).to_owned();
    }
}

/// Whether one of the keys made the signature: the one that the token names, or else any.
fn verify(operands: &[Value], algorithm: Algorithm) -> Outcome {
    let token = operand::string(operands, 0)?;
    Token::split(token)?;
    let keys = jwk::read(operand::string(operands, 1)?)?;
    let token = Token::parse(token)?;
    let signature = token.signature()?;
    let fields = token.fields()?;
    let good = |key: &jwk::Key| key.verifies_as_public(algorithm, token.signed(), &signature);
    if let Some(named) = jwk::named(&fields.kid, &keys) {
        return Ok(good(named).into());
    }
    let fitting = keys.iter().filter(|key| key.algorithm.as_ref().is_none_or(|told| *told == fields.alg));
    Ok(fitting.into_iter().any(good).into())
}

fn verify_secret(operands: &[Value], algorithm: Algorithm) -> Outcome {
    let (token, secret) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    let [header, payload, signature] = Token::split(token)?;
    let signed = &token[..header.len() + 1 + payload.len()];
    Ok(algorithm.verifies_secret(secret.as_bytes(), signed.as_bytes(), &token::decoded(signature)?).into())
}
