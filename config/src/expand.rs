//! `${NAME}` and `${NAME:-default}` in plain scalars: after parsing, so that a value never becomes structure.
//!
//! Quoted scalars stay as they are, and `$${` stands for `${`. As in a shell, a default also replaces an
//! empty value.

use crate::node::{Form, Node, Scalar, Value};
use crate::suggest::quoted;
use crate::{Env, Findings};

/// Bytes that a scalar may have once its variables are put in.
const EXPANDED_BYTES_MAX: usize = 64 * 1024;

/// Puts the variables of every plain scalar in; a scalar that cannot have them is rejected.
pub(crate) fn expand(node: &mut Node, path: &str, env: Env<'_>, findings: &mut Findings) {
    match &mut node.value {
        Value::Scalar(scalar) => {
            if let Err(problem) = expand_scalar(scalar, env) {
                findings.error(problem.code, path, node.location, problem.message);
                node.reject();
            }
        }
        Value::Sequence(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                expand(item, &join(path, &at.to_string()), env, findings);
            }
        }
        Value::Mapping(entries) => {
            entries.retain(|entry| {
                let plain = !entry.key.contains("${");
                if !plain {
                    let message = format!("a key cannot hold a variable: {}", quoted(&entry.key));
                    findings.error("variable_in_key", join(path, &entry.key), entry.location, message);
                }
                plain
            });
            for entry in entries {
                expand(&mut entry.value, &join(path, &entry.key), env, findings);
            }
        }
        Value::Rejected { .. } | Value::Dropped => {}
    }
}

/// The path of `key` within the block at `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

struct Problem {
    code: &'static str,
    message: String,
}

fn expand_scalar(scalar: &mut Scalar, env: Env<'_>) -> Result<(), Problem> {
    if scalar.form != Form::Plain || !scalar.text.contains("${") {
        return Ok(());
    }
    let text = expand_text(&scalar.text, env)?;
    scalar.form = Form::Expanded(std::mem::replace(&mut scalar.text, text));
    Ok(())
}

fn expand_text(text: &str, env: Env<'_>) -> Result<String, Problem> {
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
        out += &value_of(inner, env)?;
        rest = after;
        if out.len() > EXPANDED_BYTES_MAX {
            let message = format!("with its variables it has more than {EXPANDED_BYTES_MAX} bytes");
            return Err(Problem { code: "bad_value", message });
        }
    }
    out += rest;
    Ok(out)
}

/// The value of `NAME` or `NAME:-default`.
fn value_of(inner: &str, env: Env<'_>) -> Result<String, Problem> {
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
