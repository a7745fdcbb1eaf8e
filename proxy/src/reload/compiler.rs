//! From the bytes of a bundle to a policy, in the same way for every generation and every origin.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use claviger_config::PolicyInput;
use claviger_policy::{Bundle, BundleError, Dialect, Limits, LoadError, Policy};

use super::floor::{Floor, Rollback};
use super::trust::Trust;

/// Bytes that a bundle may have, packed.
pub const BUNDLE_BYTES_MAX: usize = 32 << 20;

/// The settings under which bundles become policies.
#[derive(Clone)]
pub struct Compiler {
    entrypoint: String,
    limits: Limits,
    dialect: Dialect,
    trust: Trust,
    floor: Option<Arc<Floor>>,
    compiled_dir: Option<PathBuf>,
}

/// Why bytes are no policy.
#[derive(Debug, thiserror::Error)]
pub enum Unloadable {
    /// They cannot be read.
    #[error("{0}")]
    Unread(#[from] io::Error),
    /// They are no bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Something newer was active before.
    #[error(transparent)]
    Rollback(#[from] Rollback),
    /// The bundle's module is no policy of ours.
    #[error(transparent)]
    Policy(#[from] LoadError),
    /// The compiler broke.
    #[error("the policy could not be compiled")]
    Broken,
}

impl Compiler {
    /// By the configuration, for bundles of those that `trust` trusts.
    pub fn new(settings: &claviger_config::Policy, trust: Trust) -> Self {
        let limits = Limits::new(settings.eval_timeout, settings.memory_bytes_max);
        let dialect = match settings.input {
            PolicyInput::Mediation => Dialect::Mediation,
            PolicyInput::ExtAuthz => Dialect::ExtAuthz,
        };
        let entrypoint = settings.entrypoint.value.clone();
        Self { entrypoint, limits, dialect, trust, floor: None, compiled_dir: None }
    }

    /// The same, and nothing below the floor.
    pub fn above(self, floor: Floor) -> Self {
        Self { floor: Some(Arc::new(floor)), ..self }
    }

    /// The same, with machine code kept in a private folder from start to start.
    pub fn keeping(self, compiled_dir: Option<PathBuf>) -> Self {
        Self { compiled_dir, ..self }
    }

    /// The same for policies that nobody obeys, which may be older than others before them.
    pub fn without_floor(self) -> Self {
        Self { floor: None, ..self }
    }

    pub(super) fn floor(&self) -> Option<Arc<Floor>> {
        self.floor.clone()
    }

    /// The bundle in `bytes`, if it is one that may become a policy here.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, bytes: &[u8]) -> Result<Bundle, Unloadable> {
        let bundle = self.trust.read(bytes)?;
        if let Some(floor) = &self.floor {
            floor.admit(bundle.serial())?;
        }
        Ok(bundle)
    }

    /// Takes some hundred milliseconds, unless the policy is among those that are `known`.
    ///
    /// # Errors
    /// What is wrong with the bytes.
    pub fn compile(&self, bytes: &[u8], known: &[Arc<Policy>]) -> Result<Arc<Policy>, Unloadable> {
        // also a policy that is known: it may have been one from before the floor rose
        let bundle = self.read(bytes)?;
        if let Some(known) = known.iter().find(|policy| policy.digest() == bundle.digest()) {
            return Ok(Arc::clone(known));
        }
        let policy =
            Policy::load_cached(&bundle, &self.entrypoint, self.limits, self.compiled_dir.as_deref())?;
        Ok(Arc::new(policy.in_dialect(self.dialect)))
    }
}

/// The bytes of a bundle file, within bounds.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn read_file(path: &Path) -> io::Result<Bytes> {
    let file = File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    let mut bytes = Vec::new();
    file.take(BUNDLE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > BUNDLE_BYTES_MAX {
        let message = format!("the bundle is larger than {BUNDLE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes.into())
}
