//! Whose signature a bundle needs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::SignatureAlg;

/// Whose signature a bundle needs.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verify {
    /// The keys, of which one must have signed.
    #[schemars(length(min = 1))]
    pub(crate) keys: Vec<VerifyKey>,
    /// What the signature must be for, as its `scope` says; without it, one that names no scope.
    pub(crate) scope: Option<String>,
}

/// One key.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerifyKey {
    /// The name that signatures call it by.
    pub(crate) id: String,
    /// How it signs; a signature cannot choose.
    pub(crate) alg: SignatureAlg,
    /// A file with the public key in PEM, or for HS the secret.
    pub(crate) key: PathBuf,
}
