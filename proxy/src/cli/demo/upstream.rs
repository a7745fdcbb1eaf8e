//! The demo's upstream: takes the issuer's tokens alone, and answers with what it received.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::issuer::Ledger;
use super::server::{self, Server};

/// Characters of a secret that are shown.
const SHOWN_CHARS: usize = 8;
const BEARER: &str = "Bearer ";

/// A running upstream.
pub(super) struct Upstream {
    server: Server,
    diary: Arc<Mutex<Diary>>,
}

/// What has arrived so far.
#[derive(Default, Clone)]
pub(super) struct Diary {
    /// How many requests.
    pub(super) requests: usize,
    /// The headers of the last one.
    pub(super) headers: HeaderMap,
}

impl Upstream {
    /// Starts one that takes the tokens which `ledger` accepts.
    pub(super) async fn start(ledger: Arc<Ledger>) -> io::Result<Self> {
        let diary = Arc::new(Mutex::new(Diary::default()));
        let pages = Arc::clone(&diary);
        let server = Server::start(move |request| {
            let (ledger, diary) = (Arc::clone(&ledger), Arc::clone(&pages));
            async move { answer(&ledger, &diary, &request) }
        });
        Ok(Self { server: server.await?, diary })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What has arrived so far.
    pub(super) fn diary(&self) -> Diary {
        self.diary.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Diary {
    /// The one bearer token of the last request; `None` where there is none, or another.
    pub(super) fn token(&self) -> Option<String> {
        bearer(&self.headers).map(str::to_owned)
    }
}

/// The beginning of a token, as `tok_3f9a…`: enough to tell two apart, not enough to use one.
pub(super) fn abbreviated(token: &str) -> String {
    token.chars().take(SHOWN_CHARS).chain(['…']).collect()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (values.next(), values.next()) else { return None };
    only.to_str().ok()?.strip_prefix(BEARER)
}

fn answer(ledger: &Ledger, diary: &Mutex<Diary>, request: &Request<Bytes>) -> Response<Bytes> {
    let mut diary = diary.lock().unwrap_or_else(PoisonError::into_inner);
    diary.requests += 1;
    diary.headers = request.headers().clone();
    if bearer(request.headers()).is_some_and(|token| ledger.accepts(token)) {
        return server::json(StatusCode::OK, &echo(request));
    }
    let mut refusal =
        server::json(StatusCode::UNAUTHORIZED, &json!({ "error": "no token that the issuer stands by" }));
    refusal
        .headers_mut()
        .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
    refusal
}

/// What arrived, for the one who asked; of the token only its beginning.
fn echo(request: &Request<Bytes>) -> Value {
    let header = |(name, value): (&http::HeaderName, &HeaderValue)| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let text = match text.strip_prefix(BEARER) {
            Some(token) if name == AUTHORIZATION => format!("{BEARER}{}", abbreviated(token)),
            Some(_) | None => text.into_owned(),
        };
        (name.as_str().to_owned(), Value::from(text))
    };
    let headers: Map<_, _> = request.headers().iter().map(header).collect();
    json!({
        "the upstream received": {
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "headers": headers,
            "body_bytes": request.body().len(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_bearer_token_counts() {
        let check = |values: &[&'static str], token: Option<&str>| {
            let headers = values.iter().map(|value| (AUTHORIZATION, HeaderValue::from_static(value)));
            let headers = headers.fold(HeaderMap::new(), |mut map, (name, value)| {
                map.append(name, value);
                map
            });
            assert_eq!(bearer(&headers), token, "{values:?}");
        };
        check(&["Bearer one"], Some("one"));
        check(&["Bearer one", "Bearer two"], None);
        check(&["Basic one"], None);
        check(&[], None);
        assert_eq!(abbreviated("tok_0123456789"), "tok_0123…");
    }
}
