//! The signature itself: a token in the compact form of RFC 7515, with the list of files as its payload.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Signer;
use super::trust::{VerificationKey, Verifier};
use crate::error::SignatureError;

/// What `opa build` calls the key where it was told no name.
const NAMELESS: &str = "default";

/// A token taken apart, not yet believed.
pub(super) struct Token<'a> {
    signed: &'a [u8],
    signature: Vec<u8>,
    header: Header,
    pub(super) claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: String,
    #[serde(default)]
    kid: String,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
pub(super) struct Claims {
    pub(super) files: Vec<Listed>,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    keyid: String,
}

/// One file that is vouched for.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) hash: String,
    #[serde(default)]
    pub(super) algorithm: String,
}

impl<'a> Token<'a> {
    pub(super) fn read(text: &'a str) -> Result<Token<'a>, SignatureError> {
        let parts: Vec<&str> = text.splitn(4, '.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            return Err(malformed("its token has not three parts".to_owned()));
        };
        Ok(Token {
            signed: &text.as_bytes()[..header.len() + 1 + claims.len()],
            signature: decoded(signature)?,
            header: document(header)?,
            claims: document(claims)?,
        })
    }

    /// Whether it is signed by a key that is configured, in the way and for the scope that are configured for it.
    pub(super) fn verify(&self, verifier: &Verifier) -> Result<(), SignatureError> {
        let key = self.key(verifier)?;
        let named = key.algorithm().name();
        if self.header.alg != named {
            return Err(SignatureError::OtherAlgorithm { key: key.id().to_owned(), configured: named });
        }
        if self.header.crit.is_some() {
            return Err(malformed("its token has critical extensions".to_owned()));
        }
        if !key.verifies(self.signed, &self.signature) {
            return Err(SignatureError::Forged { key: key.id().to_owned() });
        }
        match self.claims.scope == verifier.scope() {
            true => Ok(()),
            false => Err(SignatureError::OtherScope { configured: verifier.scope().to_owned() }),
        }
    }

    /// The key by the name in the header, or by the older one among the claims. A signature without a name is held
    /// against the only key there is.
    fn key<'v>(&self, verifier: &'v Verifier) -> Result<&'v VerificationKey, SignatureError> {
        let names = [self.header.kid.as_str(), self.claims.keyid.as_str()];
        let named = names.iter().filter(|name| !name.is_empty()).find_map(|name| verifier.key(name));
        match (named, verifier.only_key()) {
            (Some(key), _) => Ok(key),
            (None, Some(key)) if names.iter().all(|name| matches!(*name, "" | NAMELESS)) => Ok(key),
            (None, _) => match names.iter().find(|name| !name.is_empty()) {
                Some(name) => Err(SignatureError::UnknownKey { id: name.escape_debug().take(64).collect() }),
                None => Err(SignatureError::NoKeyId),
            },
        }
    }

    pub(super) fn signer(&self) -> Signer {
        let named = [&self.header.kid, &self.claims.keyid].into_iter().find(|name| !name.is_empty());
        Signer {
            key_id: named.cloned().unwrap_or_default(),
            algorithm: self.header.alg.clone(),
            scope: self.claims.scope.clone(),
            files: self.claims.files.len(),
        }
    }
}

fn document<T: DeserializeOwned>(part: &str) -> Result<T, SignatureError> {
    serde_json::from_slice(&decoded(part)?).map_err(|error| malformed(error.to_string()))
}

fn decoded(part: &str) -> Result<Vec<u8>, SignatureError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("its token is not in base64url".to_owned()))
}

fn malformed(cause: String) -> SignatureError {
    SignatureError::Malformed { cause }
}
