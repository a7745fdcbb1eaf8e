//! Regular expressions that are compiled once. OPA's runtime compiles every pattern anew in every evaluation; where both
//! engines certainly mean the same, the host matches in its place.

mod translate;

use std::collections::HashMap;

use regex::{Regex, RegexBuilder};

/// Patterns that stay; of a policy that makes up more, the later ones are left to the module.
const PATTERNS_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 1024;
const PROGRAM_BYTES_MAX: usize = 64 * 1024;
/// Matching is linear, but no deadline interrupts it: a longer text is left to the module, which has one.
const TEXT_BYTES_MAX: usize = 8 * 1024;

/// The patterns that an instance has met. `None` are those which only the module understands.
#[derive(Default)]
pub(crate) struct Patterns(HashMap<Box<str>, Option<Regex>>);

impl Patterns {
    /// Whether the pattern is found in the text; `None` where the module has to find out.
    pub(crate) fn find(&mut self, pattern: &str, text: &str) -> Option<bool> {
        if text.len() > TEXT_BYTES_MAX || pattern.len() > PATTERN_BYTES_MAX {
            return None;
        }
        if let Some(known) = self.0.get(pattern) {
            return known.as_ref().map(|regex| regex.is_match(text));
        }
        if self.0.len() >= PATTERNS_MAX {
            return None;
        }
        let regex = compile(pattern);
        let found = regex.as_ref().map(|regex| regex.is_match(text));
        self.0.insert(pattern.into(), regex);
        found
    }
}

#[cfg(test)]
impl Patterns {
    pub(crate) fn met(&self) -> usize {
        self.0.len()
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    let translated = translate::translate(pattern)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.size_limit(PROGRAM_BYTES_MAX).dfa_size_limit(4 * PROGRAM_BYTES_MAX).build().ok()
}

#[cfg(test)]
mod tests;
