//! Every byte form in which a secret could come back, compiled once for each lease: what the scrubber looks for.
//!
//! Percent signs, JSON escapes and HTML references are not spelt out here, since any part of a form may wear them: the
//! scrubber reads its input a second time without them.

pub(crate) mod automaton;
mod sieve;

use std::sync::OnceLock;

use base64::Engine;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use self::automaton::Automaton;
use super::secret::Secret;

/// A shorter form would be found where nothing secret is, so it is not looked for.
pub(super) const FORM_BYTES_MIN: usize = 6;

const ENGINES: [GeneralPurpose; 2] = [
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_encode_padding(false)),
    GeneralPurpose::new(&alphabet::URL_SAFE, GeneralPurposeConfig::new().with_encode_padding(false)),
];

/// One secret's forms, ready to be looked for. Its memory is some hundred and fifty times as long as the secret, and wiped.
pub(crate) struct Forms {
    exact: Automaton,
    /// In lower case, for the names of headers; seldom needed.
    folded: OnceLock<Automaton>,
}

impl Forms {
    /// All forms of `secret`, and of what an injection composes of it for the wire.
    pub(crate) fn of(secret: &Secret, composed: Option<&str>) -> Self {
        Self { exact: Automaton::of(&spelt(secret, composed)), folded: OnceLock::new() }
    }

    /// The forms as they are.
    pub(crate) fn exact(&self) -> &Automaton {
        &self.exact
    }

    /// The forms of `secret`, which these are of, in lower case.
    pub(crate) fn folded(&self, secret: &Secret) -> &Automaton {
        self.folded.get_or_init(|| {
            let mut forms = spelt(secret, None);
            forms.iter_mut().for_each(|form| form.make_ascii_lowercase());
            Automaton::of(&forms)
        })
    }
}

type Form = Zeroizing<Vec<u8>>;

#[expect(clippy::disallowed_methods, reason = "what is looked for is the secret")]
fn spelt(secret: &Secret, composed: Option<&str>) -> Vec<Form> {
    let text = secret.expose().as_bytes();
    let hex = |upper: bool| {
        let mut form = Zeroizing::new(vec![0; 2 * text.len()]);
        hex::encode_to_slice(text, &mut form).expect("two digits for each byte");
        if upper {
            form.make_ascii_uppercase();
        }
        form
    };
    let mut forms = vec![Zeroizing::new(text.to_vec()), hex(false), hex(true)];
    for engine in &ENGINES {
        for shift in 0..3 {
            forms.extend(base64_at(engine, shift, text));
        }
        forms.extend(composed.map(|composed| Zeroizing::new(engine.encode(composed).into_bytes())));
    }
    forms.retain(|form| form.len() >= FORM_BYTES_MIN);
    forms
}

/// The characters of base64 that depend on `text` alone where `shift` bytes of its last group of three stand before
/// it; and the same with the last character as it is when nothing follows.
fn base64_at(engine: &GeneralPurpose, shift: usize, text: &[u8]) -> [Form; 2] {
    let mut bytes = Zeroizing::new(vec![0; shift + text.len()]);
    bytes[shift..].copy_from_slice(text);
    let encoded = Zeroizing::new(engine.encode(&bytes).into_bytes());
    let first = (8 * shift).div_ceil(6);
    let whole = 8 * bytes.len() / 6;
    [encoded.get(first..whole), encoded.get(first..)]
        .map(|form| Zeroizing::new(form.unwrap_or_default().to_vec()))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn base64_is_found_at_every_alignment() {
        for length in FORM_BYTES_MIN..40 {
            let text: Vec<u8> = (0..length).map(|at| b'!' + (at * 37 % 90) as u8).collect();
            let secret = Secret::new(String::from_utf8(text.clone()).expect("ASCII")).expect("printable");
            let forms = spelt(&secret, None);
            for before in 0..7 {
                for after in ["", "a", "bc", "def"] {
                    let around = [&vec![b'~'; before][..], &text, after.as_bytes()].concat();
                    let encoded = STANDARD.encode(around);
                    let longest = forms
                        .iter()
                        .filter(|form| encoded.as_bytes().windows(form.len()).any(|part| part == &form[..]))
                        .map(|form| form.len())
                        .max();
                    // at most a character at each end tells bits of its neighbours too
                    assert!(longest >= Some(8 * length / 6 - 1), "{length} {before} {after:?}");
                }
            }
        }
    }

    #[test]
    fn short_forms_are_not_looked_for() {
        let check = |text: &str, composed: Option<&str>, expected: &[&str]| {
            let secret = Secret::new(text.into()).expect("printable");
            let found = spelt(&secret, composed);
            let found: Vec<&str> =
                found.iter().map(|form| std::str::from_utf8(form).expect("ASCII")).collect();
            for form in expected {
                assert!(found.contains(form), "{text}: {found:?}");
            }
            assert!(found.iter().all(|form| form.len() >= FORM_BYTES_MIN), "{found:?}");
        };
        check("pw", None, &[]);
        check("pw", Some("robot:pw"), &["cm9ib3Q6cHc"]);
        check("pass1", None, &["7061737331"]);
        check("secret", None, &["secret", "736563726574", "c2VjcmV0"]);
        check("?>?>?>", None, &["Pz4/Pj8+", "Pz4_Pj8-", "3F3E3F3E3F3E"]);
    }
}
