//! `.signatures.json`: which files somebody vouches for, and OPA's table of when that is asked for.
//!
//! | the bundle is | keys are configured | no key is configured |
//! |---|---|---|
//! | signed | it must hold | refused |
//! | not signed | refused | taken |

mod hash;
mod token;
mod trust;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::archive::File;
use crate::error::SignatureError;
use token::{Listed, Token};
pub use trust::{SignatureAlgorithm, UnusableKey, VerificationKey, Verifier};

/// Its only place.
pub(super) const PATH: &str = ".signatures.json";
/// Four thousand files are listed in a quarter of it.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// What OPA calls its own way of signing.
const OWN_PLUGIN: &str = "_default";

/// What a signature says of itself. Whether it holds is another matter: see
/// [`Bundle::read_trusted`](crate::Bundle::read_trusted).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The key's name, empty where none is given.
    pub key_id: String,
    /// As `ES256`, empty where none is given.
    pub algorithm: String,
    /// What the signer may sign for, empty where nothing is said.
    pub scope: String,
    /// How many files it vouches for.
    pub files: usize,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    signatures: Vec<String>,
    #[serde(default)]
    plugin: String,
}

/// Whether these files, unpacked and not looked at yet, may be used at all.
pub(super) fn judge(files: &[File], verifier: Option<&Verifier>) -> Result<(), SignatureError> {
    match (present(files), verifier) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(SignatureError::Missing),
        (Some(_), None) => Err(SignatureError::NoKeys),
        (Some(file), Some(verifier)) => {
            let document = read(file)?;
            let token = Token::read(&document)?;
            token.verify(verifier)?;
            covers(&token.claims.files, files)
        }
    }
}

/// Who signed by the bundle's own account, and whether these are the files that were signed; `None` where nobody did.
pub(super) fn told(files: &[File]) -> Option<Result<Signer, SignatureError>> {
    let tell = |file| {
        let document = read(file)?;
        let token = Token::read(&document)?;
        covers(&token.claims.files, files)?;
        Ok(token.signer())
    };
    present(files).map(tell)
}

fn present(files: &[File]) -> Option<&File> {
    files.iter().find(|file| file.path == PATH)
}

/// The document's only token.
fn read(file: &File) -> Result<String, SignatureError> {
    let malformed = |cause: String| SignatureError::Malformed { cause };
    if file.bytes.len() > BYTES_MAX {
        return Err(malformed(format!("it has more than {BYTES_MAX} bytes")));
    }
    let Document { mut signatures, plugin } =
        serde_json::from_slice(&file.bytes).map_err(|error| malformed(error.to_string()))?;
    if !plugin.is_empty() && plugin != OWN_PLUGIN {
        return Err(SignatureError::Plugin);
    }
    match (signatures.pop(), signatures.len()) {
        (Some(token), 0) => Ok(token),
        (None, _) => Err(malformed("it has no signature".to_owned())),
        (Some(_), _) => Err(malformed("it has more than one signature".to_owned())),
    }
}

/// The files are those listed, all of them and no other, and each is what it was.
fn covers(listed: &[Listed], files: &[File]) -> Result<(), SignatureError> {
    let mut open = BTreeMap::new();
    for entry in listed {
        let path = entry.name.strip_prefix('/').unwrap_or(&entry.name);
        if open.insert(path, entry).is_some() {
            return Err(SignatureError::ListedTwice { path: path.to_owned() });
        }
    }
    for file in files.iter().filter(|file| file.path != PATH) {
        let entry = open.remove(file.path.as_str());
        let entry = entry.ok_or_else(|| SignatureError::Unlisted { path: file.path.clone() })?;
        hash::check(file, &entry.algorithm, &entry.hash)?;
    }
    match open.into_keys().next() {
        Some(path) => Err(SignatureError::Absent { path: path.to_owned() }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
