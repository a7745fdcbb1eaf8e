//! Writes values into a module's memory from a given address on, within bounds that hold before the module sees them.

use std::cmp::Ordering;

use super::hash;
use super::layout::{
    ALIGNMENT_BYTES, COLLECTION_BYTES, Constants, ELEMENT_BYTES, FIELD_BYTES, NUMBER_AS_INTEGER,
    NUMBER_AS_TEXT, NUMBER_BYTES, POINTER_BYTES, STRING_BYTES, buckets_for, kind,
};
use super::words::Words;
use crate::error::EvalError;
use crate::limits::InputBounds;

/// Why a value could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The memory given is too small; with more of it, it may work.
    Full,
    /// A bound is exceeded, or the document is none.
    Refused(EvalError),
}

/// A key with its hash.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    pub(super) address: u32,
    pub(super) hash: u32,
}

/// Room for collections that are not finished, kept from one document to the next.
#[derive(Default)]
pub(crate) struct Scratch {
    fields: Vec<(Key, u32)>,
    elements: Vec<u32>,
}

/// Where a collection's parts begin in the scratch.
#[derive(Clone, Copy)]
pub(super) struct Mark(usize);

/// Builds one document.
pub(crate) struct Builder<'m> {
    memory: &'m mut [u8],
    at: usize,
    constants: Constants,
    scratch: &'m mut Scratch,
    words: Option<&'m mut Words>,
    bounds: InputBounds,
    values: usize,
    bytes: usize,
    depth: usize,
}

