//! Go's layouts: a time is written and read as the reference time, Monday 2 January 2006 at 15:04:05, looks.

mod reading;

use jiff::Zoned;
use jiff::tz::Offset;

use crate::input::english_weekday;
pub(super) use reading::parse;

pub(super) const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
pub(super) const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

const NANOSECOND_DIGITS: usize = 9;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const SHORT_CHARS: usize = 3;

/// Layouts that have a name in Go's library; any other text is a layout itself.
pub(super) fn named(layout: &str) -> &str {
    match layout {
        "ANSIC" => "Mon Jan _2 15:04:05 2006",
        "UnixDate" => "Mon Jan _2 15:04:05 MST 2006",
        "RubyDate" => "Mon Jan 02 15:04:05 -0700 2006",
        "RFC822" => "02 Jan 06 15:04 MST",
        "RFC822Z" => "02 Jan 06 15:04 -0700",
        "RFC850" => "Monday, 02-Jan-06 15:04:05 MST",
        "RFC1123" => "Mon, 02 Jan 2006 15:04:05 MST",
        "RFC1123Z" => "Mon, 02 Jan 2006 15:04:05 -0700",
        "RFC3339" => RFC3339,
        "RFC3339Nano" => RFC3339_NANO,
        other => other,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    LongMonth,
    ShortMonth,
    Month(Pad),
    LongWeekday,
    ShortWeekday,
    Day(Pad),
    Hour24,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    LongYear,
    ShortYear,
    Half { upper: bool },
    ZoneName,
    Offset { colon: bool, zulu: bool, minutes: bool },
    Fraction { digits: usize, trimmed: bool },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pad {
    None,
    Space,
    Zero,
}

/// Longer spellings stand before those that begin them.
const PARTS: [(&str, Part); 27] = [
    ("January", Part::LongMonth),
    ("Jan", Part::ShortMonth),
    ("Monday", Part::LongWeekday),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::ZoneName),
    ("2006", Part::LongYear),
    ("01", Part::Month(Pad::Zero)),
    ("02", Part::Day(Pad::Zero)),
    ("03", Part::Hour12(Pad::Zero)),
    ("04", Part::Minute(Pad::Zero)),
    ("05", Part::Second(Pad::Zero)),
    ("06", Part::ShortYear),
    ("15", Part::Hour24),
    ("1", Part::Month(Pad::None)),
    ("_2", Part::Day(Pad::Space)),
    ("2", Part::Day(Pad::None)),
    ("3", Part::Hour12(Pad::None)),
    ("4", Part::Minute(Pad::None)),
    ("5", Part::Second(Pad::None)),
    ("PM", Part::Half { upper: true }),
    ("pm", Part::Half { upper: false }),
    ("-07:00", Part::Offset { colon: true, zulu: false, minutes: true }),
    ("-0700", Part::Offset { colon: false, zulu: false, minutes: true }),
    ("-07", Part::Offset { colon: false, zulu: false, minutes: false }),
    ("Z07:00", Part::Offset { colon: true, zulu: true, minutes: true }),
    ("Z0700", Part::Offset { colon: false, zulu: true, minutes: true }),
    ("Z07", Part::Offset { colon: false, zulu: true, minutes: false }),
];

enum Piece<'a> {
    Literal(&'a str),
    Part(Part),
}

fn pieces(layout: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut literal_from, mut at) = (Vec::new(), 0, 0);
    while let Some(c) = layout[at..].chars().next() {
        let Some((part, length)) = part_at(layout, at) else {
            at += c.len_utf8();
            continue;
        };
        pieces.push(Piece::Literal(&layout[literal_from..at]));
        pieces.push(Piece::Part(part));
        at += length;
        literal_from = at;
    }
    pieces.push(Piece::Literal(&layout[literal_from..]));
    pieces
}

fn part_at(layout: &str, at: usize) -> Option<(Part, usize)> {
    let rest = &layout[at..];
    if let Some(digits) = rest.strip_prefix(['.', ',']) {
        return fraction(digits);
    }
    let ends_word = |spelling: &str| !rest[spelling.len()..].starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |spelling: &str| {
        rest.starts_with(spelling) && (!matches!(spelling, "Jan" | "Mon") || ends_word(spelling))
    };
    PARTS.into_iter().find(|(spelling, _)| fits(spelling)).map(|(spelling, part)| (part, spelling.len()))
}

/// `.000` keeps its zeros, `.999` drops them.
fn fraction(digits: &str) -> Option<(Part, usize)> {
    let first = digits.chars().next().filter(|c| matches!(c, '0' | '9'))?;
    let rest = digits.trim_start_matches(first);
    let count = digits.len() - rest.len();
    let alone = !rest.starts_with(|c: char| c.is_ascii_digit()) && count <= NANOSECOND_DIGITS;
    alone.then_some((Part::Fraction { digits: count, trimmed: first == '9' }, count + 1))
}

/// Writes a time as the layout has it.
pub(super) fn format(layout: &str, time: &Zoned) -> String {
    let written = |piece| match piece {
        Piece::Literal(text) => text.to_owned(),
        Piece::Part(part) => write(part, time),
    };
    pieces(layout).into_iter().map(written).collect()
}

fn write(part: Part, time: &Zoned) -> String {
    let month = MONTHS[usize::from(time.month().unsigned_abs()) - 1];
    let weekday = english_weekday(time.weekday());
    match part {
        Part::LongMonth => month.to_owned(),
        Part::ShortMonth => month[..SHORT_CHARS].to_owned(),
        Part::Month(pad) => padded(time.month(), pad),
        Part::LongWeekday => weekday.to_owned(),
        Part::ShortWeekday => weekday[..SHORT_CHARS].to_owned(),
        Part::Day(pad) => padded(time.day(), pad),
        Part::Hour24 => padded(time.hour(), Pad::Zero),
        Part::Hour12(pad) => padded((time.hour() + 11) % 12 + 1, pad),
        Part::Minute(pad) => padded(time.minute(), pad),
        Part::Second(pad) => padded(time.second(), pad),
        Part::LongYear => format!("{:04}", time.year()),
        Part::ShortYear => format!("{:02}", time.year().rem_euclid(100)),
        Part::Half { upper } => match (time.hour() >= 12, upper) {
            (true, true) => "PM".to_owned(),
            (true, false) => "pm".to_owned(),
            (false, true) => "AM".to_owned(),
            (false, false) => "am".to_owned(),
        },
        Part::ZoneName => time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned(),
        Part::Offset { colon, zulu, minutes } => offset(time.offset(), colon, zulu, minutes),
        Part::Fraction { digits, trimmed } => {
            let all = format!(".{:09}", time.subsec_nanosecond());
            let kept = &all[..=digits];
            if trimmed {
                kept.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                kept.to_owned()
            }
        }
    }
}

fn padded(number: i8, pad: Pad) -> String {
    match pad {
        Pad::None => format!("{number}"),
        Pad::Space => format!("{number:2}"),
        Pad::Zero => format!("{number:02}"),
    }
}

fn offset(offset: Offset, colon: bool, zulu: bool, minutes: bool) -> String {
    if zulu && offset.is_zero() {
        return "Z".to_owned();
    }
    let sign = if offset.is_negative() { '-' } else { '+' };
    let all_minutes = offset.seconds().unsigned_abs() / 60;
    let hour = all_minutes / 60;
    match (minutes, colon) {
        (false, _) => format!("{sign}{hour:02}"),
        (true, true) => format!("{sign}{hour:02}:{:02}", all_minutes % 60),
        (true, false) => format!("{sign}{hour:02}{:02}", all_minutes % 60),
    }
}
