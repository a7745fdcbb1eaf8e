//! Go's durations, `1h30m`, with OPA's days, weeks and years.

use super::super::Fault;

const MALFORMED: Fault = Fault::Undefined("it is no duration");
const OUT_OF_RANGE: Fault = Fault::Undefined("the duration is out of range");
const FRACTION_DIGITS_MAX: usize = 15;

const UNITS: [(&str, i128); 11] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", HOUR_NS),
    ("d", 24 * HOUR_NS),
    ("w", 7 * 24 * HOUR_NS),
    ("y", 365 * 24 * HOUR_NS),
];
const HOUR_NS: i128 = 3_600 * 1_000_000_000;

/// Nanoseconds.
pub(super) fn parse(text: &str) -> Result<i64, Fault> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(MALFORMED);
    }
    let mut total = 0_i128;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or(MALFORMED)?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let (_, unit_ns) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(MALFORMED)?;
        total = total.checked_add(scaled(number, *unit_ns)?).ok_or(OUT_OF_RANGE)?;
        rest = after;
    }
    i64::try_from(total * sign).map_err(|_| OUT_OF_RANGE)
}

fn scaled(number: &str, unit_ns: i128) -> Result<i128, Fault> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = &fraction[..fraction.len().min(FRACTION_DIGITS_MAX)];
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return Err(MALFORMED);
    }
    let digits: i128 = format!("{whole}{fraction}").parse().map_err(|_| OUT_OF_RANGE)?;
    let places = u32::try_from(fraction.len()).map_err(|_| OUT_OF_RANGE)?;
    digits.checked_mul(unit_ns).map(|ns| ns / 10_i128.pow(places)).ok_or(OUT_OF_RANGE)
}
