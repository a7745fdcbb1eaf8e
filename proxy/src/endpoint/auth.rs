//! How the sidecar proves to a server of the operator's who it is. A client certificate stands under `tls`.

use std::time::{Duration, Instant};

use claviger_config::{Finding, Findings, Kind, SecretRef, nearest};
use http::HeaderValue;
use tokio::sync::Mutex;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::clock;
use crate::credential::issuer::sensitive;
use crate::credential::lease::Issued;
use crate::credential::material;
use crate::credential::secret::Secret;
use crate::credential::source::oauth2_client_credentials::{self, ClientCredentials};
use crate::credential::source::{IssueError, Source};

/// The kinds of proof that there are.
pub static KINDS: &[AuthKind] = &[
    AuthKind { name: "bearer", schema: || schemars::schema_for!(SecretRef), build: bearer },
    AuthKind {
        name: "oauth2_client_credentials",
        schema: oauth2_client_credentials::schema,
        build: client_credentials,
    },
];

/// One kind of proof.
pub struct AuthKind {
    /// Its key in the configuration.
    pub name: &'static str,
    /// The shape of its settings.
    pub schema: fn() -> schemars::Schema,
    build: fn(&Kind, &mut Findings) -> Option<Auth>,
}

/// Who we are to a server.
pub(super) enum Auth {
    /// It does not ask.
    Nobody,
    /// Whoever holds this token; it is read for each call, so that it may be replaced.
    Bearer(SecretRef),
    /// Whoever an issuer says.
    Issued(Box<Tokens>),
}

/// An issuer's tokens, one at a time.
pub(super) struct Tokens {
    source: ClientCredentials,
    held: Mutex<Option<Held>>,
}

/// A token as it is sent.
struct Held {
    proof: HeaderValue,
    renew_at: Instant,
    ends_at: Instant,
}

/// Where an issuer tells no end.
const LIFETIME_UNTOLD: Duration = Duration::from_secs(300);

pub(super) fn build(kind: &Kind, findings: &mut Findings) -> Option<Auth> {
    if let Some(known) = KINDS.iter().find(|known| known.name == kind.name) {
        return (known.build)(kind, findings);
    }
    let near = nearest(&kind.name, KINDS.iter().map(|known| known.name));
    let message = "there is no such way to prove who we are";
    let finding = Finding::error("unknown_variant", kind.section(), kind.location, message);
    findings.push(finding.suggest(near));
    None
}

fn bearer(kind: &Kind, findings: &mut Findings) -> Option<Auth> {
    claviger_config::decode(&kind.settings, &kind.path, findings).map(Auth::Bearer)
}

fn client_credentials(kind: &Kind, findings: &mut Findings) -> Option<Auth> {
    let source = ClientCredentials::of_our_own(kind, findings)?;
    Some(Auth::Issued(Box::new(Tokens { source, held: Mutex::new(None) })))
}

impl Auth {
    /// What `Authorization` says, if anything.
    pub(super) async fn proof(&self) -> Result<Option<HeaderValue>, IssueError> {
        match self {
            Self::Nobody => Ok(None),
            Self::Bearer(reference) => header(&material::secret(reference)?).map(Some),
            Self::Issued(tokens) => tokens.proof().await.map(Some),
        }
    }

    /// The server did not take the last proof: whether the next one will be another.
    pub(super) async fn forget(&self) -> bool {
        match self {
            Self::Nobody | Self::Bearer(_) => false,
            Self::Issued(tokens) => tokens.held.lock().await.take().is_some(),
        }
    }
}

impl Tokens {
    /// The token at hand, or the next one where its life is mostly over. While the issuer is away the old one does.
    async fn proof(&self) -> Result<HeaderValue, IssueError> {
        let mut held = self.held.lock().await;
        let now = clock::monotonic();
        if let Some(fresh) = held.as_ref().filter(|held| now < held.renew_at) {
            return Ok(fresh.proof.clone());
        }
        let asked = timeout(self.source.timeout(), self.source.own_token()).await;
        let issued = asked.unwrap_or(Err(IssueError::Unavailable("no answer in time")));
        match (issued.and_then(|issued| Held::new(&issued, now)), &*held) {
            (Ok(next), _) => Ok(held.insert(next).proof.clone()),
            (Err(_), Some(old)) if now < old.ends_at => Ok(old.proof.clone()),
            (Err(error), _) => Err(error),
        }
    }
}

impl Held {
    fn new(issued: &Issued, now: Instant) -> Result<Self, IssueError> {
        let life = issued.lifetime.unwrap_or(LIFETIME_UNTOLD);
        let proof = header(&issued.secret)?;
        Ok(Self { proof, renew_at: now + life.mul_f64(0.8), ends_at: now + life })
    }
}

#[expect(clippy::disallowed_methods, reason = "a server is shown the token that was made for it")]
fn header(token: &Secret) -> Result<HeaderValue, IssueError> {
    let token = token.expose();
    let mut value = Zeroizing::new(String::with_capacity("Bearer ".len() + token.len()));
    value.push_str("Bearer ");
    value.push_str(token);
    sensitive(value).ok_or(IssueError::Invalid("the token is no header value"))
}
