//! The reverse mode: workloads call `http://listener/<route>/<path>`.
//!
//! A web page in a local browser can call a loopback port too. It cannot hide where it comes from: its requests
//! have an `Origin`, a cross-site `Sec-Fetch-Site`, or, after rebinding a name, a `Host` that is not ours.

use http::HeaderMap;
use http::header::{HOST, HeaderValue, ORIGIN};

use crate::connection::{Connection, ListenerFacts};
use crate::error::Error;
use crate::request::authority::Authority;

const SEC_FETCH_SITE: &str = "sec-fetch-site";
const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Refuses what a web page could have sent, and names that are not those of the connection's listener.
pub fn admit(headers: &HeaderMap, connection: &Connection) -> Result<(), Error> {
    if headers.contains_key(ORIGIN) {
        return Err(Error::BrowserRefused("requests with an Origin are refused"));
    }
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    if sites.any(|site| site.as_bytes() != b"none" && site.as_bytes() != b"same-origin") {
        return Err(Error::BrowserRefused("cross-site requests are refused"));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Error::BadRequest("a request has exactly one Host"));
    };
    connection.admit_host(host.as_bytes(), || known(host, connection.listener()))
}

/// Refuses a `Host` that is none of the listener's names.
fn known(host: &HeaderValue, listener: &ListenerFacts) -> Result<(), Error> {
    let host = host.to_str().map_err(|_| Error::BadRequest("Host is not plain ASCII"))?;
    let authority = Authority::parse(host).map_err(Error::BadRequest)?;
    let known = LOOPBACK_NAMES.contains(&authority.host.as_str()) || listener.hosts.contains(&authority.host);
    if known { Ok(()) } else { Err(Error::BrowserRefused("this Host is not one of the listener's names")) }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use http::HeaderName;

    use super::*;
    use crate::connection::Peer;

    #[test]
    fn tells_pages_from_workloads() {
        let listener = ListenerFacts { name: "app".into(), callers: None, hosts: vec!["claviger".into()] };
        let listener = Rc::new(listener);
        // one connection has seen a name before, the other has not
        let used = Connection::new(Rc::clone(&listener), Peer::Pretended { uid: None });
        let check = |headers: &[(&'static str, &'static str)], admitted: bool| {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let fresh = Connection::new(Rc::clone(&listener), Peer::Pretended { uid: None });
            for connection in [&fresh, &fresh, &used] {
                assert_eq!(admit(&headers, connection).is_ok(), admitted, "{headers:?}");
            }
        };
        for host in ["localhost", "LOCALHOST:81", "127.0.0.1:8080", "[::1]:80", "claviger", "claviger:8080"] {
            check(&[("host", host)], true);
        }
        for host in ["evil.example", "localhost.evil.example", "me@localhost", "a b", "127.0.0.1.nip.io"] {
            check(&[("host", host)], false);
        }
        check(&[], false);
        check(&[("host", "localhost"), ("origin", "http://localhost")], false);
        check(&[("host", "localhost"), ("origin", "null")], false);
        check(&[("host", "localhost"), ("sec-fetch-site", "cross-site")], false);
        check(&[("host", "localhost"), ("sec-fetch-site", "same-site")], false);
        check(&[("host", "localhost"), ("sec-fetch-site", "none")], true);
    }
}
