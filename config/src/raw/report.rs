//! What the sidecar reports to servers of the operator's, in OPA's forms.

use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::{EndpointAuth, Entrypoint, Part};
use crate::value::{Duration, HttpUrl, Size, TlsSettings};

/// A server that takes reports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receiver {
    /// Where reports are posted.
    url: HttpUrl,
    /// How we prove who we are: one kind and its settings.
    #[expect(dead_code, reason = "the kind is judged by whoever implements it")]
    auth: Option<Part<EndpointAuth>>,
    /// How TLS differs from the default.
    tls: Option<TlsSettings>,
    /// How long one report may take in all; 10s by default.
    timeout: Option<Duration>,
    /// Whether the URL may begin with http://.
    #[serde(default)]
    allow_plaintext: bool,
}

impl Receiver {
    /// What it shares with all servers.
    pub(crate) fn endpoint(self) -> Endpoint {
        let Self { url, tls, timeout, allow_plaintext, .. } = self;
        Endpoint { url, tls, timeout, allow_plaintext }
    }
}

/// Every decision, to a server that takes OPA's decision logs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionLogs {
    /// The server.
    pub(crate) http: Receiver,
    /// The least time between two uploads while little is waiting, from 100ms to 24h; 5m by default.
    pub(crate) min_delay: Option<Duration>,
    /// The most; between the two, chance decides. 10m by default.
    pub(crate) max_delay: Option<Duration>,
    /// What may wait for an upload, from 64KiB to 1GiB; 16MiB by default. The oldest gives way.
    pub(crate) buffer_bytes_max: Option<Size>,
    /// One upload, compressed, from 1KiB to 64MiB; 32KiB by default.
    pub(crate) upload_bytes_max: Option<Size>,
    /// The entrypoint that masks; `system/log/mask`, if the policy has it, by default. One that is named here must be there.
    pub(crate) mask: Option<Entrypoint>,
    /// The entrypoint that keeps decisions out of the log; `system/log/drop`, if the policy has it, by default. One that is
    /// named here must be there.
    pub(crate) drop: Option<Entrypoint>,
}

/// How the sidecar is, to a server that takes OPA's status reports.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusReports {
    /// The server.
    pub(crate) http: Receiver,
    /// How often it is told when nothing changes, from 1s to 24h; 60s by default.
    pub(crate) interval: Option<Duration>,
}
