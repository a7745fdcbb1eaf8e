//! Carries events to the server: now and then while little waits, at once while much does, and again after a failure.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use tokio::sync::watch;
use tokio::time::sleep;

use super::buffer::Buffer;
use super::chunk::{Packed, Packer};
use crate::admin::metrics::reports::{Delivery, DeliveryLabel, Fate, Loss, ReportMetrics};
use crate::credential::jitter;
use crate::endpoint::retry::{self, Backoff};
use crate::endpoint::{Call, CallError, Endpoint, Reply};

/// What a server says beside its status is not read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const RETRY_MIN: Duration = Duration::from_millis(100);
/// Between two tries while the process ends.
const LAST_RETRY: Duration = Duration::from_millis(250);

/// How the last upload went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// What was wrong with it, if anything. Never with a byte of what the server said.
    pub failure: Option<String>,
    /// The status of the server that refused it.
    pub status: Option<u16>,
}

/// The way from the buffer to the server.
pub(super) struct Courier {
    pub(super) endpoint: Endpoint,
    pub(super) packer: Packer,
    pub(super) buffer: Arc<Buffer>,
    pub(super) delays: (Duration, Duration),
    pub(super) metrics: ReportMetrics,
    pub(super) told: watch::Sender<Upload>,
}

/// Why events still wait.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the server answers with status {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("events cannot be packed")]
    Packing,
}

impl Courier {
    /// Until the process ends, and then until the buffer is empty.
    pub(super) async fn carry(mut self, mut ending: watch::Receiver<bool>) {
        let mut failures = 0;
        let mut wait = self.pause();
        while !*ending.borrow() {
            tokio::select! {
                () = sleep(wait) => {}
                () = self.buffer.filling(), if failures == 0 => {}
                _ = ending.changed() => break,
            }
            match self.empty().await {
                Ok(()) => (failures, wait) = (0, self.pause()),
                Err(failure) => {
                    failures += 1;
                    wait = self.retry(failures, &failure);
                }
            }
        }
        while self.empty().await.is_err() {
            sleep(LAST_RETRY).await;
        }
    }

    /// Sends until nothing waits.
    async fn empty(&mut self) -> Result<(), Failure> {
        loop {
            let events = self.buffer.take(self.packer.plain_bytes_max());
            if events.is_empty() {
                return Ok(());
            }
            self.send(events).await?;
        }
    }

    fn tell(&self, failure: Option<&Failure>) {
        let upload =
            Upload { failure: failure.map(Failure::to_string), status: failure.and_then(Failure::status) };
        let changed = |told: &mut Upload| std::mem::replace(told, upload.clone()) != upload;
        self.told.send_if_modified(changed);
    }

    async fn send(&mut self, events: Vec<Bytes>) -> Result<(), Failure> {
        let chunk = match self.pack(&events).await {
            Ok(Packed::Whole(chunk)) => chunk,
            Ok(Packed::TooMany) => {
                self.buffer.back(events);
                return Ok(());
            }
            Ok(Packed::TooLarge) => {
                self.give_up(events, Loss::too_large);
                return Ok(());
            }
            Err(failure) => {
                self.buffer.back(events);
                return Err(failure);
            }
        };
        let reply = self.endpoint.send(&call(chunk)).await;
        let ok = reply.as_ref().is_ok_and(|reply| reply.status.is_success());
        let result = if ok { Delivery::ok } else { Delivery::failed };
        self.metrics.uploads.get_or_create(&DeliveryLabel { result }).inc();
        self.settle(events, reply)
    }

    /// What a server's answer means for the events.
    fn settle(&mut self, events: Vec<Bytes>, reply: Result<Reply, CallError>) -> Result<(), Failure> {
        let refused = |events: Vec<Bytes>, courier: &Self| courier.give_up(events, Loss::refused);
        let keep = |events: Vec<Bytes>, courier: &Self| courier.buffer.back(events);
        let (failure, fate): (_, fn(Vec<Bytes>, &Self)) = match reply {
            Ok(reply) if reply.status.is_success() => {
                self.buffer.done(events.len());
                self.metrics.ended(Fate::sent, events.len());
                self.tell(None);
                return Ok(());
            }
            Ok(reply) => {
                let (status, retry_after) = (reply.status, retry::after(&reply.headers));
                match status {
                    StatusCode::PAYLOAD_TOO_LARGE if events.len() > 1 && self.packer.shorten() => {
                        self.buffer.back(events);
                        return Ok(());
                    }
                    // the same again would be refused again
                    StatusCode::PAYLOAD_TOO_LARGE
                    | StatusCode::BAD_REQUEST
                    | StatusCode::UNPROCESSABLE_ENTITY => {
                        (Failure::Status { status: status.as_u16(), retry_after }, refused)
                    }
                    _ => (Failure::Status { status: status.as_u16(), retry_after }, keep),
                }
            }
            Err(error) => (Failure::Call(error), keep),
        };
        fate(events, self);
        self.tell(Some(&failure));
        Err(failure)
    }

    /// Compressing takes its time, which the control plane's thread has not.
    async fn pack(&mut self, events: &[Bytes]) -> Result<Packed, Failure> {
        let mut packer = std::mem::replace(&mut self.packer, Packer::new(0));
        let events = events.to_vec();
        let packing = tokio::task::spawn_blocking(move || (packer.pack(&events), packer));
        let (packed, packer) = packing.await.map_err(|_| Failure::Packing)?;
        self.packer = packer;
        packed.map_err(|_| Failure::Packing)
    }

    fn give_up(&self, events: Vec<Bytes>, loss: Loss) {
        tracing::warn!(events = events.len(), reason = ?loss, "decisions are not logged");
        self.buffer.done(events.len());
        self.metrics.lost(loss, events.len());
    }

    fn pause(&self) -> Duration {
        let (least, most) = self.delays;
        least + most.saturating_sub(least).mul_f64(jitter::fraction())
    }

    fn retry(&self, failures: u32, failure: &Failure) -> Duration {
        tracing::warn!(url = self.endpoint.url(), error = %failure, "decisions cannot be logged; they wait");
        let asked = match failure {
            Failure::Status { retry_after, .. } => *retry_after,
            Failure::Call(_) | Failure::Packing => None,
        };
        Backoff { least: RETRY_MIN, most: self.delays.1 }.pause(failures, asked)
    }
}

impl Failure {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            Self::Call(_) | Self::Packing => None,
        }
    }
}

fn call(chunk: Bytes) -> Call {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
    ];
    Call {
        method: Method::POST,
        headers: HeaderMap::from_iter(headers),
        body: chunk,
        patience: Duration::ZERO,
        answer_bytes_max: ANSWER_BYTES_MAX,
    }
}
