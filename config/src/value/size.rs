//! `512B`, `64KiB`, `1MiB`, `2GiB`.

use super::{number_and_unit, text_value};

/// A number of bytes, over zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(usize);

impl Size {
    /// It in bytes.
    pub fn bytes(self) -> usize {
        self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "expected a size such as `512B`, `64KiB`, `1MiB` or `2GiB`".to_owned();
        let (number, unit) = number_and_unit(text).ok_or_else(wrong)?;
        let bytes_per_unit: u64 = match unit {
            "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(wrong()),
        };
        let bytes = number.checked_mul(bytes_per_unit).and_then(|bytes| usize::try_from(bytes).ok());
        match bytes {
            Some(0) => Err("a size must be more than zero".to_owned()),
            Some(bytes) => Ok(Self(bytes)),
            None => Err("the size is beyond what can be counted".to_owned()),
        }
    }
}

text_value!(Size, Size::parse, "a size such as `64KiB`", {
    "type": "string",
    "pattern": "^[0-9]+(B|KiB|MiB|GiB)$",
    "examples": ["64KiB", "1MiB"]
});
