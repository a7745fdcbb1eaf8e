//! Digests and message authentication; certificates and keys are not for policies here.

use aws_lc_rs::{constant_time, digest, hmac};
use md5::{Digest as _, Md5};

use super::{Family, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("crypto.hmac.equal", hmac_equal),
    ("crypto.hmac.md5", hmac_md5),
    ("crypto.hmac.sha1", |_, operands| hmac_hex(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, operands)),
    ("crypto.hmac.sha256", |_, operands| hmac_hex(hmac::HMAC_SHA256, operands)),
    ("crypto.hmac.sha512", |_, operands| hmac_hex(hmac::HMAC_SHA512, operands)),
    ("crypto.md5", md5),
    ("crypto.sha1", |_, operands| digest_hex(&digest::SHA1_FOR_LEGACY_USE_ONLY, operands)),
    ("crypto.sha256", |_, operands| digest_hex(&digest::SHA256, operands)),
];

const MD5_BLOCK_BYTES: usize = 64;

fn digest_hex(algorithm: &'static digest::Algorithm, operands: &[Value]) -> Outcome {
    Ok(hex::encode(digest::digest(algorithm, operand::string(operands, 0)?.as_bytes())).into())
}

fn md5(_: &mut Scope, operands: &[Value]) -> Outcome {
    Ok(hex::encode(Md5::digest(operand::string(operands, 0)?)).into())
}

fn hmac_hex(algorithm: hmac::Algorithm, operands: &[Value]) -> Outcome {
    let (message, key) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    let key = hmac::Key::new(algorithm, key.as_bytes());
    Ok(hex::encode(hmac::sign(&key, message.as_bytes())).into())
}

/// RFC 2104 by hand: our cryptographic library has no HMAC over MD5.
fn hmac_md5(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (message, key) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    let mut block = [0_u8; MD5_BLOCK_BYTES];
    match key.len() <= MD5_BLOCK_BYTES {
        true => block[..key.len()].copy_from_slice(key.as_bytes()),
        false => block[..16].copy_from_slice(&Md5::digest(key)),
    }
    let inner = Md5::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(message).finalize();
    let outer = Md5::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize();
    Ok(hex::encode(outer).into())
}

fn hmac_equal(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (one, other) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    Ok(constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok().into())
}
