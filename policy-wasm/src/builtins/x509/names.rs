//! Distinguished names, alternative names, and the moments between which a certificate is valid.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::civil::DateTime;

use super::{MALFORMED, base64, identifier, list};
use crate::builtins::asn1::{
    BIT_STRING, BOOLEAN, Element, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, SET,
};
use crate::builtins::uri::Uri;
use crate::builtins::{Fault, Outcome, operand};
use crate::value::Value;

const NUMERIC_STRING: u8 = 0x12;
const PRINTABLE_STRING: u8 = 0x13;
const T61_STRING: u8 = 0x14;
const IA5_STRING: u8 = 0x16;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const UTF8_STRING: u8 = 0x0c;
const BMP_STRING: u8 = 0x1e;

/// Attributes that may be there several times, by the last part of their identifier.
const LISTS: [(u64, &str); 7] = [
    (6, "Country"),
    (7, "Locality"),
    (8, "Province"),
    (9, "StreetAddress"),
    (10, "Organization"),
    (11, "OrganizationalUnit"),
    (17, "PostalCode"),
];

/// Go's `pkix.Name`.
pub(super) fn distinguished(name: Element<'_>) -> Outcome {
    let (mut names, mut lists) = (Vec::new(), BTreeMap::<&str, Vec<Value>>::new());
    let (mut common, mut serial) = (Value::from(""), Value::from(""));
    let mut sets = Element::only(name.whole, SEQUENCE)?.inner();
    while !sets.is_empty() {
        let mut set = sets.expect(SET)?.inner();
        while !set.is_empty() {
            let mut attribute = set.sequence()?;
            let kind = attribute.object_identifier()?;
            let value = Value::from(text(attribute.next()?)?);
            if let [2, 5, 4, last] = kind.as_slice() {
                match last {
                    3 => common = value.clone(),
                    5 => serial = value.clone(),
                    _ => {
                        let named = LISTS.iter().filter(|(part, _)| part == last);
                        named.for_each(|(_, list)| lists.entry(list).or_default().push(value.clone()));
                    }
                }
            }
            names.push(operand::record([("Type", identifier(&kind)?), ("Value", value)]));
        }
    }
    let lists = LISTS.map(|(_, name)| (Value::from(name), list(lists.remove(name).unwrap_or_default())));
    let rest = [("CommonName", common), ("SerialNumber", serial), ("Names", list(names))];
    let rest = rest.map(|(name, value)| (Value::from(name), value));
    let none = (Value::from("ExtraNames"), Value::Null);
    Ok(Value::Object(lists.into_iter().chain(rest).chain([none]).collect()))
}

fn text(element: Element<'_>) -> Result<String, Fault> {
    let bytes = element.body;
    let printable = |byte: &u8| byte.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(byte);
    let all = |allowed: &dyn Fn(&u8) -> bool| match bytes.iter().all(allowed) {
        true => ascii(bytes),
        false => Err(MALFORMED),
    };
    match element.tag {
        UTF8_STRING => String::from_utf8(bytes.to_vec()).map_err(|_| MALFORMED),
        PRINTABLE_STRING => all(&printable),
        NUMERIC_STRING => all(&|byte| byte.is_ascii_digit() || *byte == b' '),
        IA5_STRING => ascii(bytes),
        T61_STRING => Ok(bytes.iter().copied().map(char::from).collect()),
        BMP_STRING => wide(bytes),
        _ => Err(MALFORMED),
    }
}

/// A value of any type as Go holds it: text, bytes, or nothing where it knows no form for the type.
pub(super) fn any(element: Element<'_>) -> Outcome {
    match element.tag {
        UTF8_STRING | PRINTABLE_STRING | NUMERIC_STRING | IA5_STRING | T61_STRING | BMP_STRING => {
            text(element).map(Value::from)
        }
        OCTET_STRING => Ok(base64(element.body)),
        BOOLEAN => element.boolean().map(Value::from),
        INTEGER | BIT_STRING | OBJECT_IDENTIFIER | UTC_TIME | GENERALIZED_TIME => {
            Err(Fault::Undefined("an attribute of this type is not supported"))
        }
        _ => Ok(Value::Null),
    }
}

/// Two bytes for each character; surrogates and what is no character are refused.
fn wide(bytes: &[u8]) -> Result<String, Fault> {
    let bytes = bytes.strip_suffix(&[0, 0]).filter(|_| bytes.len().is_multiple_of(2)).unwrap_or(bytes);
    let (pairs, []) = bytes.as_chunks::<2>() else { return Err(MALFORMED) };
    let character = |pair: &[u8; 2]| match u32::from(u16::from_be_bytes(*pair)) {
        0xfdd0..=0xfdef | 0xfffe | 0xffff => Err(MALFORMED),
        point => char::from_u32(point).ok_or(MALFORMED),
    };
    pairs.iter().map(character).collect()
}

