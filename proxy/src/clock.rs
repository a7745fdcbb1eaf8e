//! The one door to the clock, so that nothing else decides what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Wall-clock time as nanoseconds since the Unix epoch, as policies and audit events tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Nanoseconds since the Unix epoch.
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    /// This moment moved by `later`, at most to the end of time.
    pub fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// RFC 3339 in UTC with nanoseconds, as `2026-11-21T23:00:00.123456789Z`.
    pub fn rfc3339(self) -> String {
        format!(
            "{:.9}",
            jiff::Timestamp::from_nanosecond(self.0.into()).expect("an i64 of nanoseconds is in range")
        )
    }
}

/// What time it is. A clock set before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "the one door to the wall clock")]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// A moment to measure from; never goes back.
#[expect(clippy::disallowed_methods, reason = "the one door to the monotonic clock")]
pub fn monotonic() -> Instant {
    Instant::now()
}
