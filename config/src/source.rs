//! The file as it was read: kept whole, since every finding is shown beside its line.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes that a configuration file may have.
pub const FILE_BYTES_MAX: usize = 1024 * 1024;

/// A configuration file: its name, for messages, and its text.
#[derive(Clone)]
pub struct Source {
    name: String,
    text: String,
}

/// A file that could not be read at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {cause}", path.display())]
pub struct Unreadable {
    path: PathBuf,
    #[source]
    cause: io::Error,
}

impl Source {
    /// Takes text that is already at hand; `name` is what findings call it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        Self { name: name.into(), text }
    }

    /// Reads a file. What is wrong with its contents, as size or encoding, is left to the findings.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn read(path: &Path) -> Result<Self, Unreadable> {
        let bytes = read_bounded(path).map_err(|cause| Unreadable { path: path.to_owned(), cause })?;
        Ok(Self::new(path.display().to_string(), text_of(bytes)))
    }

    /// What findings call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text, without a byte order mark.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// One byte beyond the bound is enough to know that the file is too large.
fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Text up to the first byte that is none; a replacement character marks that place and is refused there.
fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let valid = error.utf8_error().valid_up_to();
        let mut text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
        text.push(char::REPLACEMENT_CHARACTER);
        text
    })
}
