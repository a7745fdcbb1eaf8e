//! Leases by what they were issued for: found in worker memory, issued once for everyone, ended when they are over.
//!
//! [`Leases`] belongs to one worker thread and answers a hit without leaving it. Behind it stands one
//! [`LeaseIndex`] for the process: it makes the calls to the sources on the control runtime, one per key however
//! many wait, and revokes what is no longer used.

mod flight;
mod index;
mod key;
mod local;
mod revoke;
mod slot;
mod upkeep;

use std::time::Duration;

pub use index::{CredentialSource, LeaseIndex};
pub use key::LeaseKey;
pub use local::{Held, Leases, LocalLease, Sought};

use super::source::IssueError;
use crate::audit::LeaseRecord;
use crate::error::Error;

/// Keys that the index holds at most; beyond it the least recently used make room.
pub const LEASES_MAX: usize = 10_000;

/// Where a request's lease came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseFrom {
    /// It was there.
    Cache,
    /// The issuer was asked, and the request waited.
    Issued,
    /// It took the place of one that was about to end or that an upstream refused, and the request waited.
    Renewed,
}

impl LeaseFrom {
    /// Its name in audit events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "cache",
            Self::Issued => "issued",
            Self::Renewed => "renewed",
        }
    }
}

/// Why there is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unissued {
    /// The issuer gave no usable answer, now or a moment ago.
    #[error("the issuer is unavailable")]
    Unavailable {
        /// When it will be asked again.
        retry_after: Duration,
    },
    /// The issuer said no, now or a moment ago.
    #[error("the issuer refused")]
    Refused {
        /// When it will be asked again.
        retry_after: Duration,
    },
    /// The sidecar is stopping; nothing is issued any more.
    #[error("the sidecar is stopping")]
    Closing,
}

impl Unissued {
    fn after(error: IssueError, retry_after: Duration) -> Self {
        match error {
            IssueError::Refused(_) => Self::Refused { retry_after },
            IssueError::Unavailable(_) | IssueError::Invalid(_) => Self::Unavailable { retry_after },
        }
    }
}

impl From<Unissued> for Error {
    fn from(error: Unissued) -> Self {
        match error {
            Unissued::Unavailable { retry_after } => Self::IssuerUnavailable { retry_after },
            Unissued::Refused { retry_after } => Self::IssuerRefused { retry_after },
            Unissued::Closing => Self::Draining,
        }
    }
}

/// Keeps the record of what happens to leases; called on the control runtime, and must not block it.
pub trait LeaseLedger: Send + Sync {
    /// Takes down one event.
    fn record(&self, record: &LeaseRecord<'_>);
}

#[cfg(test)]
mod tests;
