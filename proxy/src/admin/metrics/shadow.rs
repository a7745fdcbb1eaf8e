//! What the shadow policy would have done otherwise, in numbers.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::policy::PolicyMetrics;
use super::{EVAL_SECONDS, OutcomeLabel};

/// Counters of the shadow; a copy counts into the same.
#[derive(Clone)]
pub struct ShadowMetrics {
    /// `claviger_shadow_revision_info{revision,digest}` and `claviger_shadow_reloads_total{result}`.
    pub policy: PolicyMetrics,
    /// `claviger_shadow_evaluations_total{outcome}`.
    pub evaluations: Family<ShadowOutcome, Counter>,
    /// `claviger_shadow_eval_seconds`.
    pub eval_seconds: Histogram,
    /// `claviger_shadow_differences_total{active,shadow,rule}`.
    pub differences: Family<DifferenceLabels, Counter>,
    /// `claviger_shadow_drops_total{reason}`.
    pub drops: Family<DropLabel, Counter>,
    /// `claviger_shadow_samples_total{result}`.
    pub samples: Family<SampleLabel, Counter>,
}

/// Label of `claviger_shadow_evaluations_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ShadowOutcome {
    /// What the shadow said; `error` is its failure.
    pub outcome: OutcomeLabel,
}

/// Labels of `claviger_shadow_differences_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DifferenceLabels {
    /// What the active policy said.
    pub active: OutcomeLabel,
    /// What the shadow said.
    pub shadow: OutcomeLabel,
    /// The shadow's rule, else the active policy's: one of a bounded set, `other` or `none`.
    pub rule: String,
}

/// Label of `claviger_shadow_drops_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DropLabel {
    /// Why a judgement was not compared.
    pub reason: ShadowDrop,
}

/// Why a judgement was not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum ShadowDrop {
    /// Too many waited already.
    queue_full,
    /// There is no shadow policy yet.
    no_policy,
}

/// Label of `claviger_shadow_samples_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SampleLabel {
    /// What became of a difference's sample.
    pub result: SampleResult,
}

/// What became of a difference's sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum SampleResult {
    /// It is in the file.
    kept,
    /// One of its kind was kept a moment ago.
    skipped,
    /// The file cannot be written.
    failed,
}

impl Default for ShadowMetrics {
    fn default() -> Self {
        Self {
            policy: PolicyMetrics::default(),
            evaluations: Family::default(),
            eval_seconds: EVAL_SECONDS.new_metric(),
            differences: Family::default(),
            drops: Family::default(),
            samples: Family::default(),
        }
    }
}

impl ShadowMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        self.policy.register("shadow", registry);
        registry.register("shadow_evaluations", "Evaluations of the shadow", self.evaluations.clone());
        registry.register("shadow_eval_seconds", "One evaluation of the shadow", self.eval_seconds.clone());
        registry.register(
            "shadow_differences",
            "Judgements of the shadow that differ",
            self.differences.clone(),
        );
        registry.register("shadow_drops", "Judgements that were not compared", self.drops.clone());
        registry.register("shadow_samples", "What became of samples", self.samples.clone());
    }
}
