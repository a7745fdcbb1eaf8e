//! Values of the file that only its shapes use.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::value::text_value;

/// The version of the format.
pub(crate) struct Version;

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u64::deserialize(deserializer)? {
            1 => Ok(Self),
            _ => Err(serde::de::Error::custom("the only version there is so far is 1")),
        }
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "const": 1 })
    }
}

/// A fraction of a life: over 0, at most 1.
#[derive(Clone, Copy)]
pub(crate) struct Fraction(pub(crate) f64);

impl<'de> Deserialize<'de> for Fraction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fraction = f64::deserialize(deserializer)?;
        if fraction > 0.0 && fraction <= 1.0 {
            Ok(Self(fraction))
        } else {
            Err(serde::de::Error::custom("expected a fraction over 0 and at most 1"))
        }
    }
}

impl JsonSchema for Fraction {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Fraction".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 })
    }
}

/// The name of a header, lower case.
pub(crate) struct HeaderName(pub(crate) String);

impl HeaderName {
    fn parse(text: &str) -> Result<Self, String> {
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if text.is_empty() || !text.bytes().all(token) {
            return Err("expected the name of a header".to_owned());
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

text_value!(HeaderName, HeaderName::parse, "the name of a header", {
    "type": "string",
    "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
});

/// The path of a rule, as `claviger/authz/decision`.
pub(crate) struct Entrypoint(pub(crate) String);

impl Entrypoint {
    fn parse(text: &str) -> Result<Self, String> {
        let part =
            |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
        if text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err("expected the path of a rule, as `claviger/authz/decision`".to_owned())
        }
    }
}

text_value!(Entrypoint, Entrypoint::parse, "the path of a rule", {
    "type": "string",
    "examples": ["claviger/authz/decision"]
});
