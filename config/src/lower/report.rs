//! `decision_logs` and `status`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::block::Block;
use super::endpoint;
use super::section::{located, within};
use crate::model::{DecisionLogs, Endpoint, Located, StatusReports};
use crate::raw::{self, Entrypoint, Receiver};
use crate::{Findings, value};

const TIMEOUT: Duration = Duration::from_secs(10);
const DELAY_MIN: Duration = Duration::from_secs(300);
const DELAY_MAX: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const DELAY_ALLOWED: RangeInclusive<Duration> = Duration::from_millis(100)..=DAY;
const BUFFER_BYTES: usize = 16 << 20;
const BUFFER_BYTES_ALLOWED: RangeInclusive<usize> = 64 << 10..=1 << 30;
const UPLOAD_BYTES: usize = 32 << 10;
const UPLOAD_BYTES_ALLOWED: RangeInclusive<usize> = 1 << 10..=64 << 20;
const INTERVAL: Duration = Duration::from_secs(60);
const INTERVAL_ALLOWED: RangeInclusive<Duration> = Duration::from_secs(1)..=DAY;

/// `decision_logs`; nothing is sent without it.
pub(super) fn decision_logs(root: &Block<'_>, findings: &mut Findings) -> Option<DecisionLogs> {
    let block = root.key("decision_logs")?;
    let raw: raw::DecisionLogs = block.decode(findings)?;
    let endpoint = receiver(raw.http, &block, findings);
    let delays = delays(raw.min_delay, raw.max_delay, &block, findings);
    let mut size = |size: Option<value::Size>, usual, allowed, words, key| match size {
        Some(size) => within(size.bytes(), allowed, words, block.key(key), findings),
        None => Some(usual),
    };
    let (buffer, upload) = (raw.buffer_bytes_max, raw.upload_bytes_max);
    let buffer = size(buffer, BUFFER_BYTES, BUFFER_BYTES_ALLOWED, "64KiB to 1GiB", "buffer_bytes_max");
    let upload = size(upload, UPLOAD_BYTES, UPLOAD_BYTES_ALLOWED, "1KiB to 64MiB", "upload_bytes_max");
    let (delay_min, delay_max) = delays?;
    Some(DecisionLogs {
        endpoint: endpoint?,
        delay_min,
        delay_max,
        buffer_bytes_max: buffer?,
        upload_bytes_max: upload?,
        mask: entrypoint(raw.mask, block.key("mask")),
        drop: entrypoint(raw.drop, block.key("drop")),
    })
}

/// `status`; nothing is sent without it.
pub(super) fn status(root: &Block<'_>, findings: &mut Findings) -> Option<StatusReports> {
    let block = root.key("status")?;
    let raw: raw::StatusReports = block.decode(findings)?;
    let endpoint = receiver(raw.http, &block, findings);
    let interval =
        span(raw.interval, INTERVAL, INTERVAL_ALLOWED, "1s to 24h", block.key("interval"), findings);
    Some(StatusReports { endpoint: endpoint?, interval: interval? })
}

fn receiver(raw: Receiver, block: &Block<'_>, findings: &mut Findings) -> Option<Endpoint> {
    endpoint::lower(raw.endpoint(), TIMEOUT, &block.key("http")?, findings)
}

/// The least and the most; where only one is given, the other's default gives way to it.
fn delays(
    least: Option<value::Duration>,
    most: Option<value::Duration>,
    block: &Block<'_>,
    findings: &mut Findings,
) -> Option<(Duration, Duration)> {
    let words = "100ms to 24h";
    let given = (least.map(|span| span.as_std()), most.map(|span| span.as_std()));
    let usual = (
        given.1.map_or(DELAY_MIN, |most| most.min(DELAY_MIN)),
        given.0.map_or(DELAY_MAX, |least| least.max(DELAY_MAX)),
    );
    let least = span(least, usual.0, DELAY_ALLOWED, words, block.key("min_delay"), findings);
    let most = span(most, usual.1, DELAY_ALLOWED, words, block.key("max_delay"), findings);
    let (least, most) = (least?, most?);
    if least > most {
        block.key("max_delay")?.error("out_of_range", "it must not be shorter than `min_delay`", findings);
        return None;
    }
    Some((least, most))
}

fn span(
    given: Option<value::Duration>,
    usual: Duration,
    allowed: RangeInclusive<Duration>,
    words: &str,
    block: Option<Block<'_>>,
    findings: &mut Findings,
) -> Option<Duration> {
    let Some(given) = given.map(|span| span.as_std()) else { return Some(usual) };
    if !allowed.contains(&given) {
        block?.error("out_of_range", format!("expected {words}"), findings);
        return None;
    }
    Some(given)
}

fn entrypoint(named: Option<Entrypoint>, block: Option<Block<'_>>) -> Option<Located<String>> {
    Some(located(named?.0, &block?))
}
