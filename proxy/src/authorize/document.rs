//! Builds the policy's input from a routed request: borrowed from it, so that what is judged is what is sent.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use claviger_policy::Policy;
use claviger_policy::input::{
    Claimed, Context, Credential, Input, Named, Network, Request, Route, Time, VERSION, Workload,
};

use super::shown::Shown;
use crate::authorize::Terms;
use crate::error::Error;
use crate::identity::Identity;
use crate::route::{Offer, Routed};

/// What the configuration says of the workload and of this sidecar.
#[derive(Clone)]
pub struct Surroundings {
    /// As `production`.
    pub environment: Option<String>,
    /// Free names and values.
    pub labels: BTreeMap<String, String>,
    /// The id of this process.
    pub sidecar: String,
}

/// What is known of a lease before there is a permit for it.
pub trait LeaseOutlook {
    /// Whether a lease for `terms` is at hand, and what is left of its use where that has an end. Quick.
    fn peek(&self, terms: &Terms) -> Option<Option<Duration>>;
}

/// Runs `judge` on the input for `routed`.
pub(super) fn with_input<T>(
    routed: &Routed,
    surroundings: &Surroundings,
    policy: &Policy,
    outlook: &dyn LeaseOutlook,
    shown: Option<&Shown<'_>>,
    judge: impl FnOnce(&Input<'_>) -> T,
) -> Result<T, Error> {
    let (request, route, exchange) = (routed.request(), routed.route(), routed.exchange());
    let connection = exchange.connection();
    let upstream = &route.settings().upstream;
    let segments: Vec<Cow<'_, str>> = routed.canonical_path().segments().collect();
    let (query, headers) = (query(routed), headers(routed));
    let presented = presented(routed);
    let body = shown.map(Shown::value).transpose()?;
    let credentials: Vec<&str> = route.offers().iter().map(|offer| &*offer.name).collect();
    Ok(judge(&Input {
        version: VERSION,
        id: exchange.id(),
        time: Time::from_ns(exchange.began().nanoseconds()),
        workload: workload(routed.identity(), surroundings),
        task: None,
        claimed: request.purpose.as_deref().map(|purpose| Claimed { purpose: Some(purpose) }),
        request: Request {
            method: request.method.as_str(),
            scheme: upstream.scheme.as_str(),
            host: &upstream.host,
            port: upstream.port,
            path: routed.path(),
            segments: &segments,
            query: &query,
            headers: &headers,
            presented: &presented,
            protocol: request.protocol,
            content_type: request.content_type(),
            content_length: request.content_length,
            body,
            body_truncated: shown.map(Shown::truncated),
        },
        route: Route { name: route.name(), upstream: route.url(), credentials: &credentials },
        credential: only_offer(route.offers()).map(|offer| credential(routed, offer, outlook)),
        network: Network {
            listener: &connection.listener().name,
            mode: "reverse",
            peer: connection.peer_text(),
        },
        context: Context {
            sidecar: Some(&surroundings.sidecar),
            revision: Some(policy.revision()).filter(|revision| !revision.is_empty()),
            shadow: false,
        },
    }))
}

/// The credentials that the workload sent and that are not passed on.
pub(super) fn presented(routed: &Routed) -> Vec<&str> {
    routed.request().presented.iter().chain(routed.query().presented()).map(String::as_str).collect()
}

fn workload<'a>(identity: &'a Identity, surroundings: &'a Surroundings) -> Workload<'a> {
    let facts = identity.facts();
    Workload {
        uid: facts.uid,
        gid: facts.gid,
        pid: facts.pid,
        exe: facts.exe.as_deref(),
        cgroup: facts.cgroup.as_deref(),
        spiffe_id: None,
        trust_domain: None,
        kubernetes: None,
        environment: surroundings.environment.as_deref(),
        labels: Some(&surroundings.labels).filter(|labels| !labels.is_empty()),
    }
}

/// Values under their names, in the order of the wire.
pub(super) fn query(routed: &Routed) -> Vec<Named<'_>> {
    let mut named: Vec<Named<'_>> = Vec::new();
    for (name, value) in routed.query().pairs() {
        match named.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value),
            None => named.push((name, vec![value])),
        }
    }
    named
}

pub(super) fn headers(routed: &Routed) -> Vec<Named<'_>> {
    let headers = &routed.request().headers;
    headers
        .keys()
        .map(|name| {
            let values = headers.get_all(name).iter();
            let values =
                values.map(|value| Cow::Borrowed(value.to_str().expect("the gate let in plain ASCII alone")));
            (Cow::Borrowed(name.as_str()), values.collect())
        })
        .collect()
}

fn only_offer(offers: &[Offer]) -> Option<&Offer> {
    match offers {
        [only] => Some(only),
        _ => None,
    }
}

fn credential<'a>(routed: &'a Routed, offer: &'a Offer, outlook: &dyn LeaseOutlook) -> Credential<'a> {
    let terms = Terms {
        credential: Arc::clone(&offer.name),
        route: Arc::clone(routed.route().name()),
        subject: Arc::clone(routed.identity().subject()),
        scopes: Arc::clone(&offer.scopes),
        audience: None,
        resource: None,
    };
    let cached = outlook.peek(&terms);
    Credential {
        name: &offer.name,
        kind: &offer.kind,
        scopes: Some(&*offer.scopes).filter(|scopes| !scopes.is_empty()),
        cached: Some(cached.is_some()),
        expires_in_s: cached.flatten().map(|left| left.as_secs()),
    }
}
