//! One spelling for every authority, so that the name that is checked is the name that is meant.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest host name, as in DNS.
pub const NAME_BYTES_MAX: usize = 253;
/// The longest label of a host name, as in DNS.
pub const LABEL_BYTES_MAX: usize = 63;

/// A host and perhaps a port, as the value of a Host header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// A lower-case name without a trailing dot, a dotted-decimal IPv4 address, or an IPv6 address in brackets.
    pub host: String,
    /// The port, where one was written; never 0.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads the value of a Host header. The error is a sentence for the workload.
    pub fn parse(host_header: &str) -> Result<Self, &'static str> {
        if host_header.contains('@') {
            return Err("the host has user information in it");
        }
        let (host, port) = split_port(host_header)?;
        let host = match host.strip_prefix('[') {
            Some(bracketed) => {
                ipv6(bracketed.strip_suffix(']').ok_or("the host lacks its closing bracket")?)?
            }
            None => name(host)?,
        };
        Ok(Self { host, port: port.map(parse_port).transpose()? })
    }
}

/// Parts the host from the digits after its colon; the colons in brackets are the address's own.
fn split_port(text: &str) -> Result<(&str, Option<&str>), &'static str> {
    let host_bytes = match text.find(']') {
        Some(bracket) => bracket + 1,
        None => text.find(':').unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(host_bytes);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err("the host has something after its closing bracket"),
    }
}

/// A port in plain decimal, between 1 and 65535.
fn parse_port(digits: &str) -> Result<u16, &'static str> {
    if digits.is_empty() || digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the host's port is not a plain number from 1 to 65535");
    }
    digits.parse().map_err(|_| "the host's port is not a plain number from 1 to 65535")
}

/// An IPv6 address without zone, in the spelling of RFC 5952 and in brackets.
fn ipv6(address: &str) -> Result<String, &'static str> {
    let address: Ipv6Addr = address.parse().map_err(|_| "the host is not an IPv6 address without a zone")?;
    Ok(format!("[{address}]"))
}

/// A DNS name or dotted-decimal IPv4 address.
fn name(text: &str) -> Result<String, &'static str> {
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.is_empty() {
        return Err("the host is empty");
    }
    if name.len() > NAME_BYTES_MAX {
        return Err("the host is longer than 253 bytes");
    }
    name.split('.').try_for_each(check_label)?;
    if is_numeric(name) && text.parse::<Ipv4Addr>().is_err() {
        return Err("the host is an IPv4 address in another spelling than four decimal numbers");
    }
    Ok(name.to_ascii_lowercase())
}

/// Letters, digits and inner hyphens: what DNS host names and A-labels are made of.
fn check_label(label: &str) -> Result<(), &'static str> {
    if label.is_empty() || label.len() > LABEL_BYTES_MAX {
        return Err("the host has a label that is empty or longer than 63 bytes");
    }
    if !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(
            "the host has a character other than letters, digits, hyphens and dots; write names as A-labels",
        );
    }
    if label.starts_with('-') || label.ends_with('-') {
        return Err("the host has a label with a hyphen at its edge");
    }
    Ok(())
}

/// Whether resolvers may take the name for an IPv4 address: its last label is a decimal or hexadecimal number.
fn is_numeric(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(&str, Option<u16>), &str>) {
        match (expected, Authority::parse(text)) {
            (Ok((host, port)), found) => {
                assert_eq!(found, Ok(Authority { host: host.to_owned(), port }), "{text:?}")
            }
            (Err(part), Err(sentence)) => assert!(sentence.contains(part), "{text:?}: {sentence}"),
            (Err(part), Ok(found)) => panic!("{text:?}: {found:?}, not an error about {part}"),
        }
    }

    #[test]
    fn one_spelling() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("localhost:8080", "localhost", Some(8080)),
            ("API.GitHub.com", "api.github.com", None),
            ("api.github.com.", "api.github.com", None),
            ("api.github.com.:443", "api.github.com", Some(443)),
            ("xn--bcher-kva.example", "xn--bcher-kva.example", None),
            ("127.0.0.1", "127.0.0.1", None),
            ("127.0.0.1:65535", "127.0.0.1", Some(65535)),
            ("1.2.3.4.example", "1.2.3.4.example", None),
            ("0xa.example", "0xa.example", None),
            ("3com", "3com", None),
            ("[::1]", "[::1]", None),
            ("[::1]:80", "[::1]", Some(80)),
            ("[0:0:0:0:0:0:0:1]", "[::1]", None),
            ("[2001:DB8::00A]", "[2001:db8::a]", None),
            ("[::ffff:127.0.0.1]", "[::ffff:127.0.0.1]", None),
        ] {
            check(text, Ok((host, port)));
        }
        let label = "a".repeat(LABEL_BYTES_MAX);
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.len(), NAME_BYTES_MAX);
        check(&longest, Ok((&longest, None)));
        check(&format!("{longest}a"), Err("253"));
    }

    #[test]
    fn doubtful() {
        for (text, part) in [
            ("", "empty"),
            (".", "empty"),
            (":80", "empty"),
            ("a..b", "label"),
            ("a..", "label"),
            (".a", "label"),
            ("me@127.0.0.1", "user information"),
            ("a:b@c", "user information"),
            ("a b", "character"),
            ("a\tb", "character"),
            ("my_service", "character"),
            ("b\u{fc}cher.example", "A-labels"),
            ("a%2eb", "character"),
            ("a/b", "character"),
            ("a,b", "character"),
            ("http://a", "port"),
            ("-a.example", "hyphen"),
            ("a-.example", "hyphen"),
            ("a:", "port"),
            ("a:0", "port"),
            ("a:080", "port"),
            ("a:65536", "port"),
            ("a:99999999999999999999", "port"),
            ("a:+80", "port"),
            ("a:80:80", "port"),
            ("a:8o", "port"),
            ("a: 80", "port"),
            ("127.1", "IPv4"),
            ("2130706433", "IPv4"),
            ("0x7f.1", "IPv4"),
            ("0x7f000001", "IPv4"),
            ("0X7F.0.0.0x1", "IPv4"),
            ("127.0.0.0x1", "IPv4"),
            ("127.0.0.0x", "IPv4"),
            ("0177.0.0.1", "IPv4"),
            ("127.0.0.01", "IPv4"),
            ("127.0.0.256", "IPv4"),
            ("1.2.3.4.5", "IPv4"),
            ("127.0.0.1.", "IPv4"),
            ("example.123", "IPv4"),
            ("::1", "empty"),
            ("2001:db8::1", "IPv4"),
            ("[::1", "closing bracket"),
            ("::1]", "character"),
            ("[::1]x", "after its closing"),
            ("[::1]]", "after its closing"),
            ("[::1]:", "port"),
            ("[fe80::1%eth0]", "zone"),
            ("[fe80::1%25eth0]", "zone"),
            ("[127.0.0.1]", "IPv6"),
            ("[localhost]", "IPv6"),
            ("[]", "IPv6"),
            ("[v1.a]", "IPv6"),
        ] {
            check(text, Err(part));
        }
        check(&"a".repeat(LABEL_BYTES_MAX + 1), Err("label"));
    }
}
