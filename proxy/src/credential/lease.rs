//! An issued credential: its secret, how long it may be used, and what its source needs to end it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::secret::Secret;
use crate::clock::{self, Timestamp};

/// What a source hands over: a secret with its life, not yet known to anyone.
pub struct Issued {
    /// The bytes of the authority.
    pub secret: Secret,
    /// How long the issuer says it lives; `None` for what has no end of its own.
    pub lifetime: Option<Duration>,
    /// The scopes that the issuer granted, sorted.
    pub scopes: Vec<String>,
    /// The issuer's handle for renewing and revoking, as Vault's `lease_id`. Never a secret.
    pub handle: Option<String>,
    /// Whether the issuer will prolong it.
    pub renewable: bool,
}

/// An issued credential with its expiry and renewal time. Shared by all workers; only `retired` ever changes.
pub struct Lease {
    id: String,
    issued: Issued,
    issued_at: Instant,
    /// No use after this, less the margin; `None` for what has no end.
    expires_at: Option<Instant>,
    /// Use after this renews it ahead.
    renew_at: Option<Instant>,
    expires: Option<Timestamp>,
    retired: AtomicBool,
}

/// How a lease's life is cut by the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Never used longer than this, whatever the issuer says.
    pub ttl_max: Option<Duration>,
    /// The fraction of the life after which use renews it.
    pub refresh_ahead: f64,
}
