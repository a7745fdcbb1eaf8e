//! `bearer: {}`: `Authorization: Bearer <secret>` by RFC 6750.

use std::sync::Arc;

use http::header::{AUTHORIZATION, HeaderName};
use zeroize::Zeroizing;

use super::{Injection, InjectionKind, Wire};
use crate::credential::secret::{Secret, Written};

/// No settings.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {}

struct Bearer;

pub(super) const KIND: InjectionKind = InjectionKind {
    name: "bearer",
    example: "bearer: {}",
    schema: || schemars::schema_for!(Settings),
    build: |kind, findings| {
        let Settings {} = claviger_config::decode(&kind.settings, &kind.path, findings)?;
        Some(Arc::new(Bearer))
    },
};

impl Injection for Bearer {
    #[expect(clippy::disallowed_methods, reason = "an injection writes the secret on the wire")]
    fn inject(&self, secret: &Secret, written: &Written, wire: &mut Wire) -> Result<(), &'static str> {
        let value = written.header(|| Zeroizing::new(["Bearer ", secret.expose()].concat()))?;
        wire.headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    fn owned_header(&self) -> Option<&HeaderName> {
        Some(&AUTHORIZATION)
    }
}
