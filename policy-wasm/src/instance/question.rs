//! What an evaluation is about, and the two ways in which an input document gets to the module.

use std::io::{self, Write};

use serde::Serialize;

use crate::error::EvalError;
use crate::native::{self, Builder, Fault};

/// An entrypoint, asked at a moment.
pub(crate) struct Question {
    pub(crate) entrypoint: i32,
    pub(crate) now_ns: i64,
}

/// An input document that can be written both ways, and more than once.
pub(crate) trait Document {
    /// As values in memory; gives their address.
    fn put(&self, builder: &mut Builder<'_>) -> Result<u32, Fault>;
    /// As JSON, in place of what `text` holds.
    fn spell(&self, text: &mut Vec<u8>, bytes_max: usize) -> Result<(), EvalError>;
}

/// Whatever serialises.
pub(crate) struct Serialised<'a, T>(pub(crate) &'a T);

impl<T: Serialize> Document for Serialised<'_, T> {
    fn put(&self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        native::put_document(builder, self.0)
    }

    fn spell(&self, text: &mut Vec<u8>, bytes_max: usize) -> Result<(), EvalError> {
        text.clear();
        serde_json::to_writer(Capped { bytes: text, bytes_max }, self.0).map_err(|error| {
            match error.is_io() {
                true => EvalError::InputTooLarge { bytes_max },
                false => EvalError::InputNotJson { cause: error.to_string() },
            }
        })
    }
}

/// No document: `input` is undefined.
pub(crate) struct Nothing;

impl Document for Nothing {
    fn put(&self, _: &mut Builder<'_>) -> Result<u32, Fault> {
        const UNDEFINED: u32 = 0;
        Ok(UNDEFINED)
    }

    fn spell(&self, text: &mut Vec<u8>, _: usize) -> Result<(), EvalError> {
        text.clear();
        Ok(())
    }
}

/// Text that is known to be JSON.
pub(crate) struct Json<'a>(pub(crate) &'a str);

impl Document for Json<'_> {
    fn put(&self, builder: &mut Builder<'_>) -> Result<u32, Fault> {
        native::put_text(builder, self.0)
    }

    fn spell(&self, text: &mut Vec<u8>, bytes_max: usize) -> Result<(), EvalError> {
        if self.0.len() > bytes_max {
            return Err(EvalError::InputTooLarge { bytes_max });
        }
        text.clear();
        text.extend_from_slice(self.0.as_bytes());
        Ok(())
    }
}

struct Capped<'a> {
    bytes: &'a mut Vec<u8>,
    bytes_max: usize,
}

impl Write for Capped<'_> {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + more.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
