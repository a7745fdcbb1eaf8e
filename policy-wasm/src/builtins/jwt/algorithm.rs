//! The algorithms of JSON Web Signatures. `none` is none of them.

use aws_lc_rs::{hmac, signature};

use crate::builtins::Fault;
use crate::builtins::keys::{Curve, PrivateKey, PublicKey};

const WRONG_KIND: Fault = Fault::Undefined("the key is of another kind than the algorithm");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    EdDsa,
    Es256,
    Es384,
    Es512,
    Hs256,
    Hs384,
    Hs512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}

/// What an algorithm is made of.
enum Scheme {
    Ed25519,
    Curve(Curve),
    Mac(hmac::Algorithm),
    Rsa(&'static signature::RsaParameters, &'static signature::RsaSignatureEncoding),
}

impl Algorithm {
    const NAMES: [(&'static str, Algorithm); 13] = [
        ("EdDSA", Algorithm::EdDsa),
        ("ES256", Algorithm::Es256),
        ("ES384", Algorithm::Es384),
        ("ES512", Algorithm::Es512),
        ("HS256", Algorithm::Hs256),
        ("HS384", Algorithm::Hs384),
        ("HS512", Algorithm::Hs512),
        ("PS256", Algorithm::Ps256),
        ("PS384", Algorithm::Ps384),
        ("PS512", Algorithm::Ps512),
        ("RS256", Algorithm::Rs256),
        ("RS384", Algorithm::Rs384),
        ("RS512", Algorithm::Rs512),
    ];

    pub(super) fn named(name: &str) -> Option<Algorithm> {
        Algorithm::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, algorithm)| algorithm)
    }

    /// Policies may meet keys of 1024 bits where our library still takes them; it takes none below.
    fn scheme(self) -> Scheme {
        match self {
            Algorithm::EdDsa => Scheme::Ed25519,
            Algorithm::Es256 => Scheme::Curve(Curve::P256),
            Algorithm::Es384 => Scheme::Curve(Curve::P384),
            Algorithm::Es512 => Scheme::Curve(Curve::P521),
            Algorithm::Hs256 => Scheme::Mac(hmac::HMAC_SHA256),
            Algorithm::Hs384 => Scheme::Mac(hmac::HMAC_SHA384),
            Algorithm::Hs512 => Scheme::Mac(hmac::HMAC_SHA512),
            Algorithm::Ps256 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA256, &signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA384, &signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => Scheme::Rsa(&signature::RSA_PSS_2048_8192_SHA512, &signature::RSA_PSS_SHA512),
            Algorithm::Rs256 => Scheme::Rsa(
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                &signature::RSA_PKCS1_SHA256,
            ),
            Algorithm::Rs384 => {
                Scheme::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384, &signature::RSA_PKCS1_SHA384)
            }
            Algorithm::Rs512 => Scheme::Rsa(
                &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
                &signature::RSA_PKCS1_SHA512,
            ),
        }
    }

    /// Whether the holder of this key signed the message; no secret verifies here.
    pub(super) fn verifies(self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        match self.scheme() {
            Scheme::Ed25519 => key.verifies_ed25519(message, signature),
            Scheme::Curve(curve) => key.verifies_ec(curve, message, signature),
            Scheme::Rsa(parameters, _) => key.verifies_rsa(parameters, message, signature),
            Scheme::Mac(_) => false,
        }
    }

    /// Whether somebody with this secret signed the message; no public key is a secret.
    pub(super) fn verifies_secret(self, secret: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self.scheme() {
            Scheme::Mac(mac) => hmac::verify(&hmac::Key::new(mac, secret), message, signature).is_ok(),
            Scheme::Ed25519 | Scheme::Curve(_) | Scheme::Rsa(..) => false,
        }
    }

    pub(super) fn sign(self, key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.scheme() {
            Scheme::Ed25519 => key.sign_ed25519(message),
            Scheme::Curve(curve) => key.sign_ec(curve, message),
            Scheme::Rsa(_, encoding) => key.sign_rsa(encoding, message),
            Scheme::Mac(_) => Err(WRONG_KIND),
        }
    }

    pub(super) fn sign_secret(self, secret: &[u8], message: &[u8]) -> Result<Vec<u8>, Fault> {
        match self.scheme() {
            Scheme::Mac(mac) => Ok(hmac::sign(&hmac::Key::new(mac, secret), message).as_ref().to_vec()),
            Scheme::Ed25519 | Scheme::Curve(_) | Scheme::Rsa(..) => Err(WRONG_KIND),
        }
    }
}
