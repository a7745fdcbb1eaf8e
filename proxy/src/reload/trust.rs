//! Whose bundles are obeyed. The keys are read once, when the configuration is: nothing that comes with a bundle changes
//! them.

use std::sync::Arc;

use claviger_config::{Findings, SecretRef, Verify, VerifyKey};
use claviger_policy::{Bundle, BundleError, SignatureAlgorithm, VerificationKey, Verifier};

use crate::credential::material;

/// The configured keys, or none, in which case a signed bundle is refused.
#[derive(Clone)]
pub struct Trust {
    verifier: Option<Arc<Verifier>>,
}

impl Trust {
    /// Reads the keys; `None` when findings were added.
    pub fn new(verify: Option<&Verify>, findings: &mut Findings) -> Option<Self> {
        let Some(verify) = verify else { return Some(Self { verifier: None }) };
        // every key is looked at, so that all that is wrong is told at once
        let keys: Vec<Option<VerificationKey>> =
            verify.keys.iter().map(|settings| key(settings, findings)).collect();
        let keys = keys.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Self { verifier: Some(Arc::new(Verifier::new(keys, &verify.scope))) })
    }

    /// The bundle in `bytes`, if it is one of theirs.
    pub(super) fn read(&self, bytes: &[u8]) -> Result<Bundle, BundleError> {
        Bundle::read_trusted(bytes, self.verifier.as_deref())
    }
}

fn key(settings: &VerifyKey, findings: &mut Findings) -> Option<VerificationKey> {
    let VerifyKey { id, alg, key } = settings;
    let loaded = || -> Result<VerificationKey, String> {
        let algorithm = SignatureAlgorithm::named(alg.as_str()).ok_or("the algorithm is not supported")?;
        // of HS it is a secret
        let content = material::bytes(&SecretRef::File(key.value.clone()))
            .map_err(|_| "it cannot be read".to_owned())?;
        VerificationKey::new(id, algorithm, &content).map_err(|error| error.to_string())
    };
    match loaded() {
        Ok(key) => Some(key),
        Err(why) => {
            let message = format!("{}: {why}", key.value.display());
            findings.error("verification_key", key.path.clone(), key.location, message);
            None
        }
    }
}
