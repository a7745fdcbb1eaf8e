//! A request head, judged line by line as it arrives: the verdict does not depend on how the network cut it.

use memchr::memchr;

use super::{HeadError, REFUSED_METHOD};
use crate::request::headers::value_is_plain;

/// The most header fields in a head: as many as hyper parses without allocating.
pub const FIELDS_MAX: usize = 100;
/// The longest method.
pub const METHOD_BYTES_MAX: usize = 32;
/// The longest name of a header.
pub(super) const NAME_BYTES_MAX: usize = 1024;
/// The longest target: as much as [`http::Uri`] holds.
pub const TARGET_BYTES_MAX: usize = 65_534;

/// A length that some parsers would read as a negative number.
const CONTENT_LENGTH_MAX: u64 = i64::MAX as u64;

/// A head that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Its length, the empty line included.
    pub(super) bytes: usize,
    /// How the body after it is delimited.
    pub(super) framing: Framing,
}

/// How a body is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length; 0 where there is none.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// The lines of one head so far.
#[derive(Debug, Default)]
pub(super) struct HeadScan {
    line_start: usize,
    searched: usize,
    version: Option<Version>,
    fields: usize,
    has_host: bool,
    is_chunked: bool,
    content_length: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Http10,
    Http11,
}

impl HeadScan {
    /// Goes on with a head of which `bytes` have arrived, from its first byte on. Yields `None` while it is incomplete.
    pub(super) fn advance(&mut self, bytes: &[u8], bytes_max: usize) -> Result<Option<Head>, HeadError> {
        if bytes.first() == Some(&0x16) {
            return Err(HeadError::BadRequest("this listener speaks plain HTTP, not TLS"));
        }
        let within = &bytes[..bytes.len().min(bytes_max)];
        while let Some(offset) = memchr(b'\n', &within[self.searched..]) {
            let end = self.searched + offset;
            let line = within[self.line_start..end].strip_suffix(b"\r");
            let line = line.ok_or(HeadError::BadRequest("a line ends without a carriage return"))?;
            self.line_start = end + 1;
            self.searched = end + 1;
            if line.is_empty() && self.version.is_some() {
                return self.finish().map(Some);
            }
            self.line(line)?;
        }
        self.searched = within.len();
        if within.len() < bytes_max { Ok(None) } else { Err(HeadError::HeadTooLarge) }
    }

    /// Judges the head as a whole, at its empty line.
    fn finish(&self) -> Result<Head, HeadError> {
        if !self.has_host {
            return Err(HeadError::BadRequest("there is no Host header"));
        }
        let framing = match (self.is_chunked, self.content_length) {
            (false, length) => Framing::Length(length.unwrap_or(0)),
            (true, None) => Framing::Chunked,
            (true, Some(_)) => {
                return Err(HeadError::BodyFraming("there is a Content-Length beside a Transfer-Encoding"));
            }
        };
        Ok(Head { bytes: self.line_start, framing })
    }

    /// Judges one line.
    fn line(&mut self, line: &[u8]) -> Result<(), HeadError> {
        match self.version {
            None => self.version = Some(request_line(line)?),
            Some(version) => self.field(version, line)?,
        }
        Ok(())
    }

