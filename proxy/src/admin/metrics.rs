//! Every metric of the sidecar, by its documented name. No label takes its value from a request.

pub mod policy;
pub mod reports;
pub mod shadow;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::policy::PolicyMetrics;
use self::reports::ReportMetrics;
use self::shadow::ShadowMetrics;

/// All counters, gauges and histograms; one for the process, shared by every thread.
pub struct Metrics {
    /// `claviger_requests_total{route,outcome,status_class}`.
    pub requests: Family<RequestLabels, Counter>,
    /// `claviger_request_seconds{route}`.
    pub request_seconds: Family<RouteLabel, Histogram, Buckets>,
    /// `claviger_policy_eval_seconds`.
    pub policy_eval_seconds: Histogram,
    /// `claviger_policy_revision_info{revision,digest}` and `claviger_policy_reloads_total{result}`.
    pub policy: PolicyMetrics,
    /// `claviger_shadow_…`.
    pub shadow: ShadowMetrics,
    /// `claviger_decision_log_…` and `claviger_status_…`.
    pub reports: ReportMetrics,
    /// `claviger_issuer_requests_total{credential,result}`.
    pub issuer_requests: Family<IssuerLabels, Counter>,
    /// `claviger_issuer_seconds{credential}`.
    pub issuer_seconds: Family<CredentialLabel, Histogram, Buckets>,
    /// `claviger_leases{credential}`.
    pub leases: Family<CredentialLabel, Gauge>,
    /// `claviger_lease_events_total{credential,event}`.
    pub lease_events: Family<LeaseLabels, Counter>,
    /// `claviger_refusals_total{code}`.
    pub refusals: Family<CodeLabel, Counter>,
    /// `claviger_scrubbed_total{route}`.
    pub scrubbed: Family<RouteLabel, Counter>,
    /// `claviger_connections{listener}`.
    pub connections: Family<ListenerLabel, Gauge>,
    /// `claviger_upstream_connections{route,state}`.
    pub upstream_connections: Family<UpstreamLabels, Gauge>,
    /// `claviger_audit_records_total`.
    pub audit_records: Counter,
    registry: Registry,
}

/// Labels of `claviger_requests_total`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// The route's name, or `none` before one was found.
    pub route: String,
    /// What the policy said.
    pub outcome: OutcomeLabel,
    /// `2xx` and so on.
    pub status_class: &'static str,
}

/// What the policy said; `error` also where it was never asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum OutcomeLabel {
    /// It permitted.
    allow,
    /// It denied.
    deny,
    /// No decision.
    error,
}

impl OutcomeLabel {
    /// As metrics and audit events spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::allow => "allow",
            Self::deny => "deny",
            Self::error => "error",
        }
    }
}

/// How an issuer answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum IssuerResult {
    /// With a credential.
    ok,
    /// With a clear no.
    refused,
    /// Not, or too late.
    unavailable,
    /// With something unusable.
    invalid,
}

/// What came of looking for a newer policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum ReloadResult {
    /// There was one, and it is active now.
    activated,
    /// There was none.
    unchanged,
    /// There was one that cannot be used.
    invalid,
    /// Nobody could say.
    unavailable,
}

/// What happened to a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum LeaseEvent {
    /// It was made.
    issued,
    /// It replaced an older one, or was prolonged.
    renewed,
    /// It was ended at the issuer.
    revoked,
    /// Its life ended.
    expired,
    /// The issuer did not end it.
    revoke_failed,
}

/// Where an upstream connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "the label's value is the variant's name")]
pub enum UpstreamState {
    /// Carrying a request.
    active,
    /// Waiting in a pool.
    idle,
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        #[expect(missing_docs, reason = "the fields are the documented label names")]
        pub struct $name { $(pub $field: $type),* }
    };
}

label!(/// Label of metrics per route.
    RouteLabel { route: String });
label!(/// Labels of `claviger_policy_revision_info`.
    RevisionLabels { revision: String, digest: String });
label!(/// Label of `claviger_policy_reloads_total`.
    ReloadLabel { result: ReloadResult });
label!(/// Label of metrics per credential.
    CredentialLabel { credential: String });
label!(/// Labels of `claviger_issuer_requests_total`.
    IssuerLabels { credential: String, result: IssuerResult });
label!(/// Labels of `claviger_lease_events_total`.
    LeaseLabels { credential: String, event: LeaseEvent });
label!(/// Label of `claviger_refusals_total`.
    CodeLabel { code: &'static str });
label!(/// Label of `claviger_connections`.
    ListenerLabel { listener: String });
label!(/// Labels of `claviger_upstream_connections`.
    UpstreamLabels { route: String, state: UpstreamState });

/// Bucket bounds of the latency histograms, in seconds.
#[derive(Debug, Clone)]
pub struct Buckets(&'static [f64]);

const EXCHANGE_SECONDS: Buckets =
    Buckets(&[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0]);
const EVAL_SECONDS: Buckets =
    Buckets(&[0.000_002, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.001, 0.005, 0.05]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

impl Metrics {
    /// All metrics at zero, registered under their documented names.
    pub fn new() -> Self {
        let metrics = Self {
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(EXCHANGE_SECONDS),
            policy_eval_seconds: EVAL_SECONDS.new_metric(),
            policy: PolicyMetrics::default(),
            shadow: ShadowMetrics::default(),
            reports: ReportMetrics::default(),
            issuer_requests: Family::default(),
            issuer_seconds: Family::new_with_constructor(EXCHANGE_SECONDS),
            leases: Family::default(),
            lease_events: Family::default(),
            refusals: Family::default(),
            scrubbed: Family::default(),
            connections: Family::default(),
            upstream_connections: Family::default(),
            audit_records: Counter::default(),
            registry: Registry::with_prefix("claviger"),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register("request_seconds", "From head to end of answer", self.request_seconds.clone());
        registry.register("policy_eval_seconds", "One evaluation", self.policy_eval_seconds.clone());
        self.policy.register("policy", registry);
        self.shadow.register(registry);
        self.reports.register(registry);
        registry.register("issuer_requests", "Calls to issuers", self.issuer_requests.clone());
        registry.register("issuer_seconds", "One call to an issuer", self.issuer_seconds.clone());
        registry.register("leases", "Live leases", self.leases.clone());
        registry.register("lease_events", "What happened to leases", self.lease_events.clone());
        registry.register("refusals", "Responses of our own", self.refusals.clone());
        registry.register("scrubbed", "Answers that held a credential", self.scrubbed.clone());
        registry.register("connections", "Open downstream connections", self.connections.clone());
        registry.register(
            "upstream_connections",
            "Open upstream connections",
            self.upstream_connections.clone(),
        );
        registry.register("audit_records", "Records written", self.audit_records.clone());
        registry.register("build", "This build", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
        self
    }

    /// The page in Prometheus' text form.
    pub fn page(&self) -> String {
        let mut page = String::new();
        prometheus_client::encoding::text::encode(&mut page, &self.registry)
            .expect("writing to a string cannot fail");
        page
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}
