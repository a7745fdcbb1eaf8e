//! Public keys, and what they say of a signature.

use aws_lc_rs::signature::{
    ED25519 as ED25519_VERIFICATION, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::{Curve, EC, ED25519, NO_KEY, RSA};
use crate::builtins::Fault;
use crate::builtins::asn1::{self, BIT_STRING, NULL, Reader};

/// A key that verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::builtins) enum PublicKey {
    Rsa {
        modulus: Vec<u8>,
        exponent: u64,
    },
    /// The point is on the curve, and uncompressed.
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519(Vec<u8>),
}

impl PublicKey {
    /// X.509's SubjectPublicKeyInfo.
    pub(in crate::builtins) fn from_spki(bytes: &[u8]) -> Result<PublicKey, Fault> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.sequence()?;
        outer.end()?;
        let mut algorithm = fields.sequence()?;
        let (key, unused) = fields.expect(BIT_STRING)?.bits()?;
        if unused != 0 {
            return Err(NO_KEY);
        }
        match algorithm.object_identifier()?.as_slice() {
            RSA => {
                algorithm.expect(NULL)?;
                PublicKey::from_pkcs1(key)
            }
            EC => PublicKey::on_curve(Curve::identified(&algorithm.object_identifier()?)?, key),
            ED25519 => PublicKey::ed25519(key),
            _ => Err(NO_KEY),
        }
    }

    fn from_pkcs1(bytes: &[u8]) -> Result<PublicKey, Fault> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.sequence()?;
        outer.end()?;
        PublicKey::rsa(fields.unsigned()?, fields.unsigned()?)
    }

    /// From modulus and exponent.
    pub(in crate::builtins) fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, Fault> {
        let (modulus, digits) = (asn1::trimmed(modulus), asn1::trimmed(exponent));
        let exponent = digits.iter().try_fold(0_u64, |all, &digit| {
            all.checked_mul(256).map(|all| all | u64::from(digit)).filter(|&all| i64::try_from(all).is_ok())
        });
        let exponent = exponent.filter(|&exponent| exponent > 0 && !modulus.is_empty()).ok_or(NO_KEY)?;
        Ok(PublicKey::Rsa { modulus: modulus.to_vec(), exponent })
    }

    /// From the uncompressed point.
    pub(in crate::builtins) fn on_curve(curve: Curve, point: &[u8]) -> Result<PublicKey, Fault> {
        if point.first() != Some(&4) || ParsedPublicKey::new(curve.fixed(), point).is_err() {
            return Err(NO_KEY);
        }
        Ok(PublicKey::Ec { curve, point: point.to_vec() })
    }

    /// From its 32 bytes.
    pub(in crate::builtins) fn ed25519(key: &[u8]) -> Result<PublicKey, Fault> {
        const KEY_BYTES: usize = 32;
        if key.len() == KEY_BYTES { Ok(PublicKey::Ed25519(key.to_vec())) } else { Err(NO_KEY) }
    }

    /// Whether an RSA signature by this key is good.
    pub(in crate::builtins) fn verifies_rsa(
        &self,
        parameters: &'static RsaParameters,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let PublicKey::Rsa { modulus, exponent } = self else { return false };
        let exponent = exponent.to_be_bytes();
        let key = RsaPublicKeyComponents { n: modulus.as_slice(), e: asn1::trimmed(&exponent) };
        key.verify(parameters, message, signature).is_ok()
    }

    /// Whether a signature of fixed length by this key on this curve is good.
    pub(in crate::builtins) fn verifies_ec(&self, on: Curve, message: &[u8], signature: &[u8]) -> bool {
        let PublicKey::Ec { curve, point } = self else { return false };
        *curve == on && UnparsedPublicKey::new(curve.fixed(), point).verify(message, signature).is_ok()
    }

    /// Whether an Ed25519 signature by this key is good.
    pub(in crate::builtins) fn verifies_ed25519(&self, message: &[u8], signature: &[u8]) -> bool {
        let PublicKey::Ed25519(key) = self else { return false };
        UnparsedPublicKey::new(&ED25519_VERIFICATION, key).verify(message, signature).is_ok()
    }
}
