//! `policy`: where it comes from, who vouches for it, what it may use.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::block::Block;
use super::endpoint;
use super::section::{located, within};
use crate::model::{BundleService, BundleSource, Policy, PolicyInput, Verify, VerifyKey};
use crate::{Findings, raw};

const EVAL_TIMEOUT: Duration = Duration::from_millis(5);
const MEMORY_BYTES: usize = 64 << 20;
const MEMORY_BYTES_ALLOWED: RangeInclusive<usize> = 1 << 20..=4 << 30;
const POLL: Duration = Duration::from_secs(60);
const POLL_ALLOWED: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// `policy`.
pub(super) fn lower(root: &Block<'_>, findings: &mut Findings) -> Option<Policy> {
    let block = root.key("policy")?;
    let raw: raw::Policy = block.decode(findings)?;
    let memory_bytes_max = match raw.memory_max {
        Some(size) => {
            within(size.bytes(), MEMORY_BYTES_ALLOWED, "1MiB to 4GiB", block.key("memory_max"), findings)?
        }
        None => MEMORY_BYTES,
    };
    let shadow = match raw.shadow {
        Some(shadow) => Some(bundle(shadow.bundle, &block.key("shadow")?.key("bundle")?, findings)),
        None => None,
    };
    Some(Policy {
        bundle: bundle(raw.bundle, &block.key("bundle")?, findings)?,
        verify: match raw.verify {
            Some(raw) => Some(verify(raw, &block.key("verify")?, findings)?),
            None => None,
        },
        entrypoint: located(raw.entrypoint.0, &block.key("entrypoint")?),
        input: match raw.input {
            raw::Input::Mediation => PolicyInput::Mediation,
            raw::Input::ExtAuthz => PolicyInput::ExtAuthz,
        },
        eval_timeout: raw.eval_timeout.map_or(EVAL_TIMEOUT, |span| span.as_std()),
        memory_bytes_max,
        shadow: shadow.flatten(),
    })
}

fn bundle(raw: raw::Bundle, block: &Block<'_>, findings: &mut Findings) -> Option<BundleSource> {
    match (raw.file, raw.http) {
        (Some(file), None) => Some(BundleSource::File(located(file, &block.key("file")?))),
        (None, Some(http)) => {
            let service = bundle_service(http, &block.key("http")?, findings)?;
            Some(BundleSource::Http(Box::new(service)))
        }
        (None, None) => {
            block.error("missing_kind", "exactly one of `file` and `http` is expected here", findings);
            None
        }
        (Some(_), Some(_)) => {
            block.error("two_kinds", "only one of `file` and `http` can stand here", findings);
            None
        }
    }
}

fn bundle_service(
    raw: raw::BundleService,
    block: &Block<'_>,
    findings: &mut Findings,
) -> Option<BundleService> {
    let poll = raw.poll.map_or(POLL, |span| span.as_std());
    let allowed = POLL_ALLOWED.contains(&poll);
    if !allowed {
        block.key("poll")?.error("out_of_range", "expected 1s to 24h", findings);
    }
    let (long_poll, persist) = (raw.long_poll, raw.persist.unwrap_or(true));
    let endpoint = endpoint::lower(raw.endpoint(), DOWNLOAD_TIMEOUT, block, findings)?;
    allowed.then_some(BundleService { endpoint, poll, long_poll, persist })
}

fn verify(raw: raw::Verify, block: &Block<'_>, findings: &mut Findings) -> Option<Verify> {
    let list = block.key("keys")?;
    if raw.keys.is_empty() {
        list.error("too_few", "nobody could sign: expected one key or more", findings);
        return None;
    }
    let mut keys: Vec<VerifyKey> = Vec::with_capacity(raw.keys.len());
    let mut sound = true;
    for (raw, item) in raw.keys.into_iter().zip(list.items()) {
        let fault = match raw.id.as_str() {
            "" => Some(("bad_value", "a signature names its key, so the key needs a name")),
            id if keys.iter().any(|key| key.id == id) => {
                Some(("duplicate_name", "another key has this name"))
            }
            _ => None,
        };
        if let Some((code, message)) = fault {
            item.key("id")?.error(code, message, findings);
            sound = false;
        }
        keys.push(VerifyKey { id: raw.id, alg: raw.alg, key: located(raw.key, &item.key("key")?) });
    }
    sound.then(|| Verify { keys, scope: raw.scope.unwrap_or_default() })
}
