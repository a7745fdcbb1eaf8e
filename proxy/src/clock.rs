//! The one door to the clock, so that nothing else decides what time it is.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The length of a moment in RFC 3339.
pub const RFC3339_BYTES: usize = "2026-11-21T23:00:00.123456789Z".len();

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

    /// RFC 3339 in UTC with nanoseconds, as `2026-11-21T23:00:00.123456789Z`: ASCII, made without allocating, as every
    /// record has at least one.
    pub fn rfc3339(self) -> [u8; RFC3339_BYTES] {
        let (seconds, nanoseconds) = (self.0.div_euclid(1_000_000_000), self.0.rem_euclid(1_000_000_000));
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let [year, month, day] = civil(days);
        let mut text = *b"0000-00-00T00:00:00.000000000Z";
        put(&mut text[..4], year);
        put(&mut text[5..7], month);
        put(&mut text[8..10], day);
        put(&mut text[11..13], second / 3600);
        put(&mut text[14..16], second / 60 % 60);
        put(&mut text[17..19], second % 60);
        put(&mut text[20..29], nanoseconds);
        text
    }
}

/// The Gregorian year, month and day that lies `days` after 1970-01-01. Years are counted from March here, so that the
/// leap day is the last of its year, in eras of 400 years, which all have the same days.
fn civil(days: i64) -> [i64; 3] {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let months = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    [400 * era + year_of_era + i64::from(month <= 2), month, day]
}

/// Writes the last digits of `number`, as many as there is room for.
fn put(room: &mut [u8], number: i64) {
    let mut rest = number;
    for digit in room.iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(rest % 10).expect("no part of a date is negative")];
        rest /= 10;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_is_what_the_calendar_says() {
        let check = |nanoseconds: i64| {
            let moment = jiff::Timestamp::from_nanosecond(nanoseconds.into()).expect("in range");
            let written = Timestamp(nanoseconds).rfc3339();
            assert_eq!(String::from_utf8_lossy(&written), format!("{moment:.9}"), "{nanoseconds}");
        };
        for edge in [i64::MIN, -1, 0, 1, 999_999_999, 1_795_302_000_123_456_789, i64::MAX] {
            check(edge);
        }
        // Noon of every day that there is, and then moments all over, a prime number of nanoseconds apart.
        let days = i64::MAX / 86_400_000_000_000;
        (-days..days).for_each(|day| check(day * 86_400_000_000_000 + 43_200_000_000_000));
        (-100_000..100_000).for_each(|step| check(step * 92_233_720_368_443));
    }

    #[test]
    fn leap_days_and_the_ends_of_years_are_right() {
        let check = |seconds: i64, expected: &str| {
            let written = Timestamp(seconds * 1_000_000_000).rfc3339();
            assert_eq!(String::from_utf8_lossy(&written), expected);
        };
        check(951_782_400, "2000-02-29T00:00:00.000000000Z");
        check(951_868_799, "2000-02-29T23:59:59.000000000Z");
        check(4_107_542_400, "2100-03-01T00:00:00.000000000Z");
        check(1_709_164_800, "2024-02-29T00:00:00.000000000Z");
        check(1_735_689_599, "2024-12-31T23:59:59.000000000Z");
    }
}
