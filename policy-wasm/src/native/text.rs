//! JSON text becomes values in memory: numbers as they are written, of keys given twice the last.

use super::builder::{Builder, Fault};
use crate::error::EvalError;
use crate::value::Number;

/// Writes the document and gives its address.
pub(crate) fn write(builder: &mut Builder<'_>, text: &str) -> Result<u32, Fault> {
    let mut reader = Reader { text, at: 0 };
    reader.skip_space();
    let address = reader.value(builder)?;
    if reader.at == text.len() { Ok(address) } else { Err(reader.malformed()) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// A value and the space behind it.
    fn value(&mut self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        let address = match self.next() {
            Some(b'"') => builder.string(&self.string()?),
            Some(b'{') => self.object(builder),
            Some(b'[') => self.array(builder),
            Some(b'-' | b'0'..=b'9') => self.number(builder),
            Some(b't') => self.word("true").and_then(|()| builder.boolean(true)),
            Some(b'f') => self.word("false").and_then(|()| builder.boolean(false)),
            Some(b'n') => self.word("null").and_then(|()| builder.null()),
            Some(_) | None => Err(self.malformed()),
        }?;
        self.skip_space();
        Ok(address)
    }

    fn array(&mut self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        builder.descend()?;
        let mark = builder.elements_mark();
        self.step();
        if !self.took(b']') {
            loop {
                let element = self.value(builder)?;
                builder.push_element(element);
                if self.closed(b']')? {
                    break;
                }
            }
        }
        builder.array(mark)
    }

    fn object(&mut self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        builder.descend()?;
        let mark = builder.fields_mark();
        self.step();
        if !self.took(b'}') {
            loop {
                if self.next() != Some(b'"') {
                    return Err(self.malformed());
                }
                let key = builder.key(&self.string()?)?;
                self.skip_space();
                if !self.took(b':') {
                    return Err(self.malformed());
                }
                let value = self.value(builder)?;
                builder.push_field(key, value)?;
                if self.closed(b'}')? {
                    break;
                }
            }
        }
        builder.object(mark)
    }

    fn number(&mut self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().position(|byte| !part(byte)).unwrap_or(rest.len());
        let number = &self.text[self.at..self.at + length];
        if Number::parse(number).is_none() {
            return Err(self.malformed());
        }
        self.at += length;
        match number.parse::<i32>() {
            Ok(value) if number != "-0" => builder.integer(value.into()),
            Ok(_) | Err(_) => builder.number(number),
        }
    }

    /// The string's extent is found here; its escapes are JSON's and left to the JSON parser.
    fn string(&mut self) -> Result<std::borrow::Cow<'t, str>, Fault> {
        let rest = &self.text.as_bytes()[self.at..];
        let (mut end, mut plain) = (1, true);
        loop {
            match rest.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    end += 2;
                }
                Some(0..=0x1f) | None => return Err(self.malformed()),
                Some(_) => end += 1,
            }
        }
        let quoted = &self.text[self.at..=self.at + end];
        self.at += end + 1;
        match plain {
            true => Ok(quoted[1..end].into()),
            false => serde_json::from_str::<String>(quoted).map(Into::into).map_err(|_| self.malformed()),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.malformed());
        }
        self.at += word.len();
        Ok(())
    }

    fn closed(&mut self, close: u8) -> Result<bool, Fault> {
        if self.took(close) {
            return Ok(true);
        }
        if self.took(b',') { Ok(false) } else { Err(self.malformed()) }
    }

    /// Takes the byte and the space behind it, if it is next.
    fn took(&mut self, byte: u8) -> bool {
        let found = self.next() == Some(byte);
        if found {
            self.step();
        }
        found
    }

    fn step(&mut self) {
        self.at += 1;
        self.skip_space();
    }

    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.next(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn malformed(&self) -> Fault {
        Fault::Refused(EvalError::InputNotJson { cause: format!("it is malformed at byte {}", self.at) })
    }
}
