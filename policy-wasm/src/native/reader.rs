//! Values in a module's memory become ours. The module is not trusted: every address is checked, and what is followed is
//! bounded, so that a cycle ends too.

use std::collections::{BTreeMap, BTreeSet};

use super::layout::{ELEMENT_BYTES, NUMBER_AS_INTEGER, NUMBER_AS_TEXT, POINTER_BYTES, STRING_BYTES, kind};
use crate::value::{Number, Value};

/// What is wrong with a value in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// An address points outside the memory, or to what is no value.
    Broken,
    /// A string or a key is not as it has to be.
    Malformed(&'static str),
    /// More than the budget allows.
    TooLarge,
}

/// What may still be read.
pub(crate) struct Budget {
    /// Values, buckets and links.
    pub(crate) steps: usize,
    /// Text.
    pub(crate) bytes: usize,
    /// Levels.
    pub(crate) depth: usize,
    /// What becomes of sets.
    pub(crate) sets: Sets,
}

/// What becomes of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sets {
    /// It stays one.
    Kept,
    /// It becomes an array, as in JSON.
    AsArrays,
}

/// The value at `address`.
pub(crate) fn read(memory: &[u8], address: u32, budget: &mut Budget) -> Result<Value, Flaw> {
    Reader { memory, budget }.value(address)
}

/// The value in the result set at `address`, which holds nothing or one `{"result": …}`.
pub(crate) fn sole_result(memory: &[u8], address: u32, budget: &mut Budget) -> Result<Option<Value>, Flaw> {
    let mut reader = Reader { memory, budget };
    let mut results = Vec::new();
    let is_set = reader.kind(address)? == kind::SET;
    reader.entries(address, POINTER_BYTES, |_, entry| {
        results.push(entry);
        Ok(())
    })?;
    match (is_set, results.as_slice()) {
        (true, []) => Ok(None),
        (true, [result]) => {
            let result = reader.word(*result)?;
            reader.result(result).map(Some)
        }
        (true, [_, ..]) => Err(Flaw::Malformed("there are several results")),
        (false, _) => Err(Flaw::Malformed("there is no result set")),
    }
}

/// The text of the string at `address`, where there is one of at most `bytes_max`.
pub(crate) fn string(memory: &[u8], address: u32, bytes_max: usize) -> Option<&str> {
    let mut budget = Budget { steps: 0, bytes: bytes_max, depth: 0, sets: Sets::Kept };
    let mut reader = Reader { memory, budget: &mut budget };
    match reader.kind(address).ok()? {
        kind::STRING | kind::STRING_INTERNED => reader.string(address).ok(),
        _ => None,
    }
}

struct Reader<'m, 'b> {
    memory: &'m [u8],
    budget: &'b mut Budget,
}

