//! The one engine for OAuth token endpoints: form in, token out (RFC 6749), and revocation (RFC 7009).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claviger_config::{HttpUrl, SecretRef};
use http::{Method, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::{Answer, Issuer, sensitive, wiped};
use crate::credential::lease::Issued;
use crate::credential::material::{self, Wiped};
use crate::credential::secret::Secret;
use crate::credential::source::IssueError;

/// A token whose life the issuer does not tell is taken to live this long.
const LIFETIME_UNTOLD: Duration = Duration::from_secs(5 * 60);
/// A longer life is a mistake, such as an absolute time.
const LIFETIME_SECONDS_MAX: u64 = 10 * 366 * 24 * 3600;

/// How a client proves to a token endpoint who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::credential) enum ClientAuth {
    /// In the `Authorization` header.
    Basic,
    /// In the form.
    Post,
}

/// A token endpoint and who we are there.
pub(in crate::credential) struct TokenEndpoint {
    pub(in crate::credential) issuer: Issuer,
    pub(in crate::credential) token_url: HttpUrl,
    pub(in crate::credential) revoke_url: Option<HttpUrl>,
    pub(in crate::credential) client_id: String,
    pub(in crate::credential) client_secret: SecretRef,
    pub(in crate::credential) auth: ClientAuth,
}

impl TokenEndpoint {
    /// Asks for a token with the fields of a grant. `scopes` are those asked for: an issuer that grants just
    /// these need not repeat them.
    pub(in crate::credential) async fn token(
        &self,
        grant: Vec<(&str, &str)>,
        scopes: &[String],
    ) -> Result<Issued, IssueError> {
        let answer = self.post(&self.token_url, grant).await?;
        if answer.status != StatusCode::OK {
            return Err(refusal(&answer));
        }
        answer.json::<Token>()?.issued(scopes)
    }

    /// Ends a token. `Ok(false)` where the issuer has no endpoint for it.
    #[expect(clippy::disallowed_methods, reason = "a token is revoked by showing it")]
    pub(in crate::credential) async fn revoke(&self, token: &Secret) -> Result<bool, IssueError> {
        let Some(url) = &self.revoke_url else { return Ok(false) };
        let form = vec![("token", token.expose()), ("token_type_hint", "access_token")];
        let answer = self.post(url, form).await?;
        if answer.status == StatusCode::OK { Ok(true) } else { Err(refusal(&answer)) }
    }

    #[expect(clippy::disallowed_methods, reason = "a client proves itself by its secret")]
    async fn post(&self, url: &HttpUrl, mut fields: Vec<(&str, &str)>) -> Result<Answer, IssueError> {
        let secret = material::secret(&self.client_secret)?;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match self.auth {
            ClientAuth::Basic => {
                let proof = sensitive(basic(&self.client_id, secret.expose())).expect("base64 is ASCII");
                request = request.header(header::AUTHORIZATION, proof);
            }
            ClientAuth::Post => {
                fields.extend([("client_id", self.client_id.as_str()), ("client_secret", secret.expose())]);
            }
        }
        let request = request.body(wiped(form(&fields)));
        self.issuer
            .send(request.map_err(|_| IssueError::Refused("the issuer's address cannot be used"))?)
            .await
    }
}

/// RFC 6749 section 5.1.
#[derive(Deserialize)]
struct Token {
    access_token: Wiped,
    token_type: Option<String>,
    expires_in: Option<Value>,
    scope: Option<String>,
}

/// RFC 6749 section 5.2.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Token {
    fn issued(self, asked: &[String]) -> Result<Issued, IssueError> {
        if self.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(IssueError::Invalid("the token is not a bearer token"));
        }
        let mut scopes: Vec<String> = match &self.scope {
            Some(granted) => granted.split_ascii_whitespace().map(str::to_owned).collect(),
            None => asked.to_vec(),
        };
        scopes.sort_unstable();
        scopes.dedup();
        Ok(Issued {
            lifetime: Some(self.expires_in.as_ref().map_or(Ok(LIFETIME_UNTOLD), lifetime)?),
            secret: material::answered(self.access_token)?,
            scopes,
            handle: None,
            renewable: false,
        })
    }
}

/// A number of seconds over zero that an issuer told, also as text. What cannot be one is no answer to rely on.
pub(in crate::credential) fn lifetime(told: &Value) -> Result<Duration, IssueError> {
    let seconds = match told {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    seconds
        .filter(|seconds| (1..=LIFETIME_SECONDS_MAX).contains(seconds))
        .map(Duration::from_secs)
        .ok_or(IssueError::Invalid("it does not tell a usable lifetime"))
}

/// `300.0` is a way to write 300.
fn whole(seconds: f64) -> Option<u64> {
    let told = Duration::try_from_secs_f64(seconds).ok()?;
    (told.subsec_nanos() == 0).then_some(told.as_secs())
}

/// What an answer other than 200 means.
fn refusal(answer: &Answer) -> IssueError {
    let status = answer.status;
    if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) {
        return IssueError::Unavailable("it cannot answer now");
    }
    if !status.is_client_error() {
        return IssueError::Invalid("its status is neither success nor refusal");
    }
    match answer.json::<Refusal>().map(|refusal| refusal.error).as_deref() {
        Ok("invalid_client") => IssueError::Refused("invalid_client"),
        Ok("invalid_grant") => IssueError::Refused("invalid_grant"),
        Ok("invalid_request") => IssueError::Refused("invalid_request"),
        Ok("invalid_scope") => IssueError::Refused("invalid_scope"),
        Ok("invalid_target") => IssueError::Refused("invalid_target"),
        Ok("unauthorized_client") => IssueError::Refused("unauthorized_client"),
        Ok("unsupported_grant_type") => IssueError::Refused("unsupported_grant_type"),
        Ok("access_denied") => IssueError::Refused("access_denied"),
        Ok("server_error" | "temporarily_unavailable" | "slow_down") => {
            IssueError::Unavailable("it cannot answer now")
        }
        Ok(_) | Err(_) => IssueError::Refused("for a reason of its own"),
    }
}

/// Fields as a form, in one allocation that is wiped.
fn form(fields: &[(&str, &str)]) -> Zeroizing<String> {
    let bytes_max = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
    let mut form = Zeroizing::new(String::with_capacity(bytes_max));
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        form.extend(byte_serialize(name.as_bytes()));
        form.push('=');
        form.extend(byte_serialize(value.as_bytes()));
    }
    form
}

/// `Basic` with both halves form-encoded first, as RFC 6749 section 2.3.1 has it.
fn basic(id: &str, secret: &str) -> Zeroizing<String> {
    let mut pair = Zeroizing::new(String::with_capacity(3 * (id.len() + secret.len()) + 1));
    pair.extend(byte_serialize(id.as_bytes()));
    pair.push(':');
    pair.extend(byte_serialize(secret.as_bytes()));
    let mut value = Zeroizing::new(String::with_capacity("Basic ".len() + pair.len().div_ceil(3) * 4));
    value.push_str("Basic ");
    STANDARD.encode_string(pair.as_bytes(), &mut value);
    value
}

#[cfg(test)]
mod tests;
