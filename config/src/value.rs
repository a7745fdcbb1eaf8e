//! Small values with a syntax of their own, ready for the settings of every kind.

mod bind;
mod duration;
mod host;
mod http_url;
mod secret;
mod size;
mod tls;

pub use duration::Duration;
pub use http_url::HttpUrl;
pub use secret::SecretRef;
pub use size::Size;
pub use tls::{ClientCertificate, TlsSettings};

pub(crate) use host::{Authority, HostName};
pub(crate) use http_url::URL_SECRETS;

/// `Deserialize` by a `fn(&str) -> Result<Self, String>` and `JsonSchema` by a pattern, for a value that is
/// text in the file. The error must not repeat the text.
macro_rules! text_value {
    ($type:ty, $parse:path, $expected:literal, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        $parse(text).map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use text_value;

/// A number and what follows it.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit))
}
