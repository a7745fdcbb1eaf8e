//! Header names and values that a policy may give: nothing that could end a line or start another.

use super::not_a_decision;
use crate::error::EvalError;
use crate::value::Value;

const NAME_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 4096;

/// A token of RFC 9110, in lower case.
pub(super) fn header_name(key: &str, name: &Value) -> Result<String, EvalError> {
    let name = name.as_str().filter(|name| is_token(name));
    name.map(str::to_ascii_lowercase)
        .ok_or_else(|| not_a_decision(format!("`{key}` has a name that is no header name")))
}

/// Visible ASCII with spaces inside.
pub(super) fn header_value(key: &str, name: &str, value: &Value) -> Result<String, EvalError> {
    let value = value.as_str().filter(|value| is_field_value(value));
    value
        .map(str::to_owned)
        .ok_or_else(|| not_a_decision(format!("`{key}` has no header value for `{name}`")))
}

fn is_token(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

fn is_field_value(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX
        && value.trim() == value
        && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}
