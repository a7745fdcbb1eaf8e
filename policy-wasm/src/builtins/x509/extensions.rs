//! What the extensions of a certificate say, as Go understands them.

use super::certificate::Certificate;
use super::names::{Alternatives, address, ascii, is_domain};
use super::{MALFORMED, base64, identifier, list};
use crate::builtins::asn1::{
    self, BIT_STRING, BOOLEAN, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE,
};
use crate::builtins::{Fault, Outcome, operand};
use crate::value::Value;

/// Uses of a key in the order of Go's numbers for them.
const USES: [&[u64]; 14] = [
    &[2, 5, 29, 37, 0],
    &[1, 3, 6, 1, 5, 5, 7, 3, 1],
    &[1, 3, 6, 1, 5, 5, 7, 3, 2],
    &[1, 3, 6, 1, 5, 5, 7, 3, 3],
    &[1, 3, 6, 1, 5, 5, 7, 3, 4],
    &[1, 3, 6, 1, 5, 5, 7, 3, 5],
    &[1, 3, 6, 1, 5, 5, 7, 3, 6],
    &[1, 3, 6, 1, 5, 5, 7, 3, 7],
    &[1, 3, 6, 1, 5, 5, 7, 3, 8],
    &[1, 3, 6, 1, 5, 5, 7, 3, 9],
    &[1, 3, 6, 1, 4, 1, 311, 10, 3, 3],
    &[2, 16, 840, 1, 113730, 4, 1],
    &[1, 3, 6, 1, 4, 1, 311, 2, 1, 22],
    &[1, 3, 6, 1, 4, 1, 311, 61, 1, 1],
];
const AUTHORITY_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
const OCSP: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 1];
const ISSUERS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 2];