impl<'m> Builder<'m> {
    /// Writes into `memory` from `start` on.
    pub(crate) fn new(
        memory: &'m mut [u8],
        start: u32,
        constants: Constants,
        scratch: &'m mut Scratch,
        bounds: InputBounds,
    ) -> Builder<'m> {
        scratch.fields.clear();
        scratch.elements.clear();
        let at = (start as usize).next_multiple_of(ALIGNMENT_BYTES);
        Builder { memory, at, constants, scratch, words: None, bounds, values: 0, bytes: 0, depth: 0 }
    }

    /// With words that stand in this memory already.
    pub(crate) fn with_words(mut self, words: &'m mut Words) -> Builder<'m> {
        self.words = Some(words);
        self
    }

    /// The first address behind what was written.
    pub(crate) fn end(&self) -> u32 {
        self.at as u32
    }

    pub(super) fn null(&mut self) -> Result<u32, Fault> {
        self.count(0)?;
        Ok(self.constants.null())
    }

    pub(super) fn boolean(&mut self, value: bool) -> Result<u32, Fault> {
        self.count(0)?;
        Ok(self.constants.boolean(value))
    }

    /// An integer. A larger one than 32 bits is kept as text, as the parser would: some of OPA's arithmetic cuts it off.
    pub(super) fn integer(&mut self, value: i128) -> Result<u32, Fault> {
        let Ok(narrow) = i32::try_from(value) else { return self.number(&value.to_string()) };
        self.count(0)?;
        self.narrow(narrow)
    }

    /// A number as JSON writes it.
    pub(super) fn number(&mut self, text: &str) -> Result<u32, Fault> {
        self.count(text.len())?;
        let (address, place) = self.allocate(NUMBER_BYTES + text.len())?;
        let (head, rest) = place.split_at_mut(NUMBER_BYTES);
        head.fill(0);
        head[..2].copy_from_slice(&[kind::NUMBER, NUMBER_AS_TEXT]);
        head[8..12].copy_from_slice(&(address + NUMBER_BYTES as u32).to_le_bytes());
        head[12..16].copy_from_slice(&(text.len() as u32).to_le_bytes());
        rest[..text.len()].copy_from_slice(text.as_bytes());
        Ok(address)
    }

    pub(super) fn string(&mut self, text: &str) -> Result<u32, Fault> {
        self.count(text.len())?;
        self.write_string(text)
    }

    pub(super) fn key(&mut self, text: &str) -> Result<Key, Fault> {
        self.count(text.len())?;
        Ok(Key { address: self.write_string(text)?, hash: hash::bytes(text.as_bytes()) })
    }

    /// A key that is part of the program: written once for an instance.
    pub(super) fn word(&mut self, text: &'static str) -> Result<Key, Fault> {
        self.count(text.len())?;
        let known = self.words.as_deref_mut().and_then(|words| words.find(self.memory, text));
        match known {
            Some(key) => Ok(key),
            None => Ok(Key { address: self.write_string(text)?, hash: hash::bytes(text.as_bytes()) }),
        }
    }

    /// Begins an array or object one level down.
    pub(super) fn descend(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        let depth_max = self.bounds.depth_max;
        if self.depth > depth_max { Err(beyond("levels", depth_max)) } else { Ok(()) }
    }

    pub(super) fn elements_mark(&self) -> Mark {
        Mark(self.scratch.elements.len())
    }

    pub(super) fn fields_mark(&self) -> Mark {
        Mark(self.scratch.fields.len())
    }

    pub(super) fn push_element(&mut self, element: u32) {
        self.scratch.elements.push(element);
    }

    pub(super) fn push_field(&mut self, key: Key, value: u32) -> Result<(), Fault> {
        self.scratch.fields.push((key, value));
        Ok(())
    }

    /// Ends the array whose elements were pushed since the mark.
    pub(super) fn array(&mut self, from: Mark) -> Result<u32, Fault> {
        self.depth -= 1;
        self.count(0)?;
        let count = self.scratch.elements.len() - from.0;
        let (address, place) = self.allocate(COLLECTION_BYTES + count * ELEMENT_BYTES)?;
        let elements = if count == 0 { 0 } else { address + COLLECTION_BYTES as u32 };
        collection(place, kind::ARRAY, elements, count as u32, count as u32);
        let mut at = address as usize + COLLECTION_BYTES;
        for index in 0..count {
            let number = match self.constants.small(index) {
                Some(number) => number,
                None => self.narrow(i32::try_from(index).unwrap_or(i32::MAX))?,
            };
            let value = self.scratch.elements[from.0 + index];
            self.poke(at, number);
            self.poke(at + POINTER_BYTES, value);
            at += ELEMENT_BYTES;
        }
        self.scratch.elements.truncate(from.0);
        Ok(address)
    }

    /// Ends the object whose fields were pushed since the mark. Of a key that comes twice the last value counts, as
    /// OPA's parser has it.
    pub(super) fn object(&mut self, from: Mark) -> Result<u32, Fault> {
        self.depth -= 1;
        self.count(0)?;
        let keys_max = self.bounds.object_keys_max;
        let given = self.scratch.fields.len() - from.0;
        if given > keys_max {
            return Err(beyond("keys in one object", keys_max));
        }
        let begun = self.at;
        let mut buckets = buckets_for(given);
        let (address, distinct) = loop {
            let (address, distinct) = self.hash_table(from, buckets)?;
            if buckets_for(distinct) == buckets {
                break (address, distinct);
            }
            buckets = buckets_for(distinct);
            self.at = begun;
        };
        self.poke(address as usize + 12, distinct as u32);
        self.scratch.fields.truncate(from.0);
        Ok(address)
    }

    /// An object of so many buckets, with its length still missing, and the number of its distinct keys.
    fn hash_table(&mut self, from: Mark, buckets: usize) -> Result<(u32, usize), Fault> {
        let fields = self.scratch.fields.len() - from.0;
        let table_bytes = COLLECTION_BYTES + buckets * POINTER_BYTES;
        let (address, place) = self.allocate(table_bytes + fields * FIELD_BYTES)?;
        collection(place, kind::OBJECT, address + COLLECTION_BYTES as u32, buckets as u32, 0);
        place[COLLECTION_BYTES..table_bytes].fill(0);
        let first_bucket = address as usize + COLLECTION_BYTES;
        let mut free = address as usize + table_bytes;
        let mut distinct = 0;
        for index in from.0..from.0 + fields {
            let (key, value) = self.scratch.fields[index];
            let bucket = key.hash as usize & (buckets - 1);
            match self.place_of(first_bucket + bucket * POINTER_BYTES, key)? {
                Place::Taken(field) => self.poke(field + POINTER_BYTES, value),
                Place::Free { link, next } => {
                    self.poke(free, key.address);
                    self.poke(free + 4, value);
                    self.poke(free + 8, next);
                    self.poke(link, free as u32);
                    free += FIELD_BYTES;
                    distinct += 1;
                }
            }
        }
        Ok((address, distinct))
    }

    /// Buckets are sorted by key, and walked to their end, so that none becomes longer than the bound.
    fn place_of(&self, bucket: usize, key: Key) -> Result<Place, Fault> {
        let chain_max = self.bounds.hash_chain_keys_max;
        let (mut link, mut place) = (bucket, None);
        for _ in 0..chain_max {
            let field = self.peek(link);
            if field == 0 {
                return Ok(place.unwrap_or(Place::Free { link, next: 0 }));
            }
            if place.is_none() {
                match self.text(key.address).cmp(self.text(self.peek(field as usize))) {
                    Ordering::Less => place = Some(Place::Free { link, next: field }),
                    Ordering::Equal => return Ok(Place::Taken(field as usize)),
                    Ordering::Greater => {}
                }
            }
            link = field as usize + 8;
        }
        Err(beyond("keys of one hash in one object", chain_max))
    }

    /// The text of a string that was written here.
    fn text(&self, string: u32) -> &[u8] {
        let string = string as usize;
        &self.memory[self.peek(string + 8) as usize..][..self.peek(string + 4) as usize]
    }

    fn write_string(&mut self, text: &str) -> Result<u32, Fault> {
        let (address, place) = self.allocate(STRING_BYTES + text.len())?;
        string(place, address, text);
        Ok(address)
    }

    fn narrow(&mut self, value: i32) -> Result<u32, Fault> {
        if let Some(known) = usize::try_from(value).ok().and_then(|value| self.constants.small(value)) {
            return Ok(known);
        }
        let (address, place) = self.allocate(NUMBER_BYTES)?;
        place[..8].copy_from_slice(&[kind::NUMBER, NUMBER_AS_INTEGER, 0, 0, 0, 0, 0, 0]);
        place[8..16].copy_from_slice(&i64::from(value).to_le_bytes());
        Ok(address)
    }

    /// Takes account of a value with this much text.
    fn count(&mut self, text_bytes: usize) -> Result<(), Fault> {
        const VALUE_BYTES: usize = 1;
        self.values += 1;
        self.bytes += text_bytes + VALUE_BYTES;
        if self.values > self.bounds.values_max {
            return Err(beyond("values", self.bounds.values_max));
        }
        if self.bytes > self.bounds.bytes_max {
            return Err(Fault::Refused(EvalError::InputTooLarge { bytes_max: self.bounds.bytes_max }));
        }
        Ok(())
    }

    fn allocate(&mut self, bytes: usize) -> Result<(u32, &mut [u8]), Fault> {
        let start = self.at;
        let end = start + bytes;
        let place = self.memory.get_mut(start..end).ok_or(Fault::Full)?;
        self.at = end.next_multiple_of(ALIGNMENT_BYTES);
        Ok((start as u32, place))
    }

    fn poke(&mut self, at: usize, word: u32) {
        self.memory[at..at + POINTER_BYTES].copy_from_slice(&word.to_le_bytes());
    }

    fn peek(&self, at: usize) -> u32 {
        let mut word = [0; POINTER_BYTES];
        word.copy_from_slice(&self.memory[at..at + POINTER_BYTES]);
        u32::from_le_bytes(word)
    }
}

enum Place {
    /// The key is there, in this field.
    Taken(usize),
    /// It goes behind this link and before that field.
    Free { link: usize, next: u32 },
}

/// The head of an array, object or set.
pub(super) fn collection(place: &mut [u8], kind: u8, parts: u32, third: u32, fourth: u32) {
    place[..4].copy_from_slice(&[kind, 0, 0, 0]);
    place[4..8].copy_from_slice(&parts.to_le_bytes());
    place[8..12].copy_from_slice(&third.to_le_bytes());
    place[12..16].copy_from_slice(&fourth.to_le_bytes());
}

/// A string with its text behind it.
pub(super) fn string(place: &mut [u8], address: u32, text: &str) {
    place[..4].copy_from_slice(&[kind::STRING, 0, 0, 0]);
    place[4..8].copy_from_slice(&(text.len() as u32).to_le_bytes());
    place[8..12].copy_from_slice(&(address + STRING_BYTES as u32).to_le_bytes());
    place[STRING_BYTES..STRING_BYTES + text.len()].copy_from_slice(text.as_bytes());
}

fn beyond(unit: &'static str, max: usize) -> Fault {
    Fault::Refused(EvalError::InputBeyond { unit, max })
}
