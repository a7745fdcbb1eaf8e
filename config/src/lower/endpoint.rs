//! Servers of the operator's, wherever the file names one.

use std::time::Duration;

use super::block::Block;
use super::credential::only_kind;
use super::section::located;
use crate::model::Endpoint;
use crate::{Findings, raw};

/// What takes longer has failed.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// The server whose keys stand in `block`, if nothing is wrong with them.
pub(super) fn lower(
    raw: raw::Endpoint,
    timeout: Duration,
    block: &Block<'_>,
    findings: &mut Findings,
) -> Option<Endpoint> {
    let url = block.key("url")?;
    let mut sound = true;
    if raw.url.is_plaintext() && !raw.allow_plaintext {
        let message = "all that is said could be read and changed on the way; use https://, or say `allow_plaintext: true`";
        url.error("plaintext", message, findings);
        sound = false;
    }
    let timeout = raw.timeout.map_or(timeout, |span| span.as_std());
    if timeout > TIMEOUT_MAX {
        block.key("timeout")?.error("out_of_range", "a call can take 10m at most", findings);
        sound = false;
    }
    let auth = match block.key("auth") {
        Some(block) => Some(only_kind(&block, findings)?),
        None => None,
    };
    let tls = raw.tls.unwrap_or_default();
    let ca = block.key("tls").and_then(|tls| tls.key("ca"));
    sound.then(|| Endpoint {
        url: located(raw.url, &url),
        auth,
        tls_ca: tls.ca.zip(ca).map(|(value, at)| located(value, &at)),
        tls_client: tls.client,
        timeout,
    })
}
