//! Events that wait for an upload, bounded in bytes: the oldest give way to newer ones, and that is counted.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::admin::metrics::reports::{Loss, ReportMetrics};

/// What an event takes beside its bytes.
const EVENT_BYTES: usize = size_of::<Bytes>();

/// The events, oldest first.
pub(super) struct Buffer {
    waiting: Mutex<Waiting>,
    bytes_max: usize,
    filling: Notify,
    metrics: ReportMetrics,
}

#[derive(Default)]
struct Waiting {
    events: VecDeque<Bytes>,
    bytes: usize,
    /// Events that are being sent: here until the server has them.
    away: usize,
}

impl Buffer {
    pub(super) fn new(bytes_max: usize, metrics: ReportMetrics) -> Self {
        Self { waiting: Mutex::default(), bytes_max, filling: Notify::new(), metrics }
    }

    /// Adds the newest event.
    pub(super) fn push(&self, event: Bytes) {
        if cost(&event) > self.bytes_max {
            return self.metrics.lost(Loss::too_large, 1);
        }
        let mut waiting = self.waiting();
        waiting.bytes += cost(&event);
        waiting.events.push_back(event);
        self.settle(&mut waiting);
        if waiting.bytes > self.bytes_max / 2 {
            self.filling.notify_one();
        }
    }

    /// Waits until the buffer is half full.
    pub(super) async fn filling(&self) {
        self.filling.notified().await;
    }

    /// Takes the oldest: one, and more up to so many bytes. They are away until they are [`Self::back`] or
    /// [`Self::done`].
    pub(super) fn take(&self, bytes_max: usize) -> Vec<Bytes> {
        let mut waiting = self.waiting();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while let Some(next) = waiting.events.front() {
            if !taken.is_empty() && bytes + next.len() > bytes_max {
                break;
            }
            let Some(event) = waiting.events.pop_front() else { break };
            bytes += event.len();
            waiting.bytes -= cost(&event);
            taken.push(event);
        }
        waiting.away += taken.len();
        self.settle(&mut waiting);
        taken
    }

    /// They were not sent, and wait again, in front.
    pub(super) fn back(&self, events: Vec<Bytes>) {
        let mut waiting = self.waiting();
        waiting.away -= events.len();
        for event in events.into_iter().rev() {
            waiting.bytes += cost(&event);
            waiting.events.push_front(event);
        }
        self.settle(&mut waiting);
    }

    /// So many that were away are no longer ours.
    pub(super) fn done(&self, events: usize) {
        self.waiting().away -= events;
    }

    /// Counts all that is left as lost, and gives how many those are.
    pub(super) fn give_up(&self) -> usize {
        let mut waiting = self.waiting();
        let lost = waiting.events.len() + waiting.away;
        *waiting = Waiting::default();
        self.settle(&mut waiting);
        self.metrics.lost(Loss::stopped, lost);
        lost
    }

    fn settle(&self, waiting: &mut Waiting) {
        let mut lost = 0;
        while waiting.bytes > self.bytes_max
            && let Some(oldest) = waiting.events.pop_front()
        {
            waiting.bytes -= cost(&oldest);
            lost += 1;
        }
        if lost > 0 {
            self.metrics.lost(Loss::buffer_full, lost);
        }
        self.metrics.buffer_bytes.set(i64::try_from(waiting.bytes).unwrap_or(i64::MAX));
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(event: &Bytes) -> usize {
    event.len() + EVENT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::metrics::reports::LossLabel;

    fn event(number: usize) -> Bytes {
        format!("{number:0100}").into()
    }

    fn lost(metrics: &ReportMetrics, reason: Loss) -> u64 {
        metrics.drops.get_or_create(&LossLabel { reason }).get()
    }

    #[test]
    fn the_oldest_give_way() {
        let metrics = ReportMetrics::default();
        let buffer = Buffer::new(10 * cost(&event(0)), metrics.clone());
        (0..13).for_each(|number| buffer.push(event(number)));
        assert_eq!(lost(&metrics, Loss::buffer_full), 3);
        assert_eq!(buffer.take(250), [event(3), event(4)]);
        assert_eq!(buffer.take(1), [event(5)]);
        buffer.back(vec![event(5)]);
        buffer.back(vec![event(3), event(4)]);
        assert_eq!(buffer.take(1), [event(3)]);
        buffer.done(1);
        // what comes back finds its room taken
        let away = buffer.take(usize::MAX);
        assert_eq!((away.len(), metrics.buffer_bytes.get()), (9, 0));
        (13..19).for_each(|number| buffer.push(event(number)));
        buffer.back(away);
        assert_eq!(lost(&metrics, Loss::buffer_full), 8);
        assert_eq!(buffer.take(1), [event(9)]);
        buffer.push(vec![0; 5000].into());
        assert_eq!(lost(&metrics, Loss::too_large), 1);
        assert_eq!(buffer.give_up(), 10);
        assert_eq!((lost(&metrics, Loss::stopped), metrics.buffer_bytes.get()), (10, 0));
    }

    #[tokio::test]
    async fn half_full_is_told() {
        let buffer = Buffer::new(4 * cost(&event(0)), ReportMetrics::default());
        buffer.push(event(1));
        let soon = std::time::Duration::from_millis(20);
        assert!(tokio::time::timeout(soon, buffer.filling()).await.is_err());
        buffer.push(event(2));
        buffer.push(event(3));
        buffer.filling().await;
    }
}
