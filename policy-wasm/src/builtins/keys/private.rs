//! Private keys: what policies sign with, and what they take apart.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, RsaSignatureEncoding};

use super::{Curve, EC, ED25519, NO_KEY, PublicKey, RSA};
use crate::builtins::Fault;
use crate::builtins::asn1::{self, BIT_STRING, Element, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};

const FAILED: Fault = Fault::Undefined("signing failed");

/// A key that signs. Numbers are big-endian without leading zeros; a curve's secret has the curve's width.
pub(in crate::builtins) enum PrivateKey {
    Rsa(Box<Rsa>),
    Ec { curve: Curve, secret: Vec<u8>, point: Vec<u8> },
    Ed25519 { seed: Vec<u8>, public: Vec<u8> },
}

/// The numbers of an RSA key with two primes.
pub(in crate::builtins) struct Rsa {
    pub(in crate::builtins) modulus: Vec<u8>,
    pub(in crate::builtins) exponent: Vec<u8>,
    pub(in crate::builtins) secret: Vec<u8>,
    pub(in crate::builtins) primes: [Vec<u8>; 2],
    /// The secret modulo each prime less one.
    pub(in crate::builtins) exponents: [Vec<u8>; 2],
    pub(in crate::builtins) coefficient: Vec<u8>,
}

impl Rsa {
    fn pair(&self) -> Result<RsaKeyPair, Fault> {
        let [p, q] = &self.primes;
        let [dp, dq] = &self.exponents;
        let numbers = [&self.modulus, &self.exponent, &self.secret, p, q, dp, dq, &self.coefficient];
        let mut fields = asn1::unsigned(&[]);
        numbers.into_iter().for_each(|number| fields.extend(asn1::unsigned(number)));
        RsaKeyPair::from_der(&asn1::element(SEQUENCE, &fields)).map_err(|_| NO_KEY)
    }

    /// The key, if its numbers belong together.
    pub(in crate::builtins) fn checked(self) -> Result<PrivateKey, Fault> {
        self.pair()?;
        Ok(PrivateKey::Rsa(Box::new(self)))
    }
}

impl PrivateKey {
    /// PKCS #1.
    pub(in crate::builtins) fn from_pkcs1(bytes: &[u8]) -> Result<PrivateKey, Fault> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.sequence()?;
        outer.end()?;
        if !fields.unsigned()?.is_empty() {
            return Err(Fault::Undefined("an RSA key has more than two primes"));
        }
        let mut number = || fields.unsigned().map(<[u8]>::to_vec);
        let (modulus, exponent, secret) = (number()?, number()?, number()?);
        let (primes, exponents) = ([number()?, number()?], [number()?, number()?]);
        Rsa { modulus, exponent, secret, primes, exponents, coefficient: number()? }.checked()
    }

    /// PKCS #8, without attributes' meaning.
    pub(in crate::builtins) fn from_pkcs8(bytes: &[u8]) -> Result<PrivateKey, Fault> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.sequence()?;
        outer.end()?;
        fields.unsigned()?;
        let mut algorithm = fields.sequence()?;
        let key = fields.expect(OCTET_STRING)?.body;
        match algorithm.object_identifier()?.as_slice() {
            RSA => PrivateKey::from_pkcs1(key),
            EC => PrivateKey::from_sec1_on(key, Some(Curve::identified(&algorithm.object_identifier()?)?)),
            ED25519 => PrivateKey::ed25519(Element::only(key, OCTET_STRING)?.body),
            _ => Err(NO_KEY),
        }
    }

    /// SEC 1, which names its curve.
    pub(in crate::builtins) fn from_sec1(bytes: &[u8]) -> Result<PrivateKey, Fault> {
        PrivateKey::from_sec1_on(bytes, None)
    }

    fn from_sec1_on(bytes: &[u8], known: Option<Curve>) -> Result<PrivateKey, Fault> {
        let mut outer = Reader::new(bytes);
        let mut fields = outer.sequence()?;
        outer.end()?;
        fields.unsigned()?;
        let secret = asn1::trimmed(fields.expect(OCTET_STRING)?.body);
        let named = fields.optional(asn1::nested(0))?;
        let named = named.map(|field| Curve::identified(&field.inner().object_identifier()?)).transpose()?;
        let curve = known.or(named).ok_or(NO_KEY)?;
        let secret = curve.padded(secret)?;
        let body = [
            asn1::unsigned(&[1]),
            asn1::element(OCTET_STRING, &secret),
            asn1::element(asn1::nested(0), &asn1::element(OBJECT_IDENTIFIER, curve.identifier())),
        ];
        let pair =
            EcdsaKeyPair::from_private_key_der(curve.signing(), &asn1::element(SEQUENCE, &body.concat()));
        let pair = pair.map_err(|_| NO_KEY)?;
        let point = pair.public_key().as_ref().to_vec();
        let told = fields.optional(asn1::nested(1))?.map(|field| field.inner().expect(BIT_STRING)?.bits());
        match told.transpose()?.is_none_or(|(told, _)| told == point) {
            true => Ok(PrivateKey::Ec { curve, secret, point }),
            false => Err(NO_KEY),
        }
    }

    /// From the secret and the two coordinates, which must belong together.
    pub(in crate::builtins) fn on_curve(
        curve: Curve,
        secret: &[u8],
        point: Vec<u8>,
    ) -> Result<PrivateKey, Fault> {
        let secret = curve.padded(asn1::trimmed(secret))?;
        EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), &secret, &point)
            .map_err(|_| NO_KEY)?;
        Ok(PrivateKey::Ec { curve, secret, point })
    }

    /// From the 32 bytes that everything else follows from.
    pub(in crate::builtins) fn ed25519(seed: &[u8]) -> Result<PrivateKey, Fault> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NO_KEY)?;
        Ok(PrivateKey::Ed25519 { seed: seed.to_vec(), public: pair.public_key().as_ref().to_vec() })
    }

    /// The other half.
    pub(in crate::builtins) fn public(&self) -> Result<PublicKey, Fault> {
        match self {
            PrivateKey::Rsa(rsa) => PublicKey::rsa(&rsa.modulus, &rsa.exponent),
            PrivateKey::Ec { curve, point, .. } => PublicKey::on_curve(*curve, point),
            PrivateKey::Ed25519 { public, .. } => PublicKey::ed25519(public),
        }
    }

    pub(in crate::builtins) fn sign_rsa(
        &self,
        encoding: &'static RsaSignatureEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        let PrivateKey::Rsa(rsa) = self else { return Err(NO_KEY) };
        let pair = rsa.pair()?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature).map_err(|_| FAILED)?;
        Ok(signature)
    }

    pub(in crate::builtins) fn sign_ec(&self, on: Curve, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let PrivateKey::Ec { curve, secret, point } = self else { return Err(NO_KEY) };
        if *curve != on {
            return Err(NO_KEY);
        }
        let pair = EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), secret, point);
        let signature = pair.map_err(|_| NO_KEY)?.sign(&SystemRandom::new(), message);
        signature.map(|signature| signature.as_ref().to_vec()).map_err(|_| FAILED)
    }

    pub(in crate::builtins) fn sign_ed25519(&self, message: &[u8]) -> Result<Vec<u8>, Fault> {
        let PrivateKey::Ed25519 { seed, .. } = self else { return Err(NO_KEY) };
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NO_KEY)?;
        Ok(pair.sign(message).as_ref().to_vec())
    }
}
