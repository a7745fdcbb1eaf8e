//! URIs as Go's `net/url` takes them apart.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("uri.is_valid", is_valid), ("uri.parse", parse)];

const NO_URI: Fault = Fault::Undefined("it is no URI");

/// The parts that are there, as text. `raw_path` stands beside every `path`.
fn parse(_: &mut Scope, operands: &[Value]) -> Outcome {
    let uri = Uri::parse(operand::string(operands, 0)?)?;
    let (hostname, port) = split_port(&uri.host);
    let fields: [(&str, &[u8]); 7] = [
        ("scheme", uri.scheme.as_bytes()),
        ("hostname", hostname),
        ("port", port),
        ("path", &uri.path),
        ("raw_path", if uri.raw_path.is_empty() { &uri.path } else { uri.raw_path.as_bytes() }),
        ("raw_query", uri.query.as_bytes()),
        ("fragment", &uri.fragment),
    ];
    let mut object = BTreeMap::new();
    for (name, bytes) in fields.into_iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let text = str::from_utf8(bytes).map_err(|_| Fault::Undefined("a part of the URI is not UTF-8"))?;
        object.insert(Value::from(name), Value::from(text));
    }
    Ok(Value::Object(object))
}

fn is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::any(operands, 0)?.as_str().filter(|text| !text.is_empty());
    Ok(text.is_some_and(|text| Uri::parse(text).is_ok()).into())
}

/// Decoded parts are bytes: percent signs may write anything.
#[derive(Default)]
pub(super) struct Uri {
    pub(super) scheme: String,
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) raw_path: String,
    pub(super) query: String,
    fragment: Vec<u8>,
}

impl Uri {
    pub(super) fn parse(text: &str) -> Result<Uri, Fault> {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let mut uri = Uri::without_fragment(text)?;
        uri.fragment = unescape(fragment, Part::Fragment)?;
        Ok(uri)
    }

    /// The path as it goes over the wire: as it was written, where Go would keep it so.
    pub(super) fn escaped_path(&self) -> String {
        let keeps = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@/[]%".contains(&byte);
        match self.raw_path.is_empty() || !self.raw_path.bytes().all(keeps) {
            true if self.path == b"*" => "*".to_owned(),
            true => escaped_path(&self.path),
            false => self.raw_path.clone(),
        }
    }

    fn without_fragment(text: &str) -> Result<Uri, Fault> {
        if text.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(NO_URI);
        }
        if text == "*" {
            return Ok(Uri { path: b"*".to_vec(), ..Uri::default() });
        }
        let (scheme, rest) = scheme(text)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let mut uri = Uri { scheme: scheme.to_ascii_lowercase(), query: query.to_owned(), ..Uri::default() };
        if !rest.starts_with('/') {
            if !scheme.is_empty() {
                return Ok(uri);
            }
            if rest.split('/').next().is_some_and(|first| first.contains(':')) {
                return Err(NO_URI);
            }
        }
        let mut path = rest;
        let has_authority = !scheme.is_empty() || !rest.starts_with("///");
        if let Some(authority) = rest.strip_prefix("//").filter(|_| has_authority) {
            let end = authority.find('/').unwrap_or(authority.len());
            uri.host = authority_host(&uri.scheme, &authority[..end])?;
            path = &authority[end..];
        }
        uri.path = unescape(path, Part::Path)?;
        if escaped_path(&uri.path) != path {
            uri.raw_path = path.to_owned();
        }
        Ok(uri)
    }
}

/// What stands before the first colon, if it can be a scheme.
fn scheme(text: &str) -> Result<(&str, &str), Fault> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err(NO_URI),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok(("", text))
}

fn authority_host(scheme: &str, authority: &str) -> Result<Vec<u8>, Fault> {
    let Some((user, place)) = authority.rsplit_once('@') else { return host(scheme, authority) };
    let host = host(scheme, place)?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    if !user.bytes().all(allowed) {
        return Err(NO_URI);
    }
    user.split(':').try_for_each(|part| unescape(part, Part::User).map(drop))?;
    Ok(host)
}

fn host(scheme: &str, host: &str) -> Result<Vec<u8>, Fault> {
    match (host.rfind('['), host.rfind(']')) {
        (Some(0), Some(close)) => return literal(&host[1..close], &host[close + 1..]),
        (Some(_), _) => return Err(NO_URI),
        (None, _) => {}
    }
    let colon = match scheme {
        "http" | "https" => host.find(':'),
        _ => host.rfind(':'),
    };
    if colon.is_some_and(|at| !is_port(&host.as_bytes()[at..])) {
        return Err(NO_URI);
    }
    unescape(host, Part::Host)
}

/// `[2001:db8::1]:80`, with a zone behind `%25`.
fn literal(address: &str, port: &str) -> Result<Vec<u8>, Fault> {
    if !is_port(port.as_bytes()) {
        return Err(NO_URI);
    }
    let (plain, zone) = address.split_at(address.find("%25").unwrap_or(address.len()));
    let mut inner = unescape(plain, Part::Host)?;
    inner.extend(unescape(zone, Part::Zone)?);
    let text = str::from_utf8(&inner).map_err(|_| NO_URI)?;
    let (address, zone) = text.split_once('%').map_or((text, None), |(address, zone)| (address, Some(zone)));
    if address.parse::<Ipv6Addr>().is_err() || zone.is_some_and(str::is_empty) {
        return Err(NO_URI);
    }
    Ok([b"[", text.as_bytes(), b"]", port.as_bytes()].concat())
}

fn is_port(text: &[u8]) -> bool {
    text.split_first().is_none_or(|(&colon, digits)| colon == b':' && digits.iter().all(u8::is_ascii_digit))
}

fn split_port(host: &[u8]) -> (&[u8], &[u8]) {
    let colon = host.iter().rposition(|&byte| byte == b':').filter(|&at| is_port(&host[at..]));
    let (name, port) = colon.map_or((host, &host[host.len()..]), |at| (&host[..at], &host[at + 1..]));
    let bare = name.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
    (bare.unwrap_or(name), port)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Host,
    Zone,
    User,
    Path,
    Fragment,
}

impl Part {
    /// A host may write only bytes beyond ASCII with percent signs, and `%25` itself; a zone whatever a host may hold.
    fn allows_escaped(self, byte: u8) -> bool {
        match self {
            Part::Host => byte >= 0x80 || byte == b'%',
            Part::Zone => matches!(byte, b'%' | b' ') || is_host_byte(byte),
            Part::User | Part::Path | Part::Fragment => true,
        }
    }

    fn allows_plain(self, byte: u8) -> bool {
        match self {
            Part::Host | Part::Zone => byte >= 0x80 || is_host_byte(byte),
            Part::User | Part::Path | Part::Fragment => true,
        }
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&byte)
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            if !part.allows_plain(first) {
                return Err(NO_URI);
            }
            bytes.push(first);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(NO_URI)?;
        let byte = hex::decode(digits).map_err(|_| NO_URI)?[0];
        if !part.allows_escaped(byte) {
            return Err(NO_URI);
        }
        bytes.push(byte);
        rest = after;
    }
    Ok(bytes)
}

/// The path as Go would write it.
fn escaped_path(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path {
        match byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
