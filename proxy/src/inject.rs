//! Puts a lease's secret on a request: one file per kind, and the table that names them.

mod basic;
mod bearer;
mod header;
pub mod injection;
mod query;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use claviger_config::{Finding, Findings, Kind, nearest};
use http::header::{HOST, HeaderMap};

pub use self::injection::{Injection, Wire};
use crate::audit::CredentialRecord;
use crate::authorize::{self, Permitted};
use crate::credential::cache::{Held, Sought};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::identity::Identifier;
use crate::request::headers;
use crate::route::{Offer, Route};
use crate::upstream::body::RequestBody;

/// One kind of injection.
pub struct InjectionKind {
    /// Its key in the configuration.
    pub name: &'static str,
    /// Settings that build, for the documentation and the test of every kind.
    pub example: &'static str,
    /// The shape of its settings.
    pub schema: fn() -> schemars::Schema,
    /// Decodes its settings; `None` when findings were added.
    pub build: fn(&Kind, &mut Findings) -> Option<Arc<dyn Injection>>,
}

/// Every kind that is built.
pub static KINDS: &[InjectionKind] = &[basic::KIND, bearer::KIND, header::KIND, query::KIND];

/// Kinds that the documentation names and this version does not build.
const NOT_YET: [&str; 5] = ["cookie", "sigv4", "dpop", "http_signature", "placeholder"];

/// Builds the injection that `kind` names.
pub fn build(kind: &Kind, findings: &mut Findings) -> Option<Arc<dyn Injection>> {
    if let Some(known) = KINDS.iter().find(|known| known.name == kind.name) {
        return (known.build)(kind, findings);
    }
    let finding = if NOT_YET.contains(&kind.name.as_str()) {
        let message = format!("the injection `{}` is not supported yet", kind.name);
        Finding::error("not_supported_yet", kind.section(), kind.location, message)
    } else {
        let near = nearest(&kind.name, KINDS.iter().map(|kind| kind.name));
        Finding::error("unknown_variant", kind.section(), kind.location, "there is no such kind of injection")
            .suggest(near)
    };
    findings.push(finding);
    None
}

/// A request that carries exactly one credential, ours, or none where its route offers none. Only
/// [`Injector::inject`] mints it, and only a [`Vouched`] leaves.
///
/// ```compile_fail
/// use std::rc::Rc;
/// use claviger_proxy::credential::cache::Sought;
/// use claviger_proxy::{exchange::Exchange, inject::Vouched, route::Route, upstream::body::RequestBody};
/// type Parts = (http::Request<RequestBody>, Rc<Route>, Rc<Exchange>, Vec<Sought>);
/// fn forge((request, route, exchange, sought): Parts) -> Vouched {
///     Vouched { request, route, exchange, sought }
/// }
/// ```
pub struct Vouched {
    request: http::Request<RequestBody>,
    route: Rc<Route>,
    exchange: Rc<Exchange>,
    /// The credentials that its answer must not tell.
    sought: Vec<Sought>,
}

impl Vouched {
    /// Gives up its parts to the upstream; its answer must not tell what is sought.
    pub(crate) fn into_parts(self) -> (http::Request<RequestBody>, Rc<Route>, Rc<Exchange>, Vec<Sought>) {
        (self.request, self.route, self.exchange, self.sought)
    }
}

/// Writes the upstream's request.
pub struct Injector {
    identifier: Rc<Identifier>,
}

impl Injector {
    /// One for each worker.
    pub fn new(identifier: Rc<Identifier>) -> Self {
        Self { identifier }
    }

    /// Writes the request for the wire: the canonical head as the policy saw it, changed as the permit says, and the
    /// credential. Takes the body out of `permitted`, so only a request without one can be written again.
    pub fn inject(&self, permitted: &mut Permitted, held: Option<&Held>) -> Result<Vouched, Error> {
        let routed = permitted.routed();
        self.identifier.verify(routed.exchange().connection(), routed.identity())?;
        let route = Rc::clone(routed.route());
        let exchange = Rc::clone(routed.exchange());
        let mut wire = Wire { headers: head(permitted, &route), target: permitted.target() };
        if let (Some(held), Some(offer)) = (held, permitted.offer()) {
            exchange.saw_lease(record(offer, held));
            offer.injection.inject(held.lease.secret(), held.lease.written(), &mut wire).map_err(|why| {
                tracing::error!(credential = &*offer.name, why, "a credential does not fit its injection");
                Error::IssuerUnavailable { retry_after: Duration::from_secs(1) }
            })?;
        }
        let body =
            RequestBody::new(permitted.take_body(), Rc::clone(&exchange), route.settings().timeouts.idle);
        let mut request = http::Request::new(body);
        *request.method_mut() = permitted.routed().request().method.clone();
        *request.headers_mut() = wire.headers;
        *request.uri_mut() = wire.target.parse().map_err(|_| {
            Error::BadRequest("the path and query are too long once the credential is on them")
        })?;
        let sought = held.and_then(|held| sought(permitted, held)).into_iter().collect();
        Ok(Vouched { request, route, exchange, sought })
    }

    /// Writes the request a second time with a fresh credential; its answer must tell neither of both.
    pub fn inject_again(
        &self,
        permitted: &mut Permitted,
        fresh: &Held,
        refused: &Held,
    ) -> Result<Vouched, Error> {
        let mut vouched = self.inject(permitted, Some(fresh))?;
        vouched.sought.extend(sought(permitted, refused));
        Ok(vouched)
    }
}

fn head(permitted: &Permitted, route: &Route) -> HeaderMap {
    let mut headers = permitted.routed().request().headers.clone();
    for name in permitted.remove_headers() {
        headers.remove(name);
    }
    authorize::replace(&mut headers, permitted.set_headers());
    if permitted.scrubs() {
        headers::ask_readable(&mut headers);
    }
    headers.insert(HOST, route.host_header().clone());
    headers
}

/// What the answer must not tell, where it is scrubbed.
fn sought(permitted: &Permitted, held: &Held) -> Option<Sought> {
    let offer = permitted.offer().filter(|_| permitted.scrubs())?;
    Some(Sought::new(held, &*offer.injection))
}

fn record(offer: &Offer, held: &Held) -> CredentialRecord {
    CredentialRecord {
        name: Arc::clone(&offer.name),
        kind: Arc::clone(&offer.kind),
        lease: Arc::clone(held.lease.id()),
        from: held.from.as_str(),
        expires: held.lease.expires(),
        scopes: held.lease.scopes().to_vec(),
    }
}

#[cfg(test)]
mod tests;
