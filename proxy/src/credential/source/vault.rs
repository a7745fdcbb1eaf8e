//! `vault`: a secret or a dynamic credential from HashiCorp Vault or OpenBao.
//!
//! A lease made there is renewed and revoked by its id. A token that we got by logging in is the parent of its
//! leases: none of them is believed to outlive it, and giving it up at the end takes with it what is left.

mod client;
mod shape;

use std::collections::BTreeMap;
use std::time::Duration;

use claviger_config::{Findings, HttpUrl, Kind, TlsSettings};
use http::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use self::client::{Auth, AuthSettings, Client, Reply};
use self::shape::Shape;
use super::{Call, IssueError, Source, SourceKind, built, fault, not_yet, timeout};
use crate::authorize::Permit;
use crate::clock;
use crate::credential::issuer::Issuer;
use crate::credential::issuer::oauth::lifetime;
use crate::credential::lease::{Issued, Lease};
use crate::credential::material::WipedTree;
use crate::credential::secret::Secret;

pub(super) const KIND: SourceKind =
    SourceKind { name: "vault", example: EXAMPLE, schema: || schemars::schema_for!(Settings), build };

const EXAMPLE: &str = "
source:
  vault:
    address: https://vault.example:8200
    auth:
      approle:
        role_id: 8d9e3a4e-5a0f-4a2e-9d3c-1f2b3c4d5e6f
        secret_id: { file: /run/secrets/secret-id }
    path: secret/data/app
    field: token
inject:
  bearer: {}
";

/// What is stored there without a life of its own is read again after this.
const STORED_LIFETIME: Duration = Duration::from_secs(5 * 60);

/// A Vault or OpenBao server and what to take from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The server, without `/v1`.
    address: HttpUrl,
    /// The namespace there.
    namespace: Option<String>,
    /// How we get our token there.
    auth: AuthSettings,
    /// The API path, as `secret/data/app` or `pki/issue/leaf`.
    path: String,
    /// Whether it is read or written; written if there are `params`.
    method: Option<Access>,
    /// What to write there, or the query of a read.
    params: Option<BTreeMap<String, String>>,
    /// The field of the answer that is the secret.
    field: Option<String>,
    /// The secret made from several fields, as `{username}:{password}`.
    format: Option<String>,
    /// Wrapped answers.
    wrap_ttl: Option<claviger_config::Duration>,
    /// How TLS differs from the default.
    tls: Option<TlsSettings>,
    /// How long a call may take in all; 5s if nothing is said.
    timeout: Option<claviger_config::Duration>,
    /// Whether the address may begin with http://.
    #[serde(default)]
    allow_plaintext: bool,
}

/// How a path is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Access {
    Read,
    Write,
}

struct Vault {
    client: Client,
    path: String,
    access: Access,
    params: BTreeMap<String, String>,
    shape: Shape,
    timeout: Duration,
}

fn build(kind: &Kind, findings: &mut Findings) -> Option<Box<dyn Source>> {
    built(kind, findings, |settings, findings| make(kind, settings, findings))
}

fn make(kind: &Kind, settings: Settings, findings: &mut Findings) -> Option<Vault> {
    if settings.wrap_ttl.is_some() {
        not_yet(kind, "wrap_ttl", "`wrap_ttl`", findings);
    }
    if !is_api_path(&settings.path) {
        fault(
            kind,
            "path",
            "bad_value",
            "expected an API path such as `secret/data/app`, without `v1/`",
            findings,
        );
    }
    if settings.namespace.as_deref().is_some_and(|name| !is_api_path(name.trim_end_matches('/'))) {
        fault(kind, "namespace", "bad_value", "expected a namespace such as `team/payments`", findings);
    }
    let shape = shape(kind, settings.field, settings.format, findings);
    let auth = Auth::new(kind, settings.auth, findings);
    let urls = [("address", Some(&settings.address))];
    let issuer = Issuer::new(kind, &urls, settings.allow_plaintext, settings.tls, findings);
    let timeout = timeout(kind, settings.timeout, findings);
    let unsaid = if settings.params.is_some() { Access::Write } else { Access::Read };
    Some(Vault {
        client: Client::new(issuer, &settings.address, settings.namespace, auth?),
        path: settings.path,
        access: settings.method.unwrap_or(unsaid),
        params: settings.params.unwrap_or_default(),
        shape: shape?,
        timeout,
    })
}

fn shape(
    kind: &Kind,
    field: Option<String>,
    format: Option<String>,
    findings: &mut Findings,
) -> Option<Shape> {
    match (field, format) {
        (Some(field), None) => Some(Shape::field(field)),
        (None, Some(format)) => {
            let shape = Shape::format(&format);
            if shape.is_none() {
                let message = "expected text with fields in braces, as `{username}:{password}`";
                fault(kind, "format", "bad_value", message, findings);
            }
            shape
        }
        (Some(_), Some(_)) => {
            fault(kind, "format", "conflict", "`field` and `format` exclude each other", findings);
            None
        }
        (None, None) => {
            fault(kind, "", "missing_key", "`field` or `format` is missing here", findings);
            None
        }
    }
}

/// Segments of plain characters, none of them empty or of dots only.
fn is_api_path(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@:+=,".contains(&byte);
    !path.starts_with("v1/")
        && path.split('/').all(|segment| {
            !segment.is_empty() && segment.bytes().all(plain) && segment.bytes().any(|byte| byte != b'.')
        })
}

