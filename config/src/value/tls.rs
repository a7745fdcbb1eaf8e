//! How TLS towards a server differs from the default; the same words wherever we are the client.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::SecretRef;

/// How TLS towards a server differs from the default.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSettings {
    /// A PEM file of roots trusted beside the system's.
    pub ca: Option<PathBuf>,
    /// Our own certificate.
    pub client: Option<ClientCertificate>,
}

/// A client certificate.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// A PEM file with our certificate and what lies between it and its root.
    pub cert: PathBuf,
    /// Its private key in PEM.
    pub key: SecretRef,
}
