//! `250ms`, `5s`, `10m`, `1h`.

use std::time;

use super::{number_and_unit, text_value};

/// A year: what is meant to last longer is meant to last for ever, and nothing here does.
const SECONDS_MAX: u64 = 366 * 24 * 3600;

/// A time span of the file: over zero, at most a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(time::Duration);

impl Duration {
    /// It as the standard library has it.
    pub fn as_std(self) -> time::Duration {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected a duration such as `250ms`, `5s`, `10m` or `1h`".to_owned();
        let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
        let millis_per_unit: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60 * 1000,
            "h" => 3600 * 1000,
            _ => return Err(wrong()),
        };
        match number.checked_mul(millis_per_unit) {
            Some(0) => Err("a duration must be longer than zero".to_owned()),
            Some(millis) if millis <= SECONDS_MAX * 1000 => Ok(Self(time::Duration::from_millis(millis))),
            Some(_) | None => Err("a duration can be a year at most".to_owned()),
        }
    }
}

impl From<Duration> for time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

text_value!(Duration, Duration::parse, "a duration such as `5s`", {
    "type": "string",
    "pattern": "^[0-9]+(ms|s|m|h)$",
    "examples": ["250ms", "5s", "10m", "1h"]
});
