//! What `system/log/mask` says of a decision log's event: rules that take values out of input and result, or put others in
//! their place, as OPA's decision logs obey them.
//!
//! Whatever is not such a rule is an error, and then the event must not leave. Where this differs from OPA it hides more: the
//! names in a path are percent-decoded before they are looked for, and an array may be the whole input or result.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::decision::sole_result;
use crate::error::EvalError;
use crate::value::Value;

/// No document of ours is deeper.
const KEYS_MAX: usize = 128;
/// What Go's `url.PathEscape` leaves as it is, beside letters and digits.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The rules for one event.
#[derive(Debug)]
pub struct Mask {
    rules: Vec<Rule>,
}

/// An event's documents after its mask.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Masked {
    /// The input as JSON, unless it was taken out.
    pub input: Option<String>,
    /// The result as JSON, likewise.
    pub result: Option<String>,
    /// The paths that were taken out.
    pub erased: Vec<String>,
    /// The paths that were replaced.
    pub masked: Vec<String>,
}

/// Why a mask cannot be obeyed. Holds no part of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// What the entrypoint gave is no result set with one value.
    #[error("the mask cannot be read: {0}")]
    Unreadable(#[from] EvalError),
    /// It is neither an array nor a set.
    #[error("the mask is not a list of rules")]
    NotAList,
    /// One of its rules is none.
    #[error("rule {number} of the mask: {what}")]
    NotARule {
        /// Its place, from 1.
        number: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Input or result are not JSON that can be taken apart.
    #[error("the event's documents cannot be taken apart")]
    NotADocument,
}

#[derive(Debug)]
struct Rule {
    change: Change,
    part: Part,
    keys: Vec<String>,
}

#[derive(Debug)]
enum Change {
    Remove,
    Upsert(Value),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Input,
    Result,
    /// Our events have none.
    Cache,
}

impl Mask {
    /// Reads OPA's result set; undefined is a mask without rules.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(result_set: &[u8]) -> Result<Mask, MaskError> {
        let rules = match sole_result(result_set)? {
            None => Vec::new(),
            Some(Value::Array(rules)) => rules,
            Some(_) => return Err(MaskError::NotAList),
        };
        let rule =
            |(index, rule)| Rule::read(rule).map_err(|what| MaskError::NotARule { number: index + 1, what });
        Ok(Mask { rules: rules.into_iter().enumerate().map(rule).collect::<Result<_, _>>()? })
    }

    /// Obeys every rule, in order. What no rule is about stays as it is written.
    ///
    /// # Errors
    /// [`MaskError::NotADocument`]
    pub fn apply(self, input: Option<&str>, result: Option<&str>) -> Result<Masked, MaskError> {
        let touches = |part: Part| self.rules.iter().any(|rule| rule.part == part);
        let mut input = Document::open(input, touches(Part::Input))?;
        let mut result = Document::open(result, touches(Part::Result))?;
        let mut masked = Masked::default();
        for rule in self.rules {
            let document = match rule.part {
                Part::Input => &mut input,
                Part::Result => &mut result,
                Part::Cache => continue,
            };
            document.change(rule, &mut masked);
        }
        Ok(Masked { input: input.text(), result: result.text(), ..masked })
    }
}

impl Rule {
    fn read(rule: Value) -> Result<Rule, &'static str> {
        match rule {
            Value::String(path) => Rule::new(&path, Change::Remove),
            Value::Object(mut fields) => {
                let mut take = |key: &str| fields.remove(&Value::from(key));
                let (op, path, value) = (take("op"), take("path"), take("value"));
                let change = match op.as_ref().and_then(Value::as_str) {
                    Some("remove") => Change::Remove,
                    Some("upsert") => Change::Upsert(value.unwrap_or(Value::Null)),
                    Some(_) | None => return Err("its `op` is neither remove nor upsert"),
                };
                Rule::new(path.as_ref().and_then(Value::as_str).unwrap_or_default(), change)
            }
            Value::Null | Value::Boolean(_) | Value::Number(_) | Value::Array(_) | Value::Set(_) => {
                Err("it is neither a path nor an object")
            }
        }
    }

    fn new(path: &str, change: Change) -> Result<Rule, &'static str> {
        let rest = path.strip_prefix('/').ok_or("its path does not begin with a slash")?;
        let mut keys = rest.split('/');
        let part = match keys.next() {
            Some("input") => Part::Input,
            Some("result") => Part::Result,
            Some("nd_builtin_cache") => Part::Cache,
            Some(_) | None => return Err("its path begins with neither input, result nor nd_builtin_cache"),
        };
        let keys = keys.map(decoded).collect::<Option<Vec<_>>>().ok_or("its path is not well escaped")?;
        if keys.len() > KEYS_MAX {
            return Err("its path is too deep");
        }
        Ok(Rule { change, part, keys })
    }

    /// The path as the event tells it.
    fn path(&self) -> String {
        let part = match self.part {
            Part::Input => "/input",
            Part::Result => "/result",
            Part::Cache => "/nd_builtin_cache",
        };
        self.keys
            .iter()
            .fold(part.to_owned(), |path, key| format!("{path}/{}", utf8_percent_encode(key, ESCAPED)))
    }
}

