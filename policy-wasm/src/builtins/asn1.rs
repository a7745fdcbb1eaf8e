//! The little of ASN.1's distinguished encoding that keys and certificates are written in. Strict: what has two
//! spellings is refused.

use super::Fault;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// A field with this number that holds further elements.
pub(super) const fn nested(number: u8) -> u8 {
    0xa0 | number
}
/// A field with this number that holds a plain value.
pub(super) const fn plain(number: u8) -> u8 {
    0x80 | number
}

const MALFORMED: Fault = Fault::Undefined("the ASN.1 is malformed");
const LENGTH_BYTES_MAX: usize = 4;

/// One element with all of its bytes.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// Elements one after another.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(super) fn next(&mut self) -> Result<Element<'a>, Fault> {
        let (&tag, after) = self.rest.split_first().ok_or(MALFORMED)?;
        let (&first, mut after) = after.split_first().ok_or(MALFORMED)?;
        let mut length = usize::from(first);
        if first >= 0x80 {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > LENGTH_BYTES_MAX {
                return Err(MALFORMED);
            }
            let digits;
            (digits, after) = after.split_at_checked(count).ok_or(MALFORMED)?;
            length = digits.iter().fold(0, |length, &digit| length << 8 | usize::from(digit));
            if length < 0x80 || digits[0] == 0 {
                return Err(MALFORMED);
            }
        }
        let (body, after) = after.split_at_checked(length).ok_or(MALFORMED)?;
        let whole = &self.rest[..self.rest.len() - after.len()];
        self.rest = after;
        if tag & 0x1f == 0x1f { Err(MALFORMED) } else { Ok(Element { tag, body, whole }) }
    }

    /// The next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Fault> {
        let element = self.next()?;
        if element.tag == tag { Ok(element) } else { Err(MALFORMED) }
    }

    /// The next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Fault> {
        match self.rest.first() == Some(&tag) {
            true => self.next().map(Some),
            false => Ok(None),
        }
    }

    /// What the next sequence holds.
    pub(super) fn sequence(&mut self) -> Result<Reader<'a>, Fault> {
        self.expect(SEQUENCE).map(Element::inner)
    }

    /// The digits of a number that is not negative, without leading zeros.
    pub(super) fn unsigned(&mut self) -> Result<&'a [u8], Fault> {
        let digits = self.expect(INTEGER)?.integer()?;
        match digits.split_first() {
            Some((0, rest)) => Ok(rest),
            Some((first, _)) if *first < 0x80 => Ok(digits),
            Some(_) | None => Err(MALFORMED),
        }
    }

    pub(super) fn object_identifier(&mut self) -> Result<Vec<u64>, Fault> {
        self.expect(OBJECT_IDENTIFIER)?.object_identifier()
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(MALFORMED) }
    }
}

impl<'a> Element<'a> {
    /// The only element of these bytes.
    pub(super) fn only(bytes: &'a [u8], tag: u8) -> Result<Element<'a>, Fault> {
        let mut reader = Reader::new(bytes);
        let element = reader.expect(tag)?;
        reader.end()?;
        Ok(element)
    }

    pub(super) fn inner(self) -> Reader<'a> {
        Reader::new(self.body)
    }

    /// A number's bytes in two's complement, as few as will do.
    pub(super) fn integer(self) -> Result<&'a [u8], Fault> {
        match self.body {
            [] => Err(MALFORMED),
            [0, next, ..] if *next < 0x80 => Err(MALFORMED),
            [0xff, next, ..] if *next >= 0x80 => Err(MALFORMED),
            body => Ok(body),
        }
    }

    pub(super) fn boolean(self) -> Result<bool, Fault> {
        match self.body {
            [0] => Ok(false),
            [0xff] => Ok(true),
            _ => Err(MALFORMED),
        }
    }

    /// Bits and how many of the last byte do not count; these are zero.
    pub(super) fn bits(self) -> Result<(&'a [u8], u32), Fault> {
        let (&unused, bytes) = self.body.split_first().ok_or(MALFORMED)?;
        let padding = bytes.last().map_or(u32::from(unused == 0) * 8, |last| last.trailing_zeros());
        match u32::from(unused) <= padding.min(7) {
            true => Ok((bytes, u32::from(unused))),
            false => Err(MALFORMED),
        }
    }

    pub(super) fn object_identifier(self) -> Result<Vec<u64>, Fault> {
        let (mut parts, mut value, mut begun) = (Vec::new(), 0_u64, false);
        for &byte in self.body {
            if !begun && byte == 0x80 || value >> 56 != 0 {
                return Err(MALFORMED);
            }
            begun = byte & 0x80 != 0;
            value = value << 7 | u64::from(byte & 0x7f);
            if !begun {
                if parts.is_empty() {
                    let first = (value / 40).min(2);
                    parts.push(first);
                    value -= first * 40;
                }
                parts.push(value);
                value = 0;
            }
        }
        if begun || parts.is_empty() { Err(MALFORMED) } else { Ok(parts) }
    }
}

/// An element with this tag and body.
pub(super) fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = body.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|&&digit| digit == 0).count()..];
    match body.len() {
        short @ 0..0x80 => out.push(short.to_le_bytes()[0]),
        _ => {
            out.push(0x80 | digits.len().to_le_bytes()[0]);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(body);
    out
}

/// A number that is not negative.
pub(super) fn unsigned(digits: &[u8]) -> Vec<u8> {
    let digits = trimmed(digits);
    match digits.first() {
        Some(first) if *first < 0x80 => element(INTEGER, digits),
        Some(_) | None => element(INTEGER, &[&[0], digits].concat()),
    }
}

/// Digits without leading zeros.
pub(super) fn trimmed(digits: &[u8]) -> &[u8] {
    &digits[digits.iter().take_while(|&&digit| digit == 0).count()..]
}
