//! The moment of the decision, in the forms that policies compare.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Serialize;

/// One moment: the clock does not move while a request is judged, so `time.now_ns()` gives the same.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Time {
    now_ns: i64,
    rfc3339: String,
    weekday: &'static str,
}

impl Time {
    /// The moment `now_ns` nanoseconds after 1970 began, in UTC.
    #[must_use]
    pub fn from_ns(now_ns: i64) -> Time {
        let timestamp = Timestamp::from_nanosecond(i128::from(now_ns))
            .expect("an i64 of nanoseconds lies between the years 1677 and 2262");
        let weekday = english_weekday(timestamp.to_zoned(TimeZone::UTC).weekday());
        Time { now_ns, rfc3339: timestamp.to_string(), weekday }
    }

    /// The moment that a text of RFC 3339 names; `None` where it is none, or lies outside the years 1677 to 2262.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Time> {
        let timestamp: Timestamp = text.parse().ok()?;
        i64::try_from(timestamp.as_nanosecond()).ok().map(Time::from_ns)
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }
}

/// As Go and OPA spell it.
pub(crate) fn english_weekday(weekday: Weekday) -> &'static str {
    match weekday {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}