fn decoded(key: &str) -> Option<String> {
    let mut escapes = key.split('%').skip(1);
    let sound = escapes.all(|rest| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2);
    let text = percent_decode_str(key).decode_utf8().ok().filter(|_| sound);
    text.map(std::borrow::Cow::into_owned)
}

/// One of an event's documents.
enum Document<'a> {
    /// No rule is about it.
    Closed(Option<&'a str>),
    Open(Option<Value>),
}

impl<'a> Document<'a> {
    fn open(text: Option<&'a str>, touched: bool) -> Result<Document<'a>, MaskError> {
        match text {
            Some(text) if touched => Value::parse(text)
                .map(|value| Document::Open(Some(value)))
                .map_err(|_| MaskError::NotADocument),
            text => Ok(Document::Closed(text)),
        }
    }

    /// A path that leads nowhere changes nothing, as in OPA.
    fn change(&mut self, rule: Rule, told: &mut Masked) {
        let Document::Open(Some(value)) = self else { return };
        let path = rule.path();
        let changed = match (rule.change, rule.keys.as_slice()) {
            (Change::Remove, []) => {
                *self = Document::Open(None);
                Some(&mut told.erased)
            }
            (Change::Remove, keys) => remove(value, keys).then_some(&mut told.erased),
            (Change::Upsert(new), []) => {
                *value = new;
                Some(&mut told.masked)
            }
            (Change::Upsert(new), keys) => upsert(value, keys, new).then_some(&mut told.masked),
        };
        changed.into_iter().for_each(|paths| paths.push(path.clone()));
    }

    fn text(self) -> Option<String> {
        match self {
            Document::Closed(text) => text.map(str::to_owned),
            Document::Open(value) => value.map(|value| value.to_string()),
        }
    }
}

/// Whether there was something to take out.
fn remove(node: &mut Value, keys: &[String]) -> bool {
    let Some((key, rest)) = keys.split_first() else { return false };
    match (node, rest) {
        (Value::Object(fields), []) => fields.remove(&Value::from(key.as_str())).is_some(),
        (Value::Object(fields), rest) => {
            fields.get_mut(&Value::from(key.as_str())).is_some_and(|child| remove(child, rest))
        }
        (Value::Array(elements), []) => {
            let index = index(key).filter(|index| *index < elements.len());
            index.map(|index| elements.remove(index)).is_some()
        }
        (Value::Array(elements), rest) => child(elements, key).is_some_and(|child| remove(child, rest)),
        _ => false,
    }
}

/// Whether there was a place for it; objects on the way are made.
fn upsert(node: &mut Value, keys: &[String], new: Value) -> bool {
    let Some((key, rest)) = keys.split_first() else {
        *node = new;
        return true;
    };
    match node {
        Value::Object(fields) => {
            let empty = || Value::Object(Default::default());
            upsert(fields.entry(Value::from(key.as_str())).or_insert_with(empty), rest, new)
        }
        Value::Array(elements) => child(elements, key).is_some_and(|child| upsert(child, rest, new)),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) | Value::Set(_) => false,
    }
}

fn child<'a>(elements: &'a mut [Value], key: &str) -> Option<&'a mut Value> {
    elements.get_mut(index(key)?)
}

fn index(key: &str) -> Option<usize> {
    key.parse().ok()
}

#[cfg(test)]
mod tests;
