//! `sprintf` with the verbs, flags and complaints of Go's `fmt`.

mod float;
mod radix;
mod verb;

use super::Fault;
use crate::value::Value;
use verb::{Argument, Verb};

const OUTPUT_BYTES_MAX: usize = 256 * 1024;
const TOO_LARGE: Fault = Fault::Halt("the formatted text is too large");

/// Formats as Go does: mistakes show in the text, they are no errors.
pub(super) fn sprintf(format: &str, operands: &[Value]) -> Result<String, Fault> {
    let mut writer = Writer { out: String::new(), operands: operands.iter() };
    let mut rest = format;
    while let Some((plain, after)) = rest.split_once('%') {
        writer.out.push_str(plain);
        rest = writer.directive(after)?;
        if writer.out.len() > OUTPUT_BYTES_MAX {
            return Err(TOO_LARGE);
        }
    }
    writer.out.push_str(rest);
    writer.extra();
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    operands: std::slice::Iter<'a, Value>,
}

impl Writer<'_> {
    /// One directive after its `%`; gives what follows it.
    fn directive<'f>(&mut self, text: &'f str) -> Result<&'f str, Fault> {
        if text.starts_with('[') {
            return Err(Fault::Undefined("argument indexes are not supported"));
        }
        let mut verb = Verb::default();
        let mut rest = verb.flags(text);
        (verb.width, rest) = self.size(rest, "%!(BADWIDTH)");
        if let Some(after) = rest.strip_prefix('.') {
            (verb.precision, rest) = self.size(after, "%!(BADPREC)");
            verb.precision = verb.precision.or(Some(0));
        }
        let Some(letter) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(rest);
        };
        if verb.width.max(verb.precision).unwrap_or(0) > OUTPUT_BYTES_MAX {
            return Err(TOO_LARGE);
        }
        match (letter, self.operands.as_slice().first()) {
            ('%', _) => self.out.push('%'),
            (_, None) => self.out.push_str(&format!("%!{letter}(MISSING)")),
            (_, Some(_)) => {
                let argument = self.operands.next().map(Argument::of);
                self.out.extend(argument.map(|argument| verb.write(letter, &argument)));
            }
        }
        Ok(&rest[letter.len_utf8()..])
    }

    /// A width or precision: digits, `*` for an operand, or none.
    fn size<'f>(&mut self, text: &'f str, complaint: &str) -> (Option<usize>, &'f str) {
        if let Some(rest) = text.strip_prefix('*') {
            let given = self.operands.next().and_then(Value::as_number).and_then(|number| number.as_i64());
            return (self.bounded(given.and_then(|size| usize::try_from(size).ok()), complaint), rest);
        }
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (digits, rest) = text.split_at(end);
        match digits.is_empty() {
            true => (None, rest),
            false => (self.bounded(digits.parse().ok(), complaint), rest),
        }
    }

    fn bounded(&mut self, size: Option<usize>, complaint: &str) -> Option<usize> {
        if size.is_none() {
            self.out.push_str(complaint);
        }
        size
    }

    fn extra(&mut self) {
        if self.operands.as_slice().is_empty() {
            return;
        }
        let shown = self.operands.by_ref().map(|operand| {
            let argument = Argument::of(operand);
            format!("{}={}", argument.type_name(), Verb::default().write('v', &argument))
        });
        let shown = shown.collect::<Vec<_>>().join(", ");
        self.out.push_str(&format!("%!(EXTRA {shown})"));
    }
}
