//! The audit thread: numbers and chains finished records, and writes them in batches.
//!
//! While records come it looks for them every few milliseconds, so that nobody has to wake it; when none come it
//! sleeps until it is woken. A record whose line was not written keeps its slot and is tried again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread::park_timeout;
use std::time::{Duration, Instant};

use prometheus_client::metrics::counter::Counter;

use super::chain::Chain;
use super::outbox::{Entry, Outbox};
use super::recover::Recovered;
use super::sink::Sink;
use crate::clock;

/// How often a busy writer looks for records.
const POLL: Duration = Duration::from_millis(5);
/// Looks without a record before the writer sleeps.
const IDLE_POLLS_MAX: u32 = 40;
/// How often a failed write is tried again.
const RETRY: Duration = Duration::from_millis(250);
/// How long records are kept that cannot be written and are not required.
const KEEP_MAX: Duration = Duration::from_secs(10);
/// Records in one write.
const BATCH_RECORDS_MAX: usize = 256;

pub(super) struct Writer {
    sink: Box<dyn Sink>,
    chain: Chain,
    entries: Receiver<Entry>,
    outbox: Arc<Outbox>,
    records: Counter,
    pending: VecDeque<Entry>,
    batch: Vec<u8>,
    idle_polls: u32,
    failing_since: Option<Instant>,
}

impl Writer {
    /// Goes on from what was recovered: with the lines that it could not write, and then what is queued.
    pub(super) fn new(
        recovered: Recovered,
        entries: Receiver<Entry>,
        outbox: Arc<Outbox>,
        records: Counter,
    ) -> Self {
        let Recovered { sink, chain, untold, .. } = recovered;
        Self {
            sink,
            chain,
            entries,
            outbox,
            records,
            pending: untold.into_iter().map(|text| Entry::aside(text, None, None)).collect(),
            batch: Vec::new(),
            idle_polls: 0,
            failing_since: None,
        }
    }

    /// Writes until it is asked to stop, and then what is left. Gives the sink back, still ours.
    pub(super) fn run(mut self) -> Box<dyn Sink> {
        loop {
            // Asked before the queue is emptied, so that whatever was sent before is written.
            let stopping = self.outbox.stopping();
            self.turn();
            if stopping {
                return self.finish();
            }
            self.rest();
        }
    }

    fn turn(&mut self) {
        let before = self.pending.len();
        self.pending.extend(self.entries.try_iter());
        let arrived = self.pending.len() > before;
        self.idle_polls = if arrived { 0 } else { self.idle_polls.saturating_add(1) };
        self.write();
        self.outbox.tell_dropped();
    }

    fn rest(&mut self) {
        if self.failing_since.is_some() {
            park_timeout(RETRY);
        } else if self.idle_polls <= IDLE_POLLS_MAX {
            park_timeout(POLL);
        } else {
            let (entries, pending) = (&self.entries, &mut self.pending);
            self.outbox.park(|| {
                pending.extend(entries.try_iter());
                !pending.is_empty()
            });
            self.idle_polls = 0;
        }
    }

    /// Writes all that is pending, or as much as the sink takes.
    fn write(&mut self) {
        while !self.pending.is_empty() {
            let records = self.pending.len().min(BATCH_RECORDS_MAX);
            let mut chain = self.chain.clone();
            self.batch.clear();
            for entry in self.pending.range(..records) {
                chain.append(entry.text(), &mut self.batch);
            }
            if let Err(error) = self.sink.append(&self.batch) {
                return self.failed(&error);
            }
            self.chain = chain;
            self.pending.drain(..records).for_each(Entry::free);
            self.records.inc_by(records as u64);
            self.succeeded();
        }
    }

    fn succeeded(&mut self) {
        if self.failing_since.take().is_some() {
            self.outbox.set_failed(false);
            tracing::info!("the audit is written again");
        }
    }

    fn failed(&mut self, error: &std::io::Error) {
        self.outbox.set_failed(true);
        let now = clock::monotonic();
        let since = *self.failing_since.get_or_insert_with(|| {
            tracing::error!(%error, "the audit cannot be written");
            now
        });
        if !self.outbox.required() && now.saturating_duration_since(since) > KEEP_MAX {
            self.outbox.count_dropped(self.pending.len() as u64);
            self.pending.drain(..).for_each(Entry::free);
        }
    }

    fn finish(mut self) -> Box<dyn Sink> {
        if let Err(error) = self.sink.sync() {
            tracing::warn!(%error, "the audit could not be synced");
        }
        if !self.pending.is_empty() {
            tracing::error!(records = self.pending.len(), "audit records are left to the next start");
        }
        self.sink
    }
}
