//! Amounts with units: `10Mi`, `1.5GB`, `250m`. Computed exactly.

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::{Number, Value};

pub(super) const FAMILY: Family = &[("units.parse", parse), ("units.parse_bytes", parse_bytes)];

const MILLI_DIGITS: i64 = 3;
const FRACTION_DIGITS: u32 = 10;
const OUT_OF_RANGE: Fault = Fault::Undefined("the amount is out of range");
const NO_UNIT: Fault = Fault::Undefined("the unit is not known");

/// digits × 10^-scale
struct Amount {
    digits: i128,
    scale: i64,
}

/// Resources as Kubernetes writes them; only the first letter's case tells milli from mega.
fn parse(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::string(operands, 0)?.replace('"', "");
    let (number, unit) = split(&text)?;
    let mut amount = Amount::parse(number)?;
    let mut letters = unit.chars();
    match letters.next() {
        None => {}
        Some('m') if unit == "m" => amount.scale += MILLI_DIGITS,
        Some(size) => amount.times(power(size.to_ascii_lowercase(), &letters.as_str().to_lowercase())?)?,
    }
    amount.decimal()
}

/// Sizes of memory and files; a fraction of a byte is cut off.
fn parse_bytes(_: &mut Scope, operands: &[Value]) -> Outcome {
    let text = operand::string(operands, 0)?.replace('"', "").to_lowercase();
    let (number, unit) = split(&text)?;
    let mut amount = Amount::parse(number)?;
    let unit = unit.strip_suffix('b').filter(|rest| !rest.is_empty()).unwrap_or(unit);
    let mut letters = unit.chars();
    if let Some(size) = letters.next() {
        amount.times(power(size, letters.as_str())?)?;
    }
    amount.whole()
}

/// 1000 or 1024 to the power that the letter stands for.
fn power(size: char, kind: &str) -> Result<i128, Fault> {
    let exponent = "kmgtpe".find(size).ok_or(NO_UNIT)?;
    let base: i128 = match kind {
        "" => 1000,
        "i" => 1024,
        _ => return Err(NO_UNIT),
    };
    Ok(base.pow(u32::try_from(exponent).map_err(|_| NO_UNIT)? + 1))
}

/// The number ends where a unit begins; an `e` with digits after it is an exponent.
fn split(text: &str) -> Result<(&str, &str), Fault> {
    let bytes = text.as_bytes();
    let is_number = |at: usize| match bytes[at] {
        b'0'..=b'9' | b'.' | b'+' | b'-' => true,
        b'e' | b'E' => bytes.get(at + 1).is_some_and(|next| next.is_ascii_digit() || b"+-".contains(next)),
        _ => false,
    };
    let end = (0..bytes.len()).find(|&at| !is_number(at)).unwrap_or(bytes.len());
    match end {
        _ if text.contains(' ') => Err(Fault::Undefined("spaces are not allowed")),
        0 => Err(Fault::Undefined("there is no amount")),
        end => Ok(text.split_at(end)),
    }
}

impl Amount {
    fn parse(text: &str) -> Result<Amount, Fault> {
        let malformed = Fault::Undefined("the amount is no number");
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if fraction.starts_with(['+', '-']) || format!("{whole}{fraction}").is_empty() {
            return Err(malformed);
        }
        let digits = format!("{whole}{fraction}").parse().map_err(|_| malformed)?;
        let exponent: i64 = exponent.parse().map_err(|_| malformed)?;
        let places = i64::try_from(fraction.len()).map_err(|_| OUT_OF_RANGE)?;
        Ok(Amount { digits, scale: places - exponent })
    }

    fn times(&mut self, factor: i128) -> Result<(), Fault> {
        self.digits = self.digits.checked_mul(factor).ok_or(OUT_OF_RANGE)?;
        Ok(())
    }

    /// Cut towards zero.
    fn whole(&self) -> Outcome {
        match u32::try_from(self.scale) {
            Ok(scale) => {
                number(10_i128.checked_pow(scale).map_or(0, |divisor| self.digits / divisor).to_string())
            }
            Err(_) => number(self.scaled_up()?.to_string()),
        }
    }

    /// Whole where it is whole, otherwise with ten digits after the point.
    fn decimal(&self) -> Outcome {
        let Ok(scale) = u32::try_from(self.scale) else { return number(self.scaled_up()?.to_string()) };
        let divisor = 10_i128.checked_pow(scale).ok_or(OUT_OF_RANGE)?;
        if self.digits % divisor == 0 {
            return number((self.digits / divisor).to_string());
        }
        let shifted = self.digits.checked_mul(10_i128.pow(FRACTION_DIGITS)).ok_or(OUT_OF_RANGE)?;
        let half = divisor / 2 * shifted.signum();
        let rounded = shifted.checked_add(half).ok_or(OUT_OF_RANGE)? / divisor;
        let (whole, fraction) =
            (rounded / 10_i128.pow(FRACTION_DIGITS), rounded % 10_i128.pow(FRACTION_DIGITS));
        let sign = if rounded < 0 { "-" } else { "" };
        number(format!("{sign}{}.{:010}", whole.unsigned_abs(), fraction.unsigned_abs()))
    }

    fn scaled_up(&self) -> Result<i128, Fault> {
        let zeros = u32::try_from(-self.scale).map_err(|_| OUT_OF_RANGE)?;
        10_i128.checked_pow(zeros).and_then(|factor| self.digits.checked_mul(factor)).ok_or(OUT_OF_RANGE)
    }
}

fn number(text: String) -> Outcome {
    Number::parse(&text).map(Value::Number).ok_or(OUT_OF_RANGE)
}
