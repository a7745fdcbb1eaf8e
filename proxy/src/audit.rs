//! The record: one line for each request, safe before anything leaves, and chained so that no change goes unseen.
//!
//! A worker opens a record in its journal, which costs it no system call and outlives the process; when the answer
//! has ended it closes the record and hands it to the audit thread, which numbers, chains and writes. A start
//! continues the chain of the file and writes what a process that died has left in its journals; where another process
//! still has them, it waits.

mod chain;
mod handover;
mod journal;
mod json;
mod line;
mod outbox;
mod record;
mod recorder;
mod recover;
mod schema;
mod sink;
pub mod verify;
mod writer;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use prometheus_client::metrics::counter::Counter;

pub use chain::{Broken, Hash, NotAHash};
use handover::Handover;
pub use journal::JournalError;
use outbox::Outbox;
pub use record::{
    Closed, CredentialRecord, DecisionRecord, LeaseRecord, Opened, RequestRecord, UpstreamRecord,
};
use recorder::WorkerSlots;
pub use recorder::{Ledger, Record, Recorder, Unavailable};
use recover::Recovered;
pub use recover::StartError;
pub use schema::schema;
use sink::Sink;
pub use sink::file::FileError;

/// What the audit needs to know to begin.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where lines go.
    pub sink: claviger_config::Sink,
    /// Whether a request without a record is refused.
    pub required: bool,
    /// Where journals are kept, in a folder of their own.
    pub state_dir: PathBuf,
    /// How many workers open records.
    pub workers: usize,
    /// How many records of each worker can be safe at once, 2 KiB of the state directory each.
    pub slots: usize,
}

/// The running audit. Stops when closed or dropped, after it has written all that was handed to it.
pub struct Audit {
    slots: Vec<WorkerSlots>,
    outbox: Arc<Outbox>,
    /// Gives the sink back, if it was ever ours.
    thread: Option<JoinHandle<Option<Box<dyn Sink>>>>,
}

impl Audit {
    /// Continues the chain, writes what was left, and begins. Where another process has the file or the journals, that
    /// follows as soon as it has ended; until then nothing is safe, so nothing is opened where records are required.
    /// `records` counts lines.
    pub fn start(settings: Settings, records: Counter) -> Result<Self, StartError> {
        let handover = Handover::new(settings, records);
        match handover.attempt() {
            Err(error) if !error.in_use() => Err(error),
            first => Self::run(handover, first),
        }
    }

    fn run(handover: Handover, first: Result<Recovered, StartError>) -> Result<Self, StartError> {
        let (slots, outbox) = (handover.slots().to_vec(), Arc::clone(handover.outbox()));
        let thread = std::thread::Builder::new().name("audit".into()).spawn(|| handover.run(first));
        let thread = thread.map_err(StartError::System)?;
        outbox.writer_is(thread.thread());
        Ok(Self { slots, outbox, thread: Some(thread) })
    }

    /// The way to the audit for the worker with this number, from 0.
    ///
    /// # Panics
    /// Where there are fewer workers than the settings said.
    pub fn recorder(&self, worker: usize) -> Recorder {
        Recorder::new(Arc::clone(&self.slots[worker]), Arc::clone(&self.outbox))
    }

    /// The way to the audit for what happens to leases.
    pub fn ledger(&self) -> Ledger {
        Ledger::new(Arc::clone(&self.outbox))
    }

    /// Writes all that was handed over and ends. Records that are still open are left to the next start.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        self.outbox.stop();
        match self.thread.take().map(JoinHandle::join) {
            // The journals go first: whoever finds the file free then finds them free too.
            Some(Ok(sink)) => {
                self.slots.clear();
                drop(sink);
            }
            Some(Err(_panic)) => tracing::error!("the audit thread has panicked"),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
