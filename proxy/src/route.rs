//! Which upstream a request is for: the first segment of its path names the route.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::uri::Authority;

use crate::error::Error;
use crate::exchange::Exchange;
use crate::identity::{Identified, Identity};
use crate::inject::injection::Injection;
use crate::request::Request;
use crate::request::headers;
use crate::request::path::CanonicalPath;
use crate::request::query::Query;
use crate::tally::RouteName;

/// A request whose upstream is known. Minted by [`Routes::select`].
pub struct Routed {
    request: Box<Request>,
    exchange: Rc<Exchange>,
    identity: Rc<Identity>,
    route: Rc<Route>,
    path: CanonicalPath,
    query: Query,
}

/// One upstream, and the credentials on offer for it.
#[derive(Clone)]
pub struct Route {
    index: usize,
    name: Arc<str>,
    settings: claviger_config::Route,
    url: String,
    authority: Authority,
    host_header: HeaderValue,
    offers: Vec<Offer>,
    strip_response_headers: Vec<HeaderName>,
}

/// A credential that a route offers.
#[derive(Clone)]
pub struct Offer {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Its source's kind.
    pub kind: Arc<str>,
    /// The scopes that the configuration grants, sorted.
    pub scopes: Arc<[String]>,
    /// How it is put on a request.
    pub injection: Arc<dyn Injection>,
}

/// All routes, by name; each worker has its own.
#[derive(Clone)]
pub struct Routes {
    by_name: HashMap<Arc<str>, Rc<Route>>,
}

impl Route {
    /// A route from its settings, with its place in the configuration and the credentials that it names.
    pub fn new(index: usize, settings: claviger_config::Route, offers: Vec<Offer>) -> Self {
        let upstream = &settings.upstream;
        let authority = upstream.authority();
        let strip = settings.strip_response_headers.iter();
        Self {
            index,
            name: settings.name.as_str().into(),
            url: format!("{}://{authority}{}", upstream.scheme.as_str(), upstream.base_path),
            host_header: HeaderValue::from_str(&authority).expect("an authority is a valid header value"),
            authority: authority.parse().expect("the configuration holds canonical authorities"),
            offers,
            strip_response_headers: strip
                .map(|name| name.parse().expect("the configuration holds valid header names"))
                .collect(),
            settings,
        }
    }

    /// Its place in the configuration.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Everything else that the configuration says of it.
    pub fn settings(&self) -> &claviger_config::Route {
        &self.settings
    }

    /// The upstream's URL as policies see it, as `https://api.github.com`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The upstream's host.
    pub fn host(&self) -> &str {
        &self.settings.upstream.host
    }

    /// The `Host` of its requests.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// The same as a header's value.
    pub fn host_header(&self) -> &HeaderValue {
        &self.host_header
    }

    /// The credentials on offer, in the order of the configuration.
    pub fn offers(&self) -> &[Offer] {
        &self.offers
    }

    /// The query parameters that its injections write.
    pub fn owned_queries(&self) -> Vec<&str> {
        self.offers.iter().filter_map(|offer| offer.injection.owned_query()).collect()
    }

    /// Whether credentials are taken out of its answers; there are none where nothing is on offer.
    pub fn scrubs(&self) -> bool {
        self.settings.scrub && !self.offers.is_empty()
    }

    /// Response headers that never reach the workload.
    pub fn strip_response_headers(&self) -> &[HeaderName] {
        &self.strip_response_headers
    }
}

impl Routes {
    /// All of `routes`.
    pub fn new(routes: &[Route]) -> Self {
        let by_name = routes.iter().map(|route| (Arc::clone(&route.name), Rc::new(route.clone()))).collect();
        Self { by_name }
    }

    /// Finds a request's route, and gives the request the path and query that its upstream will see.
    pub fn select(&self, identified: Identified) -> Result<Routed, Error> {
        let (mut request, exchange, identity) = identified.into_parts();
        let (name, rest) = request.path.split_first();
        let route = self.by_name.get(name).ok_or(Error::NoRoute)?;
        let path = CanonicalPath::under(&route.settings.upstream.base_path, rest);
        let raw_query = request.raw_query.take().unwrap_or_default();
        let query = Query::parse(raw_query, &route.owned_queries()).map_err(Error::BadRequest)?;
        remove_owned_headers(&mut request, route);
        if route.scrubs() {
            headers::ask_readable(&mut request.headers);
        }
        let routed = Routed { request, identity, route: Rc::clone(route), path, query, exchange };
        let name = RouteName { index: route.index, name: Arc::clone(&route.name) };
        routed.exchange.saw_route(name, route.host(), routed.path.as_str());
        Ok(routed)
    }
}

/// A header that one of the route's injections writes is a credential carrier too.
fn remove_owned_headers(request: &mut Request, route: &Route) {
    for name in route.offers.iter().filter_map(|offer| offer.injection.owned_header()) {
        if request.headers.remove(name).is_some() {
            request.presented.push(name.as_str().to_owned());
            request.presented.sort_unstable();
        }
    }
}

impl Routed {
    /// The canonical request; its path and query are those below.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Its record in the making.
    pub fn exchange(&self) -> &Rc<Exchange> {
        &self.exchange
    }

    /// Who sent it.
    pub fn identity(&self) -> &Rc<Identity> {
        &self.identity
    }

    /// Where it goes.
    pub fn route(&self) -> &Rc<Route> {
        &self.route
    }

    /// The path on the upstream's wire.
    pub fn path(&self) -> &str {
        self.path.as_str()
    }

    /// The decoded segments of that path.
    pub fn canonical_path(&self) -> &CanonicalPath {
        &self.path
    }

    /// Path and query on the upstream's wire, before injection.
    pub fn target(&self) -> String {
        self.target_with(&self.query)
    }

    /// The same with another query.
    pub fn target_with(&self, query: &Query) -> String {
        let (path, query) = (self.path(), query.wire());
        let mut target = String::with_capacity(path.len() + 1 + query.len());
        target.push_str(path);
        if !query.is_empty() {
            target.push('?');
            target.push_str(query);
        }
        target
    }

    /// The query on the upstream's wire, before injection.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The request, to be changed as the permit says.
    pub(crate) fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }
}
