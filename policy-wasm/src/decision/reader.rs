//! The object form of a decision: strict types, bounded sizes, no key that is not understood.

use std::collections::BTreeMap;

use super::header::{header_name, header_value};
use super::{Decision, Denial, Permission, not_a_decision};
use crate::error::EvalError;
use crate::value::Value;

const TEXT_BYTES_MAX: usize = 1024;
const NAME_BYTES_MAX: usize = 256;
const TARGET_BYTES_MAX: usize = 2048;
const SCOPES_MAX: usize = 64;
const HEADERS_MAX: usize = 64;
const SHOWN_KEY_BYTES_MAX: usize = 32;

/// Keys that contracts describe and this version does not obey; ignoring one would permit more than the author means.
const NOT_YET: [&str; 5] = ["approval", "details", "rate", "response", "revalidate_s"];

pub(super) fn read(fields: BTreeMap<Value, Value>) -> Result<Decision, EvalError> {
    let mut fields = Fields::of(fields)?;
    let allow = fields.allow()?;
    let reason = fields.text("reason", TEXT_BYTES_MAX)?;
    let rule = fields.text("rule", NAME_BYTES_MAX)?;
    let permission = Permission {
        reason: reason.clone(),
        rule: rule.clone(),
        credential: fields.text("credential", NAME_BYTES_MAX)?,
        scopes: fields.texts("scopes", SCOPES_MAX)?,
        audience: fields.text("audience", TARGET_BYTES_MAX)?,
        resource: fields.text("resource", TARGET_BYTES_MAX)?,
        ttl_s: fields.seconds("ttl_s")?,
        set_headers: fields.set_headers()?,
        remove_headers: fields.remove_headers()?,
    };
    let denial =
        Denial { reason, rule, hint: fields.text("hint", TEXT_BYTES_MAX)?, status: fields.status()? };
    fields.must_be_empty()?;
    Ok(if allow { Decision::Permit(permission) } else { Decision::Deny(denial) })
}

/// The fields that are not read yet.
struct Fields(BTreeMap<String, Value>);

impl Fields {
    fn of(fields: BTreeMap<Value, Value>) -> Result<Fields, EvalError> {
        let named = |(key, value)| {
            let Value::String(name) = key else {
                return Err(not_a_decision(format!("a key is {}", key.type_name())));
            };
            Ok((name, value))
        };
        fields.into_iter().map(named).collect::<Result<_, _>>().map(Fields)
    }

    fn allow(&mut self) -> Result<bool, EvalError> {
        match self.0.remove("allow") {
            Some(Value::Boolean(allow)) => Ok(allow),
            Some(other) => Err(mistyped("allow", &other, "a boolean")),
            None => Err(not_a_decision("`allow` is missing")),
        }
    }

    fn text(&mut self, key: &str, bytes_max: usize) -> Result<Option<String>, EvalError> {
        self.0.remove(key).map(|value| text(key, value, bytes_max)).transpose()
    }

    fn texts(&mut self, key: &str, count_max: usize) -> Result<Option<Vec<String>>, EvalError> {
        let elements: Vec<Value> = match self.0.remove(key) {
            None => return Ok(None),
            Some(Value::Array(elements)) => elements,
            Some(other) => return Err(mistyped(key, &other, "an array of strings")),
        };
        if elements.len() > count_max {
            return Err(not_a_decision(format!("`{key}` has more than {count_max} elements")));
        }
        elements
            .into_iter()
            .map(|element| text(key, element, NAME_BYTES_MAX))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    fn seconds(&mut self, key: &str) -> Result<Option<u64>, EvalError> {
        let Some(value) = self.0.remove(key) else { return Ok(None) };
        let seconds = whole(key, &value)?;
        let positive = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0);
        positive.map(Some).ok_or_else(|| not_a_decision(format!("`{key}` must be positive")))
    }

    fn status(&mut self) -> Result<Option<u16>, EvalError> {
        let Some(value) = self.0.remove("status") else { return Ok(None) };
        let status =
            u16::try_from(whole("status", &value)?).ok().filter(|status| (400..=499).contains(status));
        status.map(Some).ok_or_else(|| not_a_decision("`status` must be from 400 to 499"))
    }

    fn set_headers(&mut self) -> Result<Vec<(String, String)>, EvalError> {
        const KEY: &str = "set_headers";
        let fields = match self.0.remove(KEY) {
            None => return Ok(Vec::new()),
            Some(Value::Object(fields)) => fields,
            Some(other) => return Err(mistyped(KEY, &other, "an object of strings")),
        };
        if fields.len() > HEADERS_MAX {
            return Err(not_a_decision(format!("`{KEY}` has more than {HEADERS_MAX} headers")));
        }
        let mut headers: Vec<(String, String)> = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            let name = header_name(KEY, &name)?;
            if headers.iter().any(|(present, _)| *present == name) {
                return Err(not_a_decision(format!("`{KEY}` has `{name}` twice")));
            }
            let value = header_value(&name, &value)?;
            headers.push((name, value));
        }
        Ok(headers)
    }

    fn remove_headers(&mut self) -> Result<Vec<String>, EvalError> {
        const KEY: &str = "remove_headers";
        let names = self.texts(KEY, HEADERS_MAX)?.unwrap_or_default();
        names.into_iter().map(|name| header_name(KEY, &Value::String(name))).collect()
    }

    fn must_be_empty(&self) -> Result<(), EvalError> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) if NOT_YET.contains(&key.as_str()) => {
                Err(not_a_decision(format!("`{key}` is not supported yet")))
            }
            Some(key) => Err(not_a_decision(format!("unknown key{}", shown(key)))),
        }
    }
}

/// A key that looks like one is shown; another might be anything.
fn shown(key: &str) -> String {
    let plain =
        key.len() <= SHOWN_KEY_BYTES_MAX && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if plain { format!(" `{key}`") } else { String::new() }
}

fn text(key: &str, value: Value, bytes_max: usize) -> Result<String, EvalError> {
    let Value::String(text) = value else { return Err(mistyped(key, &value, "a string")) };
    match text.len() <= bytes_max {
        true => Ok(text),
        false => Err(not_a_decision(format!("`{key}` is longer than {bytes_max} bytes"))),
    }
}

fn whole(key: &str, value: &Value) -> Result<i64, EvalError> {
    let number = value.as_number().ok_or_else(|| mistyped(key, value, "a whole number"))?;
    number.as_i64().ok_or_else(|| not_a_decision(format!("`{key}` must be a whole number in range")))
}

fn mistyped(key: &str, value: &Value, wanted: &str) -> EvalError {
    not_a_decision(format!("`{key}` must be {wanted}, it is {}", value.type_name()))
}
