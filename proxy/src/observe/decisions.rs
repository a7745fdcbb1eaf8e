//! Decision logs in OPA's form: every judgement becomes an event, masked as the policy says, and is sent to a server of the
//! operator's. What cannot be masked does not leave; what finds no room is dropped and counted.

mod buffer;
mod chunk;
mod courier;
mod event;
mod masking;

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use claviger_config::{DecisionLogs, Findings};
use tokio::sync::watch;

use super::labels::Labels;
use super::queue::{Queue, Waiting, queue};
use super::thread;
use crate::admin::metrics::reports::{Fate, Loss, LossLabel, ReportMetrics};
use crate::endpoint::Endpoint;
use buffer::Buffer;
use chunk::Packer;
use courier::Courier;
pub use courier::Upload;
use masking::{Masking, Wanted};

/// Checked settings, and the way to the server.
pub struct Plan {
    endpoint: Endpoint,
    settings: DecisionLogs,
}

/// Decision logs at work.
pub struct Decisions {
    thread: JoinHandle<()>,
    courier: tokio::task::JoinHandle<()>,
    over: watch::Sender<bool>,
    buffer: Arc<Buffer>,
    uploads: watch::Receiver<Upload>,
}

impl Plan {
    /// Without network; `None` when findings were added.
    pub fn new(settings: &DecisionLogs, findings: &mut Findings) -> Option<Self> {
        let endpoint = Endpoint::new(&settings.endpoint, findings)?;
        Some(Self { endpoint, settings: settings.clone() })
    }
}

impl Decisions {
    /// Starts on the runtime that it is called on.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start(plan: Plan, labels: Arc<Labels>, metrics: ReportMetrics) -> io::Result<(Self, Queue)> {
        let Plan { endpoint, settings } = plan;
        let full = LossLabel { reason: Loss::queue_full };
        let (queue, waiting) = queue(metrics.drops.get_or_create(&full).clone());
        let buffer = Arc::new(Buffer::new(settings.buffer_bytes_max, metrics.clone()));
        let (over, ending) = watch::channel(false);
        let (told, uploads) = watch::channel(Upload::default());
        let courier = Courier {
            endpoint,
            packer: Packer::new(settings.upload_bytes_max),
            buffer: Arc::clone(&buffer),
            delays: (settings.delay_min, settings.delay_max),
            metrics: metrics.clone(),
            told,
        };
        let masking =
            Masking::new(Wanted::mask(settings.mask.as_ref()), Wanted::drop(settings.drop.as_ref()));
        let writer = Writer { masking, labels, buffer: Arc::clone(&buffer), metrics };
        let thread = thread::spawn("decisions", move || writer.work(waiting))?;
        let courier = tokio::spawn(courier.carry(ending));
        Ok((Self { thread, courier, over, buffer, uploads }, queue))
    }

    /// How the last upload went, now and later.
    pub fn uploads(&self) -> watch::Receiver<Upload> {
        self.uploads.clone()
    }

    /// Sends what is left, for so long at most. The workers must have ended.
    pub async fn close(self, patience: Duration) {
        let Self { thread, mut courier, over, buffer, uploads: _ } = self;
        let flushed = async {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
            over.send_replace(true);
            let _ = (&mut courier).await;
        };
        if tokio::time::timeout(patience, flushed).await.is_err() {
            courier.abort();
        }
        let lost = buffer.give_up();
        if lost > 0 {
            tracing::warn!(events = lost, "stopping before all decisions were logged");
        }
    }
}

/// What the thread works with.
struct Writer {
    masking: Masking,
    labels: Arc<Labels>,
    buffer: Arc<Buffer>,
    metrics: ReportMetrics,
}

impl Writer {
    fn work(mut self, waiting: Waiting) {
        for judgement in waiting {
            match event::write(&judgement, &self.labels, &mut self.masking) {
                Ok(event) => self.buffer.push(event.into()),
                Err(event::Unwritten::Excluded) => {
                    self.metrics.ended(Fate::excluded, 1);
                }
                Err(event::Unwritten::Lost(loss, why)) => {
                    tracing::warn!(id = judgement.id, reason = ?loss, why, "a decision is not logged");
                    self.metrics.lost(loss, 1);
                }
            }
        }
    }
}
