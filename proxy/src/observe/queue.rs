//! The bounded way from the workers to one observer: by number and by bytes, as an input may hold a body.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use super::Judgement;

/// Judgements that may wait for one observer.
const JUDGEMENTS_MAX: usize = 4096;
/// What they may take together; inputs that several observers wait for count for each.
const JUDGEMENT_BYTES_MAX: usize = 16 << 20;

/// The workers' end.
pub struct Queue {
    sender: mpsc::Sender<Parcel>,
    bytes: Arc<AtomicUsize>,
    dropped: Counter,
}

/// The observer's end.
pub struct Waiting {
    receiver: mpsc::Receiver<Parcel>,
}

/// A judgement and its part of the bound, which it gives back when it is dropped.
pub struct Parcel {
    judgement: Arc<Judgement>,
    _claim: Claim,
}

struct Claim {
    held: Arc<AtomicUsize>,
    bytes: usize,
}

/// A queue that counts in `dropped` what it has no room for.
pub fn queue(dropped: Counter) -> (Queue, Waiting) {
    let (sender, receiver) = mpsc::channel(JUDGEMENTS_MAX);
    (Queue { sender, bytes: Arc::default(), dropped }, Waiting { receiver })
}

impl Queue {
    /// Whether a judgement of usual size would be taken.
    pub(super) fn has_room(&self) -> bool {
        self.sender.capacity() > 0 && self.bytes.load(Ordering::Relaxed) < JUDGEMENT_BYTES_MAX
    }

    /// A judgement was not even copied.
    pub(super) fn drop_one(&self) {
        self.dropped.inc();
    }

    /// Takes it if there is room. Never waits.
    pub(super) fn offer(&self, judgement: &Arc<Judgement>) {
        let taken = self.claim(judgement.bytes()).and_then(|claim| {
            let parcel = Parcel { judgement: Arc::clone(judgement), _claim: claim };
            self.sender.try_send(parcel).ok()
        });
        if taken.is_none() {
            self.drop_one();
        }
    }

    fn claim(&self, bytes: usize) -> Option<Claim> {
        let claim = Claim { held: Arc::clone(&self.bytes), bytes };
        let held = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        (held.saturating_add(bytes) <= JUDGEMENT_BYTES_MAX).then_some(claim)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Waits for the next one; there is none when no worker is left. Not to be called on a runtime.
impl Iterator for Waiting {
    type Item = Parcel;

    fn next(&mut self) -> Option<Parcel> {
        self.receiver.blocking_recv()
    }
}

impl std::ops::Deref for Parcel {
    type Target = Judgement;

    fn deref(&self) -> &Judgement {
        &self.judgement
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::judgement;
    use super::*;

    #[test]
    fn takes_what_fits_and_counts_what_does_not() {
        let check = |input_bytes: usize, offered: usize, taken: usize| {
            let dropped = Counter::default();
            let (queue, mut waiting) = queue(dropped.clone());
            let judgement = Arc::new(judgement(&"x".repeat(input_bytes)));
            (0..offered).for_each(|_| queue.offer(&judgement));
            assert_eq!(dropped.get(), (offered - taken) as u64, "{input_bytes}");
            assert_eq!(queue.has_room(), taken == offered, "{input_bytes}");
            // what is taken out makes room again
            let first = waiting.next().expect("one was taken");
            drop(first);
            queue.offer(&judgement);
            assert_eq!(dropped.get(), (offered - taken) as u64, "{input_bytes}");
            drop(queue);
            assert_eq!(waiting.count(), taken, "{input_bytes}");
        };
        check(100, 10, 10);
        check(100, JUDGEMENTS_MAX + 7, JUDGEMENTS_MAX);
        check(JUDGEMENT_BYTES_MAX / 4 - 4096, 4, 4);
    }

    #[test]
    fn bytes_are_bounded_too() {
        let dropped = Counter::default();
        let (queue, waiting) = queue(dropped.clone());
        let large = Arc::new(judgement(&"x".repeat(JUDGEMENT_BYTES_MAX / 2)));
        (0..3).for_each(|_| queue.offer(&large));
        assert_eq!(dropped.get(), 2);
        queue.offer(&Arc::new(judgement("small")));
        assert_eq!(dropped.get(), 2);
        drop(queue);
        assert_eq!(waiting.count(), 2);
    }
}
