//! What went wrong while decoding, and the way to it, noted while the error travels outwards.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use crate::Location;
use crate::node::{Form, Node, Value};
use crate::suggest::{nearest, one_of, quoted};
use crate::value::URL_SECRETS;

/// One step from a block into it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// Why a block does not decode.
#[derive(Debug)]
pub(super) enum Cause {
    /// Something that stands there is wrong.
    Wrong { code: &'static str, message: String, suggestion: Option<String> },
    /// A key that must be there is not.
    Missing(&'static str),
    /// What was made up for a rejected value is not accepted either.
    StandInFailed,
}

/// An error and the way to it.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) cause: Cause,
    /// Where it is, if that is already known.
    pub(super) location: Option<Location>,
    /// The steps to the culprit, the innermost first.
    pub(super) trail: Vec<Step>,
}

impl Error {
    pub(super) fn wrong(code: &'static str, message: impl Into<String>) -> Self {
        Self::of(Cause::Wrong { code, message: message.into(), suggestion: None })
    }

    pub(super) fn stand_in_failed() -> Self {
        Self::of(Cause::StandInFailed)
    }

    fn of(cause: Cause) -> Self {
        Self { cause, location: None, trail: Vec::new() }
    }

    /// A name that is none of `expected`; `written` is the name as it stands in the file.
    pub(super) fn not_among(
        code: &'static str,
        what: &str,
        written: &str,
        expected: &'static [&'static str],
    ) -> Self {
        let suggestion = nearest(written, expected.iter().copied()).map(str::to_owned);
        let known = match &suggestion {
            Some(_) => String::new(),
            None => format!("; known here: {}", one_of(expected)),
        };
        let message = format!("unknown {what} {}{known}", quoted(written));
        Self::of(Cause::Wrong { code, message, suggestion })
    }

    /// The same error once it is known to be at `location`, unless it is known to be further in.
    pub(super) fn at(mut self, location: Location) -> Self {
        self.location.get_or_insert(location);
        self
    }

    /// The same error seen from one block further out.
    pub(super) fn under(mut self, step: Step) -> Self {
        self.trail.push(step);
        self
    }

    /// The same error at this node; it never repeats what a variable put there.
    pub(super) fn within(mut self, node: &Node) -> Self {
        if let (Cause::Wrong { message, .. }, Value::Scalar(scalar)) = (&mut self.cause, &node.value)
            && let Form::Expanded(written) = &scalar.form
            && message.contains(&scalar.text)
        {
            *message = format!("the value of {} cannot be used here", quoted(written));
        }
        self.at(node.location)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Index(at) => write!(f, "{at}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Wrong { message, .. } => f.write_str(message),
            Cause::Missing(key) => write!(f, "`{key}` is missing here"),
            Cause::StandInFailed => f.write_str("nothing can stand in for a rejected value"),
        }
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    /// Text is all that serde lets through here, so some texts are known by heart: their lines must not be
    /// shown.
    fn custom<T: fmt::Display>(message: T) -> Self {
        let message = message.to_string();
        let code = if URL_SECRETS.contains(&message.as_str()) { "inline_secret" } else { "bad_value" };
        Self::wrong(code, message)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = plain_words(&expected.to_string());
        let quotable = matches!(
            found,
            Unexpected::Bool(_) | Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_)
        );
        let quote = if quotable && expected == "text" { "; put it in quotes" } else { "" };
        Self::wrong("wrong_type", format!("expected {expected}, found {}{quote}", kind_of(found)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::wrong("bad_value", format!("expected {}", plain_words(&expected.to_string())))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::not_among("unknown_variant", "value", variant, expected)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::not_among("unknown_key", "key", field, expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::of(Cause::Missing(field))
    }
}

/// Serde's words for what it expected, in the words of the manual.
fn plain_words(expected: &str) -> String {
    let words = match expected {
        "a string" | "path string" | "a borrowed string" | "a character" => "text",
        "a sequence" => "a list",
        "a map" => "a mapping",
        "a boolean" => "`true` or `false`",
        "u8" | "u16" | "u32" | "u64" | "usize" | "nonzero u64" | "nonzero u32" => {
            "a whole number within bounds, not negative"
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number within bounds",
        "f32" | "f64" => "a number",
        other if other.starts_with("struct ") => "a mapping",
        other => other,
    };
    words.to_owned()
}

/// What was found, in words and never its value.
fn kind_of(found: Unexpected<'_>) -> &'static str {
    match found {
        Unexpected::Bool(_) => "`true` or `false`",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "text",
        Unexpected::Unit | Unexpected::Option => "nothing",
        Unexpected::Seq | Unexpected::TupleVariant => "a list",
        Unexpected::Map | Unexpected::NewtypeStruct | Unexpected::StructVariant => "a mapping",
        Unexpected::Enum | Unexpected::UnitVariant | Unexpected::NewtypeVariant | Unexpected::Other(_) => {
            "something else"
        }
    }
}
