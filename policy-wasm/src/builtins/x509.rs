//! X.509 certificates as Go's `crypto/x509` reads them. What is rare and not read here (DSA, P-224, RSA-PSS, zones of
//! time, user names in URIs) makes the call undefined.

mod certificate;
mod extensions;
mod names;
mod request;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::asn1::{self, BIT_STRING, INTEGER, Reader, SEQUENCE};
use super::keys::{NO_KEY, PrivateKey, PublicKey};
use super::{Family, Fault, Outcome, Scope, operand, pem, private_keys};
use crate::value::Value;
use certificate::Certificate;

pub(super) const FAMILY: Family = &[
    ("crypto.x509.parse_certificate_request", parse_certificate_request),
    ("crypto.x509.parse_certificates", parse_certificates),
    ("crypto.x509.parse_keypair", parse_keypair),
];

const MALFORMED: Fault = Fault::Undefined("the certificate is malformed or of a kind that is not supported");
const CERTIFICATES_MAX: usize = 64;
const BEGIN: &str = "-----BEGIN";

/// The key that a certificate is about. Nothing is verified.
pub(super) fn public_key(certificate: &[u8]) -> Result<PublicKey, Fault> {
    let mut outer = Reader::new(certificate);
    let mut fields = outer.sequence()?;
    outer.end()?;
    let mut body = fields.sequence()?;
    fields.expect(SEQUENCE)?;
    fields.expect(BIT_STRING)?;
    body.optional(asn1::nested(0))?;
    body.expect(INTEGER)?;
    for _algorithm_issuer_validity_subject in 0..4 {
        body.expect(SEQUENCE)?;
    }
    PublicKey::from_spki(body.expect(SEQUENCE)?.whole)
}

/// All certificates of PEM or DER, one after another. Nothing is verified.
fn parse_certificates(_: &mut Scope, operands: &[Value]) -> Outcome {
    let bytes = encoded(operand::string(operands, 0)?)?;
    let mut reader = Reader::new(&bytes);
    let mut certificates = Vec::new();
    while !reader.is_empty() {
        if certificates.len() == CERTIFICATES_MAX {
            return Err(Fault::Halt("there are too many certificates"));
        }
        certificates.push(Certificate::read(reader.expect(SEQUENCE)?.whole)?.to_extended_value());
    }
    Ok(Value::Array(certificates))
}

/// The bytes of PEM, of PEM in base64, or of DER in base64.
fn encoded(text: &str) -> Result<Vec<u8>, Fault> {
    if text.starts_with(BEGIN) {
        return of_pem(text);
    }
    let bytes = pem::base64(text).ok_or(MALFORMED)?;
    match bytes.starts_with(BEGIN.as_bytes()) {
        true => of_pem(&String::from_utf8_lossy(&bytes)),
        false => Ok(bytes),
    }
}

fn of_pem(text: &str) -> Result<Vec<u8>, Fault> {
    let (mut rest, mut all) = (text, Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        if block.label != "CERTIFICATE" {
            return Err(Fault::Undefined("a PEM block is no certificate"));
        }
        all.extend(block.bytes);
        rest = after;
    }
    Ok(all)
}

/// One request of PEM, of PEM in base64, or of DER in base64.
fn parse_certificate_request(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::string(operands, 0)?;
    let bytes = match text.starts_with("-----BEGIN CERTIFICATE REQUEST-----") {
        true => text.as_bytes().to_vec(),
        false => pem::base64(text).ok_or(MALFORMED)?,
    };
    match pem::decode(&String::from_utf8_lossy(&bytes)) {
        Some((block, _)) if block.label == "CERTIFICATE REQUEST" => request::read(&block.bytes),
        Some(_) => Err(Fault::Undefined("the PEM block is no certificate request")),
        None => request::read(&bytes),
    }
}

/// A chain with the key of its first certificate.
fn parse_keypair(_: &mut Scope, operands: &[Value]) -> Outcome {
    let chain = blocks(operand::string(operands, 0)?, "CERTIFICATE")?;
    let chain: Vec<_> = chain.into_iter().filter(|block| block.label == "CERTIFICATE").collect();
    let keys = blocks(operand::string(operands, 1)?, "PRIVATE KEY")?;
    let key = keys.iter().find(|block| block.label == "PRIVATE KEY" || block.label.ends_with(" PRIVATE KEY"));
    let key = private_key(&key.ok_or(NO_KEY)?.bytes)?;
    let leaf = Certificate::read(&chain.first().ok_or(MALFORMED)?.bytes)?;
    if leaf.key() != Some(&key.public()?) {
        return Err(Fault::Undefined("the key is not the certificate's"));
    }
    let chain: Value = chain.iter().map(|block| Value::from(STANDARD.encode(&block.bytes))).collect();
    Ok(operand::record([
        ("Certificate", chain),
        ("Leaf", leaf.to_value()),
        ("OCSPStaple", Value::Null),
        ("PrivateKey", private_keys::as_go(&key)),
        ("SignedCertificateTimestamps", Value::Null),
        ("SupportedSignatureAlgorithms", Value::Null),
    ]))
}

/// PEM's blocks, or bytes without PEM as one.
fn blocks(text: &str, label: &str) -> Result<Vec<pem::Block>, Fault> {
    let decoded;
    let text = match text.starts_with("-----BEGIN ") {
        true => text,
        false => {
            let bytes = pem::base64(text).ok_or(MALFORMED)?;
            if !bytes.starts_with(BEGIN.as_bytes()) {
                return Ok(vec![pem::Block { label: label.to_owned(), bytes }]);
            }
            decoded = String::from_utf8_lossy(&bytes).into_owned();
            &decoded
        }
    };
    let (mut rest, mut all) = (text, Vec::new());
    while let Some((block, after)) = pem::decode(rest) {
        if all.len() == CERTIFICATES_MAX {
            return Err(Fault::Halt("there are too many PEM blocks"));
        }
        all.push(block);
        rest = after;
    }
    Ok(all)
}

/// Whatever the label says.
fn private_key(bytes: &[u8]) -> Result<PrivateKey, Fault> {
    PrivateKey::from_pkcs1(bytes)
        .or_else(|_| PrivateKey::from_pkcs8(bytes))
        .or_else(|_| PrivateKey::from_sec1(bytes))
}

/// A list as Go has it: nothing rather than empty.
fn list(values: Vec<Value>) -> Value {
    if values.is_empty() { Value::Null } else { Value::Array(values) }
}

/// An object identifier as numbers; Go has no room for parts beyond 31 bits.
fn identifier(parts: &[u64]) -> Outcome {
    let part = |&part: &u64| i32::try_from(part).map(|part| Value::from(i64::from(part)));
    parts.iter().map(part).collect::<Result<Value, _>>().map_err(|_| MALFORMED)
}

fn base64(bytes: &[u8]) -> Value {
    STANDARD.encode(bytes).into()
}
