//! Skips over text in which no form can begin, by looking at four bytes of many.

use zeroize::Zeroizing;

const GRAM_BYTES: usize = 4;
/// A power of two: the bits of the set, 8 KiB in all.
const BITS: usize = 1 << 16;
/// A longer beginning would fill the set for a step that is not much longer.
const BEGINNING_BYTES_MAX: usize = 32;

/// The set of all runs of four bytes in the beginnings of some forms. Where a form begins, one of its beginning's runs
/// lies on every sample of a step as long as there are runs.
pub(super) struct Sieve {
    grams: Zeroizing<Vec<u64>>,
    step: usize,
}

impl Sieve {
    /// Of forms that are all longer than a run.
    pub(super) fn of(forms: &[Zeroizing<Vec<u8>>]) -> Self {
        let shortest = forms.iter().map(|form| form.len()).min().unwrap_or(BEGINNING_BYTES_MAX);
        let beginning = shortest.min(BEGINNING_BYTES_MAX);
        let mut grams = Zeroizing::new(vec![0; BITS / 64]);
        for gram in forms.iter().flat_map(|form| form[..beginning].windows(GRAM_BYTES)) {
            let bit = bit(gram);
            grams[bit / 64] |= 1 << (bit % 64);
        }
        Self { grams, step: beginning + 1 - GRAM_BYTES }
    }

    /// The first place in `text`, from `at`, where a form could begin; what is too near the end could.
    pub(super) fn skip(&self, text: &[u8], mut at: usize) -> usize {
        loop {
            let sample = at + self.step - 1;
            let Some(gram) = text.get(sample..sample + GRAM_BYTES) else { return at };
            let bit = bit(gram);
            if self.grams[bit / 64] & (1 << (bit % 64)) != 0 {
                return at;
            }
            at = sample + 1;
        }
    }
}

fn bit(gram: &[u8]) -> usize {
    let number = u32::from_le_bytes([gram[0], gram[1], gram[2], gram[3]]);
    number.wrapping_mul(0x9E37_79B1) as usize >> (32 - BITS.trailing_zeros())
}
