//! The canonical request: the one view that policy and wire both see.
//!
//! An inbound head is never forwarded. It is read once, into a form with a single meaning; whatever has two is
//! refused, and whatever belongs to the connection, to us, or to the workload's own credentials is taken out.

pub mod authority;
pub mod body;
pub mod headers;
pub mod id;
pub mod media;
pub mod path;
pub mod query;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName};
use http::{Method, Version};
use hyper::body::{Body as _, Incoming};

use self::body::Body;
use self::headers::Class;
use self::path::CanonicalPath;
use crate::error::Error;

/// Longest purpose that a workload may claim.
pub const PURPOSE_BYTES_MAX: usize = 256;

const PURPOSE: &str = "claviger-purpose";

/// A request with one meaning, before a route is known.
pub struct Request {
    pub(crate) method: Method,
    /// As the workload sent it, canonical; on a reverse listener it begins with the route's name.
    pub(crate) path: CanonicalPath,
    /// As the workload sent it; read when the route tells which names are credentials.
    pub(crate) raw_query: Option<String>,
    /// End-to-end headers alone.
    pub(crate) headers: HeaderMap,
    /// The credential carriers that were taken out, sorted.
    pub(crate) presented: Vec<String>,
    /// What the workload says that it is doing; not verified.
    pub(crate) purpose: Option<String>,
    pub(crate) protocol: &'static str,
    pub(crate) content_length: Option<u64>,
    /// Absent where a request is only explained, not carried.
    pub(crate) body: Option<Body>,
}

impl Request {
    /// Reads a head that the listener has accepted; refuses what has more than one reading.
    pub fn admit(mut head: http::request::Parts, body: Option<Incoming>) -> Result<Self, Error> {
        if head.method == Method::TRACE || head.method == Method::CONNECT {
            return Err(Error::BadRequest("this method is not carried"));
        }
        let path = CanonicalPath::parse(head.uri.path()).map_err(Error::PathNotCanonical)?;
        let purpose = claimed_purpose(&head.headers)?;
        let presented = strip(&mut head.headers)?;
        Ok(Self {
            method: head.method,
            path,
            raw_query: head.uri.query().map(str::to_owned),
            headers: head.headers,
            presented,
            purpose,
            protocol: protocol(head.version)?,
            content_length: body.as_ref().and_then(|body| body.size_hint().exact()),
            body: body.map(Body::new),
        })
    }

    /// The media type and its parameters as sent.
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok())
    }
}

fn protocol(version: Version) -> Result<&'static str, Error> {
    match version {
        Version::HTTP_11 => Ok("HTTP/1.1"),
        Version::HTTP_10 => Ok("HTTP/1.0"),
        _ => Err(Error::BadRequest("this protocol version is not spoken here")),
    }
}

fn claimed_purpose(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let mut values = headers.get_all(PURPOSE).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Error::HeaderNotAllowed("Claviger-Purpose may be given once"));
    }
    let text = value.to_str().map_err(|_| Error::HeaderNotAllowed("Claviger-Purpose must be plain ASCII"))?;
    if text.is_empty() || text.len() > PURPOSE_BYTES_MAX {
        return Err(Error::HeaderNotAllowed("Claviger-Purpose must have 1 to 256 characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Leaves the end-to-end headers alone in `headers`; returns which credential carriers were there.
fn strip(headers: &mut HeaderMap) -> Result<Vec<String>, Error> {
    let mut dropped: Vec<HeaderName> = Vec::with_capacity(8);
    let mut presented = Vec::new();
    for name in headers.keys() {
        match headers::class(name.as_str()) {
            Class::EndToEnd => {}
            Class::Ambiguous => {
                return Err(Error::HeaderNotAllowed("header names with an underscore are read in two ways"));
            }
            Class::Carrier => {
                presented.push(name.as_str().replace('_', "-"));
                dropped.push(name.clone());
            }
            Class::HopByHop | Class::Own | Class::Forwarding | Class::Framing => dropped.push(name.clone()),
        }
    }
    for name in &dropped {
        headers.remove(name);
    }
    if !headers.values().all(|value| headers::value_is_plain(value.as_bytes())) {
        return Err(Error::HeaderNotAllowed("header values must be printable ASCII"));
    }
    presented.sort_unstable();
    presented.dedup();
    Ok(presented)
}
