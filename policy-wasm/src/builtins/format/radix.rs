//! Decimal digits of any number in the bases of Go's verbs.

/// Converting takes the square of this many steps.
const DIGITS_MAX: usize = 4096;
const LIMB_BITS: usize = 30;

/// The digits in base 2; `None` where there are too many.
pub(super) fn binary(decimal: &str) -> Option<String> {
    Some(written(limbs(decimal)?, |limb| format!("{limb:030b}")))
}

/// The digits in base 8; `None` where there are too many.
pub(super) fn octal(decimal: &str) -> Option<String> {
    Some(written(limbs(decimal)?, |limb| format!("{limb:010o}")))
}

/// The digits in base 16; `None` where there are too many.
pub(super) fn hexadecimal(decimal: &str) -> Option<String> {
    let bits = written(limbs(decimal)?, |limb| format!("{limb:030b}"));
    let bits = format!("{bits:0>width$}", width = bits.len().next_multiple_of(4));
    let digit = |four: &[u8]| four.iter().fold(0, |digit, &bit| digit << 1 | u32::from(bit - b'0'));
    Some(bits.as_bytes().chunks_exact(4).filter_map(|four| char::from_digit(digit(four), 16)).collect())
}

/// Thirty bits each, which binary and octal digits divide; the lowest first.
fn limbs(decimal: &str) -> Option<Vec<u64>> {
    if decimal.len() > DIGITS_MAX {
        return None;
    }
    let mut limbs = vec![0_u64];
    for digit in decimal.bytes() {
        let mut carry = u64::from(digit.checked_sub(b'0')?);
        for limb in &mut limbs {
            let sum = *limb * 10 + carry;
            (*limb, carry) = (sum & ((1 << LIMB_BITS) - 1), sum >> LIMB_BITS);
        }
        limbs.extend((carry > 0).then_some(carry));
    }
    Some(limbs)
}

fn written(limbs: Vec<u64>, write: fn(u64) -> String) -> String {
    let text: String = limbs.into_iter().rev().map(write).collect();
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_has_its_digits() {
        for number in [0, 1, 7, 8, 255, 256, 1 << 30, (1 << 30) - 1, 1 << 60, u64::MAX] {
            let decimal = number.to_string();
            assert_eq!(binary(&decimal), Some(format!("{number:b}")));
            assert_eq!(octal(&decimal), Some(format!("{number:o}")));
            assert_eq!(hexadecimal(&decimal), Some(format!("{number:x}")));
        }
        let largest = u128::MAX;
        assert_eq!(hexadecimal(&largest.to_string()), Some(format!("{largest:x}")));
        assert!(octal(&"9".repeat(4096)).is_some());
        assert_eq!(octal(&"9".repeat(4097)), None);
    }
}
