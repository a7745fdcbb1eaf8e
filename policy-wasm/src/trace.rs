//! What an evaluation says beside its result: `print`, `trace` and builtins whose error made a value undefined.

const LINES_MAX: usize = 64;
const LINE_BYTES_MAX: usize = 1024;

/// Notes of one evaluation, in order and bounded. `print` may show input values: notes are for an author who asks, not
/// for a log.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
    lines_dropped: usize,
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub fn new() -> Trace {
        Trace::default()
    }

    /// The notes in order, at most 64 of at most 1 KiB each.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// How many notes did not fit.
    #[must_use]
    pub fn lines_dropped(&self) -> usize {
        self.lines_dropped
    }

    /// Forgets everything, for the next evaluation.
    pub fn clear(&mut self) {
        self.lines.clear();
        self.lines_dropped = 0;
    }

    pub(crate) fn note(&mut self, line: impl Into<String>) {
        if self.lines.len() == LINES_MAX {
            self.lines_dropped += 1;
            return;
        }
        let mut line = line.into();
        line.truncate(line.floor_char_boundary(LINE_BYTES_MAX));
        self.lines.push(line);
    }
}
