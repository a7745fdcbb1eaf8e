//! A part of the file on the way to the model: its node, its path and its place.

use serde::de::DeserializeOwned;

use crate::decode::decode;
use crate::expand::join;
use crate::node::{Entry, Node, Value};
use crate::suggest::quoted;
use crate::{Finding, Findings, Location};

/// Characters of a name in the file.
const NAME_CHARS_MAX: usize = 63;

/// A part of the file.
pub(super) struct Block<'a> {
    pub(super) node: &'a Node,
    pub(super) path: String,
    /// Where its key stands.
    pub(super) key_at: Location,
}

impl<'a> Block<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self { node, path: String::new(), key_at: Location::START }
    }

    /// The part under `key`, if the key is there.
    pub(super) fn key(&self, key: &str) -> Option<Self> {
        self.node.entry(key).map(|entry| self.under(entry))
    }

    pub(super) fn under(&self, entry: &'a Entry) -> Self {
        Self { node: &entry.value, path: join(&self.path, &entry.key), key_at: entry.location }
    }

    /// Its named parts in the order of the file; names that cannot be used are told.
    pub(super) fn named(&self, findings: &mut Findings) -> Vec<(&'a str, Self)> {
        let Value::Mapping(entries) = &self.node.value else {
            if !self.node.is_told() {
                self.error("wrong_type", "expected a mapping of names", findings);
            }
            return Vec::new();
        };
        let mut parts = Vec::new();
        for entry in entries {
            let part = self.under(entry);
            if !is_name(&entry.key) {
                let rule = "a name has letters, digits, `-`, `_` and `.`, starts with a letter or a digit";
                let message = format!("{rule}, and has at most {NAME_CHARS_MAX} characters");
                findings.error("bad_name", part.path.clone(), part.key_at, message);
            }
            parts.push((entry.key.as_str(), part));
        }
        parts
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, findings: &mut Findings) -> Option<T> {
        decode(self.node, &self.path, findings)
    }

    /// An error at its value.
    pub(super) fn error(&self, code: &'static str, message: impl Into<String>, findings: &mut Findings) {
        findings.error(code, self.path.clone(), self.node.location, message);
    }

    /// A name of `known` that is meant here but written otherwise.
    pub(super) fn unknown_name(&self, what: &str, known: &[&str], findings: &mut Findings) {
        let Value::Scalar(scalar) = &self.node.value else { return };
        let message = format!("there is no {what} {}", quoted(scalar.written()));
        let near = crate::nearest(scalar.written(), known.iter().copied());
        let finding = Finding::error("unknown_name", self.path.clone(), self.node.location, message);
        findings.push(finding.suggest(near));
    }

    /// The part's items, each with the path and place of its own.
    pub(super) fn items(&self) -> Vec<Self> {
        let Value::Sequence(items) = &self.node.value else { return Vec::new() };
        let item = |(at, node): (usize, &'a Node)| {
            let path = join(&self.path, &at.to_string());
            Block { node, path, key_at: node.location }
        };
        items.iter().enumerate().map(item).collect()
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= NAME_CHARS_MAX
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
