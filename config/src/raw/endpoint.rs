//! Servers of the operator's that the sidecar itself calls: bundle services, and whoever takes what it reports.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{EndpointAuth, Part};
use crate::value::{Duration, HttpUrl, TlsSettings};

/// What every such server is told by. A block with further keys repeats these.
pub(crate) struct Endpoint {
    pub(crate) url: HttpUrl,
    pub(crate) tls: Option<TlsSettings>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) allow_plaintext: bool,
}

/// A server that hands out bundles as OPA fetches them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BundleService {
    /// Where the bundle is.
    url: HttpUrl,
    /// How often it is asked for a newer one, a fifth more or less; 60s by default.
    pub(crate) poll: Option<Duration>,
    /// Whether the server may hold a request until there is a newer bundle, where it can; false by default.
    #[serde(default)]
    pub(crate) long_poll: bool,
    /// Whether the last good bundle is kept in the state directory, for a start without the server; true by default.
    pub(crate) persist: Option<bool>,
    /// How we prove who we are: one kind and its settings.
    #[expect(dead_code, reason = "the kind is judged by whoever implements it")]
    auth: Option<Part<EndpointAuth>>,
    /// How TLS differs from the default.
    tls: Option<TlsSettings>,
    /// How long a download may take in all, beside what a long poll waits; 30s by default.
    timeout: Option<Duration>,
    /// Whether the URL may begin with http://.
    #[serde(default)]
    allow_plaintext: bool,
}

impl BundleService {
    /// What it shares with all servers.
    pub(crate) fn endpoint(self) -> Endpoint {
        let Self { url, tls, timeout, allow_plaintext, .. } = self;
        Endpoint { url, tls, timeout, allow_plaintext }
    }
}
