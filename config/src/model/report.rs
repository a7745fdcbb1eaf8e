//! What the sidecar reports to servers of the operator's.

use std::time::Duration;

use super::{Endpoint, Located};

/// Every decision, to a server that takes OPA's decision logs.
#[derive(Debug, Clone)]
pub struct DecisionLogs {
    /// The server; 10 s for an upload by default.
    pub endpoint: Endpoint,
    /// The least time between two uploads while little is waiting; 5 m by default.
    pub delay_min: Duration,
    /// The most, at least as long; 10 m by default.
    pub delay_max: Duration,
    /// What may wait for an upload; 16 MiB by default.
    pub buffer_bytes_max: usize,
    /// One upload, compressed; 32 KiB by default.
    pub upload_bytes_max: usize,
    /// The entrypoint that masks, where one is named: then it must be there.
    pub mask: Option<Located<String>>,
    /// The entrypoint that keeps decisions out of the log, likewise.
    pub drop: Option<Located<String>>,
}

/// How the sidecar is, to a server that takes OPA's status reports.
#[derive(Debug, Clone)]
pub struct StatusReports {
    /// The server; 10 s for a report by default.
    pub endpoint: Endpoint,
    /// How often it is told when nothing changes; 60 s by default.
    pub interval: Duration,
}
