//! One certificate, field for field as Go's `x509.Certificate` is marshalled.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{distinguished, moment};
use super::{MALFORMED, base64, extensions, identifier, list};
use crate::builtins::asn1::{self, BIT_STRING, BOOLEAN, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE};
use crate::builtins::keys::{NO_KEY, PublicKey};
use crate::builtins::{Fault, Outcome, operand, private_keys};
use crate::value::Value;

const LISTS: [&str; 23] = [
    "CRLDistributionPoints",
    "DNSNames",
    "EmailAddresses",
    "ExcludedDNSDomains",
    "ExcludedEmailAddresses",
    "ExcludedIPRanges",
    "ExcludedURIDomains",
    "ExtKeyUsage",
    "Extensions",
    "ExtraExtensions",
    "IPAddresses",
    "IssuingCertificateURL",
    "OCSPServer",
    "PermittedDNSDomains",
    "PermittedEmailAddresses",
    "PermittedIPRanges",
    "PermittedURIDomains",
    "Policies",
    "PolicyIdentifiers",
    "PolicyMappings",
    "URIs",
    "UnhandledCriticalExtensions",
    "UnknownExtKeyUsage",
];
const FLAGS: [&str; 7] = [
    "BasicConstraintsValid",
    "InhibitAnyPolicyZero",
    "InhibitPolicyMappingZero",
    "IsCA",
    "MaxPathLenZero",
    "PermittedDNSDomainsCritical",
    "RequireExplicitPolicyZero",
];
const NUMBERS: [&str; 5] =
    ["InhibitAnyPolicy", "InhibitPolicyMapping", "KeyUsage", "MaxPathLen", "RequireExplicitPolicy"];
const BYTES: [&str; 2] = ["AuthorityKeyId", "SubjectKeyId"];

/// Go's number for each algorithm that signs; of others it knows nothing.
const SIGNATURES: [(&[u64], i64); 14] = [
    (&[1, 2, 840, 113549, 1, 1, 4], 2),
    (&[1, 2, 840, 113549, 1, 1, 5], 3),
    (&[1, 3, 14, 3, 2, 29], 3),
    (&[1, 2, 840, 113549, 1, 1, 11], 4),
    (&[1, 2, 840, 113549, 1, 1, 12], 5),
    (&[1, 2, 840, 113549, 1, 1, 13], 6),
    (&[1, 2, 840, 10040, 4, 3], 7),
    (&[2, 16, 840, 1, 101, 3, 4, 3, 2], 8),
    (&[1, 2, 840, 10045, 4, 1], 9),
    (&[1, 2, 840, 10045, 4, 3, 2], 10),
    (&[1, 2, 840, 10045, 4, 3, 3], 11),
    (&[1, 2, 840, 10045, 4, 3, 4], 12),
    (&[1, 3, 101, 112], 16),
    (&[1, 2, 840, 113549, 1, 1, 2], 0),
];
const RSA_PSS: &[u64] = &[1, 2, 840, 113549, 1, 1, 10];
/// Numbers are written in decimal, which takes the square of their length.
const KEY_BYTES_MAX: usize = 4096;
const SERIAL_BYTES_MAX: usize = 1024;
const DSA: &[u64] = &[1, 2, 840, 10040, 4, 1];

/// A certificate that was read; nothing of it is verified.
pub(super) struct Certificate {
    fields: BTreeMap<Value, Value>,
    uri_texts: Vec<Value>,
    key: Option<PublicKey>,
}

impl Certificate {
    pub(super) fn read(der: &[u8]) -> Result<Certificate, Fault> {
        let mut outer = Reader::new(der);
        let whole = outer.expect(SEQUENCE)?;
        outer.end()?;
        let mut certificate = Certificate::empty();
        let mut parts = whole.inner();
        let body = parts.expect(SEQUENCE)?;
        let algorithm = parts.expect(SEQUENCE)?;
        let (signature, unused) = parts.expect(BIT_STRING)?.bits()?;
        if unused != 0 {
            return Err(MALFORMED);
        }
        certificate.set("Raw", base64(whole.whole));
        certificate.set("RawTBSCertificate", base64(body.whole));
        certificate.set("Signature", base64(signature));
        certificate.set("SignatureAlgorithm", signature_algorithm(algorithm)?.into());
        certificate.read_body(body.inner(), algorithm)?;
        Ok(certificate)
    }

    fn empty() -> Certificate {
        let mut certificate = Certificate { fields: BTreeMap::new(), uri_texts: Vec::new(), key: None };
        LISTS.into_iter().chain(BYTES).for_each(|name| certificate.set(name, Value::Null));
        FLAGS.into_iter().for_each(|name| certificate.set(name, false.into()));
        NUMBERS.into_iter().for_each(|name| certificate.set(name, 0.into()));
        certificate
    }

