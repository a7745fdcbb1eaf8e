//! The suppliers of credentials: one file per kind, and the table that names them.

use std::future::Future;
use std::pin::Pin;

use claviger_config::{Findings, Kind};

use super::lease::{Issued, Lease};
use crate::authorize::Permit;

/// What a source's call resolves to.
pub type Call<'a, T> = Pin<Box<dyn Future<Output = Result<T, IssueError>> + Send + 'a>>;

/// A configured supplier of one credential. Its calls run on the control runtime, never on a worker.
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
