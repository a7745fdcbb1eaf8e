//! `query: {name}`: a query parameter, for upstreams that take their key no other way.

use std::sync::Arc;

use claviger_config::Finding;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Injection, InjectionKind, Wire};
use crate::credential::secret::Secret;

/// Which parameter.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Its name: letters, digits, `-`, `_` and `.`.
    name: String,
}

struct Parameter {
    name: String,
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "query",
    example: "query: { name: key }",
    schema: || schemars::schema_for!(Settings),
    build: |kind, findings| {
        let Settings { name } = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            let path = format!("{}.name", kind.path);
            let location = kind.settings.location_of("name");
            findings.push(Finding::bad_value(&path, location, "a parameter's name has letters, digits, `-`, `_` and `.`"));
            return None;
        }
        Some(Arc::new(Parameter { name }))
    },
};

impl Injection for Parameter {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, wire: &mut Wire) -> Result<(), &'static str> {
        wire.target.push(if wire.target.contains('?') { '&' } else { '?' });
        wire.target.push_str(&self.name);
        wire.target.push('=');
        wire.target.extend(utf8_percent_encode(secret.expose(), UNRESERVED));
        Ok(())
    }

    fn owned_query(&self) -> Option<&str> {
        Some(&self.name)
    }
}
