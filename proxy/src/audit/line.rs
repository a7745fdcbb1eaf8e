//! The text of a record between its sequence number and its link to the record before: what each line says, in
//! the documented order. A request's text is written in two halves, so that the first can be made safe before effect.

use super::json::{Members, cut, key};
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
    members.time(key!("time"), opened.time).string(key!("id"), extent.short(opened.id, 64));
    members.string(key!("listener"), extent.short(opened.listener, 64));
    members.raw(key!("workload"), extent.workload(opened.workload));
    members.maybe(key!("task"), opened.task.map(|task| extent.short(task, 64)));
    members.object(key!("request"), |members| request(members, &opened.request, extent));
    match &opened.decision {
        Some(verdict) => members.object(key!("decision"), |members| decision(members, verdict, extent)),
        None => members.raw(key!("decision"), "null"),
    };
}

fn request(members: &mut Members<'_>, request: &RequestRecord<'_>, extent: Extent) {
    members.maybe(key!("method"), request.method.map(|method| extent.short(method, 32)));
    members.maybe(key!("route"), request.route.map(|route| extent.short(route, 64)));
    members.maybe(key!("host"), request.host.map(|host| extent.short(host, 255)));
    if let Some(path) = request.path {
        let kept = extent.path(path);
        members.string(key!("path"), kept);
        if kept.len() < path.len() {
            members.raw(key!("path_truncated"), "true");
        }
    }
    members.maybe(key!("protocol"), request.protocol.map(|protocol| extent.short(protocol, 16)));
}

fn decision(members: &mut Members<'_>, decision: &DecisionRecord<'_>, extent: Extent) {
    members.string(key!("outcome"), decision.outcome);
    members.maybe(key!("reason"), decision.reason.map(|reason| extent.short(reason, 128)));
    members.maybe(key!("rule"), decision.rule.map(|rule| extent.short(rule, 64)));
    members.string(key!("revision"), extent.short(decision.revision, 64));
    members
        .string(key!("digest"), extent.short(decision.digest, 80))
        .number(key!("eval_us"), decision.eval_us);
}

/// The second half, known when the answer has ended.
pub(super) fn closed(out: &mut Vec<u8>, closed: &Closed) {
    let mut members = Members::more(out);
    match &closed.credential {
        Some(credential) => members.object(key!("credential"), |members| {
            members.string(key!("name"), &credential.name).string(key!("kind"), &credential.kind);
            members.string(key!("lease"), &credential.lease).string(key!("from"), credential.from);
            expiry(members, credential.expires).strings(key!("scopes"), &credential.scopes);
        }),
        None => members.raw(key!("credential"), "null"),
    };
    match &closed.upstream {
        Some(upstream) => members.object(key!("upstream"), |members| {
            if let Some(address) = upstream.address {
                members.address(key!("address"), address);
            }
            if let Some(status) = upstream.status {
                members.number(key!("status"), status.into());
            }
        }),
        None => members.raw(key!("upstream"), "null"),
    };
    members.or_null(key!("refusal"), closed.refusal).number(key!("bytes_in"), closed.bytes_in);
    members.number(key!("bytes_out"), closed.bytes_out).number(key!("duration_us"), closed.duration_us);
}

/// The second half of a request whose end nobody saw; its counts are not known and read as zero.
pub(super) fn interrupted(out: &mut Vec<u8>) {
    let mut members = Members::more(out);
    members.raw(key!("credential"), "null").raw(key!("upstream"), "null").raw(key!("refusal"), "null");
    members
        .raw(key!("interrupted"), "true")
        .number(key!("bytes_in"), 0)
        .number(key!("bytes_out"), 0)
        .number(key!("duration_us"), 0);
}

/// What happened to a lease.
pub(super) fn lease(out: &mut Vec<u8>, record: &LeaseRecord<'_>) {
    let mut members = Members::first(out);
    members.time(key!("time"), record.time).string(key!("event"), lease_event(record.event));
    members.object(key!("credential"), |members| {
        members
            .string(key!("name"), record.name)
            .string(key!("kind"), record.kind)
            .string(key!("lease"), record.lease);
        expiry(members, record.expires).strings(key!("scopes"), record.scopes);
    });
    members.string(key!("route"), record.route).string(key!("subject"), record.subject);
}

/// What a start found to mend.
pub(super) fn recovered(out: &mut Vec<u8>, time: Timestamp, torn_bytes: u64, slots_unreadable: u64) {
    let mut members = Members::first(out);
    members.time(key!("time"), time).string(key!("event"), "recovered");
    members.number(key!("torn_bytes"), torn_bytes).number(key!("slots_unreadable"), slots_unreadable);
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
        Some(expires) => members.time(key!("expires"), expires),
        None => members.raw(key!("expires"), "null"),
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
