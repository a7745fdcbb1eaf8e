//! JSON text as Go's `encoding/json` writes and reads it: HTML-safe, keys in order of their bytes, the last of equal
//! keys wins, a broken surrogate is U+FFFD.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Fault;
use crate::value::{Number, Value};

const DEPTH_MAX: usize = 128;
const TEXT_BYTES_MAX: usize = 1024 * 1024;
const NO_JSON: Fault = Fault::Undefined("it is no JSON");
const TOO_LARGE: Fault = Fault::Halt("the JSON text is too large");

/// How lines are broken; without it there is one line.
pub(super) struct Indent<'a> {
    pub(super) prefix: &'a str,
    pub(super) step: &'a str,
}

/// The value as compact JSON; sets are arrays, and a key that is no string is its own JSON.
pub(super) fn write(value: &Value) -> Result<String, Fault> {
    written(value, None)
}

/// The value over several lines, the first without the prefix.
pub(super) fn write_indented(value: &Value, indent: &Indent<'_>) -> Result<String, Fault> {
    written(value, Some(indent))
}

fn written(value: &Value, indent: Option<&Indent<'_>>) -> Result<String, Fault> {
    let mut writer = Writer { out: String::new(), indent, depth: 0 };
    writer.value(value)?;
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    indent: Option<&'a Indent<'a>>,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Result<(), Fault> {
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Boolean(value) => self.out.push_str(if *value { "true" } else { "false" }),
            Value::Number(number) => self.out.push_str(number.as_str()),
            Value::String(text) => quote(&mut self.out, text),
            Value::Array(elements) => self.list(elements.iter())?,
            Value::Set(elements) => self.list(elements.iter())?,
            Value::Object(fields) => self.object(fields)?,
        }
        if self.out.len() > TEXT_BYTES_MAX { Err(TOO_LARGE) } else { Ok(()) }
    }

    fn list<'v>(&mut self, elements: impl ExactSizeIterator<Item = &'v Value>) -> Result<(), Fault> {
        if elements.len() == 0 {
            self.out.push_str("[]");
            return Ok(());
        }
        self.out.push('[');
        self.depth += 1;
        for (index, element) in elements.enumerate() {
            self.separate(index);
            self.value(element)?;
        }
        self.close(']');
        Ok(())
    }

    fn object(&mut self, fields: &BTreeMap<Value, Value>) -> Result<(), Fault> {
        if fields.is_empty() {
            self.out.push_str("{}");
            return Ok(());
        }
        let named = fields.iter().map(|(key, value)| Ok((name_of(key)?, value)));
        let named = named.collect::<Result<BTreeMap<String, &Value>, Fault>>()?;
        self.out.push('{');
        self.depth += 1;
        for (index, (name, value)) in named.into_iter().enumerate() {
            self.separate(index);
            quote(&mut self.out, &name);
            self.out.push_str(if self.indent.is_some() { ": " } else { ":" });
            self.value(value)?;
        }
        self.close('}');
        Ok(())
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.break_line();
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.break_line();
        self.out.push(bracket);
    }

    fn break_line(&mut self) {
        if let Some(indent) = self.indent {
            self.out.push('\n');
            self.out.push_str(indent.prefix);
            self.out.extend(std::iter::repeat_n(indent.step, self.depth));
        }
    }
}

/// A key as JSON has it: text.
pub(super) fn name_of(key: &Value) -> Result<String, Fault> {
    key.as_str().map_or_else(|| write(key), |text| Ok(text.to_owned()))
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            plain => out.push(plain),
        }
    }
    out.push('"');
}

/// Strict JSON; what OPA's notation has beyond it is refused.
pub(super) fn read(text: &str) -> Result<Value, Fault> {
    let mut reader = Reader { text, at: 0, depth: 0 };
    let value = reader.value()?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(NO_JSON) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, Fault> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'[') => self.nested(Reader::array),
            Some(b'{') => self.nested(Reader::object),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) | None => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Fault>) -> Result<Value, Fault> {
        if self.depth == DEPTH_MAX {
            return Err(Fault::Undefined("the JSON is nested too deeply"));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Result<Value, Fault> {
        let mut elements = Vec::new();
        if self.take(b']') {
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.take(b']') {
                return Ok(Value::Array(elements));
            }
            self.demand(b',')?;
        }
    }

    fn object(&mut self) -> Result<Value, Fault> {
        let mut fields = BTreeMap::new();
        if self.take(b'}') {
            return Ok(Value::Object(fields));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(NO_JSON);
            }
            let key = Value::String(self.string()?);
            self.demand(b':')?;
            let value = self.value()?;
            fields.insert(key, value);
            if self.take(b'}') {
                return Ok(Value::Object(fields));
            }
            self.demand(b',')?;
        }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let rest = self.rest();
        let inside = |c: char| matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E');
        let end = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        self.at += end;
        Number::parse(&rest[..end]).map(Value::Number).ok_or(NO_JSON)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let words = [("null", Value::Null), ("true", true.into()), ("false", false.into())];
        let found = words.into_iter().find(|(word, _)| self.rest().starts_with(word));
        let (word, value) = found.ok_or(NO_JSON)?;
        self.at += word.len();
        Ok(value)
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let special = |c: char| matches!(c, '"' | '\\' | '\0'..='\u{1f}');
            let end = rest.find(special).ok_or(NO_JSON)?;
            out.push_str(&rest[..end]);
            self.at += end + 1;
            match rest.as_bytes()[end] {
                b'"' => return Ok(out),
                b'\\' => out.push(self.escape()?),
                _ => return Err(NO_JSON),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let letter = self.rest().chars().next().ok_or(NO_JSON)?;
        self.at += letter.len_utf8();
        match letter {
            '"' | '\\' | '/' => Ok(letter),
            'b' => Ok('\u{8}'),
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'u' => self.code_point(),
            _ => Err(NO_JSON),
        }
    }

    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.code_unit()?;
        if let 0xd800..0xdc00 = first
            && self.rest().starts_with("\\u")
        {
            let before = self.at;
            self.at += 2;
            let second = self.code_unit()?;
            if let 0xdc00..0xe000 = second {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn code_unit(&mut self) -> Result<u32, Fault> {
        let digits = self.rest().get(..4).filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        self.at += 4;
        digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(NO_JSON)
    }

    fn demand(&mut self, byte: u8) -> Result<(), Fault> {
        if self.take(byte) { Ok(()) } else { Err(NO_JSON) }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn peek(&mut self) -> Option<u8> {
        self.skip_space();
        self.rest().bytes().next()
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }
}
