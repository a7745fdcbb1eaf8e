//! The sections that stand once and are small: identity, audit, metrics, state, limits.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::block::Block;
use super::listener::check_free;
use crate::model::{Audit, Bind, Identity, Limits, Listener, Located, Sink};
use crate::{Env, Findings, Location, raw};

const CONNECTIONS: usize = 10_000;
const CONNECTIONS_ALLOWED: RangeInclusive<usize> = 1..=1_000_000;
const HEADER_BYTES: usize = 64 << 10;
const HEADER_BYTES_ALLOWED: RangeInclusive<usize> = 1 << 10..=1 << 20;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(300);
const WORKERS_ALLOWED: RangeInclusive<usize> = 1..=1024;

pub(super) fn located<T>(value: T, block: &Block<'_>) -> Located<T> {
    Located { value, path: block.path.clone(), location: block.node.location }
}

/// `identity`; nothing is known without it.
pub(super) fn identity(root: &Block<'_>, findings: &mut Findings) -> Option<Identity> {
    let Some(block) = root.key("identity") else { return Some(Identity::default()) };
    let raw: raw::Identity = block.decode(findings)?;
    Some(Identity { environment: raw.environment, labels: raw.labels })
}

/// `audit`; standard output without it.
pub(super) fn audit(root: &Block<'_>, findings: &mut Findings) -> Option<Audit> {
    let Some(block) = root.key("audit") else { return Some(Audit { sink: Sink::Stdout, required: false }) };
    let raw: raw::Audit = block.decode(findings)?;
    let sink = match (raw.file, raw.stdout) {
        (Some(file), None) => Sink::File(file.path),
        (None, Some(raw::AuditStdout {})) => Sink::Stdout,
        (None, None) => {
            block.error("missing_kind", "exactly one of `file` and `stdout` is expected here", findings);
            return None;
        }
        (Some(_), Some(_)) => {
            block.error("two_kinds", "only one of `file` and `stdout` can stand here", findings);
            return None;
        }
    };
    Some(Audit { sink, required: raw.required })
}

/// `metrics`; off without it.
pub(super) fn metrics(root: &Block<'_>, listeners: &[Listener], findings: &mut Findings) -> Option<Bind> {
    let block = root.key("metrics")?;
    let raw: raw::Metrics = block.decode(findings)?;
    check_free(&raw.bind, &block.key("bind")?, listeners, findings);
    Some(raw.bind)
}

/// What `state` says.
pub(super) struct State {
    pub(super) dir: PathBuf,
    pub(super) compiled_policies_dir: Option<PathBuf>,
}

const COMPILED_POLICIES: &str = "compiled-policies";

/// `state`; without it, a directory of our own where the user's state belongs.
pub(super) fn state(root: &Block<'_>, env: Env<'_>, findings: &mut Findings) -> Option<State> {
    let Some(block) = root.key("state") else {
        return users_dir(env, findings).map(|dir| State { dir, compiled_policies_dir: None });
    };
    let raw: raw::State = block.decode(findings)?;
    let compiled_policies_dir = raw.compiled_policies.then(|| raw.dir.join(COMPILED_POLICIES));
    Some(State { dir: raw.dir, compiled_policies_dir })
}

fn users_dir(env: Env<'_>, findings: &mut Findings) -> Option<PathBuf> {
    let absolute = |name: &str| env(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state_home = || absolute("XDG_STATE_HOME");
    let home = || absolute("HOME").map(|home| home.join(Path::new(".local/state")));
    let dir = state_home().or_else(home).map(|dir| dir.join("claviger"));
    if dir.is_none() {
        let message = "neither `state.dir` nor XDG_STATE_HOME nor HOME says where private state is kept";
        findings.error("missing_key", "state.dir", Location::START, message);
    }
    dir
}

/// `limits`; each has a default.
pub(super) fn limits(root: &Block<'_>, findings: &mut Findings) -> Option<Limits> {
    let Some(block) = root.key("limits") else {
        return Some(Limits {
            connections: CONNECTIONS,
            header_bytes: HEADER_BYTES,
            request_timeout: REQUEST_TIMEOUT,
            workers: None,
        });
    };
    let raw: raw::Limits = block.decode(findings)?;
    let mut bounded = |value: Option<usize>, allowed, words, key| match value {
        Some(value) => within(value, allowed, words, block.key(key), findings).map(Some),
        None => Some(None),
    };
    let count = |value: Option<u64>| value.map(|value| usize::try_from(value).unwrap_or(usize::MAX));
    let size = raw.header_bytes.map(|size| size.bytes());
    let connections = bounded(count(raw.connections), CONNECTIONS_ALLOWED, "1 to 1000000", "connections");
    let header_bytes = bounded(size, HEADER_BYTES_ALLOWED, "1KiB to 1MiB", "header_bytes");
    let workers = bounded(count(raw.workers), WORKERS_ALLOWED, "1 to 1024", "workers");
    Some(Limits {
        connections: connections?.unwrap_or(CONNECTIONS),
        header_bytes: header_bytes?.unwrap_or(HEADER_BYTES),
        request_timeout: raw.request_timeout.map_or(REQUEST_TIMEOUT, |span| span.as_std()),
        workers: workers?,
    })
}

/// The value, if it is allowed.
pub(super) fn within(
    value: usize,
    allowed: RangeInclusive<usize>,
    words: &str,
    block: Option<Block<'_>>,
    findings: &mut Findings,
) -> Option<usize> {
    if allowed.contains(&value) {
        return Some(value);
    }
    block?.error("out_of_range", format!("expected {words}"), findings);
    None
}
