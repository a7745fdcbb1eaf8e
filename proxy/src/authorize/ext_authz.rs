//! Builds the document of OPA's Envoy plugin from a routed request, out of the same facts as our own input.

use std::borrow::Cow;
use std::net::SocketAddr;

use claviger_policy::input::body::Body;
use claviger_policy::input::ext_authz::{
    Address, Attributes, CheckRequest, Empty, Http, Peer, Request, SocketAddress, Timestamp, Version,
};

use super::document::{self, Surroundings};
use super::shown::Shown;
use crate::connection;
use crate::error::Error;
use crate::route::Routed;

/// A name with its only value.
type Text<'a> = (&'a str, Cow<'a, str>);

/// Runs `judge` on the document for `routed`.
pub(super) fn with_request<T>(
    routed: &Routed,
    surroundings: &Surroundings,
    shown: Option<&Shown<'_>>,
    judge: impl FnOnce(&CheckRequest<'_>) -> T,
) -> Result<T, Error> {
    let (request, route, exchange) = (routed.request(), routed.route(), routed.exchange());
    let host = route.authority();
    let path = routed.target();
    let headers = headers(routed, &path, shown);
    let context_extensions = facts(routed, surroundings);
    let (source, destination) = match exchange.connection().peer() {
        connection::Peer::Tcp { peer, local } => (address(*peer), address(*local)),
        connection::Peer::Unix(_) | connection::Peer::Pretended { .. } => (None, None),
    };
    let mut parsed_path: Vec<Cow<'_, str>> = routed.canonical_path().segments().collect();
    if parsed_path.is_empty() {
        parsed_path.push(Cow::Borrowed(""));
    }
    let query = document::query(routed);
    let parsed_body = shown.map_or(Ok(Body::Nothing), Shown::parsed)?;
    let labels = Some(&surroundings.labels).filter(|labels| !labels.is_empty());
    Ok(judge(&CheckRequest {
        attributes: Attributes {
            source: Peer { address: source, principal: None, labels },
            destination: Peer { address: destination, ..Peer::default() },
            request: Request {
                time: Timestamp::from_ns(exchange.began().nanoseconds()),
                http: Http {
                    id: exchange.id(),
                    method: request.method.as_str(),
                    headers: &headers,
                    path: &path,
                    host,
                    scheme: route.settings().upstream.scheme.as_str(),
                    size: size(routed),
                    protocol: request.protocol,
                    body: shown.and_then(Shown::text),
                    raw_body: shown.and_then(Shown::base64),
                },
            },
            context_extensions: &context_extensions,
            metadata_context: Empty {},
            route_metadata_context: Empty {},
        },
        parsed_path: &parsed_path,
        parsed_query: &query,
        parsed_body,
        truncated_body: shown.is_some_and(Shown::truncated),
        version: Version::V3,
    }))
}

/// The end-to-end headers and, as Envoy shows them, the parts of the request line and the framing.
fn headers<'a>(routed: &'a Routed, path: &'a str, shown: Option<&Shown<'_>>) -> Vec<Text<'a>> {
    let (request, route) = (routed.request(), routed.route());
    let mut headers: Vec<Text<'a>> = vec![
        (":method", request.method.as_str().into()),
        (":path", path.into()),
        (":authority", route.authority().into()),
        (":scheme", route.settings().upstream.scheme.as_str().into()),
    ];
    for (name, values) in document::headers(routed) {
        let Cow::Borrowed(name) = name else { continue };
        let value = match <[Cow<'_, str>; 1]>::try_from(values) {
            Ok([only]) => only,
            Err(several) => several.join(",").into(),
        };
        headers.push((name, value));
    }
    match (request.content_length, &request.body) {
        (Some(0), _) | (None, None) => {}
        (Some(length), _) => headers.push(("content-length", length.to_string().into())),
        (None, Some(_)) => headers.push(("transfer-encoding", "chunked".into())),
    }
    headers.extend(shown.map(Shown::partial_body_header));
    headers
}

fn size(routed: &Routed) -> Option<i64> {
    let request = routed.request();
    match (request.content_length, &request.body) {
        (Some(0), _) | (None, None) => None,
        (Some(length), _) => Some(i64::try_from(length).unwrap_or(i64::MAX)),
        (None, Some(_)) => Some(-1),
    }
}

fn address(address: SocketAddr) -> Option<Address<'static>> {
    let socket_address =
        SocketAddress { address: address.ip().to_string().into(), port_value: address.port() };
    Some(Address { socket_address })
}

/// What the kernel and the configuration say, and under `claimed_purpose` what the workload says of itself.
fn facts<'a>(routed: &'a Routed, surroundings: &'a Surroundings) -> Vec<Text<'a>> {
    let (route, facts, request) = (routed.route(), routed.identity().facts(), routed.request());
    let number = |number: Option<u32>| number.map(|number| Cow::Owned(number.to_string()));
    let text = |text: Option<&'a str>| text.map(Cow::Borrowed);
    let known = [
        ("route", text(Some(route.name()))),
        ("upstream", text(Some(route.url()))),
        ("listener", text(Some(&routed.exchange().connection().listener().name))),
        ("uid", number(facts.uid)),
        ("gid", number(facts.gid)),
        ("pid", number(facts.pid)),
        ("exe", text(facts.exe.as_deref())),
        ("cgroup", text(facts.cgroup.as_deref())),
        ("environment", text(surroundings.environment.as_deref())),
        ("presented", joined(&document::presented(routed))),
        ("claimed_purpose", text(request.purpose.as_deref())),
    ];
    known.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn joined<'a>(names: &[&str]) -> Option<Cow<'a, str>> {
    (!names.is_empty()).then(|| Cow::Owned(names.join(",")))
}
