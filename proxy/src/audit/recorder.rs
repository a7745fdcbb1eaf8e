//! The workers' side: a record is opened before anything leaves and closed when the answer has ended.

use std::sync::{Arc, OnceLock};

use super::journal::{SLOT_TEXT_BYTES_MAX, Slot, Slots};
use super::line::{self, Extent, SMALLEST_BYTES_MAX};
use super::outbox::{Entry, Outbox, Place, REQUESTS_SLOTLESS_MAX, SLOTLESS_MAX};
use super::record::{Closed, LeaseRecord, Opened};

/// Room for the text of a usual record.
const TEXT_BYTES: usize = 1024;

const _: () = assert!(SMALLEST_BYTES_MAX <= SLOT_TEXT_BYTES_MAX);

/// The audit cannot take a record, and requests without one are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the audit cannot take a record")]
pub struct Unavailable;

/// The slots of one worker, once the journals are ours.
pub(super) type WorkerSlots = Arc<OnceLock<Arc<Slots>>>;

/// A worker's way to the audit.
#[derive(Clone)]
pub struct Recorder {
    slots: WorkerSlots,
    outbox: Arc<Outbox>,
}

impl Recorder {
    pub(super) fn new(slots: WorkerSlots, outbox: Arc<Outbox>) -> Self {
        Self { slots, outbox }
    }

    /// Whether a record would be taken, as far as is known without trying.
    pub fn ready(&self) -> bool {
        !(self.outbox.required() && self.outbox.failed())
    }

    /// Makes the first half of a record safe. Where the audit is required and cannot take it, nothing may leave.
    pub fn open(&self, opened: &Opened<'_>) -> Result<Record, Unavailable> {
        if !self.ready() {
            return Err(Unavailable);
        }
        let slot = self.free_slot();
        if slot.is_none() && self.outbox.required() {
            return Err(Unavailable);
        }
        Ok(self.begin(slot, opened))
    }

    /// The record of a request that ends without any effect, and so needs no record before it. Where none would be
    /// [opened](Self::open), it is kept in memory, as far as there is room, and written when lines can be.
    pub fn open_without_effect(&self, opened: &Opened<'_>) -> Record {
        let slot = if self.ready() { self.free_slot() } else { None };
        self.begin(slot, opened)
    }

    fn free_slot(&self) -> Option<Slot> {
        self.slots.get()?.take()
    }

    fn begin(&self, slot: Option<Slot>, opened: &Opened<'_>) -> Record {
        let mut text = Vec::with_capacity(TEXT_BYTES);
        line::opened(&mut text, opened, Extent::Whole);
        let holding = match slot {
            Some(slot) => held_in(slot, text, opened),
            None => self.held_in_memory(text, opened),
        };
        Record { holding, outbox: Arc::clone(&self.outbox) }
    }

    /// Where there is no slot; cut to the size of one, as many may be kept for long.
    fn held_in_memory(&self, text: Vec<u8>, opened: &Opened<'_>) -> Holding {
        let Some(place) = self.outbox.place(REQUESTS_SLOTLESS_MAX) else {
            self.outbox.count_dropped(1);
            return Holding::Nothing;
        };
        let text = if text.len() > SLOT_TEXT_BYTES_MAX { shortened(opened) } else { text };
        Holding::Aside { text, slot: None, place: Some(place) }
    }
}

/// Puts `text` in its slot; where it is too long for that, a shorter form of it.
fn held_in(mut slot: Slot, text: Vec<u8>, opened: &Opened<'_>) -> Holding {
    if slot.open(&text).is_ok() {
        return Holding::Slot(slot);
    }
    slot.open(&shortened(opened)).expect("the smallest extent is shorter than a slot");
    Holding::Aside { text, slot: Some(slot), place: None }
}

/// As much of an opened record as fits in a slot: the whole with its path cut where that is enough.
fn shortened(opened: &Opened<'_>) -> Vec<u8> {
    let mut text = Vec::with_capacity(SLOT_TEXT_BYTES_MAX);
    line::opened(&mut text, opened, Extent::PathCut(0));
    let extent = match SLOT_TEXT_BYTES_MAX.checked_sub(text.len()) {
        Some(path_bytes_max) => Extent::PathCut(path_bytes_max),
        None => Extent::Smallest,
    };
    text.clear();
    line::opened(&mut text, opened, extent);
    text
}

/// An opened record. Dropped without being closed, it ends as interrupted.
#[must_use = "a record that is dropped at once says that its request was interrupted"]
pub struct Record {
    holding: Holding,
    outbox: Arc<Outbox>,
}

/// Where the text of an opened record is.
enum Holding {
    /// Whole in its slot.
    Slot(Slot),
    /// In memory, and shortened in its slot if it has one.
    Aside { text: Vec<u8>, slot: Option<Slot>, place: Option<Place> },
    /// Nowhere: there was no room, or it was handed over.
    Nothing,
}

impl Record {
    /// Ends the record. Its line is written soon after.
    pub fn close(mut self, closed: Closed) {
        self.end(|text| line::closed(text, &closed));
    }

    fn end(&mut self, write_rest: impl FnOnce(&mut Vec<u8>)) {
        let entry = match std::mem::replace(&mut self.holding, Holding::Nothing) {
            Holding::Slot(slot) => in_slot(slot, write_rest),
            Holding::Aside { mut text, slot, place } => {
                write_rest(&mut text);
                Entry::aside(text, slot, place)
            }
            Holding::Nothing => return,
        };
        self.outbox.send(entry);
    }
}

/// Ends a record in its slot, or beside it where its end does not fit.
fn in_slot(mut slot: Slot, write_rest: impl FnOnce(&mut Vec<u8>)) -> Entry {
    let mut rest = Vec::with_capacity(TEXT_BYTES);
    write_rest(&mut rest);
    if slot.close(&rest).is_ok() {
        return Entry::in_slot(slot);
    }
    let text = [slot.text(), &rest].concat();
    Entry::aside(text, Some(slot), None)
}

impl Drop for Record {
    fn drop(&mut self) {
        self.end(line::interrupted);
    }
}

/// The way to the audit for what happens to leases, from any thread.
#[derive(Clone)]
pub struct Ledger {
    outbox: Arc<Outbox>,
}

impl Ledger {
    pub(super) fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox }
    }

    /// Records what happened to a lease.
    pub fn lease(&self, record: &LeaseRecord<'_>) {
        let Some(place) = self.outbox.place(SLOTLESS_MAX) else { return self.outbox.count_dropped(1) };
        let mut text = Vec::with_capacity(TEXT_BYTES);
        line::lease(&mut text, record);
        self.outbox.send(Entry::aside(text, None, Some(place)));
    }
}