pub(super) fn ascii(bytes: &[u8]) -> Result<String, Fault> {
    match str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(MALFORMED),
    }
}

/// A moment in UTC, as RFC 3339 writes it.
pub(super) fn moment(element: Element<'_>) -> Outcome {
    let digits = ascii(element.body)?;
    let digits = digits.strip_suffix('Z').ok_or(MALFORMED)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(MALFORMED);
    }
    let number = |from: usize, to: usize| digits.get(from..to).and_then(|part| part.parse::<i16>().ok());
    let (year, rest) = match (element.tag, digits.len()) {
        (UTC_TIME, 12) => (number(0, 2).map(|year| if year >= 50 { 1900 + year } else { 2000 + year }), 2),
        (GENERALIZED_TIME, 14) => (number(0, 4), 4),
        _ => return Err(MALFORMED),
    };
    let part = |index: usize| {
        let at = rest + 2 * index;
        number(at, at + 2).and_then(|part| i8::try_from(part).ok()).ok_or(MALFORMED)
    };
    let year = year.ok_or(MALFORMED)?;
    let time = DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0);
    Ok(time.map_err(|_| MALFORMED)?.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into())
}

/// What a certificate speaks for.
#[derive(Default)]
pub(super) struct Alternatives {
    pub(super) dns: Vec<Value>,
    pub(super) emails: Vec<Value>,
    pub(super) addresses: Vec<Value>,
    pub(super) uris: Vec<Value>,
    pub(super) uri_texts: Vec<Value>,
}

impl Alternatives {
    pub(super) fn read(bytes: &[u8]) -> Result<Alternatives, Fault> {
        let mut all = Alternatives::default();
        let mut names = Reader::new(bytes).sequence()?;
        while !names.is_empty() {
            let name = names.next()?;
            match name.tag {
                0x81 => all.emails.push(ascii(name.body)?.into()),
                0x82 => all.dns.push(ascii(name.body)?.into()),
                0x86 => {
                    let text = ascii(name.body)?;
                    all.uris.push(uri(&text)?);
                    all.uri_texts.push(text.into());
                }
                0x87 => all.addresses.push(address(name.body)?),
                _ => {}
            }
        }
        Ok(all)
    }

    pub(super) fn are_none(&self) -> bool {
        [&self.dns, &self.emails, &self.addresses, &self.uris].into_iter().all(|list| list.is_empty())
    }
}

pub(super) fn address(bytes: &[u8]) -> Outcome {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(four).to_string().into());
    }
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(bytes).map_err(|_| MALFORMED)?);
    Ok(address.to_ipv4_mapped().map_or_else(|| address.to_string(), |four| four.to_string()).into())
}

/// Go's `url.URL`, of URIs that it would write as they came.
fn uri(text: &str) -> Outcome {
    let uri = Uri::parse(text)?;
    let (scheme, rest) = text.split_once(':').ok_or(MALFORMED)?;
    let plain = !text.contains(['#', '@']) && !text.ends_with('?') && scheme == uri.scheme;
    let (rest, _) = rest.split_once('?').unwrap_or((rest, ""));
    let host = ascii(&uri.host)?;
    let written = rest.strip_prefix("//").and_then(|rest| rest.strip_prefix(host.as_str()));
    let opaque = if rest.starts_with('/') { "" } else { rest };
    let same = !opaque.is_empty() || written.is_some_and(|path| path == uri.escaped_path());
    if !plain || !same || !is_domain(&host) {
        return Err(MALFORMED);
    }
    let path = String::from_utf8(uri.path).map_err(|_| MALFORMED)?;
    Ok(operand::record([
        ("ForceQuery", false.into()),
        ("Fragment", "".into()),
        ("Host", host.into()),
        ("OmitHost", false.into()),
        ("Opaque", opaque.into()),
        ("Path", path.into()),
        ("RawFragment", "".into()),
        ("RawPath", uri.raw_path.into()),
        ("RawQuery", uri.query.into()),
        ("Scheme", uri.scheme.into()),
        ("User", Value::Null),
    ]))
}

/// Labels of visible characters, none of them empty.
pub(super) fn is_domain(text: &str) -> bool {
    text.is_empty()
        || text.split('.').all(|label| !label.is_empty()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