/// Whether the extension is one that Go understands.
pub(super) fn read(
    into: &mut Certificate,
    kind: &[u64],
    critical: bool,
    value: &[u8],
) -> Result<bool, Fault> {
    match kind {
        [2, 5, 29, 14 | 35] | AUTHORITY_ACCESS if critical => return Err(MALFORMED),
        [2, 5, 29, 14] => {
            into.set("SubjectKeyId", base64(Reader::new(value).expect(OCTET_STRING)?.body));
        }
        [2, 5, 29, 15] => into.set("KeyUsage", key_usage(value)?.into()),
        [2, 5, 29, 17] => return alternatives(into, value),
        [2, 5, 29, 19] => basic_constraints(into, value)?,
        [2, 5, 29, 31] => into.set("CRLDistributionPoints", list(distribution_points(value)?)),
        [2, 5, 29, 32] => policies(into, value)?,
        [2, 5, 29, 35] => {
            let id = Reader::new(value).sequence()?.optional(asn1::plain(0))?;
            into.set("AuthorityKeyId", id.map_or(Value::Null, |id| base64(id.body)));
        }
        [2, 5, 29, 37] => uses(into, value)?,
        [2, 5, 29, 30] => name_constraints(into, critical, value)?,
        [2, 5, 29, 33 | 36 | 54] => return Err(Fault::Undefined("policy constraints are not supported")),
        AUTHORITY_ACCESS => authority_access(into, value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The first nine bits, the first of them as one.
fn key_usage(value: &[u8]) -> Result<i64, Fault> {
    let (bytes, _) = Reader::new(value).expect(BIT_STRING)?.bits()?;
    let bit = |index: usize| bytes.get(index / 8).is_some_and(|byte| byte << (index % 8) & 0x80 != 0);
    Ok((0..9).filter(|&index| bit(index)).map(|index| 1_i64 << index).sum())
}

fn alternatives(into: &mut Certificate, value: &[u8]) -> Result<bool, Fault> {
    let all = Alternatives::read(value)?;
    let understood = !all.are_none();
    into.set("DNSNames", list(all.dns));
    into.set("EmailAddresses", list(all.emails));
    into.set("IPAddresses", list(all.addresses));
    into.set("URIs", list(all.uris));
    into.set_uri_texts(all.uri_texts);
    Ok(understood)
}

fn basic_constraints(into: &mut Certificate, value: &[u8]) -> Result<(), Fault> {
    let mut fields = Reader::new(value).sequence()?;
    let authority = fields.optional(BOOLEAN)?.map_or(Ok(false), Element::boolean)?;
    let length = match fields.optional(INTEGER)? {
        Some(number) => match number.integer()? {
            digits if digits.len() > 7 || digits[0] >= 0x80 => return Err(MALFORMED),
            digits => digits.iter().fold(0, |all, &digit| all << 8 | i64::from(digit)),
        },
        None => -1,
    };
    into.set("BasicConstraintsValid", true.into());
    into.set("IsCA", authority.into());
    into.set("MaxPathLen", length.into());
    into.set("MaxPathLenZero", (length == 0).into());
    Ok(())
}

fn distribution_points(value: &[u8]) -> Result<Vec<Value>, Fault> {
    let mut points = Reader::new(value).sequence()?;
    let mut uris = Vec::new();
    while !points.is_empty() {
        let Some(name) = points.sequence()?.optional(asn1::nested(0))? else { continue };
        let mut names = name.inner().expect(asn1::nested(0))?.inner();
        while let Some(uri) = names.optional(asn1::plain(6))? {
            uris.push(utf8(uri.body)?);
        }
    }
    Ok(uris)
}

fn policies(into: &mut Certificate, value: &[u8]) -> Result<(), Fault> {
    let mut fields = Reader::new(value).sequence()?;
    let (mut texts, mut numbers) = (Vec::new(), std::collections::BTreeSet::new());
    let mut identifiers = Vec::new();
    while !fields.is_empty() {
        let kind = fields.sequence()?.expect(OBJECT_IDENTIFIER)?.object_identifier()?;
        identifiers.push(identifier(&kind)?);
        texts.push(Value::from(kind.iter().map(u64::to_string).collect::<Vec<_>>().join(".")));
        if !numbers.insert(kind) {
            return Err(MALFORMED);
        }
    }
    into.set("Policies", list(texts));
    into.set("PolicyIdentifiers", Value::Array(identifiers));
    Ok(())
}

fn uses(into: &mut Certificate, value: &[u8]) -> Result<(), Fault> {
    let mut fields = Reader::new(value).sequence()?;
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    while !fields.is_empty() {
        let kind = fields.object_identifier()?;
        match USES.iter().zip(0_i64..).find(|(known, _)| **known == kind) {
            Some((_, number)) => known.push(number.into()),
            None => unknown.push(identifier(&kind)?),
        }
    }
    into.set("ExtKeyUsage", list(known));
    into.set("UnknownExtKeyUsage", list(unknown));
    Ok(())
}

fn authority_access(into: &mut Certificate, value: &[u8]) -> Result<(), Fault> {
    let mut fields = Reader::new(value).sequence()?;
    let (mut ocsp, mut issuers) = (Vec::new(), Vec::new());
    while !fields.is_empty() {
        let mut access = fields.sequence()?;
        let method = access.object_identifier()?;
        let Some(uri) = access.optional(asn1::plain(6))? else { continue };
        match method.as_slice() {
            OCSP => ocsp.push(utf8(uri.body)?),
            ISSUERS => issuers.push(utf8(uri.body)?),
            _ => {}
        }
    }
    into.set("OCSPServer", list(ocsp));
    into.set("IssuingCertificateURL", list(issuers));
    Ok(())
}

/// Domains and address ranges; a constraint on anything else makes the call undefined.
fn name_constraints(into: &mut Certificate, critical: bool, value: &[u8]) -> Result<(), Fault> {
    let mut fields = Element::only(value, SEQUENCE)?.inner();
    let sides =
        [("Permitted", fields.optional(asn1::nested(0))?), ("Excluded", fields.optional(asn1::nested(1))?)];
    fields.end()?;
    if sides.iter().all(|(_, side)| side.is_none_or(|side| side.body.is_empty())) {
        return Err(MALFORMED);
    }
    for (side, trees) in sides {
        let (mut domains, mut ranges) = (Vec::new(), Vec::new());
        let mut trees = Reader::new(trees.map_or(&[], |trees| trees.body));
        while !trees.is_empty() {
            let name = trees.sequence()?.next()?;
            match name.tag {
                0x82 => domains.push(domain(name.body)?),
                0x87 => ranges.push(range(name.body)?),
                _ => return Err(MALFORMED),
            }
        }
        into.set(&format!("{side}DNSDomains"), list(domains));
        into.set(&format!("{side}IPRanges"), list(ranges));
    }
    into.set("PermittedDNSDomainsCritical", critical.into());
    Ok(())
}

fn domain(bytes: &[u8]) -> Outcome {
    let text = ascii(bytes)?;
    let valid = is_domain(text.strip_prefix('.').unwrap_or(&text)) && text != ".";
    if valid { Ok(text.into()) } else { Err(MALFORMED) }
}

/// An address and its mask, which is ones and then zeros.
fn range(bytes: &[u8]) -> Outcome {
    let (network, mask) = bytes.split_at(bytes.len() / 2);
    let ones: u32 = mask.iter().map(|byte| byte.leading_ones()).sum();
    if ones != mask.iter().map(|byte| byte.count_ones()).sum::<u32>()
        || mask.windows(2).any(|pair| pair[0] != 0xff && pair[1] != 0)
        || !bytes.len().is_multiple_of(2)
    {
        return Err(MALFORMED);
    }
    Ok(operand::record([("IP", address(network)?), ("Mask", base64(mask))]))
}

fn utf8(bytes: &[u8]) -> Outcome {
    str::from_utf8(bytes).map(Value::from).map_err(|_| MALFORMED)
}