    fn read_body(&mut self, mut body: Reader<'_>, algorithm: Element<'_>) -> Result<(), Fault> {
        let version = match body.optional(asn1::nested(0))? {
            Some(field) => version(Element::only(field.body, INTEGER)?)?,
            None => 1,
        };
        self.set("Version", version.into());
        self.set("SerialNumber", serial(body.unsigned()?)?);
        if body.expect(SEQUENCE)?.body != algorithm.body {
            return Err(MALFORMED);
        }
        let issuer = body.expect(SEQUENCE)?;
        self.set("Issuer", distinguished(issuer)?);
        self.set("RawIssuer", base64(issuer.whole));
        let mut validity = body.sequence()?;
        self.set("NotBefore", moment(validity.next()?)?);
        self.set("NotAfter", moment(validity.next()?)?);
        let subject = body.expect(SEQUENCE)?;
        self.set("Subject", distinguished(subject)?);
        self.set("RawSubject", base64(subject.whole));
        self.read_key(body.expect(SEQUENCE)?)?;
        if version > 1 {
            body.optional(asn1::plain(1))?;
            body.optional(asn1::plain(2))?;
        }
        match body.optional(asn1::nested(3))? {
            Some(field) if version == 3 => self.read_extensions(field.inner().sequence()?),
            Some(_) | None => Ok(()),
        }
    }

    fn read_key(&mut self, key: Element<'_>) -> Result<(), Fault> {
        let (number, read) = subject_key(key)?;
        self.set("RawSubjectPublicKeyInfo", base64(key.whole));
        self.set("PublicKeyAlgorithm", number.into());
        self.set("PublicKey", read.as_ref().map_or(Value::Null, private_keys::public_as_go));
        self.key = read;
        Ok(())
    }

    fn read_extensions(&mut self, mut all: Reader<'_>) -> Result<(), Fault> {
        let (mut seen, mut shown, mut unhandled) = (BTreeSet::new(), Vec::new(), Vec::new());
        while !all.is_empty() {
            let mut fields = all.sequence()?;
            let kind = fields.object_identifier()?;
            let critical = fields.optional(BOOLEAN)?.map_or(Ok(false), Element::boolean)?;
            let value = fields.expect(OCTET_STRING)?.body;
            let id = identifier(&kind)?;
            shown.push(operand::record([
                ("Critical", critical.into()),
                ("Id", id.clone()),
                ("Value", base64(value)),
            ]));
            if !extensions::read(self, &kind, critical, value)? && critical {
                unhandled.push(id);
            }
            if !seen.insert(kind) {
                return Err(MALFORMED);
            }
        }
        self.set("Extensions", list(shown));
        self.set("UnhandledCriticalExtensions", list(unhandled));
        Ok(())
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.into(), value);
    }

    pub(super) fn set_uri_texts(&mut self, texts: Vec<Value>) {
        self.uri_texts = texts;
    }

    /// The key that it is about, if it is of a known kind.
    pub(super) fn key(&self) -> Option<&PublicKey> {
        self.key.as_ref()
    }

    pub(super) fn to_value(&self) -> Value {
        Value::Object(self.fields.clone())
    }

    /// With the URIs as text beside it, which OPA adds.
    pub(super) fn to_extended_value(&self) -> Value {
        let mut fields = self.fields.clone();
        fields.insert("URIStrings".into(), list(self.uri_texts.clone()));
        Value::Object(fields)
    }
}

/// Go's number for the algorithm of the key that a certificate or a request is about, and the key where it is known.
pub(super) fn subject_key(key: Element<'_>) -> Result<(i64, Option<PublicKey>), Fault> {
    if key.whole.len() > KEY_BYTES_MAX {
        return Err(Fault::Halt("a certificate's key is too large"));
    }
    let mut algorithm = key.inner().sequence()?;
    let number = match algorithm.object_identifier()?.as_slice() {
        [1, 2, 840, 113549, 1, 1, 1] => 1,
        [1, 2, 840, 10045, 2, 1] => 3,
        [1, 3, 101, 112] if algorithm.is_empty() => 4,
        [1, 3, 101, 112] | DSA => return Err(NO_KEY),
        _ => 0,
    };
    let key = if number == 0 { None } else { Some(PublicKey::from_spki(key.whole)?) };
    Ok((number, key))
}

fn serial(digits: &[u8]) -> Outcome {
    match digits.len() <= SERIAL_BYTES_MAX {
        true => Ok(private_keys::decimal(digits)),
        false => Err(Fault::Halt("a serial number is too large")),
    }
}

/// Counted from one.
fn version(number: Element<'_>) -> Result<i64, Fault> {
    match number.integer()? {
        [told @ 0..=2] => Ok(i64::from(*told) + 1),
        _ => Err(MALFORMED),
    }
}

pub(super) fn signature_algorithm(algorithm: Element<'_>) -> Result<i64, Fault> {
    let mut fields = algorithm.inner();
    let kind = fields.object_identifier()?;
    identifier(&kind)?;
    if kind == RSA_PSS {
        return Err(Fault::Undefined("RSA-PSS is not supported"));
    }
    let number = SIGNATURES.iter().find(|(known, _)| *known == kind).map_or(0, |(_, number)| *number);
    let edwards = number == 16;
    Ok(if edwards && !fields.is_empty() { 0 } else { number })
}
