//! A [`Value`] that the host made, such as a builtin's result, becomes a value in memory: here objects may have any
//! keys, and there are sets.

use super::hash;
use super::layout::{
    ALIGNMENT_BYTES, COLLECTION_BYTES, ELEMENT_BYTES, FIELD_BYTES, MEMBER_BYTES, NUMBER_AS_INTEGER,
    NUMBER_AS_TEXT, NUMBER_BYTES, POINTER_BYTES, SCALAR_BYTES, STRING_BYTES, buckets_for, kind,
};
use crate::value::Value;

/// Members that share a bucket before the module is left to sort them in itself, under its deadline.
const CHAIN_MAX: usize = 64;

/// Bytes that [`put`] needs for the value.
pub(crate) fn bytes_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Boolean(_) => SCALAR_BYTES,
        Value::Number(number) => aligned(NUMBER_BYTES + number.as_str().len()),
        Value::String(text) => aligned(STRING_BYTES + text.len()),
        Value::Array(elements) => {
            let own = COLLECTION_BYTES + elements.len() * (ELEMENT_BYTES + NUMBER_BYTES);
            elements.iter().map(bytes_of).fold(own, usize::saturating_add)
        }
        Value::Object(fields) => {
            let own = COLLECTION_BYTES + buckets_for(fields.len()) * POINTER_BYTES;
            let own = aligned(own + fields.len() * FIELD_BYTES);
            fields.iter().flat_map(|(key, value)| [key, value]).map(bytes_of).fold(own, usize::saturating_add)
        }
        Value::Set(members) => {
            let own = COLLECTION_BYTES + buckets_for(members.len()) * POINTER_BYTES;
            let own = aligned(own + members.len() * MEMBER_BYTES);
            members.iter().map(bytes_of).fold(own, usize::saturating_add)
        }
    }
}

/// Writes the value at `start`, a multiple of 8, and gives its address. `None` where it has no hash, its keys crowd, or
/// the memory ends.
pub(crate) fn put(memory: &mut [u8], start: u32, value: &Value) -> Option<u32> {
    Writer { memory, at: start as usize }.value(value)
}

struct Writer<'m> {
    memory: &'m mut [u8],
    at: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Option<u32> {
        match value {
            Value::Null => self.scalar([kind::NULL, 0]),
            Value::Boolean(value) => self.scalar([kind::BOOLEAN, u8::from(*value)]),
            Value::Number(number) => self.number(number.as_str()),
            Value::String(text) => self.string(text),
            Value::Array(elements) => self.array(elements),
            Value::Object(fields) => {
                let (address, first, mut free) = self.table(kind::OBJECT, fields.len(), FIELD_BYTES)?;
                for (key, value) in fields {
                    let link = self.last_link(first, buckets_for(fields.len()), hash::value(key)?, 8)?;
                    let (key, value) = (self.value(key)?, self.value(value)?);
                    self.poke(free, key)?;
                    self.poke(free + 4, value)?;
                    self.poke(free + 8, 0)?;
                    self.poke(link, free as u32)?;
                    free += FIELD_BYTES;
                }
                Some(address)
            }
            Value::Set(members) => {
                let (address, first, mut free) = self.table(kind::SET, members.len(), MEMBER_BYTES)?;
                for member in members {
                    let link = self.last_link(first, buckets_for(members.len()), hash::value(member)?, 4)?;
                    let member = self.value(member)?;
                    self.poke(free, member)?;
                    self.poke(free + 4, 0)?;
                    self.poke(link, free as u32)?;
                    free += MEMBER_BYTES;
                }
                Some(address)
            }
        }
    }

    fn scalar(&mut self, head: [u8; 2]) -> Option<u32> {
        let (address, place) = self.allocate(SCALAR_BYTES)?;
        place[..2].copy_from_slice(&head);
        Some(address)
    }

    fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(value) = text.parse::<i32>().ok().filter(|_| text != "-0") {
            return self.narrow(value);
        }
        let (address, place) = self.allocate(NUMBER_BYTES + text.len())?;
        place[..2].copy_from_slice(&[kind::NUMBER, NUMBER_AS_TEXT]);
        place[8..12].copy_from_slice(&(address + NUMBER_BYTES as u32).to_le_bytes());
        place[12..16].copy_from_slice(&(text.len() as u32).to_le_bytes());
        place[NUMBER_BYTES..][..text.len()].copy_from_slice(text.as_bytes());
        Some(address)
    }

    fn narrow(&mut self, value: i32) -> Option<u32> {
        let (address, place) = self.allocate(NUMBER_BYTES)?;
        place[..2].copy_from_slice(&[kind::NUMBER, NUMBER_AS_INTEGER]);
        place[8..16].copy_from_slice(&i64::from(value).to_le_bytes());
        Some(address)
    }

    fn string(&mut self, text: &str) -> Option<u32> {
        let (address, place) = self.allocate(STRING_BYTES + text.len())?;
        super::builder::string(place, address, text);
        Some(address)
    }

    fn array(&mut self, elements: &[Value]) -> Option<u32> {
        let count = u32::try_from(elements.len()).ok()?;
        let (address, place) = self.allocate(COLLECTION_BYTES + elements.len() * ELEMENT_BYTES)?;
        let first = if count == 0 { 0 } else { address + COLLECTION_BYTES as u32 };
        super::builder::collection(place, kind::ARRAY, first, count, count);
        for (index, element) in elements.iter().enumerate() {
            let at = first as usize + index * ELEMENT_BYTES;
            let number = self.narrow(i32::try_from(index).ok()?)?;
            let element = self.value(element)?;
            self.poke(at, number)?;
            self.poke(at + POINTER_BYTES, element)?;
        }
        Some(address)
    }

    /// An empty hash table: its address, its first bucket, and where its entries go.
    fn table(&mut self, kind: u8, count: usize, entry_bytes: usize) -> Option<(u32, usize, usize)> {
        let buckets = buckets_for(count);
        let table_bytes = COLLECTION_BYTES + buckets * POINTER_BYTES;
        let (address, place) = self.allocate(table_bytes + count * entry_bytes)?;
        let first = address + COLLECTION_BYTES as u32;
        super::builder::collection(place, kind, first, buckets as u32, u32::try_from(count).ok()?);
        Some((address, first as usize, address as usize + table_bytes))
    }

    /// The end of the hash's bucket. Entries come in OPA's order, so each goes behind those before it.
    fn last_link(&self, first: usize, buckets: usize, hash: u32, next: usize) -> Option<usize> {
        let mut link = first + (hash as usize & (buckets - 1)) * POINTER_BYTES;
        for _ in 0..CHAIN_MAX {
            let entry = self.memory.get(link..link + POINTER_BYTES)?;
            let entry = u32::from_le_bytes(entry.try_into().ok()?);
            if entry == 0 {
                return Some(link);
            }
            link = entry as usize + next;
        }
        None
    }

    fn allocate(&mut self, bytes: usize) -> Option<(u32, &mut [u8])> {
        let start = self.at;
        let end = start.checked_add(bytes)?;
        let place = self.memory.get_mut(start..end)?;
        place.fill(0);
        self.at = aligned(end);
        Some((u32::try_from(start).ok()?, place))
    }

    fn poke(&mut self, at: usize, word: u32) -> Option<()> {
        self.memory.get_mut(at..at + POINTER_BYTES)?.copy_from_slice(&word.to_le_bytes());
        Some(())
    }
}

fn aligned(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT_BYTES)
}
