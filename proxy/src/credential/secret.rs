//! The bytes of an authority: a type that cannot be printed, cloned or serialised, and is wiped when dropped.

use std::cell::OnceCell;

use bytes::Bytes;
use http::HeaderValue;
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

/// A header's value that holds a secret: made once, shared by the requests that carry it, and wiped with the last.
#[derive(Default)]
pub struct Written(OnceCell<HeaderValue>);

impl Written {
    /// The value, which is the text of the first `make`. No log prints it.
    pub fn header(&self, make: impl FnOnce() -> Zeroizing<String>) -> Result<HeaderValue, &'static str> {
        if let Some(value) = self.0.get() {
            return Ok(value.clone());
        }
        let mut value = HeaderValue::from_maybe_shared(Bytes::from_owner(make()))
            .map_err(|_| "the secret does not fit in a header")?;
        value.set_sensitive(true);
        Ok(self.0.get_or_init(|| value).clone())
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
    fn is_written_once_and_shared() {
        let written = Written::default();
        let text = |text: &str| Zeroizing::new(text.to_owned());
        assert!(written.header(|| text("a\r\nb")).is_err(), "what does not fit is not kept");
        let first = written.header(|| text("Bearer a")).expect("it fits");
        let second = written.header(|| unreachable!("it is there")).expect("it fits");
        assert!(first.is_sensitive() && second.is_sensitive());
        assert_eq!(
            (first.as_bytes(), first.as_bytes().as_ptr()),
            (&b"Bearer a"[..], second.as_bytes().as_ptr())
        );
    }

    #[test]
    fn compares_by_value() {
        let secret = |text: &str| Secret::new(text.into()).expect("valid");
        assert!(secret("one").same_as(&secret("one")));
        assert!(!secret("one").same_as(&secret("two")));
    }
}
