//! The only exit: sends a vouched request to its route's upstream, and brings the answer back.

pub mod body;
pub mod dial;
mod pool;
pub mod scrub;

use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION,
    TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{Response, StatusCode, Version};
use hyper::body::Incoming;

use self::body::{AnswerBody, RequestBody};
use self::dial::Dialler;
use self::pool::{Pool, Pooled};
use self::scrub::Scrubber;
use crate::admin::metrics::Metrics;
use crate::credential::cache::Sought;
use crate::deadline::{Deadlines, Passed};
use crate::error::Error;
use crate::exchange::Exchange;
use crate::inject::Vouched;
use crate::route::Route;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const ALT_SVC: HeaderName = HeaderName::from_static("alt-svc");

/// What belongs to the upstream's connection or would lead the workload round us.
const NEVER_RETURNED: [HeaderName; 10] = [
    CONNECTION,
    KEEP_ALIVE,
    PROXY_CONNECTION,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    ALT_SVC,
];

/// One worker's connections to all upstreams.
pub struct Upstream {
    dialler: Arc<Dialler>,
    pool: Rc<Pool>,
    deadlines: Rc<Deadlines>,
}

impl Upstream {
    /// No connection yet.
    pub fn new(
        routes: &[Route],
        dialler: Arc<Dialler>,
        metrics: Arc<Metrics>,
        deadlines: Rc<Deadlines>,
    ) -> Self {
        Self { dialler, pool: Pool::new(routes, metrics), deadlines }
    }

    /// Drops connections that have been idle for long.
    pub fn sweep(&self) {
        self.pool.sweep();
    }

    /// Sends a request and awaits the head of its answer. A pooled connection that turns out to be closed before a
    /// byte was sent is replaced by a fresh one, once.
    ///
    /// ```compile_fail
    /// async fn unvouched(upstream: &claviger_proxy::upstream::Upstream, permitted: claviger_proxy::authorize::Permitted) {
    ///     upstream.send(permitted).await;
    /// }
    /// ```
    pub async fn send(&self, vouched: Vouched) -> Result<Response<AnswerBody>, Error> {
        let (request, route, exchange, sought) = vouched.into_parts();
        let within = route.settings().timeouts.response;
        let mut exchanged = pin!(self.exchange(request, &route, &exchange));
        let (response, connection) = loop {
            let sent = exchange.bytes_in();
            match self.deadlines.within(within, &mut exchanged).await {
                Ok(answered) => break answered?,
                // the answer's time begins when the workload has sent everything
                Err(Passed) if exchange.bytes_in() > sent => {}
                Err(Passed) => return Err(Error::UpstreamTimeout("no answer within timeouts.response")),
            }
        };
        exchange.saw_answer(response.status());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::UpstreamProtocol("it switched protocols without being asked"));
        }
        if !framed_once(response.headers()) {
            return Err(Error::UpstreamProtocol("the length of its answer has more than one reading"));
        }
        returned(response, connection, sought, &route, &exchange)
    }

    async fn exchange(
        &self,
        request: http::Request<RequestBody>,
        route: &Route,
        exchange: &Exchange,
    ) -> Result<(Response<Incoming>, Pooled), Error> {
        let mut unsent = request;
        while let Some(mut connection) = self.pool.take(route) {
            exchange.saw_address(connection.address());
            match connection.send(unsent).await {
                Ok(response) => return Ok((response, connection)),
                Err(mut failed) => match failed.take_message() {
                    Some(request) => unsent = request,
                    None => return Err(broken(&failed.into_error())),
                },
            }
        }
        // seldom needed, and large
        let mut connection = Box::pin(self.connect(route)).await?;
        exchange.saw_address(connection.address());
        let response = connection.send(unsent).await.map_err(|failed| broken(&failed.into_error()))?;
        Ok((response, connection))
    }

    async fn connect(&self, route: &Route) -> Result<Pooled, Error> {
        let (stream, address) = self.dialler.dial(route).await?;
        Pool::adopt(&self.pool, route, stream, address).await
    }
}

/// The upstream's answer as the workload may see it.
fn returned(
    response: Response<Incoming>,
    connection: Pooled,
    sought: Vec<Sought>,
    route: &Route,
    exchange: &Rc<Exchange>,
) -> Result<Response<AnswerBody>, Error> {
    let (mut head, body) = response.into_parts();
    // the version is ours to say, as is the framing
    head.version = Version::HTTP_11;
    strip(&mut head.headers, route);
    let scrubber = match sought.is_empty() {
        true => None,
        false => Some(Scrubber::begin(sought, &mut head, Rc::clone(exchange))?),
    };
    let idle_max = route.settings().timeouts.idle;
    let body = AnswerBody::carried(body, connection, scrubber, Rc::clone(exchange), idle_max);
    Ok(Response::from_parts(head, body))
}

/// Whether the length of an answer can be read in one way only: one plain decimal, the coding `chunked`, or neither.
fn framed_once(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter().map(HeaderValue::as_bytes);
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter().map(HeaderValue::as_bytes);
    match (lengths.next(), codings.next()) {
        (None, None) => true,
        (Some(length), None) => {
            !length.is_empty() && length.iter().all(u8::is_ascii_digit) && lengths.next().is_none()
        }
        (None, Some(coding)) => coding.eq_ignore_ascii_case(b"chunked") && codings.next().is_none(),
        (Some(_), Some(_)) => false,
    }
}

fn strip(headers: &mut HeaderMap, route: &Route) {
    for name in NEVER_RETURNED.iter().chain(route.strip_response_headers()) {
        headers.remove(name);
    }
}

/// Tells an answer that is not HTTP from a connection that broke.
fn broken(error: &hyper::Error) -> Error {
    if error.is_parse() || error.is_parse_too_large() {
        Error::UpstreamProtocol("its answer could not be read")
    } else if error.is_incomplete_message() {
        Error::UpstreamProtocol("it closed the connection before answering")
    } else if error.is_user() {
        Error::BodyBroken
    } else {
        Error::UpstreamUnreachable("the connection broke")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_framed_once() {
        let check = |headers: &[(HeaderName, &'static str)], expected: bool| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(name, HeaderValue::from_static(value));
            }
            assert_eq!(framed_once(&map), expected, "{headers:?}");
        };
        check(&[], true);
        check(&[(CONTENT_LENGTH, "0")], true);
        check(&[(CONTENT_LENGTH, "12")], true);
        check(&[(TRANSFER_ENCODING, "Chunked")], true);
        for length in ["", "+2", "2, 2", "0x2", "-1"] {
            check(&[(CONTENT_LENGTH, length)], false);
        }
        for coding in ["gzip", "gzip, chunked", "xchunked", "chunked, chunked", ""] {
            check(&[(TRANSFER_ENCODING, coding)], false);
        }
        check(&[(CONTENT_LENGTH, "2"), (CONTENT_LENGTH, "2")], false);
        check(&[(TRANSFER_ENCODING, "chunked"), (TRANSFER_ENCODING, "chunked")], false);
        check(&[(CONTENT_LENGTH, "2"), (TRANSFER_ENCODING, "chunked")], false);
    }
}
