//! Absolute `http` and `https` URLs that mean the same to every reader.
//!
//! A URL is accepted only in the one form that a browser's parser would write: what it would silently repair
//! (dot segments, backslashes, odd spellings of an address) is an error.

use url::Url;

use super::host::{canonical_host, parse_port, split_port};
use super::text_value;
use crate::model::{Scheme, Upstream};

const URL_WITH_USER: &str = "a URL cannot hold a user or a password: they belong in a credential";
const URL_WITH_QUERY: &str = "a URL cannot have a query or a fragment here";

/// Told of URLs that may hold a secret; such a line is never shown.
pub(crate) const URL_SECRETS: [&str; 2] = [URL_WITH_USER, URL_WITH_QUERY];

/// An absolute URL without user, password, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpUrl {
    text: String,
    parts: Upstream,
}

impl HttpUrl {
    /// The URL as it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether what is sent there can be read on the way.
    pub fn is_plaintext(&self) -> bool {
        self.parts.scheme == Scheme::Http
    }

    /// Its scheme, host, port and path, each canonical.
    pub fn parts(&self) -> &Upstream {
        &self.parts
    }

    /// A wrong URL with an `@` may be a broken one with a password, so that is what is told.
    fn parse(text: &str) -> Result<Self, String> {
        let split = Self::split(text);
        split.map_err(|message| if text.contains('@') { URL_WITH_USER.to_owned() } else { message })
    }

    fn split(text: &str) -> Result<Self, String> {
        let fail = |message: &str| Err(message.to_owned());
        if text.contains(['?', '#']) {
            return fail(URL_WITH_QUERY);
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return fail("expected a whole URL: https://host[:port][/path]");
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return fail("expected a URL that begins with https:// or http://"),
        };
        let (host, port) = match split_port(authority) {
            Some((host, port)) => match parse_port(port) {
                Some(port) => (host, port),
                None => return fail("the port is not a number from 1 to 65535"),
            },
            None => (authority, scheme.default_port()),
        };
        let host = canonical_host(host)?;
        check_path(path)?;
        check_whole(&host, path)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let base_path = path.strip_suffix('/').unwrap_or(path).to_owned();
        Ok(Self { text: text.to_owned(), parts: Upstream { scheme, host, port, base_path } })
    }
}

/// The path must mean the same before and after a browser's parser has read it.
fn check_whole(host: &str, path: &str) -> Result<(), String> {
    let read = Url::parse(&format!("https://{host}{path}")).map_err(|error| format!("not a URL: {error}"))?;
    let same = read.path() == path || (path.is_empty() && read.path() == "/");
    if same { Ok(()) } else { Err("the path is not in canonical form".to_owned()) }
}

/// Only what no two readers of a path could take for different things.
fn check_path(path: &str) -> Result<(), String> {
    if path.contains("//") {
        return Err("the path has an empty segment (`//`)".to_owned());
    }
    let dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
    if path.split('/').any(dots) {
        return Err("the path has a dot segment (`.` or `..`)".to_owned());
    }
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let fits = match byte {
            b'%' => bytes.next().zip(bytes.next()).is_some_and(|(high, low)| must_be_encoded(high, low)),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => true,
            _ => b"/-._~!$&'()*+,;=:@".contains(&byte),
        };
        if !fits {
            return Err("the path is not in canonical form".to_owned());
        }
    }
    Ok(())
}

/// Whether `%HL` is upper-case hex for a byte that stands in a path only so, and that nobody takes for a
/// separator or for another escape.
fn must_be_encoded(high: u8, low: u8) -> bool {
    let digit = |c: u8| char::from(c).to_digit(16).filter(|_| !c.is_ascii_lowercase());
    let Some((high, low)) = digit(high).zip(digit(low)) else { return false };
    let byte = u8::try_from(high * 16 + low).expect("two hex digits are one byte");
    let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !unreserved && !byte.is_ascii_control() && !b"/\\%;".contains(&byte)
}

text_value!(HttpUrl, HttpUrl::parse, "a URL such as `https://host/path`", {
    "type": "string",
    "pattern": "^https?://[^@?#]+$",
    "examples": ["https://api.example.com/v1"]
});
