//! The document that OPA's Envoy plugin gives to policies: Envoy's CheckRequest under its JSON names, and what the
//! plugin parses out of it.
//!
//! As there, a field that is empty is absent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::body::Body;
use super::{Named, as_map};

/// The whole document.
#[derive(Debug, Serialize)]
pub struct CheckRequest<'a> {
    /// Envoy's attributes.
    pub attributes: Attributes<'a>,
    /// The decoded parts of the path; one empty part for `/`.
    pub parsed_path: &'a [Cow<'a, str>],
    /// Percent-decoded values by name, in order.
    #[serde(serialize_with = "as_map")]
    pub parsed_query: &'a [Named<'a>],
    /// The body by its media type, where the policy asks for it.
    pub parsed_body: Body<'a>,
    /// Whether the body is longer than the policy asked for.
    pub truncated_body: bool,
    /// Always the same.
    pub version: Version,
}

/// Which of Envoy's interfaces, and how its message became a document.
#[derive(Debug, Serialize)]
pub struct Version {
    ext_authz: &'static str,
    encoding: &'static str,
}

impl Version {
    /// The third, in protobuf's JSON names.
    pub const V3: Version = Version { ext_authz: "v3", encoding: "protojson" };
}

/// Envoy's AttributeContext.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes<'a> {
    /// The workload.
    pub source: Peer<'a>,
    /// The listener.
    pub destination: Peer<'a>,
    /// What is asked.
    pub request: Request<'a>,
    /// Further verified facts, as texts.
    #[serde(serialize_with = "as_texts")]
    pub context_extensions: &'a [(&'a str, Cow<'a, str>)],
    /// What Envoy's filters would have found out; nothing.
    pub metadata_context: Empty,
    /// What Envoy's route would say; nothing.
    pub route_metadata_context: Empty,
}

/// An empty object.
#[derive(Debug, Default, Serialize)]
pub struct Empty {}

/// One end of the connection.
#[derive(Debug, Default, Serialize)]
pub struct Peer<'a> {
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address<'a>>,
    /// Who it is, as a SPIFFE id, where that is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<&'a str>,
    /// Labels that the configuration gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<&'a BTreeMap<String, String>>,
}

/// An address of TCP.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Address<'a> {
    /// Its two parts.
    pub socket_address: SocketAddress<'a>,
}

/// IP address and port.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SocketAddress<'a> {
    /// The IP address as text, without brackets.
    pub address: Cow<'a, str>,
    /// The port.
    pub port_value: u16,
}

/// Envoy's AttributeContext.Request.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// When its head was there.
    pub time: Timestamp,
    /// The request itself.
    pub http: Http<'a>,
}

/// Protobuf's timestamp.
#[derive(Debug, Serialize)]
pub struct Timestamp {
    /// Since 1970.
    pub seconds: i64,
    /// Of the second.
    pub nanos: u32,
}

impl Timestamp {
    /// The moment so many nanoseconds after 1970 began.
    #[must_use]
    pub fn from_ns(now_ns: i64) -> Timestamp {
        const SECOND_NS: i64 = 1_000_000_000;
        let nanos = u32::try_from(now_ns.rem_euclid(SECOND_NS)).unwrap_or_default();
        Timestamp { seconds: now_ns.div_euclid(SECOND_NS), nanos }
    }
}

/// The canonical request: what is judged here is what is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Http<'a> {
    /// The request's id, the same as in the audit.
    pub id: &'a str,
    /// Method.
    pub method: &'a str,
    /// Values by lower-case name, several joined by commas, and HTTP/2's pseudo headers; never a credential.
    #[serde(serialize_with = "as_texts")]
    pub headers: &'a [(&'a str, Cow<'a, str>)],
    /// Path and query on the upstream's wire.
    pub path: &'a str,
    /// Host of the upstream, with the port that its `Host` has.
    pub host: &'a str,
    /// `http` or `https`, towards the upstream.
    pub scheme: &'a str,
    /// Length of the body, -1 where it is not known beforehand; absent where there is no body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// Protocol of the inbound request.
    pub protocol: &'a str,
    /// The body as text, as far as the policy asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<&'a str>,
    /// The body in base64 where it is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_body: Option<String>,
}

fn as_texts<S: Serializer>(texts: &[(&str, Cow<'_, str>)], serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(texts.len()))?;
    for (name, text) in texts {
        map.serialize_entry(name, text)?;
    }
    map.end()
}

#[cfg(test)]
mod tests;
