//! Moments and calendars. One evaluation sees one moment, and time zones come from a bundled database.

mod duration;
mod layout;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Family, Fault, Outcome, Scope, operand};
use crate::input::english_weekday;
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("time.add_date", add_date),
    ("time.clock", clock),
    ("time.date", date),
    ("time.diff", diff),
    ("time.format", format),
    ("time.now_ns", now_ns),
    ("time.parse_duration_ns", parse_duration_ns),
    ("time.parse_ns", parse_ns),
    ("time.parse_rfc3339_ns", parse_rfc3339_ns),
    ("time.weekday", weekday),
];

const OUT_OF_RANGE: Fault = Fault::Undefined("the time is out of range");
const MONTHS: i64 = 12;

fn now_ns(scope: &mut Scope, _: &[Value]) -> Outcome {
    Ok(scope.now_ns.into())
}

fn parse_rfc3339_ns(_: &mut Scope, operands: &[Value]) -> Outcome {
    nanoseconds(layout::parse(layout::RFC3339, operand::string(operands, 0)?)?)
}

fn parse_ns(_: &mut Scope, operands: &[Value]) -> Outcome {
    let layout = layout::named(operand::string(operands, 0)?);
    nanoseconds(layout::parse(layout, operand::string(operands, 1)?)?)
}

fn parse_duration_ns(_: &mut Scope, operands: &[Value]) -> Outcome {
    duration::parse(operand::string(operands, 0)?).map(Value::from)
}

fn format(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (time, layout) = moment(operands, 0)?;
    let layout = if layout.is_empty() { layout::RFC3339_NANO } else { layout::named(layout) };
    Ok(layout::format(layout, &time).into())
}

fn date(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (time, _) = moment(operands, 0)?;
    Ok(numbers([i64::from(time.year()), i64::from(time.month()), i64::from(time.day())]))
}

fn clock(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (time, _) = moment(operands, 0)?;
    Ok(numbers([time.hour(), time.minute(), time.second()].map(i64::from)))
}

fn weekday(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (time, _) = moment(operands, 0)?;
    Ok(english_weekday(time.weekday()).into())
}

/// Days beyond the month's end run over into the next, as in Go.
fn add_date(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (time, _) = moment(operands, 0)?;
    let [years, months, days] =
        [operand::integer(operands, 1)?, operand::integer(operands, 2)?, operand::integer(operands, 3)?];
    let month_index = i64::from(time.month()) - 1;
    let month_index =
        years.checked_mul(MONTHS).and_then(|all| all.checked_add(months)?.checked_add(month_index));
    let month_index = month_index.ok_or(OUT_OF_RANGE)?;
    let year = i64::from(time.year()).checked_add(month_index.div_euclid(MONTHS)).ok_or(OUT_OF_RANGE)?;
    let month = i8::try_from(month_index.rem_euclid(MONTHS) + 1).map_err(|_| OUT_OF_RANGE)?;
    let first =
        Date::new(i16::try_from(year).map_err(|_| OUT_OF_RANGE)?, month, 1).map_err(|_| OUT_OF_RANGE)?;
    let days = days.checked_add(i64::from(time.day()) - 1).ok_or(OUT_OF_RANGE)?;
    let span = jiff::Span::new().try_days(days).map_err(|_| OUT_OF_RANGE)?;
    let date = first.checked_add(span).map_err(|_| OUT_OF_RANGE)?;
    let moved = DateTime::from_parts(date, time.time()).to_zoned(time.time_zone().clone());
    nanoseconds(moved.map_err(|_| OUT_OF_RANGE)?.timestamp())
}

/// Years, months, days, hours, minutes and seconds between two moments, in the first one's zone.
fn diff(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (one, _) = moment(operands, 0)?;
    let (other, _) = moment(operands, 1)?;
    let other = other.with_time_zone(one.time_zone().clone());
    let (from, to) = if one <= other { (one, other) } else { (other, one) };
    let fields = |time: &Zoned| {
        let date = [i64::from(time.year()), i64::from(time.month()), i64::from(time.day())];
        (date, [time.hour(), time.minute(), time.second()].map(i64::from))
    };
    let (([y1, mon1, d1], [h1, min1, s1]), ([y2, mon2, d2], [h2, min2, s2])) = (fields(&from), fields(&to));
    let days_in_month = i64::from(from.date().days_in_month());
    let (second, carry) = borrowed(s2 - s1, 60);
    let (minute, carry) = borrowed(min2 - min1 - carry, 60);
    let (hour, carry) = borrowed(h2 - h1 - carry, 24);
    let (day, carry) = borrowed(d2 - d1 - carry, days_in_month);
    let (month, carry) = borrowed(mon2 - mon1 - carry, MONTHS);
    Ok(numbers([y2 - y1 - carry, month, day, hour, minute, second]))
}

/// A difference made positive, and what that takes from the next larger unit.
fn borrowed(difference: i64, unit: i64) -> (i64, i64) {
    if difference < 0 { (difference + unit, 1) } else { (difference, 0) }
}

/// `ns`, `[ns, zone]` or `[ns, zone, layout]`.
fn moment(operands: &[Value], index: usize) -> Result<(Zoned, &str), Fault> {
    let operand = operand::any(operands, index)?;
    let parts = operand.as_array().unwrap_or(std::slice::from_ref(operand));
    let ns = operand::integer(parts, 0)?;
    let zone = if parts.len() > 1 { zone(operand::string(parts, 1)?)? } else { TimeZone::UTC };
    let layout = if parts.len() > 2 { operand::string(parts, 2)? } else { "" };
    let timestamp = Timestamp::from_nanosecond(i128::from(ns)).map_err(|_| OUT_OF_RANGE)?;
    Ok((timestamp.to_zoned(zone), layout))
}

/// The sidecar's own zone must not matter: `Local` is UTC.
fn zone(name: &str) -> Result<TimeZone, Fault> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| Fault::Undefined("the time zone is not known")),
    }
}

fn nanoseconds(timestamp: Timestamp) -> Outcome {
    i64::try_from(timestamp.as_nanosecond()).map(Value::from).map_err(|_| OUT_OF_RANGE)
}

fn numbers<const N: usize>(numbers: [i64; N]) -> Value {
    numbers.into_iter().map(Value::from).collect()
}
