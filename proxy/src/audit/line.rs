//! The text of a record between its sequence number and its link to the record before: what each line says, in
//! the documented order. A request's text is written in two halves, so that the first can be made safe before effect.

use super::json::{Members, cut};
use super::record::{Closed, DecisionRecord, LeaseRecord, Opened, RequestRecord};
use crate::admin::metrics::LeaseEvent;
use crate::clock::Timestamp;

/// How much of an opened record is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Extent {
    /// Everything.
    Whole,
    /// Everything, the path cut to this many bytes, and that said.
    PathCut(usize),
    /// Every text cut so that it fits in [`SMALLEST_BYTES_MAX`] whatever it holds, and that said.
    Smallest,
}

/// The longest [`Extent::Smallest`].
pub(super) const SMALLEST_BYTES_MAX: usize = 1600;

impl Extent {
    /// `text` as it is, or its beginning in the smallest extent.
    fn short(self, text: &str, bytes_max: usize) -> &str {
        match self {
            Self::Whole | Self::PathCut(_) => text,
            Self::Smallest => cut(text, bytes_max),
        }
    }

    /// `path` as far as it is written.
    fn path(self, path: &str) -> &str {
        match self {
            Self::Whole => path,
            Self::PathCut(bytes_max) => cut(path, bytes_max),
            Self::Smallest => cut(path, 128),
        }
    }

    fn workload(self, workload: &str) -> &str {
        match self {
            Self::Whole | Self::PathCut(_) => workload,
            Self::Smallest => r#"{"truncated":true}"#,
        }
    }
}

/// The first half, known before anything leaves.
pub(super) fn opened(out: &mut Vec<u8>, opened: &Opened<'_>, extent: Extent) {
    let mut members = Members::first(out);
    members.time("time", opened.time).string("id", extent.short(opened.id, 64));
    members.string("listener", extent.short(opened.listener, 64));
    members.raw("workload", extent.workload(opened.workload));
    members.maybe("task", opened.task.map(|task| extent.short(task, 64)));
    members.object("request", |members| request(members, &opened.request, extent));
    match &opened.decision {
        Some(verdict) => members.object("decision", |members| decision(members, verdict, extent)),
        None => members.raw("decision", "null"),
    };
}

fn request(members: &mut Members<'_>, request: &RequestRecord<'_>, extent: Extent) {
    members.maybe("method", request.method.map(|method| extent.short(method, 32)));
    members.maybe("route", request.route.map(|route| extent.short(route, 64)));
    members.maybe("host", request.host.map(|host| extent.short(host, 255)));
    if let Some(path) = request.path {
        let kept = extent.path(path);
        members.string("path", kept);
        if kept.len() < path.len() {
            members.raw("path_truncated", "true");
        }
    }
    members.maybe("protocol", request.protocol.map(|protocol| extent.short(protocol, 16)));
}

fn decision(members: &mut Members<'_>, decision: &DecisionRecord<'_>, extent: Extent) {
    members.string("outcome", decision.outcome);
    members.maybe("reason", decision.reason.map(|reason| extent.short(reason, 128)));
    members.maybe("rule", decision.rule.map(|rule| extent.short(rule, 64)));
    members.string("revision", extent.short(decision.revision, 64));
    members.string("digest", extent.short(decision.digest, 80)).number("eval_us", decision.eval_us);
}

/// The second half, known when the answer has ended.
pub(super) fn closed(out: &mut Vec<u8>, closed: &Closed) {
    let mut members = Members::more(out);
    match &closed.credential {
        Some(credential) => members.object("credential", |members| {
            members.string("name", &credential.name).string("kind", &credential.kind);
            members.string("lease", &credential.lease).string("from", credential.from);
            expiry(members, credential.expires).strings("scopes", &credential.scopes);
        }),
        None => members.raw("credential", "null"),
    };
    match &closed.upstream {
        Some(upstream) => members.object("upstream", |members| {
            members.maybe("address", upstream.address.map(|address| address.to_string()).as_deref());
            if let Some(status) = upstream.status {
                members.number("status", status.into());
            }
        }),
        None => members.raw("upstream", "null"),
    };
    members.or_null("refusal", closed.refusal).number("bytes_in", closed.bytes_in);
    members.number("bytes_out", closed.bytes_out).number("duration_us", closed.duration_us);
}

/// The second half of a request whose end nobody saw; its counts are not known and read as zero.
pub(super) fn interrupted(out: &mut Vec<u8>) {
    let mut members = Members::more(out);
    members.raw("credential", "null").raw("upstream", "null").raw("refusal", "null");
    members.raw("interrupted", "true").number("bytes_in", 0).number("bytes_out", 0).number("duration_us", 0);
}

/// What happened to a lease.
pub(super) fn lease(out: &mut Vec<u8>, record: &LeaseRecord<'_>) {
    let mut members = Members::first(out);
    members.time("time", record.time).string("event", lease_event(record.event));
    members.object("credential", |members| {
        members.string("name", record.name).string("kind", record.kind).string("lease", record.lease);
        expiry(members, record.expires).strings("scopes", record.scopes);
    });
    members.string("route", record.route).string("subject", record.subject);
}

/// What a start found to mend.
pub(super) fn recovered(out: &mut Vec<u8>, time: Timestamp, torn_bytes: u64, slots_unreadable: u64) {
    let mut members = Members::first(out);
    members.time("time", time).string("event", "recovered");
    members.number("torn_bytes", torn_bytes).number("slots_unreadable", slots_unreadable);
}

fn lease_event(event: LeaseEvent) -> &'static str {
    match event {
        LeaseEvent::issued => "lease_issued",
        LeaseEvent::renewed => "lease_renewed",
        LeaseEvent::revoked => "lease_revoked",
        LeaseEvent::expired => "lease_expired",
        LeaseEvent::revoke_failed => "lease_revoke_failed",
    }
}

fn expiry<'m, 'a>(members: &'m mut Members<'a>, expires: Option<Timestamp>) -> &'m mut Members<'a> {
    match expires {
        Some(expires) => members.time("expires", expires),
        None => members.raw("expires", "null"),
    }
}

/// The id in the text of a request's record, with or without the sequence number before it.
pub(super) fn id_in(text: &[u8]) -> Option<&[u8]> {
    const KEY: &[u8] = b",\"id\":\"";
    /// An id follows the time, which follows at most a version and a sequence number.
    const START_BYTES_MAX: usize = 128;
    let start = &text[..text.len().min(START_BYTES_MAX)];
    let from = memchr::memmem::find(start, KEY)? + KEY.len();
    let length = memchr::memchr(b'"', &text[from..])?;
    Some(&text[from..from + length])
}

#[cfg(test)]
mod tests;
