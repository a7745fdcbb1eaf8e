//! `basic: {username}`: `Authorization: Basic …` by RFC 7617, with the secret as the password.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, HeaderName};
use zeroize::Zeroizing;

use super::{Injection, InjectionKind, Wire};
use crate::credential::secret::{Secret, Written};

/// Whose password the secret is.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Basic {
    /// The user name; printable ASCII without a colon.
    username: UserName,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct UserName(String);

impl TryFrom<String> for UserName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b':';
        if text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err("a user name is printable ASCII without a colon")
        }
    }
}

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "basic",
    example: "basic: { username: robot }",
    schema: || schemars::schema_for!(Basic),
    build: |kind, findings| {
        let basic: Basic = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        Some(Arc::new(basic))
    },
};

impl Basic {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn pair(&self, secret: &Secret) -> Zeroizing<String> {
        Zeroizing::new([self.username.0.as_str(), ":", secret.expose()].concat())
    }
}

impl Injection for Basic {
    fn inject(&self, secret: &Secret, written: &Written, wire: &mut Wire) -> Result<(), &'static str> {
        let value = written.header(|| {
            let pair = self.pair(secret);
            let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
            Zeroizing::new(["Basic ", &encoded].concat())
        })?;
        wire.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    fn composed(&self, secret: &Secret) -> Option<Zeroizing<String>> {
        Some(self.pair(secret))
    }

    fn owned_header(&self) -> Option<&HeaderName> {
        Some(&AUTHORIZATION)
    }
}
