//! The names that the program itself gives to fields: written into an instance's memory once, with their hashes.

use super::builder::{Key, string};
use super::hash;
use super::layout::{ALIGNMENT_BYTES, STRING_BYTES};

/// A power of two, several times the names of a document.
const SLOTS: usize = 512;
const PROBES_MAX: usize = 8;

/// A part of the memory that evaluations leave alone, and what stands in it.
pub(crate) struct Words {
    slots: Vec<Option<Word>>,
    at: usize,
    end: usize,
}

#[derive(Clone, Copy)]
struct Word {
    text: &'static str,
    key: Key,
}

impl Words {
    /// Memory that all names of the input document fit into.
    pub(crate) const ROOM_BYTES: usize = 4096;

    /// No words yet; they go into the [`Words::ROOM_BYTES`] from `start` on.
    pub(crate) fn at(start: u32) -> Words {
        let at = start as usize;
        Words { slots: vec![None; SLOTS], at, end: at + Words::ROOM_BYTES }
    }

    /// The word as a key, written where it is new. `None` where there is no room for it.
    pub(super) fn find(&mut self, memory: &mut [u8], text: &'static str) -> Option<Key> {
        // The same address and length are the same text for the whole life of the program.
        let first = (text.as_ptr() as usize).wrapping_mul(31).wrapping_add(text.len());
        for probe in 0..PROBES_MAX {
            let slot = (first + probe) % SLOTS;
            match self.slots[slot] {
                Some(word) if std::ptr::eq(word.text, text) => return Some(word.key),
                Some(_) => {}
                None => {
                    let key = self.write(memory, text)?;
                    self.slots[slot] = Some(Word { text, key });
                    return Some(key);
                }
            }
        }
        None
    }

    fn write(&mut self, memory: &mut [u8], text: &str) -> Option<Key> {
        let bytes = STRING_BYTES + text.len();
        if self.at + bytes > self.end {
            return None;
        }
        let place = memory.get_mut(self.at..self.at + bytes)?;
        let address = self.at as u32;
        string(place, address, text);
        self.at = (self.at + bytes).next_multiple_of(ALIGNMENT_BYTES);
        Some(Key { address, hash: hash::bytes(text.as_bytes()) })
    }
}
