//! A bundle service, spoken to as OPA does: an ETag so that only what is newer is sent, polling with chance in it so that
//! sidecars do not ask in step, and long polling where the server says that it can.

use std::time::Duration;

use bytes::Bytes;
use claviger_config::{BundleService, Findings};
use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH};
use http::{HeaderMap, Method, StatusCode};
use tokio::time::sleep;

use super::compiler::{BUNDLE_BYTES_MAX, Unloadable};
use super::store::Store;
use super::{Change, Reloader};
use crate::admin::metrics::ReloadResult;
use crate::clock;
use crate::credential::jitter;
use crate::endpoint::retry::{self, Backoff};
use crate::endpoint::{Call, CallError, Endpoint, Reply};

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// The type of a server's answer that tells that it holds requests.
const HOLDING: &str = "application/vnd.openpolicyagent.bundles";
/// Polls are between so much less and so much more apart than is configured.
const POLL_JITTER: f64 = 0.2;
/// The first wait after a failure; it doubles up to the polling interval, or to its own bound where that is longer.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY_MAX: Duration = Duration::from_secs(300);
/// Between two long polls, after news and after none: a server that does not hold what it promised to hold is not asked
/// all the time.
const NEWS_GAP: Duration = Duration::from_millis(50);
const NO_NEWS_GAP: Duration = Duration::from_secs(1);

/// A service and how it is asked.
pub struct Service {
    endpoint: Endpoint,
    poll: Duration,
    long_poll: bool,
    persist: bool,
}

impl Service {
    /// Without network; `None` when findings were added.
    pub fn new(settings: &BundleService, findings: &mut Findings) -> Option<Self> {
        let BundleService { poll, long_poll, persist, .. } = *settings;
        Endpoint::new(&settings.endpoint, findings).map(|endpoint| Self {
            endpoint,
            poll,
            long_poll,
            persist,
        })
    }

    pub(super) fn url(&self) -> &str {
        self.endpoint.url()
    }

    pub(super) fn persist(&self) -> bool {
        self.persist
    }
}

/// Makes the bundle that was kept the active one, if it can still be used.
pub(super) async fn start_from(store: &Store, reloader: &Reloader) {
    let Some(bundle) = store.load() else { return };
    match reloader.take(bundle).await {
        Ok(_) => {
            tracing::info!("starting with the last good bundle of the service");
            reloader.settle().await;
        }
        Err(error) => tracing::warn!(%error, "the bundle that was kept cannot be used"),
    }
}

/// Asks for ever.
pub(super) async fn follow(service: Service, reloader: Reloader, store: Option<Store>) {
    let mut talk = Talk { holds: service.long_poll, etag: None, failures: 0 };
    loop {
        let began = clock::monotonic();
        let wait = match talk.turn(&service, &reloader, store.as_ref()).await {
            Ok(change) => {
                reloader.count(change.into());
                talk.failures = 0;
                let spent = clock::monotonic().saturating_duration_since(began);
                talk.pause(change, service.poll).saturating_sub(if talk.holds {
                    spent
                } else {
                    Duration::ZERO
                })
            }
            Err(failure) => {
                reloader.count(failure.result());
                reloader.standing.failed(failure.to_string(), failure.status());
                tracing::warn!(url = service.url(), error = %failure, "no newer policy; it stays as it is");
                talk.failures = talk.failures.saturating_add(1);
                talk.retry(&failure, service.poll)
            }
        };
        sleep(wait).await;
    }
}

/// What is remembered between two requests.
struct Talk {
    /// Whether the server holds a request until there is news; taken for granted until it answers.
    holds: bool,
    /// Of the bundle that is active.
    etag: Option<HeaderValue>,
    failures: u32,
}

/// Why there is no newer policy.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("the server leads elsewhere (status {0}), which is not followed")]
    Redirect(u16),
    #[error("the server answers with status {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("the new bundle is refused: {0}")]
    Unloadable(#[from] Unloadable),
}

impl Failure {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect(status) | Self::Status { status, .. } => Some(*status),
            Self::Call(_) | Self::Unloadable(_) => None,
        }
    }

    fn result(&self) -> ReloadResult {
        match self {
            Self::Call(_) | Self::Redirect(_) | Self::Status { .. } => ReloadResult::unavailable,
            Self::Unloadable(_) => ReloadResult::invalid,
        }
    }
}

