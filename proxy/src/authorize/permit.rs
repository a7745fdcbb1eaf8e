//! The proof that a policy permitted one request, and what the permit binds us to.
//!
//! Only [`crate::authorize`] mints a [`Permit`]; an issuer is not asked, and nothing is injected, without one.

use std::sync::Arc;
use std::time::Duration;

/// A policy's yes to one request. Cheap to clone; never forged: its only constructor is private to `authorize`.
#[derive(Debug, Clone)]
pub struct Permit {
    terms: Arc<Terms>,
    age_max: Option<Duration>,
}

/// What a credential may be issued for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The credential's name in the configuration.
    pub credential: Arc<str>,
    /// The route it is for.
    pub route: Arc<str>,
    /// Who it is for: the part of the identity that outlives a connection, as `uid=1000`.
    pub subject: Arc<str>,
    /// Exactly these scopes, sorted; empty where the source has none.
    pub scopes: Arc<[String]>,
    /// The policy's audience, for sources that take one.
    pub audience: Option<String>,
    /// The policy's resource, for sources that take one.
    pub resource: Option<String>,
}

impl Permit {
    pub(super) fn new(terms: Terms, age_max: Option<Duration>) -> Self {
        Self { terms: Arc::new(terms), age_max }
    }

    /// What a credential may be issued for under this permit.
    pub fn terms(&self) -> &Arc<Terms> {
        &self.terms
    }

    /// Use no lease that is older than this.
    pub fn age_max(&self) -> Option<Duration> {
        self.age_max
    }

    /// A permit out of nowhere, for the unit tests of those who demand one.
    #[cfg(test)]
    pub(crate) fn for_test(terms: Terms) -> Self {
        Self::new(terms, None)
    }

    /// The same, for leases that are not older than `age_max`.
    #[cfg(test)]
    pub(crate) fn for_young(terms: Terms, age_max: Duration) -> Self {
        Self::new(terms, Some(age_max))
    }
}
