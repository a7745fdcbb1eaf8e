//! Keys of RSA, elliptic curves and Ed25519: out of their encodings and as JSON.

mod private;
mod public;

use aws_lc_rs::signature;

use super::Fault;

pub(super) use private::{PrivateKey, Rsa};
pub(super) use public::PublicKey;

pub(super) const NO_KEY: Fault = Fault::Undefined("the key is malformed or of a kind that is not supported");

pub(super) const RSA: &[u64] = &[1, 2, 840, 113549, 1, 1, 1];
const EC: &[u64] = &[1, 2, 840, 10045, 2, 1];
const ED25519: &[u64] = &[1, 3, 101, 112];

/// NIST's curves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// As in JSON Web Keys.
    pub(super) fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// Bytes of a coordinate.
    pub(super) fn size_bytes(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    pub(super) fn named(name: &str) -> Result<Curve, Fault> {
        Curve::ALL.into_iter().find(|curve| curve.name() == name).ok_or(NO_KEY)
    }

    fn identified(identifier: &[u64]) -> Result<Curve, Fault> {
        match identifier {
            [1, 2, 840, 10045, 3, 1, 7] => Ok(Curve::P256),
            [1, 3, 132, 0, 34] => Ok(Curve::P384),
            [1, 3, 132, 0, 35] => Ok(Curve::P521),
            _ => Err(NO_KEY),
        }
    }

    fn identifier(self) -> &'static [u8] {
        match self {
            Curve::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Curve::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Curve::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    /// `r` and `s` one after the other, with the digest that goes with the curve.
    pub(super) fn fixed(self) -> &'static signature::EcdsaVerificationAlgorithm {
        match self {
            Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED,
            Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED,
            Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED,
        }
    }

    fn signing(self) -> &'static signature::EcdsaSigningAlgorithm {
        match self {
            Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
        }
    }

    /// A number with the width of a coordinate.
    fn padded(self, digits: &[u8]) -> Result<Vec<u8>, Fault> {
        let missing = self.size_bytes().checked_sub(digits.len()).ok_or(NO_KEY)?;
        Ok([&vec![0; missing], digits].concat())
    }

    /// The uncompressed point.
    pub(super) fn point(self, x: &[u8], y: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok([vec![4], self.padded(x)?, self.padded(y)?].concat())
    }
}