impl<'m> Reader<'m, '_> {
    fn value(&mut self, address: u32) -> Result<Value, Flaw> {
        self.spend(1)?;
        match self.kind(address)? {
            kind::NULL => Ok(Value::Null),
            kind::BOOLEAN | kind::BOOLEAN_INTERNED => Ok(Value::Boolean(self.slice(address, 2)?[1] != 0)),
            kind::NUMBER => self.number(address),
            kind::STRING | kind::STRING_INTERNED => self.string(address).map(|text| text.into()),
            kind::ARRAY => self.deeper(address, Reader::array),
            kind::OBJECT => self.deeper(address, Reader::object),
            kind::SET => self.deeper(address, Reader::set),
            _ => Err(Flaw::Broken),
        }
    }

    /// The value under `result` in the object that OPA wraps each result in.
    fn result(&mut self, address: u32) -> Result<Value, Flaw> {
        const MALFORMED: Flaw = Flaw::Malformed("the result set is malformed");
        let mut found = None;
        if self.kind(address)? != kind::OBJECT {
            return Err(MALFORMED);
        }
        self.entries(address, 8, |reader, field| {
            let key = reader.word(field)?;
            let is_string = matches!(reader.kind(key)?, kind::STRING | kind::STRING_INTERNED);
            if is_string && reader.string(key)? == "result" {
                found = Some(reader.word(field + 4)?);
            }
            Ok(())
        })?;
        self.value(found.ok_or(MALFORMED)?)
    }

    fn deeper(
        &mut self,
        address: u32,
        read: fn(&mut Self, u32) -> Result<Value, Flaw>,
    ) -> Result<Value, Flaw> {
        self.budget.depth = self.budget.depth.checked_sub(1).ok_or(Flaw::TooLarge)?;
        let value = read(self, address)?;
        self.budget.depth += 1;
        Ok(value)
    }

    fn number(&mut self, address: u32) -> Result<Value, Flaw> {
        let number = match self.slice(address, 2)?[1] {
            NUMBER_AS_INTEGER => {
                let low = u64::from(self.part(address, 8)?);
                let high = u64::from(self.part(address, 12)?);
                Number::from((high << 32 | low).cast_signed())
            }
            NUMBER_AS_TEXT => {
                let text = self.text(address.saturating_add(8), address.saturating_add(12))?;
                Number::parse(text).ok_or(Flaw::Malformed("a number is malformed"))?
            }
            _ => return Err(Flaw::Broken),
        };
        Ok(Value::Number(number))
    }

    fn string(&mut self, address: u32) -> Result<&'m str, Flaw> {
        self.slice(address, STRING_BYTES)?;
        self.text(address.saturating_add(8), address.saturating_add(4))
    }

    fn array(&mut self, address: u32) -> Result<Value, Flaw> {
        let (elements, count) = (self.part(address, 4)?, self.part(address, 8)?);
        let bytes = (count as usize).checked_mul(ELEMENT_BYTES).ok_or(Flaw::Broken)?;
        if count > 0 {
            self.slice(elements, bytes)?;
        }
        (0..count)
            .map(|index| {
                let element = self.word(elements + index * ELEMENT_BYTES as u32 + 4)?;
                self.value(element)
            })
            .collect()
    }

    fn object(&mut self, address: u32) -> Result<Value, Flaw> {
        let mut fields = BTreeMap::new();
        self.entries(address, 8, |reader, field| {
            let (key, value) = (reader.word(field)?, reader.word(field + 4)?);
            let (key, value) = (reader.value(key)?, reader.value(value)?);
            match fields.insert(key, value) {
                None => Ok(()),
                Some(_) => Err(Flaw::Malformed("a key is given twice")),
            }
        })?;
        Ok(Value::Object(fields))
    }

    fn set(&mut self, address: u32) -> Result<Value, Flaw> {
        let mut members = BTreeSet::new();
        self.entries(address, POINTER_BYTES, |reader, entry| {
            let member = reader.word(entry)?;
            members.insert(reader.value(member)?);
            Ok(())
        })?;
        Ok(match self.budget.sets {
            Sets::Kept => Value::Set(members),
            Sets::AsArrays => Value::Array(members.into_iter().collect()),
        })
    }

    /// Calls `each` with the address of every entry of an object or set, whose link stands `next` bytes into it.
    fn entries(
        &mut self,
        address: u32,
        next: usize,
        mut each: impl FnMut(&mut Self, u32) -> Result<(), Flaw>,
    ) -> Result<(), Flaw> {
        const BUCKETS_PER_STEP: usize = 8;
        let (buckets, count) = (self.part(address, 4)?, self.part(address, 8)? as usize);
        self.spend(count / BUCKETS_PER_STEP)?;
        let heads = self.slice(buckets, count.checked_mul(POINTER_BYTES).ok_or(Flaw::Broken)?)?;
        for head in heads.chunks_exact(POINTER_BYTES) {
            let mut entry = word_of(head);
            while entry != 0 {
                self.spend(1)?;
                self.slice(entry, next + POINTER_BYTES)?;
                each(self, entry)?;
                entry = self.word(entry + next as u32)?;
            }
        }
        Ok(())
    }

    /// The text whose address and length stand at these places.
    fn text(&mut self, address: u32, length: u32) -> Result<&'m str, Flaw> {
        let (address, length) = (self.word(address)?, self.word(length)? as usize);
        self.budget.bytes = self.budget.bytes.checked_sub(length).ok_or(Flaw::TooLarge)?;
        let bytes = if length == 0 { &[] } else { self.slice(address, length)? };
        std::str::from_utf8(bytes).map_err(|_| Flaw::Malformed("it is not UTF-8"))
    }

    fn kind(&self, address: u32) -> Result<u8, Flaw> {
        Ok(self.slice(address, 1)?[0])
    }

    /// The word so many bytes into a structure.
    fn part(&self, address: u32, offset: u32) -> Result<u32, Flaw> {
        self.word(address.saturating_add(offset))
    }

    fn word(&self, address: u32) -> Result<u32, Flaw> {
        self.slice(address, POINTER_BYTES).map(word_of)
    }

    /// No value stands at address 0.
    fn slice(&self, address: u32, bytes: usize) -> Result<&'m [u8], Flaw> {
        let start = address as usize;
        let end = start.checked_add(bytes).ok_or(Flaw::Broken)?;
        self.memory.get(start..end).filter(|_| start != 0).ok_or(Flaw::Broken)
    }

    fn spend(&mut self, steps: usize) -> Result<(), Flaw> {
        self.budget.steps = self.budget.steps.checked_sub(steps).ok_or(Flaw::TooLarge)?;
        Ok(())
    }
}

fn word_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte))
}
