//! `signed_jwt`: a token that we sign ourselves, for upstreams that trust our published keys.

mod key;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use claviger_config::{Findings, Kind, SecretRef};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::key::{Algorithm, SigningKey};
use super::{Call, IssueError, NOT_OFFERED, Source, SourceKind, built, fault};
use crate::authorize::Permit;
use crate::clock;
use crate::credential::lease::Issued;
use crate::credential::material::{self, Wiped};

pub(super) const KIND: SourceKind =
    SourceKind { name: "signed_jwt", example: EXAMPLE, schema: || schemars::schema_for!(Settings), build };

const EXAMPLE: &str = "
source:
  signed_jwt:
    key: { file: /run/secrets/signing.pem }
    alg: ES256
    issuer: https://claviger.example
    subject: ledger
    audience: https://api.example
    ttl: 2m
    claims: { team: payments }
    key_id: k1
inject:
  bearer: {}
";

/// A token lives this long if nothing is said.
const TTL: Duration = Duration::from_secs(5 * 60);
/// The claims that have settings of their own or are ours to make.
const OWN_CLAIMS: &[&str] = &["iss", "sub", "aud", "exp", "iat", "nbf", "jti"];

/// A key and what to sign with it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The private key in PEM.
    key: SecretRef,
    /// How to sign.
    alg: Algorithm,
    /// The claim `iss`.
    issuer: String,
    /// The claim `sub`.
    subject: Option<String>,
    /// The claim `aud`; of several a policy may choose one.
    audience: Option<Audience>,
    /// How long a token lives; 5m if nothing is said.
    ttl: Option<claviger_config::Duration>,
    /// Further claims.
    #[serde(default)]
    claims: Map<String, Value>,
    /// The name of the key; its RFC 7638 thumbprint if nothing is said.
    key_id: Option<String>,
}

/// One audience or several.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

struct SignedJwt {
    reference: SecretRef,
    algorithm: Algorithm,
    issuer: String,
    subject: Option<String>,
    audience: Vec<String>,
    ttl: Duration,
    claims: Map<String, Value>,
    key_id: Option<String>,
    key: OnceLock<Arc<SigningKey>>,
}

fn build(kind: &Kind, findings: &mut Findings) -> Option<Box<dyn Source>> {
    built(kind, findings, |settings, findings| Some(make(kind, settings, findings)))
}

fn make(kind: &Kind, settings: Settings, findings: &mut Findings) -> SignedJwt {
    let ttl = settings.ttl.map_or(TTL, Duration::from);
    if ttl.subsec_nanos() != 0 {
        fault(kind, "ttl", "bad_value", "a JWT counts its life in whole seconds", findings);
    }
    for name in settings.claims.keys().filter(|name| OWN_CLAIMS.contains(&name.as_str())) {
        let message = "this claim has a setting of its own, or is not for you to set";
        fault(kind, &format!("claims.{name}"), "bad_value", message, findings);
    }
    let audience = match settings.audience {
        None => Vec::new(),
        Some(Audience::One(one)) => vec![one],
        Some(Audience::Several(several)) => several,
    };
    let source = SignedJwt {
        reference: settings.key,
        algorithm: settings.alg,
        issuer: settings.issuer,
        subject: settings.subject,
        audience,
        ttl,
        claims: settings.claims,
        key_id: settings.key_id,
        key: OnceLock::new(),
    };
    // a key that cannot be read yet is not an error yet; one that can be read and does not fit is
    if let Some(pem) = source.readable_key()
        && let Err(error) = SigningKey::from_pem(&pem, source.algorithm)
    {
        fault(kind, "key", "bad_key", &error.to_string(), findings);
    }
    source
}

impl Source for SignedJwt {
    fn issue<'a>(&'a self, permit: &'a Permit) -> Call<'a, Issued> {
        Box::pin(async {
            let audience = self.audience(permit.terms().audience.as_deref())?;
            let token = self.sign(audience)?;
            Ok(Issued {
                secret: material::answered(Wiped::new(token))?,
                lifetime: Some(self.ttl),
                scopes: Vec::new(),
                handle: None,
                renewable: false,
            })
        })
    }

    fn public_keys(&self) -> Vec<Value> {
        match self.key() {
            Ok(key) => vec![key.public(self.key_id(&key))],
            Err(_) => Vec::new(),
        }
    }
}

impl SignedJwt {
    fn audience(&self, permitted: Option<&str>) -> Result<Vec<String>, IssueError> {
        match permitted {
            None => Ok(self.audience.clone()),
            Some(one) if self.audience.is_empty() || self.audience.iter().any(|offered| offered == one) => {
                Ok(vec![one.to_owned()])
            }
            Some(_) => Err(NOT_OFFERED),
        }
    }

    fn sign(&self, audience: Vec<String>) -> Result<String, IssueError> {
        let key = self.key()?;
        let issued_at = clock::now().nanoseconds() / 1_000_000_000;
        let mut claims = self.claims.clone();
        let mut own = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        own("iss", json!(self.issuer));
        own("iat", json!(issued_at));
        own("nbf", json!(issued_at));
        own("exp", json!(issued_at + i64::try_from(self.ttl.as_secs()).expect("a year of seconds fits")));
        own("jti", json!(uuid::Uuid::now_v7().to_string()));
        if let Some(subject) = &self.subject {
            own("sub", json!(subject));
        }
        match audience.as_slice() {
            [] => None,
            [one] => own("aud", json!(one)),
            several => own("aud", json!(several)),
        };
        let header = json!({ "alg": self.algorithm.name(), "typ": "JWT", "kid": self.key_id(&key) });
        let signed = format!("{}.{}", encoded(&header), encoded(&Value::Object(claims)));
        let signature = key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn key_id<'a>(&'a self, key: &'a SigningKey) -> &'a str {
        self.key_id.as_deref().unwrap_or_else(|| key.thumbprint())
    }

    /// The key, read when first needed.
    fn key(&self) -> Result<Arc<SigningKey>, IssueError> {
        if let Some(key) = self.key.get() {
            return Ok(Arc::clone(key));
        }
        let pem = material::bytes(&self.reference)?;
        let key = SigningKey::from_pem(&pem, self.algorithm).map_err(|error| {
            tracing::warn!(%error, "the signing key cannot be used");
            IssueError::Refused("the signing key cannot be used")
        })?;
        Ok(Arc::clone(self.key.get_or_init(|| Arc::new(key))))
    }

    fn readable_key(&self) -> Option<zeroize::Zeroizing<Vec<u8>>> {
        let there = match &self.reference {
            SecretRef::File(path) => path.exists(),
            SecretRef::Env(name) => std::env::var_os(name).is_some(),
        };
        there.then(|| material::bytes(&self.reference).ok()).flatten()
    }
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

#[cfg(test)]
mod tests;
