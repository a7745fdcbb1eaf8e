//! One spelling for every path: the text that policy judges and upstream reads, or a refusal.
//!
//! Servers disagree about escapes, dots and slashes, so two spellings of one path are a way round a policy. Whatever
//! has a single reading is brought to a single spelling; whatever upstreams read in different ways is refused.

use std::borrow::Cow;

use percent_encoding::{percent_decode_str, percent_encode_byte};

/// The longest path, as sent and as canonical text.
pub const PATH_BYTES_MAX: usize = 16 * 1024;
/// The most segments a path may be sent with.
pub const SEGMENTS_MAX: usize = 256;

/// An absolute path in its only spelling: unreserved characters bare, every other escape in upper case, no dot
/// segment, no empty segment but a last one (the trailing slash, which is significant).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanonicalPath {
    text: String,
}

impl CanonicalPath {
    /// Reads a path without its query. The error is a sentence for the workload.
    pub fn parse(raw: &str) -> Result<Self, &'static str> {
        if !raw.starts_with('/') {
            return Err("the path must start with a slash");
        }
        if raw.len() > PATH_BYTES_MAX {
            return Err("the path is longer than 16 KiB");
        }
        if raw.bytes().filter(|byte| *byte == b'/').count() > SEGMENTS_MAX {
            return Err("the path has more than 256 segments");
        }
        if is_canonical(raw) {
            return Ok(Self { text: raw.to_owned() });
        }
        let text = resolve(&raw[1..])?;
        if text.len() > PATH_BYTES_MAX {
            return Err("the path is longer than 16 KiB once its characters are escaped");
        }
        Ok(Self { text })
    }

    /// The canonical text, beginning with a slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first segment, and the path that is left: empty, or beginning with a slash.
    pub fn split_first(&self) -> (&str, &str) {
        let inside = &self.text[1..];
        inside.split_at(inside.find('/').unwrap_or(inside.len()))
    }

    /// What [`Self::split_first`] left, behind a canonical base path without a slash at its end.
    pub fn under(base: &str, rest: &str) -> Self {
        let text = if base.is_empty() && rest.is_empty() { "/".to_owned() } else { [base, rest].concat() };
        Self { text }
    }

    /// The decoded segments: none for `/`, and an empty last one where the path ends with a slash.
    pub fn segments(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let inside = (self.text != "/").then(|| &self.text[1..]);
        inside.into_iter().flat_map(|text| text.split('/')).map(|segment| {
            percent_decode_str(segment)
                .decode_utf8()
                .expect("a canonical segment decodes to UTF-8: parse saw to it")
        })
    }
}

/// Whether a path is plainly canonical already, so that one scan and one copy are all it takes.
fn is_canonical(raw: &str) -> bool {
    let mut previous = b' ';
    for byte in raw.bytes() {
        let opens_segment = previous == b'/';
        let plain = is_plain(byte) && byte != b';';
        if !plain && byte != b'/' || opens_segment && matches!(byte, b'/' | b'.') {
            return false;
        }
        previous = byte;
    }
    true
}

/// Writes the segments one after another, resolving dots on the way. `raw` is without the leading slash.
fn resolve(raw: &str) -> Result<String, &'static str> {
    let mut text = String::with_capacity(raw.len() + 1);
    let mut segments = raw.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        let start = text.len();
        text.push('/');
        write_segment(segment, &mut text)?;
        match &text[start + 1..] {
            "." => text.truncate(start),
            ".." => {
                let parent = text[..start].rfind('/').ok_or("the path climbs above its root")?;
                text.truncate(parent);
            }
            "" if is_last => return Ok(text),
            "" => return Err("the path has an empty segment (//)"),
            segment => {
                check_segment(segment)?;
                continue;
            }
        }
        if is_last {
            text.push('/');
        }
    }
    Ok(text)
}

/// Appends a segment in canonical spelling, dots not yet resolved.
fn write_segment(segment: &str, text: &mut String) -> Result<(), &'static str> {
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => write_decoded(escaped_byte(&mut bytes)?, text)?,
            b'"' | b'<' | b'>' | b'[' | b']' | b'^' | b'`' | b'{' | b'|' | b'}' => {
                text.push_str(percent_encode_byte(byte));
            }
            b'\\' => return Err("the path has a backslash"),
            b'#' => return Err("the path has a fragment (#)"),
            b'?' => return Err("the path has a question mark"),
            0x80.. => return Err("the path has characters outside ASCII; percent-encode them"),
            plain if is_plain(plain) => text.push(char::from(plain)),
            _ => return Err("the path has a space or a control character"),
        }
    }
    Ok(())
}

/// The byte that the two characters after a `%` stand for.
fn escaped_byte(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, &'static str> {
    let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
    match (digit(), digit()) {
        (Some(high), Some(low)) => Ok((high << 4 | low) as u8),
        _ => Err("the path has a % without two hexadecimal digits"),
    }
}

/// Appends what an escape stands for: bare where that is the same path, as an escape otherwise.
fn write_decoded(byte: u8, text: &mut String) -> Result<(), &'static str> {
    match byte {
        b'/' | b'\\' => Err("the path has an encoded slash or backslash"),
        0..=0x1f | 0x7f => Err("the path has an encoded control character"),
        byte if is_unreserved(byte) => {
            text.push(char::from(byte));
            Ok(())
        }
        byte => {
            text.push_str(percent_encode_byte(byte));
            Ok(())
        }
    }
}

/// Refuses a canonical segment that some upstreams read in a second way.
fn check_segment(segment: &str) -> Result<(), &'static str> {
    if is_doubly_encoded(segment) {
        return Err("the path is percent-encoded twice");
    }
    let decoded =
        percent_decode_str(segment).decode_utf8().map_err(|_| "the path is not UTF-8 once decoded")?;
    if decoded.chars().any(char::is_control) {
        return Err("the path has an encoded control character");
    }
    match decoded.split_once(';') {
        Some(("" | "." | "..", _)) => Err("the path hides a dot or empty segment behind a semicolon"),
        Some(_) | None => Ok(()),
    }
}

/// Whether decoding once more would yield a further escape.
fn is_doubly_encoded(segment: &str) -> bool {
    let is_escape = |at: usize| {
        segment.as_bytes().get(at..at + 2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
    };
    segment.match_indices("%25").any(|(at, escape)| is_escape(at + escape.len()))
}

/// RFC 3986 `pchar` without escapes: what may stand bare in a segment.
fn is_plain(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'!' | b'$' | b'&'..=b',' | b':' | b';' | b'=' | b'@')
}

/// RFC 3986 `unreserved`: the characters whose escape means the same as themselves.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests;
