//! `${NAME}` and `${NAME:-default}` in plain scalars: after parsing, so that a value never becomes structure.
//!
//! Quoted scalars stay as they are, and `$${` stands for `${`. As in a shell, a default also replaces an
//! empty value.

use crate::node::{Entry, Form, Node, Scalar, Value};
use crate::suggest::quoted;
use crate::{Env, Findings};

/// Bytes that the variables of one file may add up to.
const EXPANDED_BYTES_MAX: usize = 1024 * 1024;

/// Puts the variables of every plain scalar in; a scalar that cannot have them is rejected.
pub(crate) fn expand(root: &mut Node, env: Env<'_>, findings: &mut Findings) {
    Expansion { env, findings, bytes_left: EXPANDED_BYTES_MAX }.node(root, "");
}

struct Expansion<'a> {
    env: Env<'a>,
    findings: &'a mut Findings,
    bytes_left: usize,
}

struct Problem {
    code: &'static str,
    message: String,
}

impl Expansion<'_> {
    fn node(&mut self, node: &mut Node, path: &str) {
        match &mut node.value {
            Value::Scalar(scalar) => {
                if let Err(problem) = self.scalar(scalar) {
                    self.findings.error(problem.code, path, node.location, problem.message);
                    node.reject();
                }
            }
            Value::Sequence(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.node(item, &join(path, &at.to_string()));
                }
            }
            Value::Mapping(entries) => {
                entries.retain(|entry| self.key(entry, path));
                for entry in entries {
                    self.node(&mut entry.value, &join(path, &entry.key));
                }
            }
            Value::Rejected { .. } | Value::Dropped => {}
        }
    }

    /// Whether the key may stay; one with a variable is told of and goes.
    fn key(&mut self, entry: &Entry, path: &str) -> bool {
        let plain = !entry.key.contains("${");
        if !plain {
            let message = format!("a key cannot hold a variable: {}", quoted(&entry.key));
            self.findings.error("variable_in_key", join(path, &entry.key), entry.location, message);
        }
        plain
    }

    fn scalar(&mut self, scalar: &mut Scalar) -> Result<(), Problem> {
        if scalar.form != Form::Plain || !scalar.text.contains("${") {
            return Ok(());
        }
        let text = self.text(&scalar.text)?;
        scalar.form = Form::Expanded(std::mem::replace(&mut scalar.text, text));
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<String, Problem> {
        let (mut out, mut rest) = (String::new(), text);
        while let Some(at) = rest.find("${") {
            let (before, variable) = rest.split_at(at);
            if let Some(before) = before.strip_suffix('$') {
                out += before;
                out += "${";
                rest = &variable[2..];
                continue;
            }
            let (inner, after) = variable[2..].split_once('}').ok_or_else(bad_variable)?;
            out += before;
            out += &self.value(inner)?;
            rest = after;
        }
        out += rest;
        Ok(out)
    }

    /// The value that stands for what is between the braces, counted against what all of them may have.
    fn value(&mut self, inner: &str) -> Result<String, Problem> {
        let value = lookup(inner, self.env)?;
        match self.bytes_left.checked_sub(value.len()) {
            Some(left) => self.bytes_left = left,
            None => {
                let message = format!("the variables of this file have more than {EXPANDED_BYTES_MAX} bytes");
                return Err(Problem { code: "bad_value", message });
            }
        }
        Ok(value)
    }
}

/// The path of `key` within the block at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The value of `NAME` or `NAME:-default`.
fn lookup(inner: &str, env: Env<'_>) -> Result<String, Problem> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(bad_variable());
    }
    match (env(name), default) {
        (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
        (Some(value), _) => Ok(value),
        (None, Some(default)) => Ok(default.to_owned()),
        (None, None) => {
            let message = format!("the variable {} is not set, and there is no default", quoted(name));
            Err(Problem { code: "variable_unset", message })
        }
    }
}

fn bad_variable() -> Problem {
    let message = "a variable is `${NAME}` or `${NAME:-default}`; `$${` stands for `${`".to_owned();
    Problem { code: "bad_variable", message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    fn env(name: &str) -> Option<String> {
        match name {
            "A" => Some("one".to_owned()),
            "_B2" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            "LONG" => Some("x".repeat(EXPANDED_BYTES_MAX)),
            _ => None,
        }
    }

    fn expanded(text: &str, form: Form) -> Result<String, (&'static str, String)> {
        let value = Value::Scalar(Scalar { text: text.to_owned(), form });
        let mut node = Node { location: Location::START, value };
        let mut findings = Findings::default();
        expand(&mut node, &env, &mut findings);
        match findings.iter().next() {
            Some(finding) => Err((finding.code, finding.message.clone())),
            None => Ok(node.text().unwrap_or_default().to_owned()),
        }
    }

    #[test]
    fn variables_are_put_into_plain_scalars() {
        for (text, expected) in [
            ("${A}", "one"),
            ("x-${A}-${A}y", "x-one-oney"),
            ("${_B2}", "${A}"),
            ("${NONE:-two}", "two"),
            ("${NONE:-}", ""),
            ("${EMPTY:-two}", "two"),
            ("${EMPTY}", ""),
            ("${A:-two}", "one"),
            ("${NONE:-a:-b}", "a:-b"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("$A and $ and {A}", "$A and $ and {A}"),
        ] {
            assert_eq!(expanded(text, Form::Plain).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(expanded("${A}", Form::Quoted).as_deref(), Ok("${A}"));
    }

    #[test]
    fn what_cannot_be_put_in_is_told_by_its_name_alone() {
        for (text, code) in [
            ("${NONE}", "variable_unset"),
            ("${}", "bad_variable"),
            ("${2A}", "bad_variable"),
            ("${A b}", "bad_variable"),
            ("${A", "bad_variable"),
            ("${A-b}", "bad_variable"),
            ("${LONG}${A}", "bad_value"),
        ] {
            let told = expanded(text, Form::Plain).map_err(|(code, message)| (code, message.contains("xxx")));
            assert_eq!(told, Err((code, false)), "{text}");
        }
    }
}
