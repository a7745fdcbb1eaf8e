//! The file as a small tree that knows where everything stands, so that every finding can point at it.
//!
//! It prints no value, not even in `Debug`: variables may have put a secret into it.

mod parse;

use std::fmt;

use crate::{Findings, Location};

/// A value of the file and its place. A block without brackets, and a block of text, stand at their key.
#[derive(Clone)]
pub struct Node {
    pub(crate) location: Location,
    pub(crate) value: Value,
}

/// What stands there.
#[derive(Clone)]
pub(crate) enum Value {
    /// Text, typed only when somebody asks for it.
    Scalar(Scalar),
    /// `- a` or `[a]`.
    Sequence(Vec<Node>),
    /// `a: b` or `{ a: b }`, in the order of the file, each key once.
    Mapping(Vec<Entry>),
    /// Told in a finding already; a value is made up in its place so that the rest can be judged.
    Rejected {
        /// Which made-up text is tried.
        attempt: usize,
    },
    /// Told in a finding already, and nothing can be made up for it.
    Dropped,
}

/// One key of a mapping.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) location: Location,
    pub(crate) value: Node,
}

/// The text of a scalar.
#[derive(Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) form: Form,
}

/// How a scalar was written.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Without quotes: it may be a number, a boolean or nothing.
    Plain,
    /// With quotes or as a block of text: always text.
    Quoted,
    /// Without quotes and with variables, as it stood before they were put in.
    Expanded(String),
}

/// What a plain scalar means under the core schema of YAML 1.2.
pub(crate) enum Typed<'a> {
    Nothing,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(&'a str),
}

impl Node {
    /// Reads one document.
    ///
    /// # Errors
    /// What is wrong with the text, as YAML or beyond what is allowed of it.
    pub fn from_yaml(text: &str) -> Result<Self, Findings> {
        let mut findings = Findings::default();
        match parse::parse(text, &mut findings) {
            Some(node) if findings.is_empty() => Ok(node),
            Some(_) | None => Err(findings),
        }
    }

    /// Reads as much of one document as can be understood.
    pub(crate) fn read(text: &str, findings: &mut Findings) -> Option<Self> {
        parse::parse(text, findings)
    }

    /// Where it stands.
    pub fn location(&self) -> Location {
        self.location
    }

    /// Whether it is `{}`: the settings of a kind that has none.
    pub fn is_empty_mapping(&self) -> bool {
        matches!(&self.value, Value::Mapping(entries) if entries.is_empty())
    }

    /// The value of one of its keys, where it is a mapping that has it.
    pub fn child(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Its items, none where it is not a list.
    pub fn items(&self) -> &[Self] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// Its keys with their places and values, none where it is not a mapping.
    pub fn members(&self) -> impl Iterator<Item = (&str, Location, &Self)> {
        self.entries().iter().map(|entry| (entry.key.as_str(), entry.location, &entry.value))
    }

    /// Its entries, none where it is not a mapping.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// Its text, where it is text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar @ Scalar { form: Form::Expanded(_), .. }) => Some(&scalar.text),
            Value::Scalar(scalar) => match scalar.typed() {
                Typed::Text(text) => Some(text),
                Typed::Nothing | Typed::Bool(_) | Typed::Unsigned(_) | Typed::Signed(_) | Typed::Float(_) => {
                    None
                }
            },
            Value::Sequence(_) | Value::Mapping(_) | Value::Rejected { .. } | Value::Dropped => None,
        }
    }

    /// Whether a finding has told of it, so that nobody need tell again.
    pub(crate) fn is_told(&self) -> bool {
        matches!(self.value, Value::Rejected { .. } | Value::Dropped)
    }

    /// Whether a finding has told of it or of anything within it.
    pub(crate) fn holds_told(&self) -> bool {
        match &self.value {
            Value::Scalar(_) => false,
            Value::Sequence(items) => items.iter().any(Self::holds_told),
            Value::Mapping(entries) => entries.iter().any(|entry| entry.value.holds_told()),
            Value::Rejected { .. } | Value::Dropped => true,
        }
    }

    /// Marks it as told in a finding.
    pub(crate) fn reject(&mut self) {
        self.value = Value::Rejected { attempt: 0 };
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.value {
            Value::Scalar(_) => "Scalar",
            Value::Sequence(_) => "Sequence",
            Value::Mapping(_) => "Mapping",
            Value::Rejected { .. } | Value::Dropped => "Rejected",
        };
        write!(f, "{what}({}:{})", self.location.line, self.location.column)
    }
}

impl Scalar {
    /// Its text as it stands in the file, without the values of variables.
    pub(crate) fn written(&self) -> &str {
        match &self.form {
            Form::Expanded(written) => written,
            Form::Plain | Form::Quoted => &self.text,
        }
    }

    /// What it means.
    pub(crate) fn typed(&self) -> Typed<'_> {
        if self.form == Form::Quoted {
            return Typed::Text(&self.text);
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Typed::Nothing,
            "true" | "True" | "TRUE" => Typed::Bool(true),
            "false" | "False" | "FALSE" => Typed::Bool(false),
            text => number(text),
        }
    }
}

/// A number in one of the forms of the core schema, or else text.
fn number(text: &str) -> Typed<'_> {
    let based = |digits: &str, base| u64::from_str_radix(digits, base).ok().map(Typed::Unsigned);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let typed = if let Some(hex) = text.strip_prefix("0x") {
        based(hex, 16)
    } else if let Some(octal) = text.strip_prefix("0o") {
        based(octal, 8)
    } else if matches!(digits, ".inf" | ".Inf" | ".INF") {
        Some(Typed::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }))
    } else if matches!(text, ".nan" | ".NaN" | ".NAN") {
        Some(Typed::Float(f64::NAN))
    } else if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        decimal(text)
    } else {
        None
    };
    typed.unwrap_or(Typed::Text(text))
}

fn decimal(text: &str) -> Option<Typed<'_>> {
    let unsigned = text.parse().map(Typed::Unsigned);
    let signed = || text.parse().map(Typed::Signed);
    unsigned.or_else(|_| signed()).ok().or_else(|| text.parse().map(Typed::Float).ok())
}
