//! Keys to verify and to sign with: a certificate or public key in PEM, a JSON Web Key or a set of them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Algorithm;
use crate::builtins::keys::{Curve, NO_KEY, PrivateKey, PublicKey, Rsa};
use crate::builtins::{Fault, json_text, operand, pem, x509};
use crate::value::Value;

/// Each key of a set may cost a verification.
const KEYS_MAX: usize = 64;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A key with what its set says of it.
pub(super) struct Key {
    pub(super) algorithm: Option<String>,
    name: Option<String>,
    material: Material,
}

enum Material {
    Public(PublicKey),
    Private(PrivateKey),
    Secret(Vec<u8>),
}

/// The key with this name.
pub(super) fn named<'k>(name: &str, keys: &'k [Key]) -> Option<&'k Key> {
    keys.iter().find(|key| !name.is_empty() && key.name.as_deref() == Some(name))
}

impl Key {
    /// Only a public key will do.
    pub(super) fn verifies_as_public(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => algorithm.verifies(key, message, signature),
            Material::Private(_) | Material::Secret(_) => false,
        }
    }

    /// A private key stands for its public half, and a secret for itself.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Public(key) => algorithm.verifies(key, message, signature),
            Material::Private(key) => {
                key.public().is_ok_and(|key| algorithm.verifies(&key, message, signature))
            }
            Material::Secret(secret) => algorithm.verifies_secret(secret, message, signature),
        }
    }

    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Fault> {
        match &self.material {
            Material::Private(key) => algorithm.sign(key, message),
            Material::Secret(secret) => algorithm.sign_secret(secret, message),
            Material::Public(_) => Err(NO_KEY),
        }
    }
}

/// Keys that verify. Those of an algorithm that nobody here knows are left out.
pub(super) fn read(text: &str) -> Result<Vec<Key>, Fault> {
    match pem::decode(text) {
        Some((block, rest)) => Ok(vec![of_pem(&block, rest)?]),
        None => {
            let mut keys = of_json(text)?;
            keys.retain(|key| key.algorithm.as_deref().is_none_or(|name| Algorithm::named(name).is_some()));
            Ok(keys)
        }
    }
}

fn of_pem(block: &pem::Block, rest: &str) -> Result<Key, Fault> {
    let key = match block.label.as_str() {
        _ if !rest.is_empty() => return Err(Fault::Undefined("something follows the PEM block")),
        "CERTIFICATE" => x509::public_key(&block.bytes)?,
        "PUBLIC KEY" => PublicKey::from_spki(&block.bytes)?,
        _ => return Err(NO_KEY),
    };
    Ok(Key { algorithm: None, name: None, material: Material::Public(key) })
}

/// A JSON Web Key, or a set of them.
pub(super) fn of_json(text: &str) -> Result<Vec<Key>, Fault> {
    let Value::Object(fields) = json_text::read(text)? else { return Err(NO_KEY) };
    let Some(keys) = fields.get(&"keys".into()) else { return Ok(vec![key(&fields)?]) };
    let keys = keys.as_array().ok_or(NO_KEY)?;
    if keys.len() > KEYS_MAX {
        return Err(Fault::Halt("the set has too many keys"));
    }
    keys.iter().map(|fields| key(fields.as_object().ok_or(NO_KEY)?)).collect()
}

type Fields = BTreeMap<Value, Value>;

fn key(fields: &Fields) -> Result<Key, Fault> {
    let material = match text(fields, "kty")?.ok_or(NO_KEY)? {
        "RSA" => rsa(fields)?,
        "EC" => curve(fields)?,
        "OKP" => edwards(fields)?,
        "oct" => Material::Secret(demanded(fields, "k")?),
        _ => return Err(NO_KEY),
    };
    let owned = |name| Ok::<_, Fault>(text(fields, name)?.filter(|text| !text.is_empty()).map(str::to_owned));
    Ok(Key { algorithm: owned("alg")?, name: owned("kid")?, material })
}

fn rsa(fields: &Fields) -> Result<Material, Fault> {
    let (modulus, exponent) = (demanded(fields, "n")?, demanded(fields, "e")?);
    let Some(secret) = bytes(fields, "d")? else {
        return PublicKey::rsa(&modulus, &exponent).map(Material::Public);
    };
    let number = |name| demanded(fields, name);
    let key = Rsa {
        modulus,
        exponent,
        secret,
        primes: [number("p")?, number("q")?],
        exponents: [number("dp")?, number("dq")?],
        coefficient: number("qi")?,
    };
    key.checked().map(Material::Private)
}

fn curve(fields: &Fields) -> Result<Material, Fault> {
    let curve = Curve::named(text(fields, "crv")?.ok_or(NO_KEY)?)?;
    let point = curve.point(&demanded(fields, "x")?, &demanded(fields, "y")?)?;
    match bytes(fields, "d")? {
        Some(secret) => PrivateKey::on_curve(curve, &secret, point).map(Material::Private),
        None => PublicKey::on_curve(curve, &point).map(Material::Public),
    }
}

fn edwards(fields: &Fields) -> Result<Material, Fault> {
    let public = PublicKey::ed25519(&demanded(fields, "x")?)?;
    if text(fields, "crv")? != Some("Ed25519") {
        return Err(NO_KEY);
    }
    let Some(seed) = bytes(fields, "d")? else { return Ok(Material::Public(public)) };
    let key = PrivateKey::ed25519(&seed)?;
    if key.public()? == public { Ok(Material::Private(key)) } else { Err(NO_KEY) }
}

fn text<'f>(fields: &'f Fields, name: &str) -> Result<Option<&'f str>, Fault> {
    fields.get(&name.into()).map(operand::as_string).transpose()
}

/// Base64url, and plain base64 as well.
fn bytes(fields: &Fields, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let Some(text) = text(fields, name)? else { return Ok(None) };
    LENIENT.decode(text.replace('+', "-").replace('/', "_")).map(Some).map_err(|_| NO_KEY)
}

fn demanded(fields: &Fields, name: &str) -> Result<Vec<u8>, Fault> {
    bytes(fields, name)?.filter(|bytes| !bytes.is_empty()).ok_or(NO_KEY)
}
