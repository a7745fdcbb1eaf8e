//! The text form that values cross the border in: JSON, and sets as `{1, 2}` or `set()`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter, Write as _};

use super::{Number, Value};

const DEPTH_MAX: usize = 128;
/// Each value takes some forty bytes here, however few it has as text: more than any module has room for.
const VALUES_MAX: usize = 4 * 1024 * 1024;

/// Why text is not a value. Holds no part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SyntaxError {
    #[error("it is malformed at byte {at}")]
    Malformed { at: usize },
    #[error("a key is given twice")]
    DuplicateKey,
    #[error("it is nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("it has more than {VALUES_MAX} values")]
    TooMany,
}

pub(super) fn parse(text: &str) -> Result<Value, SyntaxError> {
    let mut reader = Reader { text, at: 0, depth: 0, values: 0 };
    let value = reader.value()?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(reader.malformed()) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, SyntaxError> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return Err(SyntaxError::TooMany);
        }
        self.skip_space();
        match self.rest().as_bytes().first() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'[') => self.nested(Reader::array),
            Some(b'{') => self.nested(Reader::braces),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) | None => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, SyntaxError>) -> Result<Value, SyntaxError> {
        if self.depth == DEPTH_MAX {
            return Err(SyntaxError::TooDeep);
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        const WORDS: [(&str, Value); 4] = [
            ("null", Value::Null),
            ("true", Value::Boolean(true)),
            ("false", Value::Boolean(false)),
            ("set()", Value::Set(BTreeSet::new())),
        ];
        let (word, value) = WORDS
            .into_iter()
            .find(|(word, _)| self.rest().starts_with(word))
            .ok_or_else(|| self.malformed())?;
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let rest = self.rest();
        let end =
            rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
        let number = Number::parse(&rest[..end]).ok_or_else(|| self.malformed())?;
        self.at += end;
        Ok(Value::Number(number))
    }

    /// The string's extent is found here; its escapes are JSON's and left to the JSON parser.
    fn string(&mut self) -> Result<String, SyntaxError> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let (mut end, mut escaped) = (1, false);
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end += 2;
                }
                Some(_) => end += 1,
                None => return Err(self.malformed()),
            }
        }
        let text = match escaped {
            true => serde_json::from_str(&rest[..=end]).map_err(|_| self.malformed())?,
            false => rest[1..end].to_owned(),
        };
        self.at += end + 1;
        Ok(text)
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.closes(b']')? {
                return Ok(Value::Array(elements));
            }
        }
    }

    fn braces(&mut self) -> Result<Value, SyntaxError> {
        if self.take(b'}') {
            return Ok(Value::Object(BTreeMap::new()));
        }
        let first = self.value()?;
        match self.take(b':') {
            true => self.object(first),
            false => self.set(first),
        }
    }

    fn object(&mut self, first: Value) -> Result<Value, SyntaxError> {
        let mut fields = BTreeMap::new();
        let mut key = first;
        loop {
            let value = self.value()?;
            if fields.insert(key, value).is_some() {
                return Err(SyntaxError::DuplicateKey);
            }
            if self.closes(b'}')? {
                return Ok(Value::Object(fields));
            }
            key = self.value()?;
            if !self.take(b':') {
                return Err(self.malformed());
            }
        }
    }

    fn set(&mut self, first: Value) -> Result<Value, SyntaxError> {
        let mut elements = BTreeSet::from([first]);
        while !self.closes(b'}')? {
            elements.insert(self.value()?);
        }
        Ok(Value::Set(elements))
    }

    fn closes(&mut self, close: u8) -> Result<bool, SyntaxError> {
        if self.take(close) {
            return Ok(true);
        }
        if self.take(b',') { Ok(false) } else { Err(self.malformed()) }
    }

    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let found = self.rest().as_bytes().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn malformed(&self) -> SyntaxError {
        SyntaxError::Malformed { at: self.at }
    }
}

/// OPA's own notation, `{"a": [1, 2]}`; also what `opa_value_parse` reads.
impl Display for Value {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => out.write_str("null"),
            Value::Boolean(value) => write!(out, "{value}"),
            Value::Number(number) => out.write_str(number.as_str()),
            Value::String(text) => quoted(out, text),
            Value::Array(elements) => {
                out.write_char('[')?;
                separated(out, elements.iter(), |out, element| write!(out, "{element}"))?;
                out.write_char(']')
            }
            Value::Set(elements) if elements.is_empty() => out.write_str("set()"),
            Value::Set(elements) => {
                out.write_char('{')?;
                separated(out, elements.iter(), |out, element| write!(out, "{element}"))?;
                out.write_char('}')
            }
            Value::Object(fields) => {
                out.write_char('{')?;
                separated(out, fields.iter(), |out, (key, value)| write!(out, "{key}: {value}"))?;
                out.write_char('}')
            }
        }
    }
}

/// JSON, as OPA makes it of its values: a set becomes an array in OPA's order, a key that is no string the JSON of it.
pub(super) fn write_json(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null | Value::Boolean(_) | Value::Number(_) => write!(out, "{value}"),
        Value::String(text) => quoted(out, text),
        Value::Array(elements) => write_json_array(out, elements.iter()),
        Value::Set(elements) => write_json_array(out, elements.iter()),
        Value::Object(fields) => {
            out.write_char('{')?;
            for (index, (key, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.write_char(',')?;
                }
                match key.as_str() {
                    Some(name) => quoted(out, name)?,
                    None => quoted(out, &key.to_json())?,
                }
                out.write_char(':')?;
                write_json(out, value)?;
            }
            out.write_char('}')
        }
    }
}

fn write_json_array<'a>(out: &mut impl fmt::Write, elements: impl Iterator<Item = &'a Value>) -> fmt::Result {
    out.write_char('[')?;
    for (index, element) in elements.enumerate() {
        if index > 0 {
            out.write_char(',')?;
        }
        write_json(out, element)?;
    }
    out.write_char(']')
}

fn separated<T>(
    out: &mut Formatter<'_>,
    items: impl Iterator<Item = T>,
    write: fn(&mut Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(out, item)?;
    }
    Ok(())
}

fn quoted(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            control if u32::from(control) < 0x20 => write!(out, "\\u{:04x}", u32::from(control))?,
            plain => out.write_char(plain)?,
        }
    }
    out.write_char('"')
}
