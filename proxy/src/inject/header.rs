//! `header: {name, format}`: any header, as `X-Token: token <secret>`.

use std::sync::Arc;

use http::header::HeaderName;
use zeroize::Zeroizing;

use super::{Injection, InjectionKind, Wire};
use crate::credential::secret::{Secret, Written};
use crate::request::headers::{self, Class};

/// Which header, and how the secret stands in it.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Header {
    /// The header's name.
    name: Name,
    /// Text with `{secret}` in it; the secret alone by default.
    #[serde(default)]
    format: Format,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Name(HeaderName);

/// What stands before and after the secret.
#[derive(Default, serde::Deserialize, schemars::JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Format {
    before: String,
    after: String,
}

const PLACE: &str = "{secret}";

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "header",
    example: "header: { name: X-Token, format: \"token {secret}\" }",
    schema: || schemars::schema_for!(Header),
    build: |kind, findings| {
        let header: Header = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        Some(Arc::new(header))
    },
};

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let name: HeaderName = text.parse().map_err(|_| "this is not a header name")?;
        match headers::class(name.as_str()) {
            Class::EndToEnd | Class::Carrier => Ok(Self(name)),
            Class::HopByHop | Class::Framing => Err("this header belongs to the connection"),
            Class::Own | Class::Forwarding => Err("this header is never sent to an upstream"),
            Class::Ambiguous => Err("header names with an underscore are read in two ways"),
        }
    }
}

impl TryFrom<String> for Format {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (before, after) = text.split_once(PLACE).ok_or("a format holds {secret}")?;
        if after.contains(PLACE) {
            return Err("a format holds {secret} once");
        }
        if !headers::value_is_plain(text.as_bytes()) {
            return Err("a format is printable ASCII");
        }
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }
}

impl Injection for Header {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, written: &Written, wire: &mut Wire) -> Result<(), &'static str> {
        let Format { before, after } = &self.format;
        let value = written.header(|| Zeroizing::new([before, secret.expose(), after].concat()))?;
        wire.headers.insert(self.name.0.clone(), value);
        Ok(())
    }

    fn owned_header(&self) -> Option<&HeaderName> {
        Some(&self.name.0)
    }
}