impl Talk {
    /// One request, and what follows from its answer.
    async fn turn(
        &mut self,
        service: &Service,
        reloader: &Reloader,
        store: Option<&Store>,
    ) -> Result<Change, Failure> {
        let standing = &reloader.standing;
        standing.looks();
        let mut reply = service.endpoint.send(&self.question(service)).await?;
        match reply.status {
            StatusCode::NOT_MODIFIED if self.etag.is_some() => {
                standing.answered();
                standing.is_newest();
                return Ok(Change::Unchanged);
            }
            StatusCode::OK => standing.answered(),
            StatusCode::NOT_MODIFIED => return Err(failed(&reply)),
            status if status.is_redirection() => return Err(Failure::Redirect(status.as_u16())),
            _ => return Err(failed(&reply)),
        }
        self.holds = service.long_poll && holds(&reply.headers);
        let bundle = Bytes::from(std::mem::take(&mut *reply.body));
        standing.came(bundle.len());
        let change = reloader.take(bundle.clone()).await?;
        self.etag = reply.headers.remove(ETAG);
        if let (Some(store), Change::Activated) = (store, change) {
            keep(store.clone(), bundle).await;
        }
        // after the bundle, so that what is kept is never below the floor
        reloader.settle().await;
        Ok(change)
    }

    /// After a failure the server is asked to answer at once, so that what is wrong shows soon.
    fn question(&self, service: &Service) -> Call {
        let waits = self.holds && self.failures == 0;
        let mut prefer = "modes=snapshot".to_owned();
        if waits {
            prefer.push_str(&format!(";wait={}", service.poll.as_secs()));
        }
        let prefer = HeaderValue::from_str(&prefer).expect("words and digits");
        let mut headers = HeaderMap::from_iter([(PREFER, prefer)]);
        headers.extend(self.etag.clone().map(|etag| (IF_NONE_MATCH, etag)));
        Call {
            method: Method::GET,
            headers,
            body: Bytes::new(),
            patience: if waits { service.poll } else { Duration::ZERO },
            answer_bytes_max: BUNDLE_BYTES_MAX,
        }
    }

    /// From the beginning of a held request to the next, or from the end of another.
    fn pause(&self, change: Change, poll: Duration) -> Duration {
        match (self.holds, change) {
            (false, _) => poll.mul_f64(1.0 - POLL_JITTER + 2.0 * POLL_JITTER * jitter::fraction()),
            (true, Change::Activated) => NEWS_GAP,
            (true, Change::Unchanged) => NO_NEWS_GAP,
        }
    }

    /// Longer each time, and between half and the whole of it; never shorter than the server asks for.
    fn retry(&self, failure: &Failure, poll: Duration) -> Duration {
        let most = poll.clamp(RETRY_MIN, RETRY_MAX);
        let asked = match failure {
            Failure::Status { retry_after, .. } => *retry_after,
            Failure::Call(_) | Failure::Redirect(_) | Failure::Unloadable(_) => None,
        };
        Backoff { least: RETRY_MIN, most }.pause(self.failures, asked)
    }
}

fn failed(reply: &Reply) -> Failure {
    Failure::Status { status: reply.status.as_u16(), retry_after: retry::after(&reply.headers) }
}

fn holds(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next()).is_some_and(|kind| kind.trim().eq_ignore_ascii_case(HOLDING))
}

/// A disk that is full or broken does not keep a policy from its place.
async fn keep(store: Store, bundle: Bytes) {
    let kept = tokio::task::spawn_blocking(move || store.keep(&bundle)).await;
    match kept.map_err(std::io::Error::other).and_then(|kept| kept) {
        Ok(()) => {}
        Err(error) => tracing::warn!(%error, "the bundle cannot be kept for the next start"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let talk = |failures| Talk { holds: false, etag: None, failures };
        let down = Failure::Call(CallError::Unavailable("down"));
        let busy = |seconds| Failure::Status { status: 503, retry_after: Some(Duration::from_secs(seconds)) };
        let check = |failures, failure: &Failure, poll, least: u64, most: u64| {
            let waits =
                (0..100).map(|_| talk(failures).retry(failure, Duration::from_secs(poll)).as_millis());
            let (least, most) = (u128::from(least), u128::from(most));
            waits.for_each(|wait| assert!((least..=most).contains(&wait), "{failures} {failure}: {wait} ms"));
        };
        check(1, &down, 60, 250, 500);
        check(3, &down, 60, 1_000, 2_000);
        check(u32::MAX, &down, 60, 30_000, 60_000);
        check(u32::MAX, &down, 86_400, 150_000, 300_000);
        check(1, &busy(20), 60, 20_000, 20_000);
        check(1, &busy(u64::MAX), 60, 300_000, 300_000);
        let polls = (0..100).map(|_| talk(0).pause(Change::Unchanged, Duration::from_secs(10)).as_millis());
        polls.for_each(|wait| assert!((8_000..=12_000).contains(&wait), "{wait} ms"));
    }

    #[test]
    fn a_server_holds_requests_where_it_says_so() {
        let check = |kind: Option<&'static str>, expected| {
            let header = kind.map(|kind| (CONTENT_TYPE, HeaderValue::from_static(kind)));
            assert_eq!(holds(&HeaderMap::from_iter(header)), expected, "{kind:?}");
        };
        check(Some("application/vnd.openpolicyagent.bundles"), true);
        check(Some("Application/vnd.OpenPolicyAgent.bundles; charset=x"), true);
        check(Some("application/gzip"), false);
        check(None, false);
    }
}
