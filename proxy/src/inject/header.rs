//! `header: {name, format}`: any header, as `X-Token: token <secret>`.

use std::sync::Arc;

use claviger_config::Finding;
use http::header::HeaderName;
use zeroize::Zeroizing;

use super::{Injection, InjectionKind, Wire, sensitive};
use crate::credential::secret::Secret;
use crate::request::headers::{self, Class};

/// Which header, and how the secret stands in it.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// The header's name.
    name: String,
    /// Text with `{secret}` in it; the secret alone by default.
    #[serde(default = "secret_alone")]
    format: String,
}

struct Header {
    name: HeaderName,
    before: String,
    after: String,
}

const PLACE: &str = "{secret}";

fn secret_alone() -> String {
    PLACE.to_owned()
}

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "header",
    example: "header: { name: X-Token, format: \"token {secret}\" }",
    schema: || schemars::schema_for!(Settings),
    build: |kind, findings| {
        let settings: Settings = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        let mut refuse = |key: &str, why: &str| {
            let path = format!("{}.{key}", kind.path);
            findings.push(Finding::bad_value(&path, kind.settings.location_of(key), why));
        };
        let name = header_name(&settings.name).map_err(|why| refuse("name", why)).ok();
        let halves = halves(&settings.format).map_err(|why| refuse("format", why)).ok();
        let ((before, after), name) = (halves?, name?);
        Some(Arc::new(Header { name, before, after }))
    },
};

fn header_name(text: &str) -> Result<HeaderName, &'static str> {
    let name: HeaderName = text.parse().map_err(|_| "this is not a header name")?;
    match headers::class(name.as_str()) {
        Class::EndToEnd | Class::Carrier => Ok(name),
        Class::HopByHop | Class::Framing => Err("this header belongs to the connection"),
        Class::Own | Class::Forwarding => Err("this header is never sent to an upstream"),
        Class::Ambiguous => Err("header names with an underscore are read in two ways"),
    }
}

fn halves(format: &str) -> Result<(String, String), &'static str> {
    let (before, after) = format.split_once(PLACE).ok_or("a format holds {secret}")?;
    if after.contains(PLACE) {
        return Err("a format holds {secret} once");
    }
    if !headers::value_is_plain(format.as_bytes()) {
        return Err("a format is printable ASCII");
    }
    Ok((before.to_owned(), after.to_owned()))
}

impl Injection for Header {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, wire: &mut Wire) -> Result<(), &'static str> {
        let text = Zeroizing::new([self.before.as_str(), secret.expose(), &self.after].concat());
        wire.headers.insert(self.name.clone(), sensitive(&text)?);
        Ok(())
    }

    fn owned_header(&self) -> Option<&HeaderName> {
        Some(&self.name)
    }
}
