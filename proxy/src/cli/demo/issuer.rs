//! The demo's OAuth 2 issuer: client credentials (RFC 6749 section 4.4) and revocation (RFC 7009).

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use serde_json::json;

use super::server::{self, Server};
use crate::clock;

/// The name under which the sidecar is known to the issuer.
pub(super) const CLIENT_ID: &str = "demo-sidecar";

/// How long a token lives; the sidecar is configured to use it for much less.
const TOKEN_LIFE: Duration = Duration::from_secs(300);
/// Tokens that are remembered; the oldest has run out long before it is forgotten.
const TOKENS_MAX: usize = 4096;
/// Random bytes of a token and of the client's secret.
const RANDOM_BYTES: usize = 12;

/// A running issuer.
pub(super) struct Issuer {
    server: Server,
    ledger: Arc<Ledger>,
    client_secret: String,
}

/// What the issuer knows of its tokens.
#[derive(Default)]
pub(super) struct Ledger {
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    issued: usize,
    remembered: VecDeque<Token>,
}

struct Token {
    text: String,
    ends_at: Instant,
    revoked: bool,
}

impl Issuer {
    /// Starts one with a client secret of its own.
    pub(super) async fn start() -> io::Result<Self> {
        let (ledger, client_secret) = (Arc::new(Ledger::default()), random());
        let proof = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{client_secret}")));
        let (known, proof) = (Arc::clone(&ledger), Arc::<str>::from(proof));
        let server = Server::start(move |request| {
            let (ledger, proof) = (Arc::clone(&known), Arc::clone(&proof));
            async move { answer(&ledger, &proof, &request) }
        });
        Ok(Self { server: server.await?, ledger, client_secret })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// What the sidecar proves itself with.
    pub(super) fn client_secret(&self) -> &str {
        &self.client_secret
    }

    /// What it knows of its tokens.
    pub(super) fn ledger(&self) -> &Arc<Ledger> {
        &self.ledger
    }
}

impl Ledger {
    /// Whether a resource server should take `token`.
    pub(super) fn accepts(&self, token: &str) -> bool {
        let now = clock::monotonic();
        self.locked().remembered.iter().any(|known| known.text == token && known.lives(now))
    }

    /// How many tokens it has issued so far.
    pub(super) fn issued(&self) -> usize {
        self.locked().issued
    }

    /// How many of its tokens are still worth something.
    pub(super) fn living(&self) -> usize {
        let now = clock::monotonic();
        self.locked().remembered.iter().filter(|token| token.lives(now)).count()
    }

    /// Whether `text` holds one of its tokens.
    pub(super) fn leaks_into(&self, text: &str) -> bool {
        self.locked().remembered.iter().any(|token| text.contains(&token.text))
    }

    fn issue(&self) -> String {
        let token = Token {
            text: format!("tok_{}", random()),
            ends_at: clock::monotonic() + TOKEN_LIFE,
            revoked: false,
        };
        let text = token.text.clone();
        let mut tokens = self.locked();
        tokens.issued += 1;
        tokens.remembered.push_back(token);
        if tokens.remembered.len() > TOKENS_MAX {
            tokens.remembered.pop_front();
        }
        text
    }

    /// A token that it does not know is as good as revoked.
    fn revoke(&self, text: &str) {
        if let Some(token) = self.locked().remembered.iter_mut().find(|token| token.text == text) {
            token.revoked = true;
        }
    }

    fn locked(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    fn lives(&self, now: Instant) -> bool {
        !self.revoked && now < self.ends_at
    }
}

fn random() -> String {
    let mut bytes = [0; RANDOM_BYTES];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works, or no TLS would");
    hex::encode(bytes)
}

fn answer(ledger: &Ledger, proof: &str, request: &Request<Bytes>) -> Response<Bytes> {
    if request.headers().get(AUTHORIZATION).is_none_or(|shown| shown != proof) {
        return server::json(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" }));
    }
    match request.uri().path() {
        "/token" => token(ledger, request.body()),
        "/revoke" => {
            field(request.body(), "token").into_iter().for_each(|token| ledger.revoke(&token));
            server::json(StatusCode::OK, &json!({}))
        }
        _ => server::json(StatusCode::NOT_FOUND, &json!({ "error": "there is /token and /revoke" })),
    }
}

fn token(ledger: &Ledger, form: &[u8]) -> Response<Bytes> {
    if field(form, "grant_type").as_deref() != Some("client_credentials") {
        return server::json(StatusCode::BAD_REQUEST, &json!({ "error": "unsupported_grant_type" }));
    }
    let token = json!({
        "access_token": ledger.issue(),
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE.as_secs(),
        "scope": field(form, "scope").unwrap_or_default(),
    });
    server::json(StatusCode::OK, &token)
}

fn field(form: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(form).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(ledger: &Ledger, proof: &str, path: &str, form: &'static str) -> (u16, serde_json::Value) {
        let request = Request::post(path).header(AUTHORIZATION, proof).body(Bytes::from(form)).unwrap();
        let response = answer(ledger, "Basic right", &request);
        (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
    }

    #[test]
    fn issues_to_its_client_alone_until_revoked() {
        let ledger = Ledger::default();
        let check = |proof, path, form, status, issued| {
            let (found, body) = post(&ledger, proof, path, form);
            assert_eq!((found, ledger.issued()), (status, issued), "{proof} {path} {form}");
            body
        };
        check("Basic wrong", "/token", "grant_type=client_credentials", 401, 0);
        check("Basic right", "/token", "grant_type=password", 400, 0);
        check("Basic right", "/nowhere", "grant_type=client_credentials", 404, 0);
        let body = check("Basic right", "/token", "scope=a+b&grant_type=client_credentials", 200, 1);
        assert_eq!(body["scope"], "a b");
        let token = body["access_token"].as_str().unwrap();
        assert!(ledger.accepts(token) && !ledger.accepts("tok_other"));
        assert!(ledger.leaks_into(&format!("a {token} b")) && !ledger.leaks_into("a tok_ b"));
        ledger.revoke("tok_other");
        assert_eq!(ledger.living(), 1);
        ledger.revoke(token);
        assert!(!ledger.accepts(token) && ledger.living() == 0);
    }
}
