//! The suppliers of credentials: one file per kind, and the table that names them.

pub(crate) mod oauth2_client_credentials;
mod signed_jwt;
mod r#static;
mod vault;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use claviger_config::{Finding, Findings, Kind, Node, decode, nearest};
use serde::de::DeserializeOwned;

use super::lease::{Issued, Lease};
use crate::authorize::Permit;

/// What a source's call resolves to.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, IssueError>> + Send + 'a>>;

/// How long a call to an issuer may take in all, where the configuration does not say.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// No configuration may let a call take longer.
const CALL_TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// The kinds of sources that there are.
pub static KINDS: &[SourceKind] =
    &[r#static::KIND, signed_jwt::KIND, oauth2_client_credentials::KIND, vault::KIND];

/// The documented kinds that are not built yet.
const NOT_YET: &[&str] = &[
    "exec",
    "oauth2_refresh_token",
    "token_exchange",
    "jwt_bearer",
    "aws_sts",
    "gcp_workload_identity",
    "azure_workload_identity",
    "github_app",
    "spiffe_jwt",
    "kubernetes_token",
];

/// A configured supplier of one credential. Its calls run on the control runtime, never on a worker.
///
/// No source is asked without a permit:
/// ```compile_fail
/// # use claviger_proxy::credential::source::Source;
/// async fn credential_for_nothing(source: &dyn Source) {
///     let _ = source.issue().await;
/// }
/// ```
/// and nobody but the authorizer makes one:
/// ```compile_fail
/// # use claviger_proxy::authorize::{Permit, Terms};
/// # use claviger_proxy::credential::source::Source;
/// async fn forged(source: &dyn Source, terms: Terms) {
///     let _ = source.issue(&Permit::new(terms)).await;
/// }
/// ```
/// ```compile_fail
/// # use claviger_proxy::authorize::{Permit, Terms};
/// # use claviger_proxy::credential::source::Source;
/// async fn forged(source: &dyn Source, terms: std::sync::Arc<Terms>) {
///     let _ = source.issue(&Permit { terms }).await;
/// }
/// ```
/// With a permit in hand it is:
/// ```
/// # use claviger_proxy::authorize::Permit;
/// # use claviger_proxy::credential::source::Source;
/// async fn permitted(source: &dyn Source, permit: &Permit) {
///     let _ = source.issue(permit).await;
/// }
/// ```
pub trait Source: Send + Sync {
    /// Asks for a credential under `permit`.
    fn issue<'a>(&'a self, permit: &'a Permit) -> Call<'a, Issued>;

    /// Prolongs `lease` where the issuer can; the default asks for a new one.
    fn renew<'a>(&'a self, permit: &'a Permit, _lease: &'a Lease) -> Call<'a, Issued> {
        self.issue(permit)
    }

    /// Ends `lease` at the issuer. `Ok(false)` where there is nothing to end.
    fn revoke<'a>(&'a self, _lease: &'a Lease) -> Call<'a, bool> {
        Box::pin(async { Ok(false) })
    }

    /// Whether what `lease` was made from has changed, so that it must be replaced. Cheap; asked every second.
    fn outdated(&self, _lease: &Lease) -> bool {
        false
    }

    /// The scopes that the configuration offers, sorted; a policy may narrow them.
    fn scopes(&self) -> &[String] {
        &[]
    }

    /// Public keys that verify what this source signs, as JSON Web Keys.
    fn public_keys(&self) -> Vec<serde_json::Value> {
        Vec::new()
    }

    /// How long one call may take in all; whoever calls gives up then.
    fn timeout(&self) -> Duration {
        CALL_TIMEOUT
    }

    /// Gives up whatever the source itself holds at the issuer. Called once, after its leases are revoked.
    fn close(&self) -> Call<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Why no credential came. Neither holds a byte of what the issuer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// No usable answer: down, slow, failing, or answering nonsense; another try may help.
    #[error("the issuer is unavailable: {0}")]
    Unavailable(&'static str),
    /// A clear no.
    #[error("the issuer refused: {0}")]
    Refused(&'static str),
    /// An answer that does not hold a usable credential.
    #[error("the issuer's answer is invalid: {0}")]
    Invalid(&'static str),
}

/// One kind of source: all that the rest of the program needs to know of it.
pub struct SourceKind {
    /// Its key in the configuration.
    pub name: &'static str,
    /// A credential block that builds, for the documentation and the test of every kind.
    pub example: &'static str,
    /// The shape of its settings.
    pub schema: fn() -> schemars::Schema,
    /// Decodes its settings; `None` when findings were added.
    pub build: fn(&Kind, &mut Findings) -> Option<Box<dyn Source>>,
}

/// Builds the source that `kind` configures, without network and without needing a secret. `None` when findings
/// were added.
pub fn build(kind: &Kind, findings: &mut Findings) -> Option<Box<dyn Source>> {
    if let Some(known) = KINDS.iter().find(|known| known.name == kind.name) {
        return (known.build)(kind, findings);
    }
    let finding = if NOT_YET.contains(&kind.name.as_str()) {
        let message = format!("the source `{}` is not supported yet", kind.name);
        Finding::error("not_supported_yet", kind.section(), kind.location, message)
    } else {
        let near = nearest(&kind.name, KINDS.iter().map(|known| known.name));
        Finding::error("unknown_variant", kind.section(), kind.location, "there is no such kind of source")
            .suggest(near)
    };
    findings.push(finding);
    None
}

/// Adds a finding for the setting at `key` of `kind`, a dotted path, or for the whole if `key` is empty. It stands
/// at the deepest part of the path that is there.
pub(crate) fn fault(kind: &Kind, key: &str, code: &'static str, message: &str, findings: &mut Findings) {
    let mut location = kind.location;
    let mut node = Some(&kind.settings);
    for step in key.split('.') {
        node = node.and_then(|node| node.child(step));
        location = node.map_or(location, Node::location);
    }
    let path = if key.is_empty() { kind.path.clone() } else { format!("{}.{key}", kind.path) };
    findings.error(code, path, location, message);
}

/// Adds a finding for something documented that is not built yet.
pub(super) fn not_yet(kind: &Kind, key: &str, what: &str, findings: &mut Findings) {
    fault(kind, key, "not_supported_yet", &format!("{what} is not supported yet"), findings);
}

/// The `timeout` of a kind, within bounds.
fn timeout(kind: &Kind, setting: Option<claviger_config::Duration>, findings: &mut Findings) -> Duration {
    let timeout = setting.map_or(CALL_TIMEOUT, Duration::from);
    if timeout > CALL_TIMEOUT_MAX {
        fault(kind, "timeout", "bad_value", "an issuer cannot have longer than 1m", findings);
    }
    timeout
}

/// Decodes the settings of `kind` and makes a source of them; `None` if any finding came up.
fn built<S: DeserializeOwned, T: Source + 'static>(
    kind: &Kind,
    findings: &mut Findings,
    make: impl FnOnce(S, &mut Findings) -> Option<T>,
) -> Option<Box<dyn Source>> {
    made(kind, findings, make).map(|source| Box::new(source) as Box<dyn Source>)
}

/// The same, as what it is.
fn made<S: DeserializeOwned, T>(
    kind: &Kind,
    findings: &mut Findings,
    make: impl FnOnce(S, &mut Findings) -> Option<T>,
) -> Option<T> {
    let mut own = Findings::default();
    let source = decode(&kind.settings, &kind.path, &mut own).and_then(|settings| make(settings, &mut own));
    let sound = !own.has_errors();
    own.iter().for_each(|finding| findings.push(finding.clone()));
    source.filter(|_| sound)
}

/// The one value that a permit or else the configuration names. A permit chooses among what is configured, and
/// freely only where nothing is.
fn chosen<'a>(
    permitted: Option<&'a str>,
    configured: Option<&'a str>,
) -> Result<Option<&'a str>, IssueError> {
    match (permitted, configured) {
        (Some(permitted), Some(configured)) if permitted != configured => Err(NOT_OFFERED),
        (Some(value), _) | (None, Some(value)) => Ok(Some(value)),
        (None, None) => Ok(None),
    }
}

/// A permit asks for something that the configuration does not offer.
const NOT_OFFERED: IssueError = IssueError::Refused("the policy asks for what is not configured");

#[cfg(test)]
pub(super) mod tests;
