//! Just enough JSON to write a record: members appended to a buffer, strings escaped by RFC 8259, no values built.

use std::io::Write;
use std::net::SocketAddr;

use crate::clock::Timestamp;

/// The key of a member with all that stands round it, so that it is written at once: `,"name":`.
#[derive(Clone, Copy)]
pub(super) struct Key(pub(super) &'static [u8]);

/// The [`Key`] of a name, which is ours and needs no escapes.
macro_rules! key {
    ($name:literal) => {
        crate::audit::json::Key(concat!(",\"", $name, "\":").as_bytes())
    };
}
pub(super) use key;

/// Writes `"key":value` pairs, with commas between them, to the end of a buffer.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    started: bool,
}

impl<'a> Members<'a> {
    /// The first members of an object whose brace is someone else's business.
    pub(super) fn first(out: &'a mut Vec<u8>) -> Self {
        Self { out, started: false }
    }

    /// More members after those that are there.
    pub(super) fn more(out: &'a mut Vec<u8>) -> Self {
        Self { out, started: true }
    }

    pub(super) fn string(&mut self, key: Key, value: &str) -> &mut Self {
        self.key(key);
        string(self.out, value);
        self
    }

    /// Absent where there is none.
    pub(super) fn maybe(&mut self, key: Key, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(key, value),
            None => self,
        }
    }

    /// `null` where there is none.
    pub(super) fn or_null(&mut self, key: Key, value: Option<&str>) -> &mut Self {
        match value {
            Some(value) => self.string(key, value),
            None => self.raw(key, "null"),
        }
    }

    pub(super) fn number(&mut self, key: Key, value: u64) -> &mut Self {
        self.key(key);
        number(self.out, value);
        self
    }

    /// As a string of RFC 3339, which needs no escapes.
    pub(super) fn time(&mut self, key: Key, value: Timestamp) -> &mut Self {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(&value.rfc3339());
        self.out.push(b'"');
        self
    }

    /// As a string, `192.0.2.1:443` or `[::1]:443`, which needs no escapes.
    pub(super) fn address(&mut self, key: Key, value: SocketAddr) -> &mut Self {
        self.key(key);
        self.out.push(b'"');
        address(self.out, value);
        self.out.push(b'"');
        self
    }

    /// `value` is JSON already.
    pub(super) fn raw(&mut self, key: Key, value: &str) -> &mut Self {
        self.key(key);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    pub(super) fn strings(&mut self, key: Key, values: &[String]) -> &mut Self {
        self.key(key);
        self.out.push(b'[');
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            string(self.out, value);
        }
        self.out.push(b']');
        self
    }

    pub(super) fn object(&mut self, key: Key, fill: impl FnOnce(&mut Members<'_>)) -> &mut Self {
        self.key(key);
        self.out.push(b'{');
        fill(&mut Members::first(self.out));
        self.out.push(b'}');
        self
    }

    #[inline]
    fn key(&mut self, key: Key) {
        let Key(text) = key;
        self.out.extend_from_slice(if self.started { text } else { &text[1..] });
        self.started = true;
    }
}

/// Appends `value` in decimal.
pub(super) fn number(out: &mut Vec<u8>, value: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = value;
    loop {
        start -= 1;
        digits[start] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

/// Appends an address. Almost every record has one, and most of them are of IPv4, which formatting takes long for.
fn address(out: &mut Vec<u8>, value: SocketAddr) {
    match value {
        SocketAddr::V4(address) => {
            for (octet, then) in address.ip().octets().into_iter().zip(*b"...:") {
                number(out, octet.into());
                out.push(then);
            }
            number(out, address.port().into());
        }
        SocketAddr::V6(address) => write!(out, "{address}").expect("a vector takes whatever is written"),
    }
}

/// Appends `text` as a JSON string.
fn string(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    if needs_escapes(text) {
        escaped(out, text);
    } else {
        out.extend_from_slice(text.as_bytes());
    }
    out.push(b'"');
}

/// Whether a byte cannot stand in a string as it is.
fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether any byte of `text` does. Looks at all of them, so that it can at many at once.
fn needs_escapes(text: &str) -> bool {
    text.bytes().fold(false, |found, byte| found | needs_escape(byte))
}

fn escaped(out: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if needs_escape(byte) {
            escape(out, byte);
        } else {
            out.push(byte);
        }
    }
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        control => write!(out, "\\u{control:04x}").expect("a vector takes whatever is written"),
    }
}

/// The longest beginning of `text` that takes at most `bytes_max` bytes as a JSON string without its quotes.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut room = bytes_max;
    for (at, character) in text.char_indices() {
        let needed = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..='\u{1f}' => 6,
            _ => character.len_utf8(),
        };
        if needed > room {
            return &text[..at];
        }
        room -= needed;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        string(&mut out, text);
        String::from_utf8(out).expect("UTF-8 in, UTF-8 out")
    }

    #[test]
    fn strings_and_numbers_read_back_as_they_were() {
        let all: String = (0..0x250).filter_map(char::from_u32).chain("\u{2028}\u{1f511}".chars()).collect();
        for value in [0, 9, 10, 1_000, u64::MAX] {
            let mut out = Vec::new();
            number(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
        }
        for text in ["", "plain", "\"", "\\", "a\nb\r\tc", "\0\u{1}\u{1f}\u{7f}", "\\u0041", all.as_str()] {
            let read: String = serde_json::from_str(&written(text)).expect("valid JSON");
            assert_eq!(read, text);
            assert!(!written(text).bytes().any(|byte| byte < 0x20), "no control byte leaves: {text:?}");
        }
    }

    #[test]
    fn addresses_are_written_as_they_are_shown() {
        for text in
            ["0.0.0.0:0", "192.0.2.17:443", "255.255.255.255:65535", "[::1]:80", "[2001:db8::7]:65535"]
        {
            let mut out = Vec::new();
            address(&mut out, text.parse().expect("an address"));
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn a_cut_string_fits_and_loses_no_half_character() {
        let check = |text: &str, bytes_max: usize, expected: &str| {
            let kept = cut(text, bytes_max);
            assert_eq!(kept, expected);
            assert!(written(kept).len() <= bytes_max + 2);
        };
        check("abc", 3, "abc");
        check("abc", 2, "ab");
        check("abc", 0, "");
        check("a\"b", 2, "a");
        check("a\"b", 3, "a\"");
        check("\u{1}x", 5, "");
        check("\u{1}x", 6, "\u{1}");
        check("é€", 4, "é");
        check("é€", 1, "");
    }

    #[test]
    fn members_nest_and_keep_their_order() {
        let mut out = Vec::new();
        let mut members = Members::first(&mut out);
        members
            .string(key!("a"), "x")
            .maybe(key!("b"), None)
            .or_null(key!("c"), None)
            .number(key!("d"), 7)
            .raw(key!("e"), "{}");
        members.strings(key!("f"), &["1".into(), "2".into()]).strings(key!("g"), &[]);
        members.object(key!("h"), |inner| {
            inner.maybe(key!("i"), Some("y"));
        });
        Members::more(&mut out).number(key!("j"), u64::MAX);
        let expected =
            r#""a":"x","c":null,"d":7,"e":{},"f":["1","2"],"g":[],"h":{"i":"y"},"j":18446744073709551615"#;
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}
