//! `query: {name}`: a query parameter, for upstreams that take their key no other way.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Injection, InjectionKind, Wire};
use crate::credential::secret::{Secret, Written};

/// Which parameter.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Parameter {
    /// Its name: letters, digits, `-`, `_` and `.`.
    name: ParameterName,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct ParameterName(String);

impl TryFrom<String> for ParameterName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !text.is_empty() && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("a parameter's name has letters, digits, `-`, `_` and `.`")
        }
    }
}

const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "query",
    example: "query: { name: key }",
    schema: || schemars::schema_for!(Parameter),
    build: |kind, findings| {
        let parameter: Parameter = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        Some(Arc::new(parameter))
    },
};

impl Injection for Parameter {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, _: &Written, wire: &mut Wire) -> Result<(), &'static str> {
        wire.target.push(if wire.target.contains('?') { '&' } else { '?' });
        wire.target.push_str(&self.name.0);
        wire.target.push('=');
        wire.target.extend(utf8_percent_encode(secret.expose(), UNRESERVED));
        Ok(())
    }

    fn owned_query(&self) -> Option<&str> {
        Some(&self.name.0)
    }
}
