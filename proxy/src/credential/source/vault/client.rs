//! Calls to a Vault server under a token that is logged in for, renewed and given up here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use claviger_config::{Findings, HttpUrl, Kind, SecretRef};
use http::{Method, Request, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use super::refusal;
use crate::clock;
use crate::credential::issuer::oauth::lifetime;
use crate::credential::issuer::{Answer, Issuer, sensitive, wiped};
use crate::credential::lease::Lease;
use crate::credential::material::{self, Wiped};
use crate::credential::secret::Secret;
use crate::credential::source::{IssueError, fault, not_yet};

/// How we get a token; exactly one way.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AuthSettings {
    /// Log in as a role.
    Approle(AppRole),
    /// A file that holds a token which others keep alive.
    TokenFile(PathBuf),
    /// Log in with a JWT.
    Jwt(#[schemars(with = "Value")] serde::de::IgnoredAny),
    /// Log in with the Kubernetes service account.
    Kubernetes(#[schemars(with = "Value")] serde::de::IgnoredAny),
    /// Log in with a client certificate.
    TlsClient(#[schemars(with = "Value")] serde::de::IgnoredAny),
}

/// A role and the secret that goes with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AppRole {
    /// The role.
    role_id: String,
    /// Its secret.
    secret_id: SecretRef,
    /// Where the method is mounted; `approle` if nothing is said.
    mount: Option<String>,
}

/// Where our token comes from.
pub(super) enum Auth {
    /// By logging in; the token is ours to renew and to give up.
    AppRole { role_id: String, secret_id: SecretRef, mount: String },
    /// From a file, read for each call; it is not ours.
    TokenFile(SecretRef),
}

pub(super) struct Client {
    issuer: Issuer,
    address: String,
    namespace: Option<String>,
    auth: Auth,
    /// The token that we logged in for.
    token: Mutex<Option<Token>>,
}

/// A token that we logged in for.
#[derive(Clone)]
struct Token {
    secret: Arc<Secret>,
    since: Instant,
    life: Duration,
    ends_at: Instant,
    renewable: bool,
}

/// A success, and the token that it was had with.
pub(super) struct Reply {
    pub(super) answer: Answer,
    token_ends_at: Option<Instant>,
}

impl Auth {
    pub(super) fn new(kind: &Kind, settings: AuthSettings, findings: &mut Findings) -> Option<Self> {
        let unbuilt = match settings {
            AuthSettings::Approle(AppRole { role_id, secret_id, mount }) => {
                let mount = mount.unwrap_or_else(|| "approle".to_owned());
                if !super::is_api_path(&mount) {
                    fault(
                        kind,
                        "auth.approle.mount",
                        "bad_value",
                        "expected a path such as `approle`",
                        findings,
                    );
                }
                return Some(Self::AppRole { role_id, secret_id, mount });
            }
            AuthSettings::TokenFile(path) => return Some(Self::TokenFile(SecretRef::File(path))),
            AuthSettings::Jwt(_) => "jwt",
            AuthSettings::Kubernetes(_) => "kubernetes",
            AuthSettings::TlsClient(_) => "tls_client",
        };
        not_yet(kind, &format!("auth.{unbuilt}"), &format!("`{unbuilt}`"), findings);
        None
    }
}

impl Token {
    /// A token is renewed when two thirds of its life are over.
    fn is_due(&self, now: Instant) -> bool {
        self.ends_at.saturating_duration_since(now) < self.life / 3
    }
}

impl Reply {
    /// How long what was made under the token can live at most.
    pub(super) fn token_left(&self, now: Instant) -> Duration {
        self.token_ends_at.map_or(Duration::MAX, |end| end.saturating_duration_since(now))
    }
}

/// The answer to a login or a token's renewal.
#[derive(Deserialize)]
struct Login {
    auth: Option<LoginAuth>,
}

#[derive(Deserialize)]
struct LoginAuth {
    client_token: Wiped,
    lease_duration: Value,
    #[serde(default)]
    renewable: bool,
}

impl Client {
    pub(super) fn new(issuer: Issuer, address: &HttpUrl, namespace: Option<String>, auth: Auth) -> Self {
        let address = address.as_str().trim_end_matches('/').to_owned();
        Self { issuer, address, namespace, auth, token: Mutex::new(None) }
    }

    /// Calls `path` under our token. A token that is refused is replaced once; if its successor is refused as
    /// well, it was not the token's fault, and the successor is given up again.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, IssueError> {
        if let Auth::TokenFile(reference) = &self.auth {
            let token = material::secret(reference)?;
            let answer = self.send(method, path, Some(&token), body.as_ref()).await?;
            return reply(answer, None);
        }
        let began = clock::monotonic();
        let token = self.token().await?;
        let answer = self.send(method.clone(), path, Some(&token.secret), body.as_ref()).await?;
        if answer.status != StatusCode::FORBIDDEN || token.since >= began {
            return reply(answer, Some(&token));
        }
        let fresh = self.login().await?;
        let answer = self.send(method, path, Some(&fresh.secret), body.as_ref()).await?;
        if answer.status == StatusCode::FORBIDDEN {
            self.revoke_token(&fresh).await?;
            return Err(refusal(answer.status));
        }
        *self.token.lock().await = Some(fresh.clone());
        reply(answer, Some(&fresh))
    }

    /// Whether `lease` was made under the token that we hold now, and so can live as long as it does.
    pub(super) async fn token_is_parent_of(&self, lease: &Lease) -> Result<bool, IssueError> {
        match self.auth {
            Auth::TokenFile(_) => Ok(true),
            Auth::AppRole { .. } => Ok(self.token().await?.since <= lease.issued_at()),
        }
    }

    /// Ends the token that we logged in for, and with it whatever was made under it.
    pub(super) async fn give_up_token(&self) -> Result<(), IssueError> {
        match self.token.lock().await.take() {
            Some(token) if clock::monotonic() < token.ends_at => self.revoke_token(&token).await,
            Some(_) | None => Ok(()),
        }
    }

    /// The token that we hold, logged in for or renewed where needed; one at a time.
    async fn token(&self) -> Result<Token, IssueError> {
        let mut held = self.token.lock().await;
        let now = clock::monotonic();
        let live = held.clone().filter(|token| now < token.ends_at);
        let token = match live {
            Some(token) if !token.is_due(now) => return Ok(token),
            Some(token) if token.renewable => self.renewed(token).await?,
            Some(_) | None => self.login().await?,
        };
        *held = Some(token.clone());
        Ok(token)
    }

    /// The same token with a later end, or another one if it has come near the last that it may have.
    async fn renewed(&self, token: Token) -> Result<Token, IssueError> {
        let answer =
            self.send(Method::POST, "auth/token/renew-self", Some(&token.secret), Some(&json!({}))).await?;
        if answer.status == StatusCode::OK
            && let Some(auth) = answer.json::<Login>()?.auth
        {
            let now = clock::monotonic();
            let ends_at = now + lifetime(&auth.lease_duration)?;
            let renewed = Token { ends_at, renewable: auth.renewable, ..token };
            if !renewed.is_due(now) {
                return Ok(renewed);
            }
        }
        self.login().await
    }

    #[expect(clippy::disallowed_methods, reason = "a role proves itself by its secret")]
    async fn login(&self) -> Result<Token, IssueError> {
        let Auth::AppRole { role_id, secret_id, mount } = &self.auth else {
            return Err(IssueError::Refused("there is no role to log in as"));
        };
        let secret_id = material::secret(secret_id)?;
        let body = json_text(&[("role_id", role_id), ("secret_id", secret_id.expose())]);
        let answer = self.post(Method::POST, &format!("auth/{mount}/login"), None, wiped(body)).await?;
        let now = clock::monotonic();
        let reply = reply(answer, None)?;
        let auth =
            reply.answer.json::<Login>()?.auth.ok_or(IssueError::Invalid("a login without a token"))?;
        let life = lifetime(&auth.lease_duration)?;
        let secret = Arc::new(material::answered(auth.client_token)?);
        Ok(Token { secret, since: now, life, ends_at: now + life, renewable: auth.renewable })
    }

    async fn revoke_token(&self, token: &Token) -> Result<(), IssueError> {
        let answer =
            self.send(Method::POST, "auth/token/revoke-self", Some(&token.secret), Some(&json!({}))).await?;
        reply(answer, None).map(|_| ())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Option<&Value>,
    ) -> Result<Answer, IssueError> {
        let body = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        self.post(method, path, token, body).await
    }

    #[expect(clippy::disallowed_methods, reason = "a call is made under its token")]
    async fn post(
        &self,
        method: Method,
        path: &str,
        token: Option<&Secret>,
        body: Bytes,
    ) -> Result<Answer, IssueError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/v1/{path}", self.address))
            .header("x-vault-request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("x-vault-namespace", namespace);
        }
        if let Some(token) = token {
            let token =
                sensitive(Zeroizing::new(token.expose().to_owned())).expect("a secret is printable ASCII");
            request = request.header("x-vault-token", token);
        }
        if !body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| IssueError::Refused("the address cannot be used"))?;
        self.issuer.send(request).await
    }
}

fn reply(answer: Answer, token: Option<&Token>) -> Result<Reply, IssueError> {
    if answer.status.is_success() {
        Ok(Reply { answer, token_ends_at: token.map(|token| token.ends_at) })
    } else {
        Err(refusal(answer.status))
    }
}

/// An object of texts, in one allocation that is wiped.
fn json_text(fields: &[(&str, &str)]) -> Zeroizing<String> {
    // an escape takes six bytes at most
    let bytes_max = 2 + fields.iter().map(|(name, value)| 6 * (name.len() + value.len()) + 6).sum::<usize>();
    let mut buffer = Zeroizing::new(Vec::with_capacity(bytes_max));
    let object: std::collections::BTreeMap<_, _> = fields.iter().copied().collect();
    serde_json::to_writer(&mut *buffer, &object).expect("writing texts to memory cannot fail");
    Zeroizing::new(String::from_utf8(std::mem::take(&mut *buffer)).expect("JSON is UTF-8"))
}
