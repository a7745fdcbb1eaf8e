//! The keys that an operator trusts. A signature names one of them and decides nothing else.

use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use crate::builtins::pem;

/// How a key signs: the algorithms of RFC 7518 that OPA signs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureAlgorithm(&'static str, Scheme);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
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

pub(super) const ALGORITHMS: [SignatureAlgorithm; 12] = [
    SignatureAlgorithm("ES256", Scheme::Es256),
    SignatureAlgorithm("ES384", Scheme::Es384),
    SignatureAlgorithm("ES512", Scheme::Es512),
    SignatureAlgorithm("HS256", Scheme::Hs256),
    SignatureAlgorithm("HS384", Scheme::Hs384),
    SignatureAlgorithm("HS512", Scheme::Hs512),
    SignatureAlgorithm("PS256", Scheme::Ps256),
    SignatureAlgorithm("PS384", Scheme::Ps384),
    SignatureAlgorithm("PS512", Scheme::Ps512),
    SignatureAlgorithm("RS256", Scheme::Rs256),
    SignatureAlgorithm("RS384", Scheme::Rs384),
    SignatureAlgorithm("RS512", Scheme::Rs512),
];

/// Why bytes are no key for an algorithm. Holds none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnusableKey {
    /// For RS, PS and ES.
    #[error("expected a public key in PEM (`-----BEGIN PUBLIC KEY-----`)")]
    NoPublicKey,
    /// It would be enough to sign with.
    #[error("this is a private key; whoever verifies needs the public one only")]
    Private,
    /// RSA where a curve is meant, another curve, or fewer than 2048 bits.
    #[error("the key is not one for this algorithm, or has fewer than 2048 bits")]
    Unfit,
    /// For HS.
    #[error("the secret is empty")]
    Empty,
}

/// One key that may sign bundles.
pub struct VerificationKey {
    id: String,
    algorithm: SignatureAlgorithm,
    material: Material,
}

enum Material {
    Public(ParsedPublicKey),
    /// The secret as it is and, where it ends with a line, without that line's end: OPA signs with either, depending on
    /// how it is given the secret.
    Secret(Vec<hmac::Key>),
}

/// What signatures are held against.
pub struct Verifier {
    keys: Vec<VerificationKey>,
    scope: String,
}

impl SignatureAlgorithm {
    /// As in RFC 7518, case and all.
    #[must_use]
    pub fn named(name: &str) -> Option<SignatureAlgorithm> {
        ALGORITHMS.into_iter().find(|algorithm| algorithm.0 == name)
    }

    /// As in RFC 7518.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Scheme {
    fn public(self) -> Option<&'static dyn VerificationAlgorithm> {
        match self {
            Scheme::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED),
            Scheme::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED),
            Scheme::Es512 => Some(&signature::ECDSA_P521_SHA512_FIXED),
            Scheme::Ps256 => Some(&signature::RSA_PSS_2048_8192_SHA256),
            Scheme::Ps384 => Some(&signature::RSA_PSS_2048_8192_SHA384),
            Scheme::Ps512 => Some(&signature::RSA_PSS_2048_8192_SHA512),
            Scheme::Rs256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Scheme::Rs384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Scheme::Rs512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            Scheme::Hs256 | Scheme::Hs384 | Scheme::Hs512 => None,
        }
    }

    fn mac(self) -> Option<hmac::Algorithm> {
        match self {
            Scheme::Hs256 => Some(hmac::HMAC_SHA256),
            Scheme::Hs384 => Some(hmac::HMAC_SHA384),
            Scheme::Hs512 => Some(hmac::HMAC_SHA512),
            Scheme::Es256 | Scheme::Es384 | Scheme::Es512 => None,
            Scheme::Ps256 | Scheme::Ps384 | Scheme::Ps512 => None,
            Scheme::Rs256 | Scheme::Rs384 | Scheme::Rs512 => None,
        }
    }

    fn is_rsa(self) -> bool {
        match self {
            Scheme::Ps256 | Scheme::Ps384 | Scheme::Ps512 => true,
            Scheme::Rs256 | Scheme::Rs384 | Scheme::Rs512 => true,
            Scheme::Es256 | Scheme::Es384 | Scheme::Es512 => false,
            Scheme::Hs256 | Scheme::Hs384 | Scheme::Hs512 => false,
        }
    }
}

impl VerificationKey {
    /// From the content of a key file: a public key in PEM, or for HS the secret itself, which is not kept.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub fn new(
        id: &str,
        algorithm: SignatureAlgorithm,
        content: &[u8],
    ) -> Result<VerificationKey, UnusableKey> {
        let material = match algorithm.1.mac() {
            Some(mac) => Material::Secret(secrets(mac, content)?),
            None => Material::Public(public(algorithm.1, content)?),
        };
        Ok(VerificationKey { id: id.to_owned(), algorithm, material })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => key.verify_sig(message, signature).is_ok(),
            Material::Secret(keys) => keys.iter().any(|key| hmac::verify(key, message, signature).is_ok()),
        }
    }
}

impl Verifier {
    /// Any of the keys may sign, for this scope; the empty one is that of signatures that name none.
    #[must_use]
    pub fn new(keys: Vec<VerificationKey>, scope: &str) -> Verifier {
        Verifier { keys, scope: scope.to_owned() }
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    pub(super) fn key(&self, id: &str) -> Option<&VerificationKey> {
        self.keys.iter().find(|key| key.id == id)
    }

    pub(super) fn only_key(&self) -> Option<&VerificationKey> {
        if let [key] = self.keys.as_slice() { Some(key) } else { None }
    }
}

fn secrets(mac: hmac::Algorithm, content: &[u8]) -> Result<Vec<hmac::Key>, UnusableKey> {
    let line = content.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let secrets = [Some(content), line].into_iter().flatten();
    if line.unwrap_or(content).is_empty() {
        return Err(UnusableKey::Empty);
    }
    Ok(secrets.map(|secret| hmac::Key::new(mac, secret)).collect())
}

fn public(scheme: Scheme, content: &[u8]) -> Result<ParsedPublicKey, UnusableKey> {
    let text = std::str::from_utf8(content).map_err(|_| UnusableKey::NoPublicKey)?;
    let (block, _) = pem::decode(text).ok_or(UnusableKey::NoPublicKey)?;
    match block.label.as_str() {
        "PUBLIC KEY" => {}
        label if label.ends_with("PRIVATE KEY") => return Err(UnusableKey::Private),
        _ => return Err(UnusableKey::NoPublicKey),
    }
    // the verification itself would refuse a weak key, too late for who configures it
    if scheme.is_rsa() {
        PublicEncryptingKey::from_der(&block.bytes).map_err(|_| UnusableKey::Unfit)?;
    }
    let algorithm = scheme.public().ok_or(UnusableKey::Unfit)?;
    ParsedPublicKey::new(algorithm, &block.bytes).map_err(|_| UnusableKey::Unfit)
}
