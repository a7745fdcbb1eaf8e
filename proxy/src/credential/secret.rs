//! The bytes of an authority: a type that cannot be printed, cloned or serialised, and is wiped when dropped.

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A secret value: visible ASCII or spaces, not empty, at most [`SECRET_BYTES_MAX`].
///
/// ```compile_fail
/// let secret = claviger_proxy::credential::secret::Secret::new("s".into()).unwrap();
/// println!("{secret:?}");
/// ```
/// ```compile_fail
/// let secret = claviger_proxy::credential::secret::Secret::new("s".into()).unwrap();
/// let copy = secret.clone();
/// ```
pub struct Secret(Zeroizing<String>);

/// Longer than any token that a header could carry.
pub const SECRET_BYTES_MAX: usize = 32 << 10;

/// Why some bytes cannot be a secret; never says which bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotASecret {
    /// Nothing there.
    #[error("the secret is empty")]
    Empty,
    /// Longer than the bound.
    #[error("the secret is longer than {SECRET_BYTES_MAX} bytes")]
    TooLong,
    /// Would break a header, or means different things to different readers.
    #[error("the secret holds a byte that is not printable ASCII")]
    Unprintable,
}

impl Secret {
    /// Takes over `text`, whose buffer is wiped also when it is refused.
    pub fn new(text: String) -> Result<Self, NotASecret> {
        let text = Zeroizing::new(text);
        if text.is_empty() {
            return Err(NotASecret::Empty);
        }
        if text.len() > SECRET_BYTES_MAX {
            return Err(NotASecret::TooLong);
        }
        if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
            return Err(NotASecret::Unprintable);
        }
        Ok(Self(text))
    }

    /// The bytes, for those who put them on a wire: injections and sources.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// How long it is, which is no secret.
    pub(super) fn bytes(&self) -> usize {
        self.0.len()
    }

    /// Whether both hold the same bytes, in time that does not depend on where they differ.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_what_a_header_can_carry() {
        let check =
            |text: &str, expected: Option<NotASecret>| assert_eq!(Secret::new(text.into()).err(), expected);
        check("a token: with+odd/chars=%", None);
        check("", Some(NotASecret::Empty));
        for bad in ["a\rb", "a\nb", "a\0b", "a\tb", "caf\u{e9}", "\u{7f}"] {
            check(bad, Some(NotASecret::Unprintable));
        }
        check(&"x".repeat(SECRET_BYTES_MAX), None);
        check(&"x".repeat(SECRET_BYTES_MAX + 1), Some(NotASecret::TooLong));
    }

    #[test]
    fn compares_by_value() {
        let secret = |text: &str| Secret::new(text.into()).expect("valid");
        assert!(secret("one").same_as(&secret("one")));
        assert!(!secret("one").same_as(&secret("two")));
    }
}
