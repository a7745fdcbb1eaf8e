//! Doubles in the notations of Go's `strconv.FormatFloat`.

/// Digits after the point where no precision is given.
pub(super) const DIGITS_DEFAULT: usize = 6;
/// Without a precision, values from this exponent on are written with it.
const SHORTEST_EXPONENT_MAX: i32 = 6;
const PLAIN_EXPONENT_MIN: i32 = -4;

/// `123.450000`
pub(super) fn fixed(value: f64, digits: usize) -> String {
    format!("{value:.digits$}")
}

/// `1.234500e+02`; without a precision as many digits as the value needs.
pub(super) fn scientific(value: f64, digits: Option<usize>) -> String {
    let text = match digits {
        Some(digits) => format!("{value:.digits$e}"),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Plain or scientific, whichever suits the exponent; trailing zeros never.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    let significant = precision.map(|digits| digits.max(1));
    let text = scientific(value, significant.map(|digits| digits - 1));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let plain_max = match significant {
        Some(digits) => i32::try_from(digits).unwrap_or(i32::MAX),
        None => SHORTEST_EXPONENT_MAX,
    };
    if !(PLAIN_EXPONENT_MIN..plain_max).contains(&exponent) {
        let (_, tail) = text.split_at(mantissa.len());
        return format!("{}{tail}", trimmed(mantissa));
    }
    match significant {
        None => format!("{value}"),
        Some(digits) => {
            let after = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
            trimmed(&fixed(value, usize::try_from(after).unwrap_or(0))).to_owned()
        }
    }
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
