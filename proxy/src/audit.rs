//! The record: one line for each request, safe before anything leaves, and chained so that no change goes unseen.
//!
//! A worker opens a record in its journal, which costs it no system call and outlives the process; when the answer
//! has ended it closes the record and hands it to the audit thread, which numbers, chains and writes. A start
//! continues the chain of the file and writes what a process that died has left in its journals.

mod chain;
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
pub use journal::JournalError;
use journal::Slots;
use outbox::{Entry, Outbox};
pub use record::{
    Closed, CredentialRecord, DecisionRecord, LeaseRecord, Opened, RequestRecord, UpstreamRecord,
};
pub use recorder::{Ledger, Record, Recorder, Unavailable};
pub use recover::StartError;
use recover::{Journals, OpenSink};
pub use schema::schema;
pub use sink::file::FileError;
use writer::Writer;

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
}

/// The running audit. Stops when closed or dropped, after it has written all that was handed to it.
pub struct Audit {
    /// Those of each worker.
    slots: Vec<Arc<Slots>>,
    outbox: Arc<Outbox>,
    thread: Option<JoinHandle<()>>,
}

impl Audit {
    /// Continues the chain, writes what was left, and begins. `records` counts lines.
    pub fn start(settings: Settings, records: Counter) -> Result<Self, StartError> {
        let sink = OpenSink::open(&settings.sink)?;
        Self::start_with(sink, settings, records)
    }

    fn start_with(mut sink: OpenSink, settings: Settings, records: Counter) -> Result<Self, StartError> {
        let required = settings.required;
        let mut journals = Journals::open(&settings.state_dir, settings.workers, required)?;
        let mut texts = sink.to_tell(std::mem::take(&mut journals.left));
        match sink.tell(&texts) {
            Ok(()) => {
                records.inc_by(texts.len() as u64);
                texts.clear();
            }
            Err(error) if required => return Err(StartError::Write(error)),
            Err(error) => tracing::error!(%error, "the audit cannot be written"),
        }
        let slots = journals.renew(required)?;
        let (outbox, entries) = Outbox::new(required);
        let writer = Writer::new(sink.sink, sink.chain, entries, Arc::clone(&outbox), records);
        let thread = std::thread::Builder::new().name("audit".into()).spawn(|| writer.run());
        let thread = thread.map_err(StartError::System)?;
        outbox.writer_is(thread.thread());
        texts.into_iter().for_each(|text| outbox.send(Entry::aside(text, None, None)));
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
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the audit thread has panicked");
        }
    }
}

#[cfg(test)]
mod tests;
