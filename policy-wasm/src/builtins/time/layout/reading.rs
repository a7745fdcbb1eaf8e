//! A text read by a layout.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use super::super::super::Fault;
use super::{MONTHS, NANOSECOND_DIGITS, Pad, Part, Piece, SHORT_CHARS, WEEKDAYS, pieces};

const NO_MATCH: Fault = Fault::Undefined("the text does not match the layout");
const ZONE_NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=4;
/// Two-digit years from here on belong to the last century.
const LAST_CENTURY_FROM: i16 = 69;

/// Reads a time; what the layout does not have is zero, and without an offset it is UTC.
pub(in super::super) fn parse(layout: &str, text: &str) -> Result<Timestamp, Fault> {
    let mut fields = Fields { month: 1, day: 1, ..Fields::default() };
    let pieces = pieces(layout);
    let mut rest = text;
    for (index, piece) in pieces.iter().enumerate() {
        rest = match piece {
            Piece::Literal(literal) => rest.strip_prefix(literal).ok_or(NO_MATCH)?,
            Piece::Part(part) => fields.read(*part, rest)?,
        };
        let fraction_follows = matches!(pieces.get(index + 2), Some(Piece::Part(Part::Fraction { .. })));
        if matches!(piece, Piece::Part(Part::Second(_))) && !fraction_follows {
            rest = fields.fraction(rest, 0)?;
        }
    }
    if rest.is_empty() { fields.timestamp() } else { Err(NO_MATCH) }
}

#[derive(Default)]
struct Fields {
    year: i16,
    month: i8,
    day: i8,
    hour: i8,
    afternoon: Option<bool>,
    minute: i8,
    second: i8,
    ns: i32,
    offset_s: i32,
}

impl Fields {
    /// Takes one part off the front of the text.
    fn read<'t>(&mut self, part: Part, text: &'t str) -> Result<&'t str, Fault> {
        match part {
            Part::LongMonth => named(text, &MONTHS, usize::MAX, &mut self.month),
            Part::ShortMonth => named(text, &MONTHS, SHORT_CHARS, &mut self.month),
            Part::LongWeekday => named(text, &WEEKDAYS, usize::MAX, &mut 0),
            Part::ShortWeekday => named(text, &WEEKDAYS, SHORT_CHARS, &mut 0),
            Part::Month(pad) => number(text, pad, &mut self.month),
            Part::Day(pad) => number(text, pad, &mut self.day),
            Part::Hour24 => number(text, Pad::None, &mut self.hour),
            Part::Hour12(pad) => number(text, pad, &mut self.hour),
            Part::Minute(pad) => number(text, pad, &mut self.minute),
            Part::Second(pad) => number(text, pad, &mut self.second),
            Part::LongYear => self.year(text, 4),
            Part::ShortYear => self.year(text, 2),
            Part::Half { upper } => self.half(text, upper),
            Part::ZoneName => zone_name(text),
            Part::Offset { colon, zulu, minutes } => self.offset(text, colon, zulu, minutes),
            Part::Fraction { trimmed: true, .. } => self.fraction(text, 0),
            Part::Fraction { digits, trimmed: false } => self.fraction(text, digits),
        }
    }

    fn year<'t>(&mut self, text: &'t str, digits: usize) -> Result<&'t str, Fault> {
        let (year, rest) = text.split_at_checked(digits).ok_or(NO_MATCH)?;
        self.year = parsed(year)?;
        if digits == 2 {
            self.year += if self.year >= LAST_CENTURY_FROM { 1900 } else { 2000 };
        }
        Ok(rest)
    }

    fn half<'t>(&mut self, text: &'t str, upper: bool) -> Result<&'t str, Fault> {
        let [morning, afternoon] = if upper { ["AM", "PM"] } else { ["am", "pm"] };
        let rest = text.strip_prefix(afternoon);
        self.afternoon = Some(rest.is_some());
        rest.or_else(|| text.strip_prefix(morning)).ok_or(NO_MATCH)
    }

    fn offset<'t>(
        &mut self,
        text: &'t str,
        colon: bool,
        zulu: bool,
        minutes: bool,
    ) -> Result<&'t str, Fault> {
        if let Some(rest) = text.strip_prefix('Z').filter(|_| zulu) {
            return Ok(rest);
        }
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.strip_prefix('+').ok_or(NO_MATCH)?),
        };
        let (hours, mut rest) = rest.split_at_checked(2).ok_or(NO_MATCH)?;
        let mut offset_min = parsed::<i32>(hours)? * 60;
        if minutes {
            let after = if colon { rest.strip_prefix(':').ok_or(NO_MATCH)? } else { rest };
            let (minutes, after) = after.split_at_checked(2).ok_or(NO_MATCH)?;
            offset_min += Some(parsed::<i32>(minutes)?).filter(|minutes| *minutes < 60).ok_or(NO_MATCH)?;
            rest = after;
        }
        self.offset_s = sign * offset_min * 60;
        Ok(rest)
    }

    /// A point and digits; exactly so many, or with 0 as many as there are.
    fn fraction<'t>(&mut self, text: &'t str, exactly: usize) -> Result<&'t str, Fault> {
        let Some(digits) =
            text.strip_prefix(['.', ',']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        else {
            return if exactly == 0 { Ok(text) } else { Err(NO_MATCH) };
        };
        let count = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        if exactly != 0 && count != exactly {
            return Err(NO_MATCH);
        }
        self.ns = parsed(&format!("{:0<9}", &digits[..count.min(NANOSECOND_DIGITS)]))?;
        Ok(&digits[count..])
    }

    fn timestamp(&self) -> Result<Timestamp, Fault> {
        let out_of_range = Fault::Undefined("the time is out of range");
        let hour = match self.afternoon {
            None => self.hour,
            Some(_) if self.hour > 12 => return Err(out_of_range),
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let date = Date::new(self.year, self.month, self.day).map_err(|_| out_of_range)?;
        let time = Time::new(hour, self.minute, self.second, self.ns).map_err(|_| out_of_range)?;
        let offset = Offset::from_seconds(self.offset_s).map_err(|_| out_of_range)?;
        offset.to_timestamp(DateTime::from_parts(date, time)).map_err(|_| out_of_range)
    }
}

/// One of the names, or its first letters; `index` becomes its place from 1.
fn named<'t>(text: &'t str, names: &[&str], chars: usize, index: &mut i8) -> Result<&'t str, Fault> {
    for (place, name) in (1..).zip(names) {
        let name = &name[..chars.min(name.len())];
        if text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
            *index = place;
            return Ok(&text[name.len()..]);
        }
    }
    Err(NO_MATCH)
}

/// Two digits; a single one where the layout does not pad with zeros.
fn number<'t>(text: &'t str, pad: Pad, into: &mut i8) -> Result<&'t str, Fault> {
    let text = if pad == Pad::Space { text.strip_prefix(' ').unwrap_or(text) } else { text };
    let count = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if count == 0 || (pad == Pad::Zero && count < 2) {
        return Err(NO_MATCH);
    }
    *into = parsed(&text[..count])?;
    Ok(&text[count..])
}

/// Names of zones say no offset; Go takes unknown ones as UTC.
fn zone_name(text: &str) -> Result<&str, Fault> {
    let letters = text.bytes().take_while(u8::is_ascii_uppercase).count();
    if ZONE_NAME_CHARS.contains(&letters) { Ok(&text[letters..]) } else { Err(NO_MATCH) }
}

fn parsed<T: std::str::FromStr>(digits: &str) -> Result<T, Fault> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain).ok_or(NO_MATCH)
}
