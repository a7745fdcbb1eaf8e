//! What makes two requests share a lease.

use std::hash::{BuildHasherDefault, Hash, Hasher};

use aws_lc_rs::digest;

use crate::authorize::Terms;

/// Names a lease by everything that it was issued for: equal only if credential, route, subject, scopes, audience
/// and resource all are, and within one generation of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseKey([u8; digest::SHA256_OUTPUT_LEN]);

impl LeaseKey {
    /// The key of `terms` in `generation`. Each field is written with its length before it, so that none can run
    /// into the next.
    pub(super) fn of(generation: u64, terms: &Terms) -> Self {
        let Terms { credential, route, subject, scopes, audience, resource } = terms;
        let mut fields = Vec::with_capacity(256);
        fields.extend_from_slice(&generation.to_le_bytes());
        for text in [credential, route, subject] {
            append(&mut fields, text);
        }
        fields.extend_from_slice(&scopes.len().to_le_bytes());
        for scope in &**scopes {
            append(&mut fields, scope);
        }
        for optional in [audience, resource] {
            fields.push(u8::from(optional.is_some()));
            append(&mut fields, optional.as_deref().unwrap_or(""));
        }
        let digest = digest::digest(&digest::SHA256, &fields);
        Self(digest.as_ref().try_into().expect("a SHA-256 digest has its own length"))
    }
}

fn append(fields: &mut Vec<u8>, text: &str) {
    fields.extend_from_slice(&text.len().to_le_bytes());
    fields.extend_from_slice(text.as_bytes());
}

impl Hash for LeaseKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

/// A digest needs no second hash: this takes eight of its bytes.
#[derive(Default)]
pub(super) struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, digest: &[u8]) {
        self.0 = digest.first_chunk().map_or(0, |start| u64::from_le_bytes(*start));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Builds the hasher of maps by [`LeaseKey`].
pub(super) type ByDigest = BuildHasherDefault<DigestHasher>;

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Terms {
        Terms {
            credential: "key".into(),
            route: "api".into(),
            subject: "uid=1000".into(),
            scopes: ["a".into(), "b".into()].into(),
            audience: None,
            resource: None,
        }
    }

    #[test]
    fn differs_by_each_term() {
        let key = LeaseKey::of(1, &terms());
        let check = |change: fn(&mut Terms), same: bool| {
            let mut changed = terms();
            change(&mut changed);
            assert_eq!(LeaseKey::of(1, &changed) == key, same, "{changed:?}");
        };
        check(|_| (), true);
        check(|terms| terms.credential = "yek".into(), false);
        check(|terms| terms.route = "ap".into(), false);
        check(|terms| terms.subject = "uid=1001".into(), false);
        check(|terms| terms.scopes = ["ab".into()].into(), false);
        check(|terms| terms.scopes = ["a".into()].into(), false);
        check(|terms| terms.audience = Some(String::new()), false);
        check(|terms| terms.resource = Some(String::new()), false);
        assert_ne!(LeaseKey::of(2, &terms()), key);
    }

    #[test]
    fn no_field_runs_into_the_next() {
        let joined = Terms { credential: "keyapi".into(), route: "".into(), ..terms() };
        assert_ne!(LeaseKey::of(1, &joined), LeaseKey::of(1, &terms()));
        let audience = Terms { audience: Some("x".into()), ..terms() };
        let resource = Terms { resource: Some("x".into()), ..terms() };
        assert_ne!(LeaseKey::of(1, &audience), LeaseKey::of(1, &resource));
    }
}
