//! What one record is made of: the part known before effect, the part known at the end, and the life of leases.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::admin::metrics::LeaseEvent;
use crate::clock::Timestamp;

/// All that is known of a request when it has been judged and nothing has left yet.
#[derive(Debug, Clone, Copy)]
pub struct Opened<'a> {
    /// When its head was there.
    pub time: Timestamp,
    /// The id that the workload is told; unique for ever.
    pub id: &'a str,
    /// The listener's name.
    pub listener: &'a str,
    /// The verified facts of the workload: a ready JSON object.
    pub workload: &'a str,
    /// The task that it works under.
    pub task: Option<&'a str>,
    /// What it asked for.
    pub request: RequestRecord<'a>,
    /// What the policy said; `None` where it was not asked.
    pub decision: Option<DecisionRecord<'a>>,
}

/// What a workload asked for; never its query, which may hold secrets.
#[derive(Debug, Clone, Copy)]
pub struct RequestRecord<'a> {
    /// As `GET`; `None` where the head was not read that far.
    pub method: Option<&'a str>,
    /// The route's name.
    pub route: Option<&'a str>,
    /// The upstream's host.
    pub host: Option<&'a str>,
    /// The canonical path.
    pub path: Option<&'a str>,
    /// As `HTTP/1.1`; `None` where the head was not read that far.
    pub protocol: Option<&'a str>,
}

/// What the policy said, and which policy it was.
#[derive(Debug, Clone, Copy)]
pub struct DecisionRecord<'a> {
    /// `allow`, `deny` or `error`.
    pub outcome: &'static str,
    /// The policy's reason.
    pub reason: Option<&'a str>,
    /// The policy's name for the rule.
    pub rule: Option<&'a str>,
    /// The bundle's revision.
    pub revision: &'a str,
    /// The bundle's digest, as `sha256:…`.
    pub digest: &'a str,
    /// How long the evaluation took, in microseconds.
    pub eval_us: u64,
}

/// How a request ended.
#[derive(Debug, Clone, Default)]
pub struct Closed {
    /// The credential that was obtained for it.
    pub credential: Option<CredentialRecord>,
    /// The upstream that it reached.
    pub upstream: Option<UpstreamRecord>,
    /// The code of our refusal, where the answer is ours.
    pub refusal: Option<&'static str>,
    /// Body bytes from the workload.
    pub bytes_in: u64,
    /// Body bytes to the workload.
    pub bytes_out: u64,
    /// From the request's head to the end of the answer, in microseconds.
    pub duration_us: u64,
}

/// A credential by its names; never its secret.
#[derive(Debug, Clone)]
pub struct CredentialRecord {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The kind of its source.
    pub kind: Arc<str>,
    /// The id of its lease.
    pub lease: Arc<str>,
    /// `cache`, `issued` or `renewed`.
    pub from: &'static str,
    /// When the lease ends; `None` where it has no end.
    pub expires: Option<Timestamp>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
}

/// The upstream's side of an exchange.
#[derive(Debug, Clone, Copy)]
pub struct UpstreamRecord {
    /// The address that was dialled.
    pub address: Option<SocketAddr>,
    /// The status of its answer.
    pub status: Option<u16>,
}

/// Something happened to a lease.
#[derive(Debug, Clone, Copy)]
pub struct LeaseRecord<'a> {
    /// When.
    pub time: Timestamp,
    /// What.
    pub event: LeaseEvent,
    /// The credential's name in the configuration.
    pub name: &'a str,
    /// The kind of its source.
    pub kind: &'a str,
    /// The id of the lease.
    pub lease: &'a str,
    /// When the lease ends; `None` where it has no end.
    pub expires: Option<Timestamp>,
    /// The scopes that were granted.
    pub scopes: &'a [String],
    /// The route that it was issued for.
    pub route: &'a str,
    /// Whom it was issued for, as `uid=1000`.
    pub subject: &'a str,
}