    /// Judges a header line and keeps what concerns the framing.
    fn field(&mut self, version: Version, line: &[u8]) -> Result<(), HeadError> {
        self.fields += 1;
        if self.fields > FIELDS_MAX {
            return Err(HeadError::HeadTooLarge);
        }
        let (name, value) = split_field(line)?;
        if name.len() > NAME_BYTES_MAX {
            return Err(HeadError::HeadTooLarge);
        }
        // Most names are told apart from these by their length alone.
        if name.eq_ignore_ascii_case(b"host") {
            if std::mem::replace(&mut self.has_host, true) {
                return Err(HeadError::BadRequest("there is more than one Host header"));
            }
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if self.content_length.replace(content_length(value)?).is_some() {
                return Err(HeadError::BodyFraming("there is more than one Content-Length"));
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.transfer_encoding(version, value)?;
        }
        Ok(())
    }

    /// Judges a Transfer-Encoding.
    fn transfer_encoding(&mut self, version: Version, value: &[u8]) -> Result<(), HeadError> {
        if version == Version::Http10 {
            return Err(HeadError::BodyFraming("HTTP/1.0 has no Transfer-Encoding"));
        }
        if !value.eq_ignore_ascii_case(b"chunked") {
            return Err(HeadError::BodyFraming("a Transfer-Encoding is something else than chunked"));
        }
        if std::mem::replace(&mut self.is_chunked, true) {
            return Err(HeadError::BodyFraming("there is more than one Transfer-Encoding"));
        }
        Ok(())
    }
}

/// Judges the line that opens a request.
fn request_line(line: &[u8]) -> Result<Version, HeadError> {
    if line == b"PRI * HTTP/2.0" {
        return Err(HeadError::BadRequest("this listener speaks HTTP/1.1, not HTTP/2"));
    }
    let mut parts = line.split(|byte| *byte == b' ');
    let (Some(method), Some(target), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(HeadError::BadRequest(
            "the request line is not a method, a target and a version, one space apart",
        ));
    };
    check_method(method)?;
    check_target(target)?;
    match version {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        _ => Err(HeadError::BadRequest("the version is neither HTTP/1.1 nor HTTP/1.0")),
    }
}

/// A method is case-sensitive, and yet some upstreams fold it: one with lower-case letters has two readings.
fn check_method(method: &[u8]) -> Result<(), HeadError> {
    let is_plain = |byte: &u8| is_token(*byte) && !byte.is_ascii_lowercase();
    if method.is_empty() || method.len() > METHOD_BYTES_MAX || !method.iter().all(is_plain) {
        return Err(HeadError::BadRequest(
            "the method is not a token of up to 32 characters without lower-case letters",
        ));
    }
    if method == b"CONNECT" {
        return Err(HeadError::BadRequest("CONNECT belongs to forward listeners"));
    }
    if method == REFUSED_METHOD.as_bytes() {
        return Err(HeadError::BadRequest("the method is reserved"));
    }
    Ok(())
}

/// Judges the form of a target and its characters; what the path means is for [`crate::request::path`].
fn check_target(target: &[u8]) -> Result<(), HeadError> {
    if !target.starts_with(b"/") {
        return Err(HeadError::BadRequest(
            "the target is not a path; other forms belong to forward listeners",
        ));
    }
    if target.len() > TARGET_BYTES_MAX {
        return Err(HeadError::HeadTooLarge);
    }
    if target.iter().any(u8::is_ascii_control) {
        return Err(HeadError::BadRequest("the target has a control character"));
    }
    if target.contains(&b'#') {
        return Err(HeadError::PathNotCanonical("the target has a fragment (#)"));
    }
    let path = target.split(|byte| *byte == b'?').next().unwrap_or(target);
    if !path.iter().all(|byte| CHARACTERS[usize::from(*byte)] & IN_PATH != 0) {
        return Err(HeadError::PathNotCanonical("the path has a character that must be percent-encoded"));
    }
    if !target[path.len()..].iter().all(|byte| CHARACTERS[usize::from(*byte)] & IN_QUERY != 0) {
        return Err(HeadError::BadRequest("the query has a character that must be percent-encoded"));
    }
    Ok(())
}

/// Parts a header line into its name and its value without the blanks around it.
pub(super) fn split_field(line: &[u8]) -> Result<(&[u8], &[u8]), HeadError> {
    let name_bytes = line.iter().position(|byte| !is_token(*byte));
    let name_bytes = name_bytes.ok_or(HeadError::BadRequest("a header line has no colon"))?;
    match (name_bytes, line[name_bytes]) {
        (0, b' ' | b'\t') => return Err(HeadError::BadRequest("a header line is folded")),
        (0, b':') => return Err(HeadError::BadRequest("a header has no name")),
        (_, b':') => {}
        (_, b' ' | b'\t') => return Err(HeadError::BadRequest("there is a space before a header's colon")),
        (_, _) => return Err(HeadError::BadRequest("a header name has a character that is not allowed")),
    }
    let value = trim_blanks(&line[name_bytes + 1..]);
    if !value_is_plain(value) {
        return Err(match value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
            true => HeadError::BadRequest("a header value has a control character"),
            false => HeadError::HeaderNotAllowed("a header value has characters outside ASCII"),
        });
    }
    Ok((&line[..name_bytes], value))
}

/// Takes spaces and tabs off both ends.
fn trim_blanks(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A length in plain decimal: no sign, no list, no leading zero.
fn content_length(value: &[u8]) -> Result<u64, HeadError> {
    const MALFORMED: HeadError = HeadError::BodyFraming("the Content-Length is not a plain decimal number");
    if value != b"0" && !matches!(value.first(), Some(b'1'..=b'9')) || !value.iter().all(u8::is_ascii_digit) {
        return Err(MALFORMED);
    }
    let digits = std::str::from_utf8(value).map_err(|_| MALFORMED)?;
    digits.parse().ok().filter(|length| *length <= CONTENT_LENGTH_MAX).ok_or(MALFORMED)
}

/// Whether a byte may stand in a header name.
pub(super) fn is_token(byte: u8) -> bool {
    CHARACTERS[usize::from(byte)] & IN_TOKEN != 0
}

const IN_TOKEN: u8 = 1;
const IN_PATH: u8 = 2;
const IN_QUERY: u8 = 4;

/// Where each byte may stand.
static CHARACTERS: [u8; 256] = characters();

/// `IN_TOKEN` is RFC 9110's `tchar`; the other two are the bytes that [`http::Uri`] takes in that place.
const fn characters() -> [u8; 256] {
    let mut characters = [0; 256];
    let mut byte = b'!';
    while byte <= b'~' {
        let is_token = byte.is_ascii_alphanumeric()
            || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~');
        let in_path = !matches!(byte, b'#' | b'<' | b'>' | b'?' | b'`');
        let in_query = !matches!(byte, b'"' | b'#' | b'<' | b'>');
        characters[byte as usize] = if is_token { IN_TOKEN } else { 0 }
            | if in_path { IN_PATH } else { 0 }
            | if in_query { IN_QUERY } else { 0 };
        byte += 1;
    }
    characters
}
