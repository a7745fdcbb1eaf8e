//! The policy: where it comes from, who vouches for it, what it may use.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Located};
use crate::value::{ClientCertificate, HttpUrl};

/// What a policy sees, and how it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyInput {
    /// Claviger's own input and decision.
    Mediation,
    /// The document and the result of OPA's Envoy plugin.
    ExtAuthz,
}

/// The policy and its limits.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where it comes from.
    pub bundle: BundleSource,
    /// Whose signature it needs, if anybody's.
    pub verify: Option<Verify>,
    /// The entrypoint that yields the decision.
    pub entrypoint: Located<String>,
    /// What the policy sees, and how it answers.
    pub input: PolicyInput,
    /// CPU time that one evaluation may take; 5 ms by default.
    pub eval_timeout: Duration,
    /// Linear memory that one instance may have; 64 MiB by default.
    pub memory_bytes_max: usize,
    /// Where a second policy comes from that judges too, under the same settings, and is never obeyed.
    pub shadow: Option<BundleSource>,
}

/// Where the compiled policy comes from.
#[derive(Debug, Clone)]
pub enum BundleSource {
    /// A bundle or a bare module in a file.
    File(Located<PathBuf>),
    /// A bundle from a server.
    Http(Box<BundleService>),
}

/// A server that hands out bundles as OPA fetches them.
#[derive(Debug, Clone)]
pub struct BundleService {
    /// Where, as whom, and how long for a download in all; 30 s by default.
    pub endpoint: Endpoint,
    /// How often it is asked, more or less; 60 s by default.
    pub poll: Duration,
    /// Whether it may hold a request for as long as that, until there is a newer bundle.
    pub long_poll: bool,
    /// Whether the last good bundle is kept for the next start.
    pub persist: bool,
}

/// A server of the operator's that the sidecar itself calls.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where; over http:// only where that was allowed.
    pub url: Located<HttpUrl>,
    /// How we prove who we are, if at all.
    pub auth: Option<Kind>,
    /// A PEM file of roots trusted beside the system's.
    pub tls_ca: Option<Located<PathBuf>>,
    /// Our own certificate.
    pub tls_client: Option<ClientCertificate>,
    /// How long one call may take in all.
    pub timeout: Duration,
}

/// Whose signature a bundle needs.
#[derive(Debug, Clone)]
pub struct Verify {
    /// The keys, of which one must have signed; at least one, each with a name of its own.
    pub keys: Vec<VerifyKey>,
    /// What the signature must be for; empty for one that names no scope.
    pub scope: String,
}

/// A key that may sign bundles.
#[derive(Debug, Clone)]
pub struct VerifyKey {
    /// The name that signatures call it by.
    pub id: String,
    /// How it signs.
    pub alg: SignatureAlg,
    /// A file with the public key in PEM, or for HS the secret.
    pub key: Located<PathBuf>,
}

/// How a bundle can be signed: the algorithms of RFC 7518 that OPA knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the standard's")]
pub enum SignatureAlg {
    Es256,
    Es384,
    Es512,
    Hs256,
    Hs384,
    Hs512,
    Ps256,
    Ps384,
    Ps512,
    Rs256,
    Rs384,
    Rs512,
}

impl SignatureAlg {
    /// As RFC 7518 spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
        }
    }
}
