//! Status reports in OPA's form: which policies are in place, what is wrong with newer ones and with decision logs. Sent when
//! something of that changes, and every so often.

mod report;

use std::sync::Arc;
use std::time::Duration;

use claviger_config::{Findings, StatusReports};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::decisions::Upload;
use super::labels::Labels;
use crate::admin::metrics::reports::{Delivery, DeliveryLabel, ReportMetrics};
use crate::clock;
use crate::endpoint::retry::{self, Backoff};
use crate::endpoint::{Call, CallError, Endpoint};
use crate::reload::standing::Standing;
use report::Report;

/// How often it is looked whether there is something to tell: also the least time between two reports.
const LOOK: Duration = Duration::from_secs(1);
/// What a server says beside its status is not read.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const RETRY_MIN: Duration = Duration::from_secs(1);

/// Checked settings, and the way to the server.
pub struct Plan {
    endpoint: Endpoint,
    interval: Duration,
}

/// What is told of.
pub struct Subjects {
    /// Each bundle under its name.
    pub bundles: Vec<(&'static str, Standing)>,
    /// How the last upload of decisions went, where decisions are logged.
    pub uploads: Option<watch::Receiver<Upload>>,
}

/// Status reports at work, until it is dropped.
pub struct Status {
    task: JoinHandle<()>,
}

struct Reporter {
    plan: Plan,
    labels: Arc<Labels>,
    subjects: Subjects,
    metrics: ReportMetrics,
}

/// Why a report has to be sent again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the server answers with status {status}")]
    Status { status: u16, retry_after: Option<Duration> },
}

impl Plan {
    /// Without network; `None` when findings were added.
    pub fn new(settings: &StatusReports, findings: &mut Findings) -> Option<Self> {
        let endpoint = Endpoint::new(&settings.endpoint, findings)?;
        Some(Self { endpoint, interval: settings.interval })
    }
}

impl Status {
    /// Starts on the runtime that it is called on.
    pub fn start(plan: Plan, labels: Arc<Labels>, subjects: Subjects, metrics: ReportMetrics) -> Self {
        let reporter = Reporter { plan, labels, subjects, metrics };
        Self { task: tokio::spawn(reporter.report()) }
    }
}

impl Drop for Status {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Reporter {
    async fn report(self) {
        let mut last = None;
        let mut sent_at = clock::monotonic();
        let mut failures = 0;
        loop {
            let report = self.compose();
            let due = clock::monotonic().saturating_duration_since(sent_at) >= self.plan.interval;
            let news = last.as_ref().is_none_or(|last| !report.tells_the_same(last));
            if !due && !news {
                sleep(LOOK).await;
                continue;
            }
            match self.send(&report).await {
                Ok(()) => {
                    (last, sent_at, failures) = (Some(report), clock::monotonic(), 0);
                    sleep(LOOK).await;
                }
                Err(failure) => {
                    failures += 1;
                    sleep(self.retry(failures, &failure)).await;
                }
            }
        }
    }

    fn compose(&self) -> Report {
        let Subjects { bundles, uploads } = &self.subjects;
        let bundles = bundles.iter().map(|(name, standing)| (*name, standing.now())).collect();
        Report { bundles, upload: uploads.as_ref().map(|uploads| uploads.borrow().clone()) }
    }

    async fn send(&self, report: &Report) -> Result<(), Failure> {
        let call = Call {
            method: Method::POST,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]),
            body: report.json(&self.labels).to_string().into(),
            patience: Duration::ZERO,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let reply = self.plan.endpoint.send(&call).await;
        let ok = reply.as_ref().is_ok_and(|reply| reply.status.is_success());
        let result = if ok { Delivery::ok } else { Delivery::failed };
        self.metrics.status_reports.get_or_create(&DeliveryLabel { result }).inc();
        let reply = reply?;
        if ok {
            return Ok(());
        }
        Err(Failure::Status { status: reply.status.as_u16(), retry_after: retry::after(&reply.headers) })
    }

    /// The next try tells what is then.
    fn retry(&self, failures: u32, failure: &Failure) -> Duration {
        tracing::warn!(url = self.plan.endpoint.url(), error = %failure, "the status cannot be told");
        let asked = match failure {
            Failure::Status { retry_after, .. } => *retry_after,
            Failure::Call(_) => None,
        };
        Backoff { least: RETRY_MIN, most: self.plan.interval.max(RETRY_MIN) }.pause(failures, asked)
    }
}
