//! Numbers as exact decimals: OPA never rounds what it does not have to, so the text is the value.

use std::cmp::Ordering;
use std::str::FromStr;

/// A JSON number, kept as written and compared by value.
#[derive(Debug, Clone)]
pub(crate) struct Number(String);

impl Number {
    /// Takes a JSON number; anything else is `None`.
    pub(crate) fn parse(text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (digits, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let plain = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
        let exponent_ok =
            exponent.is_none_or(|text| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text)));
        (plain && fraction.is_none_or(is_digits) && exponent_ok).then(|| Number(text.to_owned()))
    }

    /// The number as written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The value where it is a whole number that fits, however it is written (`60`, `60.0`, `6e1`).
    pub(crate) fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok().or_else(|| Decimal::of(&self.0)?.whole())
    }

    /// The same with twice as many bits.
    pub(crate) fn as_i128(&self) -> Option<i128> {
        self.0.parse().ok().or_else(|| Decimal::of(&self.0)?.whole())
    }

    /// The nearest double.
    pub(crate) fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number(value.to_string())
    }
}

impl From<i128> for Number {
    fn from(value: i128) -> Number {
        Number(value.to_string())
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        match (self.0.parse::<i64>(), other.0.parse::<i64>()) {
            (Ok(a), Ok(b)) => a.cmp(&b),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => compare(&self.0, &other.0),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Number) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Exact where both exponents are sane; a number with an absurd exponent is compared as text.
fn compare(a: &str, b: &str) -> Ordering {
    match (Decimal::of(a), Decimal::of(b)) {
        (Some(a), Some(b)) => a.compare(&b),
        (Some(_), None) | (None, Some(_)) | (None, None) => a.cmp(b),
    }
}

/// Sign × 0.digits × 10^exponent, without leading or trailing zeros; zero has no digits.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let significant = all.trim_start_matches('0');
        let leading = i64::try_from(all.len() - significant.len()).ok()?;
        let exponent = i64::from(exponent) + i64::try_from(whole.len()).ok()? - leading;
        let digits = significant.trim_end_matches('0').to_owned();
        Some(Decimal { negative: negative && !digits.is_empty(), digits, exponent })
    }

    fn whole<T: FromStr + From<bool>>(&self) -> Option<T> {
        const DIGITS_MAX: i64 = 39;
        if self.digits.is_empty() {
            return Some(T::from(false));
        }
        let zeros = self.exponent - i64::try_from(self.digits.len()).ok()?;
        if zeros < 0 || self.exponent > DIGITS_MAX {
            return None;
        }
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}{}", self.digits, "0".repeat(usize::try_from(zeros).ok()?)).parse().ok()
    }

    fn compare(&self, other: &Decimal) -> Ordering {
        match (self.sign(), other.sign()) {
            (-1, -1) => other.magnitude(self),
            (1, 1) => self.magnitude(other),
            (a, b) => a.cmp(&b),
        }
    }

    fn magnitude(&self, other: &Decimal) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits))
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}
