//! Every secret of a case, and the search for any byte form of one where it must not be.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;

/// Sightings shown at most; one is enough to fail.
const SIGHTINGS_MAX: usize = 5;

/// The secrets of one case and the places where they must not be.
#[derive(Default)]
pub struct Canaries {
    secrets: Mutex<Vec<(String, String)>>,
    sinks: Mutex<Vec<(String, Vec<u8>)>>,
}

impl Canaries {
    /// A new secret that looks like nothing else; `what` names it in a report.
    pub fn mint(&self, what: &str) -> String {
        let mut random = [0u8; 16];
        rustls::crypto::aws_lc_rs::default_provider()
            .secure_random
            .fill(&mut random)
            .expect("the system has randomness");
        let secret = format!("canary-{}", hex::encode(random));
        self.watch(what, &secret);
        secret
    }

    /// A secret that somebody else made.
    pub fn watch(&self, what: &str, secret: &str) {
        self.secrets.lock().expect("no test panics in here").push((what.to_owned(), secret.to_owned()));
    }

    /// Bytes that anyone but the upstream and the issuer may see.
    pub fn sink(&self, place: &str, content: impl Into<Vec<u8>>) {
        self.sinks.lock().expect("no test panics in here").push((place.to_owned(), content.into()));
    }

    /// Every place where a secret was found, as lines for a person; they hold no secret.
    pub fn sightings(&self) -> Vec<String> {
        let secrets = self.secrets.lock().expect("no test panics in here");
        let sinks = self.sinks.lock().expect("no test panics in here");
        let mut found = Vec::new();
        for (what, secret) in secrets.iter() {
            for (form, needle) in forms(secret) {
                let finder = memmem::Finder::new(&needle);
                let places = sinks.iter().filter(|(_, content)| finder.find(content).is_some());
                found.extend(places.map(|(place, _)| format!("{what} as {form} in {place}")));
            }
        }
        found.truncate(SIGHTINGS_MAX);
        found
    }
}

/// The byte forms under which a secret could be found again.
fn forms(secret: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = secret.as_bytes();
    let each = |format: fn(&u8) -> String| bytes.iter().map(format).collect::<String>().into_bytes();
    let mut forms = vec![
        ("text", bytes.to_vec()),
        ("reversed text", bytes.iter().rev().copied().collect()),
        ("hex", hex::encode(bytes).into_bytes()),
        ("upper-case hex", hex::encode_upper(bytes).into_bytes()),
        ("percent", each(|byte| format!("%{byte:02x}"))),
        ("upper-case percent", each(|byte| format!("%{byte:02X}"))),
        ("JSON escapes", each(|byte| format!("\\u{byte:04x}"))),
        ("a list of numbers", bytes.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes()),
    ];
    for shift in 0..3 {
        forms.push(("base64", aligned(STANDARD.encode([&[0; 3][..shift], bytes].concat()), shift)));
        forms.push(("base64url", aligned(URL_SAFE.encode([&[0; 3][..shift], bytes].concat()), shift)));
    }
    forms
}

/// The first and the last group depend on what stands beside the secret: only what lies between is compared.
fn aligned(encoded: String, shift: usize) -> Vec<u8> {
    let text = encoded.trim_end_matches('=');
    let first = if shift == 0 { 0 } else { 4 };
    text.as_bytes()[first..text.len() - 4].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: &[u8], found: bool) {
        let canaries = Canaries::default();
        canaries.watch("the token", "canary-0123456789abcdef");
        canaries.sink("the log", content);
        assert_eq!(!canaries.sightings().is_empty(), found, "{}", String::from_utf8_lossy(content));
    }

    #[test]
    fn secret_is_found_in_every_form() {
        let token = "canary-0123456789abcdef";
        check(b"an ordinary line, canary-0123", false);
        check(format!("Bearer {token}").as_bytes(), true);
        check(hex::encode(format!("Bearer {token}")).as_bytes(), true);
        for before in ["", "u", "us", "user:", "Bearer "] {
            check(STANDARD.encode(format!("{before}{token} and more")).as_bytes(), true);
            check(URL_SAFE.encode(format!("{before}{token}")).as_bytes(), true);
        }
        check(format!("{:?}", token.as_bytes()).as_bytes(), true);
    }
}
