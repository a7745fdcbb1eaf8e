//! Where a secret is; never the secret itself.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// `{ file: PATH }` or `{ env: NAME }`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SecretRef {
    /// In a file, which may be replaced while the program runs.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

impl SecretRef {
    /// The name under which the decoder knows it: whatever else stands in its place may be a secret, and is
    /// neither repeated nor shown.
    pub(crate) const NAME: &str = "SecretRef";

    /// What is told then.
    pub(crate) const INLINE: &str = "a secret is { file: PATH } or { env: NAME }, never inline";
}
