//! What became of what is reported to servers of the operator's.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters of decision logs and status reports; a copy counts into the same.
#[derive(Clone, Default)]
pub struct ReportMetrics {
    /// `claviger_decision_log_events_total{fate}`.
    pub events: Family<FateLabel, Counter>,
    /// `claviger_decision_log_drops_total{reason}`.
    pub drops: Family<LossLabel, Counter>,
    /// `claviger_decision_log_uploads_total{result}`.
    pub uploads: Family<DeliveryLabel, Counter>,
    /// `claviger_decision_log_buffer_bytes`.
    pub buffer_bytes: Gauge,
    /// `claviger_status_reports_total{result}`.
    pub status_reports: Family<DeliveryLabel, Counter>,
}

/// What becomes of an event, when all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum Fate {
    /// The server has taken it.
    sent,
    /// The policy keeps it out of the log.
    excluded,
}

/// Label of `claviger_decision_log_events_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct FateLabel {
    /// Which.
    pub fate: Fate,
}

/// Why an event is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum Loss {
    /// Too many judgements waited to become events.
    queue_full,
    /// It could not be told whether it belongs in the log.
    drop_failed,
    /// It could not be masked.
    mask_failed,
    /// Its documents cannot be read.
    unreadable,
    /// Newer ones needed its room.
    buffer_full,
    /// It alone is larger than an upload, or than the buffer.
    too_large,
    /// The server does not want it.
    refused,
    /// The process ended before it was sent.
    stopped,
}

/// Label of `claviger_decision_log_drops_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct LossLabel {
    /// Which.
    pub reason: Loss,
}

/// How a server took what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum Delivery {
    /// It did.
    ok,
    /// It did not, or nobody could say.
    failed,
}

/// Label of counters of deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryLabel {
    /// Which.
    pub result: Delivery,
}

impl ReportMetrics {
    /// Events that are lost.
    pub fn lost(&self, reason: Loss, events: usize) {
        self.drops.get_or_create(&LossLabel { reason }).inc_by(events as u64);
    }

    /// Events that came to their end.
    pub fn ended(&self, fate: Fate, events: usize) {
        self.events.get_or_create(&FateLabel { fate }).inc_by(events as u64);
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("decision_log_events", "What became of events", self.events.clone());
        registry.register("decision_log_drops", "Events that are lost", self.drops.clone());
        registry.register("decision_log_uploads", "Uploads of decision logs", self.uploads.clone());
        registry.register("decision_log_buffer_bytes", "Events that wait", self.buffer_bytes.clone());
        registry.register("status_reports", "Reports of the status", self.status_reports.clone());
    }
}
