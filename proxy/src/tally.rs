//! Counts what a worker does, through handles that are looked up once: counting a request costs a few additions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::Histogram;

use crate::admin::metrics::{CodeLabel, Metrics, OutcomeLabel, RequestLabels, RouteLabel};

/// One worker's way to the process's metrics.
pub struct Tally {
    metrics: Arc<Metrics>,
    requests: RefCell<HashMap<(usize, OutcomeLabel, u16), Counter>>,
    seconds: RefCell<HashMap<usize, Histogram>>,
}

/// A route as the record and the metrics name it.
#[derive(Debug, Clone)]
pub struct RouteName {
    /// Its place in the configuration.
    pub index: usize,
    /// Its name there.
    pub name: Arc<str>,
}

/// Stands for requests that no route was found for.
const NO_ROUTE: (usize, &str) = (usize::MAX, "none");

impl Tally {
    /// Counts into `metrics`.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, requests: RefCell::default(), seconds: RefCell::default() }
    }

    /// A request was answered, or its workload left before (`None`, counted as nginx does: 499).
    pub fn answered(
        &self,
        route: Option<&RouteName>,
        outcome: OutcomeLabel,
        status: Option<StatusCode>,
        took: Duration,
    ) {
        let (index, name) = route.map_or(NO_ROUTE, |route| (route.index, &*route.name));
        let class = status.map_or(4, |status| status.as_u16() / 100);
        self.requests
            .borrow_mut()
            .entry((index, outcome, class))
            .or_insert_with(|| {
                let labels =
                    RequestLabels { route: name.to_owned(), outcome, status_class: class_name(class) };
                self.metrics.requests.get_or_create(&labels).clone()
            })
            .inc();
        self.seconds
            .borrow_mut()
            .entry(index)
            .or_insert_with(|| {
                self.metrics.request_seconds.get_or_create(&RouteLabel { route: name.to_owned() }).clone()
            })
            .observe(took.as_secs_f64());
    }

    /// The policy ran once.
    pub fn policy_evaluated(&self, took: Duration) {
        self.metrics.policy_eval_seconds.observe(took.as_secs_f64());
    }

    /// We answered by ourselves.
    pub fn refused(&self, code: &'static str) {
        self.metrics.refusals.get_or_create(&CodeLabel { code }).inc();
    }

    /// A credential was taken out of an answer.
    pub fn scrubbed(&self, route: &RouteName) {
        self.metrics.scrubbed.get_or_create(&RouteLabel { route: route.name.to_string() }).inc();
    }

    /// The process's metrics, for what happens seldom.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

fn class_name(class: u16) -> &'static str {
    match class {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
