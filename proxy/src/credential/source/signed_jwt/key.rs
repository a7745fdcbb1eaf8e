//! A private key that signs tokens (RFC 7515, RFC 7518), and its public half as a JSON Web Key (RFC 7517).

use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::credential::source::IssueError;

/// A signature algorithm of RFC 7518 or RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum Algorithm {
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "ES384")]
    Es384,
    #[serde(rename = "RS256")]
    Rs256,
    #[serde(rename = "RS384")]
    Rs384,
    #[serde(rename = "RS512")]
    Rs512,
    #[serde(rename = "PS256")]
    Ps256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Why a PEM is not a key for an algorithm. Holds no byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeyError {
    #[error("there is no private key in PEM")]
    NoKey,
    #[error("the key is not one for this `alg`, or is too weak for it")]
    Unfit,
}

/// A key that fits its algorithm.
pub(super) struct SigningKey {
    algorithm: Algorithm,
    pair: Pair,
    public: Public,
    thumbprint: String,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ed25519(Ed25519KeyPair),
}

/// The public half, each part in base64url.
enum Public {
    Ec { curve: &'static str, x: String, y: String },
    Rsa { modulus: String, exponent: String },
    Okp { x: String },
}

impl Algorithm {
    /// Its name in a header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl SigningKey {
    /// The first private key in `pem`.
    pub(super) fn from_pem(pem: &[u8], algorithm: Algorithm) -> Result<Self, KeyError> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyError::NoKey)?;
        let (pair, public) = match algorithm {
            Algorithm::Es256 => ecdsa(&der, &signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => ecdsa(&der, &signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::Rs256 => rsa(&der, &signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&der, &signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&der, &signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&der, &signature::RSA_PSS_SHA256),
            Algorithm::EdDsa => ed25519(&der),
        }
        .ok_or(KeyError::Unfit)?;
        let thumbprint = public.thumbprint();
        Ok(Self { algorithm, pair, public, thumbprint })
    }

    /// The signature over `message` in the form that a token carries.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IssueError> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature).map(|()| signature)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        };
        signature.map_err(|_| IssueError::Refused("the signing key cannot be used"))
    }

    /// The RFC 7638 thumbprint of the public half.
    pub(super) fn thumbprint(&self) -> &str {
        &self.thumbprint
    }

    /// The public half under the name `key_id`.
    pub(super) fn public(&self, key_id: &str) -> Value {
        let mut jwk = match &self.public {
            Public::Ec { curve, x, y } => json!({ "kty": "EC", "crv": curve, "x": x, "y": y }),
            Public::Rsa { modulus, exponent } => json!({ "kty": "RSA", "n": modulus, "e": exponent }),
            Public::Okp { x } => json!({ "kty": "OKP", "crv": "Ed25519", "x": x }),
        };
        jwk["kid"] = json!(key_id);
        jwk["alg"] = json!(self.algorithm.name());
        jwk["use"] = json!("sig");
        jwk
    }
}

impl Public {
    /// The digest over the required members in their order, without any space.
    fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ec { curve, x, y } => format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Rsa { modulus, exponent } => format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#),
            Self::Okp { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
        };
        encoded(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref())
    }
}

fn ecdsa(
    der: &PrivateKeyDer<'_>,
    algorithm: &'static EcdsaSigningAlgorithm,
    curve: &'static str,
) -> Option<(Pair, Public)> {
    let pair = if let PrivateKeyDer::Pkcs8(der) = der {
        EcdsaKeyPair::from_pkcs8(algorithm, der.secret_pkcs8_der())
    } else if let PrivateKeyDer::Sec1(der) = der {
        EcdsaKeyPair::from_private_key_der(algorithm, der.secret_sec1_der())
    } else {
        return None;
    };
    let pair = pair.ok()?;
    // an uncompressed point: one byte of form, then both coordinates
    let point = pair.public_key().as_ref().get(1..)?;
    let (x, y) = point.split_at(point.len() / 2);
    let public = Public::Ec { curve, x: encoded(x), y: encoded(y) };
    Some((Pair::Ecdsa(pair), public))
}

fn rsa(der: &PrivateKeyDer<'_>, encoding: &'static dyn RsaEncoding) -> Option<(Pair, Public)> {
    let pair = if let PrivateKeyDer::Pkcs8(der) = der {
        RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
    } else if let PrivateKeyDer::Pkcs1(der) = der {
        RsaKeyPair::from_der(der.secret_pkcs1_der())
    } else {
        return None;
    };
    let pair = pair.ok()?;
    let key: &rsa::PublicKey = pair.public_key();
    let modulus = encoded(key.modulus().big_endian_without_leading_zero());
    let exponent = encoded(key.exponent().big_endian_without_leading_zero());
    Some((Pair::Rsa(pair, encoding), Public::Rsa { modulus, exponent }))
}

fn ed25519(der: &PrivateKeyDer<'_>) -> Option<(Pair, Public)> {
    let PrivateKeyDer::Pkcs8(der) = der else { return None };
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).ok()?;
    let public = Public::Okp { x: encoded(pair.public_key().as_ref()) };
    Some((Pair::Ed25519(pair), public))
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
