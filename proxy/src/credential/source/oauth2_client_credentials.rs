//! `oauth2_client_credentials`: a token for the sidecar itself, by RFC 6749 section 4.4.

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_config::{Findings, HttpUrl, Kind, SecretRef, TlsSettings};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Call, IssueError, Source, SourceKind, built, chosen, fault, made, not_yet, timeout};
use crate::authorize::Permit;
use crate::credential::issuer::Issuer;
use crate::credential::issuer::oauth::{ClientAuth, TokenEndpoint};
use crate::credential::lease::{Issued, Lease};

pub(super) const KIND: SourceKind =
    SourceKind { name: "oauth2_client_credentials", example: EXAMPLE, schema, build };

const EXAMPLE: &str = "
source:
  oauth2_client_credentials:
    token_url: https://idp.example/token
    client_id: my-workload
    client_secret: { file: /run/secrets/idp }
    auth: basic
    scopes: [repo.read]
    audience: https://api.example
    extra: { tenant: acme }
    revoke_url: https://idp.example/revoke
inject:
  bearer: {}
";

/// Form fields that are not for `extra` to set.
const OWN_FIELDS: &[&str] = &[
    "grant_type",
    "client_id",
    "client_secret",
    "client_assertion",
    "client_assertion_type",
    "scope",
    "audience",
    "resource",
];

/// An OAuth 2 token endpoint and what to ask it for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where tokens are issued.
    token_url: HttpUrl,
    /// Our name there.
    client_id: String,
    /// Our secret there.
    client_secret: Option<SecretRef>,
    /// How we prove who we are; `basic` if nothing is said.
    auth: Option<Auth>,
    /// The scopes to ask for; a policy may ask for fewer.
    #[serde(default)]
    scopes: Vec<String>,
    /// Who the token is for.
    audience: Option<String>,
    /// What the token is for (RFC 8707).
    resource: Option<String>,
    /// Further fields of the form.
    #[serde(default)]
    extra: BTreeMap<String, String>,
    /// Where tokens are revoked (RFC 7009); without it they run out by themselves.
    revoke_url: Option<HttpUrl>,
    /// Tokens bound to a key of ours.
    #[serde(default)]
    dpop: bool,
    /// How TLS differs from the default.
    tls: Option<TlsSettings>,
    /// How long a call may take in all; 5s if nothing is said.
    timeout: Option<claviger_config::Duration>,
    /// Whether the URLs may begin with http://.
    #[serde(default)]
    allow_plaintext: bool,
}

/// How a client proves who it is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Auth {
    Basic,
    Post,
    PrivateKeyJwt,
    SpiffeJwt,
    TlsClient,
}

/// A token endpoint and what to ask it for.
pub(crate) struct ClientCredentials {
    endpoint: TokenEndpoint,
    scopes: Vec<String>,
    audience: Option<String>,
    resource: Option<String>,
    extra: BTreeMap<String, String>,
    timeout: Duration,
}

fn build(kind: &Kind, findings: &mut Findings) -> Option<Box<dyn Source>> {
    built(kind, findings, |settings, findings| make(kind, settings, findings))
}

/// The shape of the settings, also where they stand for the sidecar itself.
pub(crate) fn schema() -> schemars::Schema {
    schemars::schema_for!(Settings)
}

impl ClientCredentials {
    /// For calls that the sidecar makes on its own account, by the same settings; `None` when findings were added.
    pub(crate) fn of_our_own(kind: &Kind, findings: &mut Findings) -> Option<Self> {
        made(kind, findings, |settings, findings| make(kind, settings, findings))
    }

    /// A token for such a call: no request's, and so without a permit. Tokens for requests come from [`Source`] alone.
    pub(crate) async fn own_token(&self) -> Result<Issued, IssueError> {
        self.ask(&self.scopes, self.audience.as_deref(), self.resource.as_deref()).await
    }

    async fn ask(
        &self,
        scopes: &[String],
        audience: Option<&str>,
        resource: Option<&str>,
    ) -> Result<Issued, IssueError> {
        let scope = scopes.join(" ");
        let mut grant = vec![("grant_type", "client_credentials")];
        if !scope.is_empty() {
            grant.push(("scope", &scope));
        }
        grant.extend(audience.map(|audience| ("audience", audience)));
        grant.extend(resource.map(|resource| ("resource", resource)));
        grant.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.endpoint.token(grant, scopes).await
    }
}

fn make(kind: &Kind, settings: Settings, findings: &mut Findings) -> Option<ClientCredentials> {
    if settings.client_id.is_empty() {
        fault(kind, "client_id", "bad_value", "a client has a name", findings);
    }
    if settings.dpop {
        not_yet(kind, "dpop", "`dpop: true`", findings);
    }
    for name in settings.extra.keys().filter(|name| OWN_FIELDS.contains(&name.as_str())) {
        let message = "this field has a setting of its own, or is not for you to set";
        fault(kind, &format!("extra.{name}"), "bad_value", message, findings);
    }
    let mut scopes = settings.scopes;
    if !scopes.iter().all(|scope| is_scope(scope)) {
        fault(
            kind,
            "scopes",
            "bad_value",
            "a scope is one word of printable ASCII without `\"` and `\\`",
            findings,
        );
    }
    scopes.sort_unstable();
    scopes.dedup();
    let auth = client_auth(kind, settings.auth, findings);
    if auth.is_some() && settings.client_secret.is_none() {
        fault(kind, "client_secret", "missing_key", "`client_secret` is missing here", findings);
    }
    let urls = [("token_url", Some(&settings.token_url)), ("revoke_url", settings.revoke_url.as_ref())];
    let issuer = Issuer::new(kind, &urls, settings.allow_plaintext, settings.tls, findings);
    let timeout = timeout(kind, settings.timeout, findings);
    let endpoint = TokenEndpoint {
        issuer,
        token_url: settings.token_url,
        revoke_url: settings.revoke_url,
        client_id: settings.client_id,
        client_secret: settings.client_secret?,
        auth: auth?,
    };
    let (audience, resource, extra) = (settings.audience, settings.resource, settings.extra);
    Some(ClientCredentials { endpoint, scopes, audience, resource, extra, timeout })
}

fn client_auth(kind: &Kind, auth: Option<Auth>, findings: &mut Findings) -> Option<ClientAuth> {
    let missing = match auth {
        None | Some(Auth::Basic) => return Some(ClientAuth::Basic),
        Some(Auth::Post) => return Some(ClientAuth::Post),
        Some(Auth::PrivateKeyJwt) => "`auth: private_key_jwt`",
        Some(Auth::SpiffeJwt) => "`auth: spiffe_jwt`",
        Some(Auth::TlsClient) => "`auth: tls_client`",
    };
    not_yet(kind, "auth", missing, findings);
    None
}

/// RFC 6749 section 3.3.
fn is_scope(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

impl Source for ClientCredentials {
    fn issue<'a>(&'a self, permit: &'a Permit) -> Call<'a, Issued> {
        Box::pin(async move {
            let terms = permit.terms();
            let audience = chosen(terms.audience.as_deref(), self.audience.as_deref())?;
            let resource = chosen(terms.resource.as_deref(), self.resource.as_deref())?;
            self.ask(&terms.scopes, audience, resource).await
        })
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Call<'a, bool> {
        Box::pin(self.endpoint.revoke(lease.secret()))
    }

    fn scopes(&self) -> &[String] {
        &self.scopes
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests;
