//! Regular expressions beyond the match that OPA's wasm has itself. Matching takes linear time.

mod globs;

use regex::{Regex, RegexBuilder};

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("glob.quote_meta", glob_quote_meta),
    ("regex.find_n", find_n),
    ("regex.globs_match", globs_match),
    ("regex.replace", replace),
    ("regex.split", split),
    ("regex.template_match", template_match),
];

const PROGRAM_BYTES_MAX: usize = 1024 * 1024;
const OUTPUT_BYTES_MAX: usize = 256 * 1024;
const NO_PATTERN: Fault = Fault::Undefined("the pattern is no regular expression");

fn compile(pattern: &str) -> Result<Regex, Fault> {
    RegexBuilder::new(pattern).size_limit(PROGRAM_BYTES_MAX).build().map_err(|_| NO_PATTERN)
}

fn find_n(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (pattern, text) = (compile(operand::string(operands, 0)?)?, operand::string(operands, 1)?);
    let count_max = usize::try_from(operand::integer(operands, 2)?).unwrap_or(usize::MAX);
    Ok(pattern.find_iter(text).take(count_max).map(|found| Value::from(found.as_str())).collect())
}

/// As Go does it: an empty match at either end splits nothing off.
fn split(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (pattern, text) = (compile(operand::string(operands, 0)?)?, operand::string(operands, 1)?);
    let (mut parts, mut begin, mut end) = (Vec::new(), 0, 0);
    for found in pattern.find_iter(text) {
        end = found.start();
        if found.end() != 0 {
            parts.push(Value::from(&text[begin..end]));
        }
        begin = found.end();
    }
    if end != text.len() || text.is_empty() {
        parts.push(Value::from(&text[begin..]));
    }
    Ok(Value::Array(parts))
}

/// `$1` and `${name}` as in Go, whose names are as long as possible: both engines agree.
fn replace(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (text, pattern) = (operand::string(operands, 0)?, compile(operand::string(operands, 1)?)?);
    let with = operand::string(operands, 2)?;
    let (mut out, mut copied) = (String::new(), 0);
    for found in pattern.captures_iter(text) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[copied..whole.start()]);
        found.expand(with, &mut out);
        copied = whole.end();
        if out.len() > OUTPUT_BYTES_MAX {
            return Err(Fault::Halt("the replaced text is too large"));
        }
    }
    out.push_str(&text[copied..]);
    Ok(out.into())
}

/// A text with patterns between delimiters: `urn:foo:{.*}`.
fn template_match(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (template, text) = (operand::string(operands, 0)?, operand::string(operands, 1)?);
    let (open, close) = (delimiter(operands, 2)?, delimiter(operands, 3)?);
    let unbalanced = Fault::Undefined("the delimiters are not balanced");
    let (mut pattern, mut depth, mut copied) = (String::from("^"), 0_usize, 0);
    for (at, byte) in template.bytes().enumerate() {
        if byte == open {
            depth += 1;
            if depth == 1 {
                pattern.push_str(&regex::escape(&template[copied..at]));
                copied = at + 1;
            }
        } else if byte == close {
            depth = depth.checked_sub(1).ok_or(unbalanced)?;
            if depth == 0 {
                compile(&template[copied..at])?;
                pattern.push_str(&format!("({})", &template[copied..at]));
                copied = at + 1;
            }
        }
    }
    if depth > 0 {
        return Err(unbalanced);
    }
    pattern.push_str(&regex::escape(&template[copied..]));
    pattern.push('$');
    Ok(compile(&pattern)?.is_match(text).into())
}

fn delimiter(operands: &[Value], index: usize) -> Result<u8, Fault> {
    match operand::string(operands, index)?.as_bytes() {
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err(Fault::Undefined("a delimiter must be one character")),
    }
}

/// Whether two patterns have a text in common.
fn globs_match(_: &mut Scope, operands: &[Value]) -> Outcome {
    globs::intersect(operand::string(operands, 0)?, operand::string(operands, 1)?).map(Value::from)
}

fn glob_quote_meta(_: &mut Scope, operands: &[Value]) -> Outcome {
    let quoted = |c: char| if "\\*?[]{}".contains(c) { format!("\\{c}") } else { c.to_string() };
    Ok(operand::string(operands, 0)?.chars().map(quoted).collect::<String>().into())
}
