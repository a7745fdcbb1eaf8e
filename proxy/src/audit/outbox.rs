//! Between those who have records and the thread that writes them: a queue, what each side must know of the other,
//! and the bound on records that no slot holds.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Thread;

use super::journal::Slot;

/// Requests' records that may wait for the writer without a slot: none was free, or there are none yet.
pub(super) const REQUESTS_SLOTLESS_MAX: usize = 4096;
/// All records that may. The rest is for what happens to leases, which no flood of requests can crowd out.
pub(super) const SLOTLESS_MAX: usize = 5120;

/// A finished record on its way to its line.
pub(super) struct Entry {
    slot: Option<Slot>,
    /// The text, where the slot does not hold all of it.
    text: Option<Vec<u8>>,
    _place: Option<Place>,
}

impl Entry {
    /// A record whose slot holds its whole text.
    pub(super) fn in_slot(slot: Slot) -> Self {
        Self { slot: Some(slot), text: None, _place: None }
    }

    /// A record whose slot, if it has one, holds less than its text.
    pub(super) fn aside(text: Vec<u8>, slot: Option<Slot>, place: Option<Place>) -> Self {
        Self { slot, text: Some(text), _place: place }
    }

    /// Gives its slot back: the line is written, or never will be. An entry that is dropped instead is left, as far
    /// as its slot holds it, to the next start.
    pub(super) fn free(self) {
        if let Some(slot) = self.slot {
            slot.free();
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        match (&self.text, &self.slot) {
            (Some(text), _) => text,
            (None, Some(slot)) => slot.text(),
            (None, None) => unreachable!("an entry is made with a text or with a slot"),
        }
    }
}

/// A place among the records without a slot; given back when dropped.
pub(super) struct Place(Arc<Outbox>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.slotless.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the writer and everybody else share.
pub(super) struct Outbox {
    queue: Sender<Entry>,
    /// Whether a request without a record is refused.
    required: bool,
    writer: OnceLock<Thread>,
    /// The writer sleeps until it is woken.
    parked: AtomicBool,
    /// No line can be written: another process does, or the last write failed and none has succeeded since.
    failed: AtomicBool,
    stopping: AtomicBool,
    slotless: AtomicUsize,
    dropped: AtomicU64,
}

impl Outbox {
    /// An empty outbox and the end of its queue. Until the sink is ours, nothing can be written.
    pub(super) fn new(required: bool) -> (Arc<Self>, Receiver<Entry>) {
        let (queue, entries) = channel();
        let outbox = Self {
            queue,
            required,
            writer: OnceLock::new(),
            parked: AtomicBool::new(false),
            failed: AtomicBool::new(true),
            stopping: AtomicBool::new(false),
            slotless: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        };
        (Arc::new(outbox), entries)
    }

    /// Tells whom to wake.
    pub(super) fn writer_is(&self, thread: &Thread) {
        self.writer.get_or_init(|| thread.clone());
    }

    /// Hands over a finished record. Costs a system call only where the writer sleeps.
    pub(super) fn send(&self, entry: Entry) {
        if self.queue.send(entry).is_err() {
            // The writer has ended: what a slot holds is left to the next start.
            return;
        }
        // Pairs with the fence in `park`: either this sees the writer parked, or the writer sees the record.
        fence(Ordering::SeqCst);
        if self.parked.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    /// A place for a record that no slot holds, if fewer than `records_max` have one.
    pub(super) fn place(self: &Arc<Self>, records_max: usize) -> Option<Place> {
        if self.slotless.fetch_add(1, Ordering::Relaxed) < records_max {
            return Some(Place(Arc::clone(self)));
        }
        self.slotless.fetch_sub(1, Ordering::Relaxed);
        None
    }

    pub(super) fn required(&self) -> bool {
        self.required
    }

    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    pub(super) fn set_failed(&self, failed: bool) {
        self.failed.store(failed, Ordering::Release);
    }

    pub(super) fn count_dropped(&self, records: u64) {
        self.dropped.fetch_add(records, Ordering::Relaxed);
    }

    /// Says in the log how many records were dropped since this was last said.
    pub(super) fn tell_dropped(&self) {
        let records = self.dropped.swap(0, Ordering::Relaxed);
        if records > 0 {
            tracing::warn!(records, "audit records were dropped");
        }
    }

    /// Asks the writer to write what is queued and end.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.wake();
    }

    pub(super) fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Puts the calling writer to sleep until there is something to do; at once over where `arrived` says so.
    pub(super) fn park(&self, arrived: impl FnOnce() -> bool) {
        self.parked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !arrived() && !self.stopping() {
            std::thread::park();
        }
        self.parked.store(false, Ordering::Relaxed);
    }

    fn wake(&self) {
        self.parked.store(false, Ordering::Relaxed);
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }
}
