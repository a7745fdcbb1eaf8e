//! The mapped memory under a journal, and the only `unsafe` of the audit.
//!
//! A slot is a 32-bit word (what state it is in, and how long its text is) and its text. The word is written last,
//! so that whatever moment a process dies at, the word tells the truth about the text.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use memmap2::{MmapMut, MmapOptions, MmapRaw};

use super::free::FreeList;

/// One slot, its word included.
pub(super) const SLOT_BYTES: usize = 2048;
const WORD_BYTES: usize = size_of::<u32>();
/// The longest text that a slot can hold.
pub(in crate::audit) const SLOT_TEXT_BYTES_MAX: usize = SLOT_BYTES - WORD_BYTES;

/// What a slot in use holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The first half of a record.
    Open = 1,
    /// A whole record.
    Closed = 2,
}

/// The slots of one journal. Each is free, or belongs to exactly one [`Slot`].
pub(in crate::audit) struct Slots {
    map: MmapRaw,
    free: FreeList,
    /// Keeps the file locked; none where the slots are in memory alone.
    _file: Option<File>,
}

/// A slot in use; whoever has it alone reads and writes it. Dropped without being freed, it stays in use, so that what
/// it holds is left to the next start.
pub(in crate::audit) struct Slot {
    slots: Arc<Slots>,
    number: u32,
    length: usize,
}

impl Slots {
    /// The slots of `file`, which has room for a header and `count` slots, all zero.
    pub(super) fn mapped(file: File, count: usize) -> io::Result<Arc<Self>> {
        let map = MmapOptions::new().len(SLOT_BYTES * (1 + count)).map_raw(&file)?;
        Ok(Arc::new(Self { map, free: FreeList::full(count), _file: Some(file) }))
    }

    /// Slots that do not outlive the process.
    pub(in crate::audit) fn in_memory(count: usize) -> io::Result<Arc<Self>> {
        let map = MmapMut::map_anon(SLOT_BYTES * (1 + count))?.into();
        Ok(Arc::new(Self { map, free: FreeList::full(count), _file: None }))
    }

    /// Takes a free slot, if there is one.
    pub(in crate::audit) fn take(self: &Arc<Self>) -> Option<Slot> {
        let number = self.free.take()?;
        Some(Slot { slots: Arc::clone(self), number, length: 0 })
    }

    /// Where a slot begins: after the header and the slots before it, within the map, and aligned to its size.
    fn start(&self, number: u32) -> *mut u8 {
        self.map.as_mut_ptr().wrapping_add(SLOT_BYTES * (1 + number as usize))
    }
}

impl Slot {
    /// Writes the first half of a record.
    pub(in crate::audit) fn open(&mut self, text: &[u8]) -> Result<(), DoesNotFit> {
        self.extend(text, State::Open)
    }

    /// Writes the second half, which makes the record whole.
    pub(in crate::audit) fn close(&mut self, text: &[u8]) -> Result<(), DoesNotFit> {
        self.extend(text, State::Closed)
    }

    /// Gives the slot back: what it holds is no longer needed.
    pub(in crate::audit) fn free(self) {
        self.word().store(0, Ordering::Release);
        self.slots.free.put(self.number);
    }

    /// What has been written.
    #[expect(unsafe_code, reason = "mapped memory is reached through a raw pointer")]
    pub(in crate::audit) fn text(&self) -> &[u8] {
        // SAFETY: the pointer and `length` bytes after it are within this slot, hence within the map, which `slots`
        // keeps alive; `extend` wrote those bytes; only this `Slot` writes the slot, and that takes `&mut self`.
        unsafe { std::slice::from_raw_parts(self.text_start(), self.length) }
    }

    #[expect(unsafe_code, reason = "mapped memory is reached through a raw pointer")]
    fn extend(&mut self, text: &[u8], state: State) -> Result<(), DoesNotFit> {
        let length = self.length + text.len();
        if length > SLOT_TEXT_BYTES_MAX {
            return Err(DoesNotFit);
        }
        // SAFETY: the target is within this slot, as `length` was just checked, and no slice of it is alive, as this
        // takes `&mut self`; `text` is a slice of other memory for the same reason.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr(), self.text_start().add(self.length), text.len());
        }
        self.length = length;
        let length = u32::try_from(length).expect("shorter than a slot");
        self.word().store((state as u32) << 16 | length, Ordering::Release);
        Ok(())
    }

    fn text_start(&self) -> *mut u8 {
        self.slots.start(self.number).wrapping_add(WORD_BYTES)
    }

    #[expect(unsafe_code, reason = "mapped memory is reached through a raw pointer")]
    fn word(&self) -> &AtomicU32 {
        // SAFETY: the start of a slot is within the map, which `slots` keeps alive; it is aligned, as maps begin at a
        // page and slots have a power of two of bytes; the word is only ever reached as an atomic.
        unsafe { AtomicU32::from_ptr(self.slots.start(self.number).cast()) }
    }
}

/// A text that is longer than what is left of its slot. The slot is as it was.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::audit) struct DoesNotFit;

/// What a slot's word says: its state and the length of its text. `None` where the slot is free.
pub(super) fn word_state(word: u32) -> Option<(State, usize)> {
    let length = (word & 0xffff) as usize;
    match word >> 16 {
        0 => None,
        1 => Some((State::Open, length)),
        2 => Some((State::Closed, length)),
        // No word of ours: a length that no slot has makes the slot unreadable.
        _ => Some((State::Closed, usize::MAX)),
    }
}
