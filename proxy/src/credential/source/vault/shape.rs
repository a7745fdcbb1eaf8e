//! How a secret is put together from the fields of an answer.

use serde_json::Value;
use zeroize::Zeroizing;

use crate::credential::material::{self, Wiped};
use crate::credential::secret::{SECRET_BYTES_MAX, Secret};
use crate::credential::source::IssueError;

/// Text and fields in turn.
pub(super) struct Shape(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(String),
}

impl Shape {
    /// The value of one field.
    pub(super) fn field(name: String) -> Self {
        Self(vec![Piece::Field(name)])
    }

    /// Text with `{field}` in it; `None` if there is no field, or a brace without its other.
    pub(super) fn format(format: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut rest = format;
        while let Some((text, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            if name.is_empty() || name.contains('{') || text.contains('}') {
                return None;
            }
            pieces.extend([Piece::Text(text.to_owned()), Piece::Field(name.to_owned())]);
            rest = after;
        }
        if pieces.is_empty() || rest.contains('}') {
            return None;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Some(Self(pieces))
    }

    /// The secret that `fields` make.
    pub(super) fn secret(&self, fields: &Value) -> Result<Secret, IssueError> {
        let mut secret = Zeroizing::new(String::with_capacity(SECRET_BYTES_MAX));
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => append(&mut secret, text)?,
                Piece::Field(name) => match fields.get(name) {
                    Some(Value::String(text)) => append(&mut secret, text)?,
                    Some(Value::Number(number)) => append(&mut secret, &Zeroizing::new(number.to_string()))?,
                    Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                        return Err(IssueError::Refused("the field is not text"));
                    }
                    None => return Err(IssueError::Refused("the answer has no such field")),
                },
            }
        }
        // an exact copy: the lease should not carry the spare room
        material::answered(Wiped::new(secret.as_str().to_owned()))
    }
}

/// Never beyond what was allocated at first, so that growing leaves no copy behind.
fn append(secret: &mut String, text: &str) -> Result<(), IssueError> {
    if secret.len() + text.len() > SECRET_BYTES_MAX {
        return Err(IssueError::Invalid("the secret is too long"));
    }
    secret.push_str(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_format_names_fields() {
        let check = |format: &str, expected: Option<&str>| {
            let secret = Shape::format(format)
                .map(|shape| shape.secret(&json!({ "user": "u", "pass": "p{}", "n": 7 })));
            let expected = expected.map(|text| Secret::new(text.into()).expect("valid"));
            match (secret, expected) {
                (Some(Ok(secret)), Some(expected)) => assert!(secret.same_as(&expected), "{format}"),
                (secret, expected) => assert!(secret.is_none() && expected.is_none(), "{format}"),
            }
        };
        check("{user}:{pass}", Some("u:p{}"));
        check("{user}{n}", Some("u7"));
        check("key={n};", Some("key=7;"));
        for bad in ["", "plain", "{}", "{user", "user}", "{us{er}", "}{user}", "{user}}"] {
            check(bad, None);
        }
    }

    #[test]
    fn only_text_and_numbers_are_secrets() {
        let check = |value: Value, expected: Option<IssueError>| {
            let secret = Shape::field("key".into()).secret(&json!({ "key": value }));
            assert_eq!(secret.err(), expected, "{value}");
        };
        let not_text = IssueError::Refused("the field is not text");
        check(json!("token"), None);
        check(json!(12), None);
        check(json!(""), Some(IssueError::Invalid("the secret is empty")));
        check(json!("x".repeat(SECRET_BYTES_MAX + 1)), Some(IssueError::Invalid("the secret is too long")));
        for value in [json!(null), json!(true), json!([]), json!({})] {
            check(value, Some(not_text));
        }
        let missing = Shape::field("other".into()).secret(&json!({ "key": "token" }));
        assert_eq!(missing.err(), Some(IssueError::Refused("the answer has no such field")));
    }
}
