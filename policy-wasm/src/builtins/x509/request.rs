//! A certificate signing request, field for field as Go's `x509.CertificateRequest` is marshalled.

use std::collections::BTreeSet;

use super::certificate::{signature_algorithm, subject_key};
use super::names::{Alternatives, any, distinguished};
use super::{MALFORMED, base64, identifier, list};
use crate::builtins::asn1::{
    self, BIT_STRING, BOOLEAN, Element, INTEGER, OCTET_STRING, Reader, SEQUENCE, SET,
};
use crate::builtins::{Fault, Outcome, operand, private_keys};
use crate::value::Value;

const EXTENSION_REQUEST: &[u64] = &[1, 2, 840, 113549, 1, 9, 14];
const ALTERNATIVE_NAMES: &[u64] = &[2, 5, 29, 17];
const ATTRIBUTES_MAX: usize = 256;

/// What the request asks for beside its subject and key.
#[derive(Default)]
struct Wishes {
    attributes: Vec<Value>,
    extensions: Vec<Value>,
    names: Alternatives,
    seen: BTreeSet<Vec<u64>>,
}

/// Reads one request; its signature is not verified.
pub(super) fn read(der: &[u8]) -> Outcome {
    let whole = Element::only(der, SEQUENCE)?;
    let mut parts = whole.inner();
    let body = parts.expect(SEQUENCE)?;
    let algorithm = parts.expect(SEQUENCE)?;
    let (signature, unused) = parts.expect(BIT_STRING)?.bits()?;
    if unused != 0 {
        return Err(Fault::Undefined("the request's signature has odd bits"));
    }
    let mut fields = body.inner();
    let version = match fields.expect(INTEGER)?.integer()? {
        [told @ 0..=0x7f] => i64::from(*told),
        _ => return Err(MALFORMED),
    };
    let subject = fields.expect(SEQUENCE)?;
    let key = fields.expect(SEQUENCE)?;
    let (key_algorithm, public) = subject_key(key)?;
    let wishes = Wishes::read(fields.expect(asn1::nested(0))?)?;
    Ok(operand::record([
        ("Attributes", list(wishes.attributes)),
        ("DNSNames", list(wishes.names.dns)),
        ("EmailAddresses", list(wishes.names.emails)),
        ("Extensions", list(wishes.extensions)),
        ("ExtraExtensions", Value::Null),
        ("IPAddresses", list(wishes.names.addresses)),
        ("PublicKey", public.as_ref().map_or(Value::Null, private_keys::public_as_go)),
        ("PublicKeyAlgorithm", key_algorithm.into()),
        ("Raw", base64(whole.whole)),
        ("RawSubject", base64(subject.whole)),
        ("RawSubjectPublicKeyInfo", base64(key.whole)),
        ("RawTBSCertificateRequest", base64(body.whole)),
        ("Signature", base64(signature)),
        ("SignatureAlgorithm", signature_algorithm(algorithm)?.into()),
        ("Subject", distinguished(subject)?),
        ("URIs", list(wishes.names.uris)),
        ("Version", version.into()),
    ]))
}

impl Wishes {
    fn read(all: Element<'_>) -> Result<Wishes, Fault> {
        let (mut wishes, mut rest, mut count) = (Wishes::default(), all.inner(), 0);
        while !rest.is_empty() {
            count += 1;
            if count > ATTRIBUTES_MAX {
                return Err(Fault::Halt("there are too many attributes"));
            }
            wishes.take(rest.next()?)?;
        }
        Ok(wishes)
    }

    /// One attribute. As in Go, one that has another form, such as a password for the request, is passed over.
    fn take(&mut self, attribute: Element<'_>) -> Result<(), Fault> {
        let Ok((kind, values)) = parts(attribute) else { return Ok(()) };
        if kind == EXTENSION_REQUEST
            && let Some(first) = values.first()
        {
            self.take_extensions(*first)?;
        }
        if let Ok(sets) = values.iter().map(|set| pairs(*set)).collect::<Result<Value, _>>() {
            self.attributes.push(operand::record([("Type", identifier(&kind)?), ("Value", sets)]));
        }
        Ok(())
    }

    fn take_extensions(&mut self, wanted: Element<'_>) -> Result<(), Fault> {
        let mut wanted = Element::only(wanted.whole, SEQUENCE)?.inner();
        while !wanted.is_empty() {
            let mut fields = wanted.sequence()?;
            let kind = fields.object_identifier()?;
            let critical = fields.optional(BOOLEAN)?.map_or(Ok(false), Element::boolean)?;
            let value = fields.expect(OCTET_STRING)?.body;
            self.extensions.push(operand::record([
                ("Critical", critical.into()),
                ("Id", identifier(&kind)?),
                ("Value", base64(value)),
            ]));
            if kind == ALTERNATIVE_NAMES {
                self.names = Alternatives::read(value)?;
            }
            if !self.seen.insert(kind) {
                return Err(MALFORMED);
            }
        }
        Ok(())
    }
}

/// The kind of an attribute, and the set of its values.
fn parts(attribute: Element<'_>) -> Result<(Vec<u64>, Vec<Element<'_>>), Fault> {
    let mut fields = Element::only(attribute.whole, SEQUENCE)?.inner();
    let kind = fields.object_identifier()?;
    Ok((kind, elements(fields.expect(SET)?.inner())?))
}

/// A value of an attribute as the list of kinds and values that Go takes it for.
fn pairs(value: Element<'_>) -> Outcome {
    let pair = |element: Element<'_>| {
        let mut fields = Element::only(element.whole, SEQUENCE)?.inner();
        let kind = fields.object_identifier()?;
        Ok(operand::record([("Type", identifier(&kind)?), ("Value", any(fields.next()?)?)]))
    };
    elements(Element::only(value.whole, SEQUENCE)?.inner())?.into_iter().map(pair).collect()
}

fn elements(mut rest: Reader<'_>) -> Result<Vec<Element<'_>>, Fault> {
    let mut all = Vec::new();
    while !rest.is_empty() {
        all.push(rest.next()?);
    }
    Ok(all)
}
