//! `routes`: where requests may go, and with which credentials.

use std::time::Duration;

use super::block::Block;
use super::section::located;
use crate::model::{Route, Timeouts};
use crate::value::Duration as Span;
use crate::{Findings, raw};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Every route that is right in itself.
pub(super) fn lower(root: &Block<'_>, findings: &mut Findings) -> Vec<Route> {
    let Some(section) = root.key("routes") else { return Vec::new() };
    if section.node.is_empty_mapping() {
        section.error("empty_section", "a configuration has at least one route", findings);
    }
    let known: Vec<&str> = root
        .key("credentials")
        .map(|section| section.node.entries().iter().map(|entry| entry.key.as_str()).collect())
        .unwrap_or_default();
    let mut routes = Vec::new();
    for (name, block) in section.named(findings) {
        check_names(&block, &known, findings);
        let Some(raw) = block.decode::<raw::Route>(findings) else { continue };
        check_plaintext(&raw, &block, findings);
        routes.push(route(name, raw, &block));
    }
    routes
}

fn route(name: &str, raw: raw::Route, block: &Block<'_>) -> Route {
    let upstream = raw.upstream.parts().clone();
    let hosts = match raw.hosts {
        Some(hosts) => hosts.into_iter().map(|host| host.0).collect(),
        None => vec![upstream.authority()],
    };
    let strip_response_headers = match raw.strip_response_headers {
        Some(names) => names.into_iter().map(|name| name.0).collect(),
        None => vec!["set-cookie".to_owned()],
    };
    let ca = block.key("tls").and_then(|tls| tls.key("ca"));
    let after = |span: Option<Span>, default| span.map_or(default, Span::as_std);
    Route {
        name: name.to_owned(),
        upstream,
        credentials: raw.credentials.unwrap_or_else(|| raw.credential.into_iter().collect()),
        hosts,
        timeouts: Timeouts {
            connect: after(raw.timeouts.connect, CONNECT_TIMEOUT),
            response: after(raw.timeouts.response, RESPONSE_TIMEOUT),
            idle: after(raw.timeouts.idle, IDLE_TIMEOUT),
        },
        tls_ca: raw.tls.ca.zip(ca).map(|(value, at)| located(value, &at)),
        scrub: raw.scrub.unwrap_or(true),
        strip_response_headers,
        allow_private: raw.allow_private,
        location: block.key_at,
    }
}

/// The names of credentials, also of a route that is wrong elsewhere.
fn check_names(block: &Block<'_>, known: &[&str], findings: &mut Findings) {
    let (one, many) = (block.key("credential"), block.key("credentials"));
    if let (Some(one), Some(many)) = (&one, &many) {
        let second = if one.key_at < many.key_at { many } else { one };
        let message = "a route has either `credential` or `credentials`";
        findings.error("credential_and_credentials", second.path.clone(), second.key_at, message);
    }
    if let Some(one) = &one {
        check_name(one, known, findings);
    }
    let mut seen: Vec<&str> = Vec::new();
    for item in many.iter().flat_map(Block::items) {
        match check_name(&item, known, findings) {
            Some(name) if seen.contains(&name) => {
                item.error("duplicate_name", format!("`{name}` is in this list twice"), findings);
            }
            Some(name) => seen.push(name),
            None => {}
        }
    }
}

/// The name, if a credential has it. What is no text is told when the route is decoded.
fn check_name<'a>(block: &Block<'a>, known: &[&'a str], findings: &mut Findings) -> Option<&'a str> {
    let name = block.node.text()?;
    let found = known.iter().copied().find(|known| *known == name);
    if found.is_none() {
        block.unknown_name("credential", known, findings);
    }
    found
}

fn check_plaintext(raw: &raw::Route, block: &Block<'_>, findings: &mut Findings) {
    let offers = raw.credential.is_some() || raw.credentials.as_ref().is_some_and(|names| !names.is_empty());
    if raw.upstream.is_plaintext() && offers && !raw.allow_plaintext {
        let message = "a credential would cross the network in the clear; `allow_plaintext: true` allows it";
        block.key("upstream").iter().for_each(|at| at.error("plaintext_credential", message, findings));
    }
}
