//! `basic: {username}`: `Authorization: Basic …` by RFC 7617, with the secret as the password.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use claviger_config::Finding;
use http::header::{AUTHORIZATION, HeaderName};
use zeroize::Zeroizing;

use super::{Injection, InjectionKind, Wire, sensitive};
use crate::credential::secret::Secret;

/// Whose password the secret is.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The user name; printable ASCII without a colon.
    username: String,
}

struct Basic {
    username: String,
}

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "basic",
    example: "basic: { username: robot }",
    schema: || schemars::schema_for!(Settings),
    build: |kind, findings| {
        let Settings { username } = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        if !username.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b':') {
            let path = format!("{}.username", kind.path);
            let location = kind.settings.location_of("username");
            findings.push(Finding::bad_value(&path, location, "a user name is printable ASCII without a colon"));
            return None;
        }
        Some(Arc::new(Basic { username }))
    },
};

impl Injection for Basic {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, wire: &mut Wire) -> Result<(), &'static str> {
        let pair = Zeroizing::new([self.username.as_str(), ":", secret.expose()].concat());
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        let text = Zeroizing::new(["Basic ", &encoded].concat());
        wire.headers.insert(AUTHORIZATION, sensitive(&text)?);
        Ok(())
    }

    fn owned_header(&self) -> Option<&HeaderName> {
        Some(&AUTHORIZATION)
    }
}
