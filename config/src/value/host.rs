//! Host names and authorities: lower case, A-labels only, an address only in its one usual spelling.

use url::Host;

use super::text_value;

/// Bytes of a host name, as DNS has it.
const HOST_BYTES_MAX: usize = 253;

/// A host without a port, lower case; an IPv6 address has brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostName(pub(crate) String);

/// A host, or a host and a port, lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority(pub(crate) String);

impl HostName {
    fn parse(text: &str) -> Result<Self, String> {
        canonical_host(text).map(Self)
    }
}

impl Authority {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected `host` or `host:port`".to_owned();
        let Some((host, port)) = split_port(text) else { return canonical_host(text).map(Self) };
        let host = canonical_host(host)?;
        let port = parse_port(port).ok_or_else(wrong)?;
        Ok(Self(format!("{host}:{port}")))
    }
}

/// The host and the port of `host:port`, where the colon is not one of an IPv6 address.
pub(super) fn split_port(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(_, port)| !port.contains(']'))
}

/// A decimal port without leading zeros, over zero.
pub(super) fn parse_port(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    (port != 0 && text == port.to_string()).then_some(port)
}

/// The host in lower case, if a browser's parser would read it as it stands.
pub(super) fn canonical_host(text: &str) -> Result<String, String> {
    let host = text.to_ascii_lowercase();
    let parsed = Host::parse(&host).map_err(|_| "expected a host name or an address".to_owned())?;
    if parsed.to_string() != host {
        return Err("the host is not in canonical form (A-labels; one spelling for an address)".to_owned());
    }
    let labels_wrong = |name: &str| {
        name.len() > HOST_BYTES_MAX || name.split('.').any(|label| label.is_empty() || label.len() > 63)
    };
    match &parsed {
        Host::Domain(name) if labels_wrong(name) => {
            Err("a part of the host name is empty or too long".to_owned())
        }
        Host::Domain(name) if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) => {
            Err("a host name has letters, digits, `-`, `_` and `.` only".to_owned())
        }
        Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_) => Ok(host),
    }
}

text_value!(HostName, HostName::parse, "a host name", {
    "type": "string",
    "examples": ["claviger", "10.1.2.3"]
});

text_value!(Authority, Authority::parse, "`host` or `host:port`", {
    "type": "string",
    "examples": ["api.github.com", "127.0.0.1:8443"]
});
