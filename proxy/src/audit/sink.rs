//! Where lines go: one file for each kind of sink.

pub(super) mod file;
pub(super) mod stdout;

use std::io;

/// A place for lines, of this process alone.
pub(super) trait Sink: Send {
    /// Adds whole lines: all of them, or, on an error, none.
    fn append(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Makes what was added safe from a crash of the machine too, where that can be.
    fn sync(&mut self) -> io::Result<()>;
}
