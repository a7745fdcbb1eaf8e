//! How long a server is left alone after a failure.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;

use crate::credential::jitter;

/// Longer a server is not left alone, whatever it asks for.
const ASKED_MAX: Duration = Duration::from_secs(300);

/// Pauses that double.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The first.
    pub least: Duration,
    /// The longest.
    pub most: Duration,
}

impl Backoff {
    /// The pause after so many failures in a row, from 1: between half and the whole of it, so that sidecars do not ask in
    /// step, and never shorter than the server asks for.
    pub fn pause(self, failures: u32, asked: Option<Duration>) -> Duration {
        let doubled = self.least.saturating_mul(1 << failures.saturating_sub(1).min(16));
        let wait = doubled.min(self.most).mul_f64(0.5 + 0.5 * jitter::fraction());
        asked.map_or(wait, |asked| wait.max(asked.min(ASKED_MAX)))
    }
}

/// What `Retry-After` asks for, in seconds.
pub fn after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_their_bounds() {
        let check = |failures, asked: Option<u64>, least: u64, most: u64| {
            let backoff = Backoff { least: Duration::from_millis(100), most: Duration::from_secs(60) };
            for _ in 0..100 {
                let pause = backoff.pause(failures, asked.map(Duration::from_secs)).as_millis();
                assert!((u128::from(least)..=u128::from(most)).contains(&pause), "{failures}: {pause} ms");
            }
        };
        check(1, None, 50, 100);
        check(4, None, 400, 800);
        check(u32::MAX, None, 30_000, 60_000);
        check(1, Some(20), 20_000, 20_000);
        check(1, Some(u64::MAX), 300_000, 300_000);
        check(u32::MAX, Some(1), 30_000, 60_000);
    }
}