impl Source for Vault {
    fn issue<'a>(&'a self, _permit: &'a Permit) -> Call<'a, Issued> {
        Box::pin(async {
            let reply = match self.access {
                Access::Read => self.client.call(Method::GET, &self.path_with_query(), None).await?,
                Access::Write => self.client.call(Method::POST, &self.path, Some(json!(self.params))).await?,
            };
            self.issued(&reply)
        })
    }

    fn renew<'a>(&'a self, permit: &'a Permit, lease: &'a Lease) -> Call<'a, Issued> {
        Box::pin(async {
            match self.prolonged(lease).await {
                Ok(Some(issued)) => Ok(issued),
                // a lease that will not be prolonged is replaced
                Ok(None) | Err(IssueError::Refused(_)) => self.issue(permit).await,
                Err(error @ (IssueError::Unavailable(_) | IssueError::Invalid(_))) => Err(error),
            }
        })
    }

    fn revoke<'a>(&'a self, lease: &'a Lease) -> Call<'a, bool> {
        Box::pin(async {
            let Some(id) = lease.handle() else { return Ok(false) };
            self.client.call(Method::PUT, "sys/leases/revoke", Some(json!({ "lease_id": id }))).await?;
            Ok(true)
        })
    }

    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn close(&self) -> Call<'_, ()> {
        Box::pin(self.client.give_up_token())
    }
}

/// What a path answers.
#[derive(Deserialize)]
struct Leased {
    lease_id: Option<String>,
    lease_duration: Option<Value>,
    #[serde(default)]
    renewable: bool,
    data: Option<WipedTree>,
}

impl Leased {
    fn handle(&self) -> Option<&str> {
        self.lease_id.as_deref().filter(|id| !id.is_empty())
    }
}

impl Vault {
    fn issued(&self, reply: &Reply) -> Result<Issued, IssueError> {
        let leased: Leased = reply.answer.json()?;
        let data = leased.data.as_ref().ok_or(IssueError::Refused("there is nothing at the path"))?;
        let fields = match data.0.get("data") {
            Some(inner @ Value::Object(_)) if self.is_versioned(&data.0) => inner,
            Some(_) | None => &data.0,
        };
        Ok(Issued {
            secret: self.shape.secret(fields)?,
            lifetime: Some(self.lifetime(&leased, reply)?),
            scopes: Vec::new(),
            handle: leased.handle().map(str::to_owned),
            renewable: leased.renewable && leased.handle().is_some(),
        })
    }

    /// KV version 2 wraps what is stored into `data` with `metadata` beside it.
    fn is_versioned(&self, data: &Value) -> bool {
        let wrapped = data.get("metadata").is_some_and(Value::is_object);
        self.access == Access::Read
            && wrapped
            && self.path.split('/').skip(1).any(|segment| segment == "data")
    }

    fn lifetime(&self, leased: &Leased, reply: &Reply) -> Result<Duration, IssueError> {
        let told = leased.lease_duration.as_ref().filter(|told| told.as_u64() != Some(0));
        match (leased.handle(), told) {
            (Some(_), Some(told)) => Ok(lifetime(told)?.min(reply.token_left(clock::monotonic()))),
            (Some(_), None) => Err(IssueError::Invalid("a lease without a life")),
            (None, Some(told)) => lifetime(told),
            (None, None) => Ok(STORED_LIFETIME),
        }
    }

    /// The lease with a later end; `None` if the server gives it much less than it had, or would end it with the
    /// token that it was made under.
    #[expect(clippy::disallowed_methods, reason = "a prolonged lease has the same secret")]
    async fn prolonged(&self, lease: &Lease) -> Result<Option<Issued>, IssueError> {
        let (Some(id), Some(life)) = (lease.handle(), lease.lifetime()) else { return Ok(None) };
        if !self.client.token_is_parent_of(lease).await? {
            return Ok(None);
        }
        let body = json!({ "lease_id": id, "increment": life.as_secs() });
        let reply = self.client.call(Method::PUT, "sys/leases/renew", Some(body)).await?;
        let leased: Leased = reply.answer.json()?;
        let lifetime = self.lifetime(&leased, &reply)?;
        if leased.handle() != Some(id) || lifetime < life / 2 {
            return Ok(None);
        }
        let secret = Secret::new(lease.secret().expose().to_owned())
            .map_err(|_| IssueError::Invalid("the secret is not printable ASCII"))?;
        let (handle, renewable) = (Some(id.to_owned()), leased.renewable);
        Ok(Some(Issued { secret, lifetime: Some(lifetime), scopes: Vec::new(), handle, renewable }))
    }

    fn path_with_query(&self) -> String {
        if self.params.is_empty() {
            return self.path.clone();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        format!("{}?{query}", self.path)
    }
}

/// What a status means that is not a success.
fn refusal(status: StatusCode) -> IssueError {
    match status.as_u16() {
        400 => IssueError::Refused("the request is not valid there"),
        403 => IssueError::Refused("permission denied"),
        404 => IssueError::Refused("there is nothing at the path"),
        405 => IssueError::Refused("the path cannot be asked so"),
        412 | 429 | 472 | 473 | 500.. => IssueError::Unavailable("it is sealed, busy or failing"),
        401 | 402 | 406..=499 => IssueError::Refused("for a reason of its own"),
        0..=399 => IssueError::Invalid("its status is neither success nor refusal"),
    }
}

#[cfg(test)]
mod tests;
