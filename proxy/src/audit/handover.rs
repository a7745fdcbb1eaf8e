//! From one process to the next: takes the record over at once or, while another process still has it, as soon as that
//! one ends, so that a new sidecar can start before the old one has drained.

use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::park_timeout;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;

use super::Settings;
use super::outbox::{Entry, Outbox};
use super::recorder::WorkerSlots;
use super::recover::{LockedSink, Recovered, StartError, recover};
use super::sink::Sink;
use super::writer::Writer;

/// How often a record that another process has is tried for again.
const RETRY: Duration = Duration::from_millis(250);

/// The audit before its first line. Records may be queued already.
pub(super) struct Handover {
    settings: Settings,
    records: Counter,
    slots: Vec<WorkerSlots>,
    outbox: Arc<Outbox>,
    entries: Receiver<Entry>,
}

impl Handover {
    pub(super) fn new(settings: Settings, records: Counter) -> Self {
        let (outbox, entries) = Outbox::new(settings.required);
        let slots = (0..settings.workers).map(|_| WorkerSlots::default()).collect();
        Self { settings, records, slots, outbox, entries }
    }

    /// Where each worker finds its slots, now or later.
    pub(super) fn slots(&self) -> &[WorkerSlots] {
        &self.slots
    }

    pub(super) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Takes the record over, unless another process has it.
    pub(super) fn attempt(&self) -> Result<Recovered, StartError> {
        self.take_over(LockedSink::open(&self.settings.sink)?)
    }

    /// Takes over what belongs to `sink`. From then on records are safe once they are opened.
    pub(super) fn take_over(&self, sink: LockedSink) -> Result<Recovered, StartError> {
        let recovered = recover(sink, &self.settings, &self.records)?;
        for (place, slots) in self.slots.iter().zip(&recovered.slots) {
            place.get_or_init(|| Arc::clone(slots));
        }
        self.outbox.set_failed(false);
        Ok(recovered)
    }

    /// What the audit thread does: waits where the `first` attempt found the record in use, and then writes. Gives the
    /// sink back, still ours, if it ever was.
    pub(super) fn run(self, first: Result<Recovered, StartError>) -> Option<Box<dyn Sink>> {
        let recovered = match first {
            Ok(recovered) => recovered,
            Err(error) => self.wait(&error)?,
        };
        Some(Writer::new(recovered, self.entries, self.outbox, self.records).run())
    }

    /// Tries until the record is ours. When it is asked to stop it tries once more, and else gives up what is queued.
    fn wait(&self, first: &StartError) -> Option<Recovered> {
        let mut told = tell(first);
        loop {
            park_timeout(RETRY);
            let stopping = self.outbox.stopping();
            match self.attempt() {
                Ok(recovered) => {
                    tracing::info!("the audit was taken over");
                    return Some(recovered);
                }
                Err(error) if error.to_string() != told => told = tell(&error),
                Err(_told) => {}
            }
            self.outbox.tell_dropped();
            if stopping {
                self.give_up();
                return None;
            }
        }
    }

    fn give_up(&self) {
        let records = self.entries.try_iter().count();
        if records > 0 {
            tracing::warn!(records, "audit records were never written, as the audit could not be taken over");
        }
    }
}

/// Says why the record cannot be taken over yet, which holds until something else is in the way.
fn tell(error: &StartError) -> String {
    if error.in_use() {
        tracing::warn!(%error, "waiting for another process to hand the audit over");
    } else {
        tracing::error!(%error, "the audit cannot be taken over");
    }
    error.to_string()
}
