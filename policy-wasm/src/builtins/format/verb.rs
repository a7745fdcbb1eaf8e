//! One verb with its flags, applied to one operand.

use super::{float, radix};
use crate::value::Value;

/// What Go's `fmt` is given for an operand: OPA turns everything but numbers into text, and the numbers that no type of
/// Go's holds.
pub(super) enum Argument {
    Int { text: String, big: bool },
    Float(f64),
    Text(String),
}

impl Argument {
    pub(super) fn of(value: &Value) -> Argument {
        let Some(number) = value.as_number() else { return Argument::Text(value.to_plain()) };
        let text = number.as_str();
        if let Ok(small) = text.parse::<i64>() {
            return Argument::Int { text: small.to_string(), big: false };
        }
        match (text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'), number.as_f64()) {
            (true, _) => Argument::Int { text: text.to_owned(), big: true },
            (false, float) if float.is_finite() => Argument::Float(float),
            (false, _) => Argument::Text(text.to_owned()),
        }
    }

    /// Go's name of the type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Argument::Int { big: false, .. } => "int",
            Argument::Int { big: true, .. } => "*big.Int",
            Argument::Float(_) => "float64",
            Argument::Text(_) => "string",
        }
    }
}

/// Flags, width and precision of a directive.
#[derive(Default)]
pub(super) struct Verb {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
}

impl Verb {
    /// Takes the flags off the front.
    pub(super) fn flags<'f>(&mut self, mut text: &'f str) -> &'f str {
        while let Some(flag) = text.bytes().next() {
            match flag {
                b'+' => self.plus = true,
                b'-' => self.minus = true,
                b'#' => self.sharp = true,
                b' ' => self.space = true,
                b'0' => self.zero = true,
                _ => break,
            }
            text = &text[1..];
        }
        text
    }

    /// The operand in this form, or Go's complaint.
    pub(super) fn write(&self, letter: char, argument: &Argument) -> String {
        let written = match argument {
            _ if letter == 'T' => Some(self.pad(argument.type_name(), false)),
            Argument::Int { text, big: false } => self.integer(letter, text),
            Argument::Int { text, big: true } => Some(self.big_integer(letter, text)),
            Argument::Float(value) => self.float(letter, *value),
            Argument::Text(text) => self.text(letter, text),
        };
        written.unwrap_or_else(|| {
            let plain = self.write('v', argument);
            format!("%!{letter}({}={plain})", argument.type_name())
        })
    }

    fn integer(&self, letter: char, text: &str) -> Option<String> {
        if matches!(letter, 'v' | 'd') {
            return Some(self.signed(text, ""));
        }
        let value: i64 = text.parse().ok()?;
        match letter {
            'c' => Some(self.pad(&character(value).to_string(), false)),
            'q' => Some(self.pad(&quoted(&character(value).to_string(), '\''), false)),
            'U' => Some(self.pad(&format!("U+{:04X}", value.unsigned_abs()), false)),
            _ => self.radix(letter, text),
        }
    }

    /// Numbers beyond 64 bits know verbs of their own, and complain by another name.
    fn big_integer(&self, letter: char, text: &str) -> String {
        let known = match letter {
            'v' | 'd' | 's' => Some(self.signed(text, "")),
            _ => self.radix(letter, text),
        };
        known.unwrap_or_else(|| format!("%!{letter}(big.Int={text})"))
    }

    fn radix(&self, letter: char, text: &str) -> Option<String> {
        let (sign, decimal) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
        let (digits, prefix) = match letter {
            'b' => (radix::binary(decimal)?, "0b"),
            'o' | 'O' => (radix::octal(decimal)?, "0"),
            'x' => (radix::hexadecimal(decimal)?, "0x"),
            'X' => (radix::hexadecimal(decimal)?.to_uppercase(), "0X"),
            _ => return None,
        };
        let prefix = match letter {
            'O' => "0o",
            _ if self.sharp => prefix,
            _ => "",
        };
        Some(self.signed(&format!("{sign}{digits}"), prefix))
    }

    fn float(&self, letter: char, value: f64) -> Option<String> {
        let text = match letter {
            'v' | 'g' | 'G' => float::general(value, self.precision),
            'f' | 'F' => float::fixed(value, self.precision.unwrap_or(float::DIGITS_DEFAULT)),
            'e' | 'E' => float::scientific(value, Some(self.precision.unwrap_or(float::DIGITS_DEFAULT))),
            _ => return None,
        };
        let text = if letter.is_uppercase() { text.to_uppercase() } else { text };
        let plain = Verb { precision: None, ..*self };
        Some(plain.signed(&text, ""))
    }

    fn text(&self, letter: char, text: &str) -> Option<String> {
        let cut = || match self.precision {
            Some(chars_max) => text.chars().take(chars_max).collect(),
            None => text.to_owned(),
        };
        let spread = |digits: String| match self.space {
            true => digits.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "),
            false => digits,
        };
        match letter {
            'v' | 's' => Some(self.pad(&cut(), self.zero)),
            'q' => Some(self.pad(&quoted(&cut(), '"'), self.zero)),
            'x' => Some(self.pad(&spread(hex::encode(cut())), self.zero)),
            'X' => Some(self.pad(&spread(hex::encode_upper(cut())), self.zero)),
            _ => None,
        }
    }

    /// A number with its sign, prefix and padding; zeros go between sign and digits.
    fn signed(&self, text: &str, prefix: &str) -> String {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        let taken = sign.len() + prefix.len() + digits.len();
        let zeros = match self.precision {
            Some(digits_min) => digits_min.saturating_sub(digits.len()),
            None if self.zero && !self.minus => self.width.unwrap_or(0).saturating_sub(taken),
            None => 0,
        };
        self.pad(&format!("{sign}{prefix}{}{digits}", "0".repeat(zeros)), false)
    }

    fn pad(&self, text: &str, with_zeros: bool) -> String {
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        match (self.minus, with_zeros) {
            (true, _) => format!("{text}{}", " ".repeat(missing)),
            (false, true) => format!("{}{text}", "0".repeat(missing)),
            (false, false) => format!("{}{text}", " ".repeat(missing)),
        }
    }
}

fn character(value: i64) -> char {
    u32::try_from(value).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Go's `strconv.Quote`.
fn quoted(text: &str, quote: char) -> String {
    let escaped = |c: char| match c {
        c if c == quote => format!("\\{c}"),
        '\\' => "\\\\".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        c if u32::from(c) < 0x80 && c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c if c.is_control() => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("{quote}{}{quote}", text.chars().map(escaped).collect::<String>())
}
