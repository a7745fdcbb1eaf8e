//! An issued credential: its secret, how long it may be used, and what its source needs to end it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::forms::{FORM_BYTES_MIN, Forms};
use super::jitter;
use super::secret::Secret;
use crate::clock::{self, Timestamp};

/// A lease is handed out only while at least this is left of it, or a tenth of its life if that is less.
const MARGIN_MAX: Duration = Duration::from_secs(1);
/// Renewal falls this fraction before or after the moment that `refresh_ahead` names.
const RENEWAL_JITTER: f64 = 0.05;

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

/// How a lease's life is cut by the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// Never used longer than this, whatever the issuer says.
    pub ttl_max: Option<Duration>,
    /// The fraction of the life after which use renews it.
    pub refresh_ahead: f64,
}

/// An issued credential with its expiry and renewal time. Shared by all workers; only the marks `retired` and
/// `used` ever change, and its byte forms are made when they are first needed.
pub struct Lease {
    id: Arc<str>,
    issued: Issued,
    /// When the secret was first handed over; a prolonged lease keeps it.
    issued_at: Instant,
    /// When the issuer ends it.
    ends_at: Option<Instant>,
    /// When `ttl_max` ends it.
    cut_at: Option<Instant>,
    /// Use after this renews it ahead.
    renew_at: Option<Instant>,
    expires: Option<Timestamp>,
    retired: AtomicBool,
    /// Milliseconds from `issued_at` to the last use that was told.
    used_ms: AtomicU64,
    forms: OnceLock<Forms>,
}

impl Lease {
    /// A new lease that begins `now`.
    pub fn new(issued: Issued, lifetime: Lifetime, now: Instant) -> Self {
        Self::begun(uuid::Uuid::now_v7().to_string().into(), issued, lifetime, now, now)
    }

    /// The same lease after the issuer prolonged it `now`: the same id, and the same `ttl_max` from its first issue.
    pub fn prolonged(&self, issued: Issued, lifetime: Lifetime, now: Instant) -> Self {
        Self::begun(Arc::clone(&self.id), issued, lifetime, self.issued_at, now)
    }

    fn begun(id: Arc<str>, issued: Issued, lifetime: Lifetime, issued_at: Instant, now: Instant) -> Self {
        let ends_at = issued.lifetime.and_then(|life| now.checked_add(life));
        let cut_at = lifetime.ttl_max.and_then(|life| issued_at.checked_add(life));
        let life = earlier(ends_at, cut_at).map(|end| end.saturating_duration_since(now));
        Self {
            id,
            issued,
            issued_at,
            ends_at,
            cut_at,
            renew_at: life.map(|life| now + renewal(life, lifetime.refresh_ahead)),
            expires: life.map(|life| clock::now().after(life)),
            retired: AtomicBool::new(false),
            used_ms: AtomicU64::new(millis(now.saturating_duration_since(issued_at))),
            forms: OnceLock::new(),
        }
    }

    /// Names it in audit events. Unique, and not derived from the secret.
    pub fn id(&self) -> &Arc<str> {
        &self.id
    }

    /// Its secret.
    pub fn secret(&self) -> &Secret {
        &self.issued.secret
    }

    /// Every byte form of its secret and of what its injection composes of it, which is asked the first time.
    pub(crate) fn forms(&self, composed: impl FnOnce(&Secret) -> Option<Zeroizing<String>>) -> &Forms {
        self.forms.get_or_init(|| {
            let secret = self.secret();
            let forms = Forms::of(secret, composed(secret).as_ref().map(|text| text.as_str()));
            if secret.bytes() < FORM_BYTES_MIN {
                tracing::warn!(lease = &*self.id, "a secret is too short to be taken out of answers");
            }
            forms
        })
    }

    /// The scopes that the issuer granted, sorted.
    pub fn scopes(&self) -> &[String] {
        &self.issued.scopes
    }

    /// The issuer's name for it, where it has one.
    pub fn handle(&self) -> Option<&str> {
        self.issued.handle.as_deref()
    }

    /// How long the issuer said that it lives, when it was last issued or prolonged.
    pub fn lifetime(&self) -> Option<Duration> {
        self.issued.lifetime
    }

    /// When its secret was first handed over.
    pub fn issued_at(&self) -> Instant {
        self.issued_at
    }

    /// When its use ends, by the wall clock.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// What is left of its use.
    pub fn expires_in(&self, now: Instant) -> Option<Duration> {
        self.expires_at().map(|end| end.saturating_duration_since(now))
    }

    /// Whether a request may leave with it, under a permit that wants none older than `age_max`.
    pub fn usable(&self, now: Instant, age_max: Option<Duration>) -> bool {
        let aged_at = age_max.and_then(|age| self.issued_at.checked_add(age));
        !self.is_retired()
            && earlier(self.expires_at(), aged_at).is_none_or(|end| {
                let life = end.saturating_duration_since(self.issued_at);
                end.saturating_duration_since(now) >= MARGIN_MAX.min(life / 10) && now < end
            })
    }

    /// Whether use at this moment should renew it ahead.
    pub fn renewal_due(&self, now: Instant) -> bool {
        self.renew_at.is_some_and(|due| now >= due)
    }

    /// Whether the issuer can give it a later end that `ttl_max` would not take back.
    pub fn prolongable(&self) -> bool {
        self.issued.renewable && self.ends_at.is_some_and(|end| self.cut_at.is_none_or(|cut| end < cut))
    }

    /// Whether its own life is over at the issuer, so that nothing is left to revoke.
    pub fn ended(&self, now: Instant) -> bool {
        self.ends_at.is_some_and(|end| now >= end)
    }

    /// No request takes it up from here on; it is about to be revoked or forgotten.
    pub fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    /// Whether [`Self::retire`] was called.
    pub fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Tells that it is in use, so that it is not the first to make room.
    pub fn touch(&self, now: Instant) {
        self.used_ms.store(millis(now.saturating_duration_since(self.issued_at)), Ordering::Relaxed);
    }

    /// The last use that was told.
    pub fn used_at(&self) -> Instant {
        self.issued_at + Duration::from_millis(self.used_ms.load(Ordering::Relaxed))
    }

    fn expires_at(&self) -> Option<Instant> {
        earlier(self.ends_at, self.cut_at)
    }
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    one.into_iter().chain(other).min()
}

fn renewal(life: Duration, refresh_ahead: f64) -> Duration {
    let jitter = 1.0 + RENEWAL_JITTER * (2.0 * jitter::fraction() - 1.0);
    life.mul_f64((refresh_ahead * jitter).clamp(0.0, 1.0))
}

fn millis(since: Duration) -> u64 {
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
