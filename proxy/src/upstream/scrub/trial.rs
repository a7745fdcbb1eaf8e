//! A search without an answer round it, for those who measure what one costs.

use bytes::Bytes;

use super::scanner::Scanner;
use crate::credential::forms::Forms;
use crate::credential::secret::Secret;

/// One text that is searched for one secret.
pub struct Trial {
    forms: Forms,
    scanner: Scanner,
}

impl Trial {
    /// Makes the secret's forms.
    pub fn new(secret: &Secret) -> Self {
        Self { forms: Forms::of(secret, None), scanner: Scanner::new() }
    }

    /// Takes the next piece of the text, and gives what may go on.
    pub fn push(&mut self, piece: Bytes) -> Bytes {
        self.scanner.push(self.forms.exact(), piece)
    }
}
