//! Settings structs from nodes, with every error of a block in one go although serde stops at the first.
//!
//! The block is decoded; what is wrong is told and rejected in a copy of it; then it is decoded again with a
//! made-up value in that place, until it decodes. Only a block without any error yields its value.

mod decoder;
mod error;
mod stand_in;

#[cfg(test)]
mod tests;

use serde::de::DeserializeOwned;

use crate::expand::join;
use crate::node::{Entry, Node, Value};
use crate::suggest::nearest;
use crate::{Finding, Findings};
use decoder::Decoder;
use error::{Cause, Error, Step};

/// Times that one block is decoded: once more for each error, and for each made-up value that does not fit.
const ATTEMPTS_MAX: usize = 400;

/// Decodes the block at `path`; what is wrong with it goes to `findings`, and then there is no value.
///
/// Plain `#[derive(Deserialize)]` structs will do. Unknown keys are errors whatever the struct says, and a key
/// without a value is an error also where the key is optional. Messages of own `Deserialize` impls must not
/// repeat the value, which may be a secret.
pub fn decode<T: DeserializeOwned>(node: &Node, path: &str, findings: &mut Findings) -> Option<T> {
    let mut block = node.clone();
    let mut whole = !block.holds_told();
    for _ in 0..ATTEMPTS_MAX {
        if block.is_told() {
            return None;
        }
        match T::deserialize(Decoder::new(&block)) {
            Ok(value) => return whole.then_some(value),
            Err(error) => settle(error.within(&block), &mut block, path, findings),
        }
        whole = false;
    }
    None
}

/// Tells of the error, and changes the block so that the next attempt gets beyond it.
fn settle(error: Error, block: &mut Node, path: &str, findings: &mut Findings) {
    let Some(culprit) = descend(block, &error.trail) else { return block.reject() };
    let path = error.trail.iter().rev().fold(path.to_owned(), |path, step| join(&path, &step.to_string()));
    let location = error.location.unwrap_or(culprit.location);
    match error.cause {
        Cause::Wrong { code, message, suggestion } => {
            findings.push(Finding::error(code, path, location, message).suggest(suggestion.as_deref()));
            culprit.reject();
        }
        Cause::Missing(key) => settle_missing(key, culprit, &path, findings),
        Cause::StandInFailed => retry_stand_in(culprit),
    }
}

fn settle_missing(key: &'static str, block: &mut Node, path: &str, findings: &mut Findings) {
    let location = block.location;
    match &mut block.value {
        Value::Mapping(entries) if entries.iter().all(|entry| entry.key != key) => {
            let misspelt = |entry: &Entry| entry.value.is_told() && nearest(&entry.key, [key]).is_some();
            if !entries.iter().any(misspelt) {
                findings.error("missing_key", join(path, key), location, format!("`{key}` is missing here"));
            }
            let value = Node { location, value: Value::Rejected { attempt: 0 } };
            entries.push(Entry { key: key.to_owned(), location, value });
        }
        // It was dropped because nothing could stand in for it: the block can be judged no further.
        Value::Mapping(_)
        | Value::Scalar(_)
        | Value::Sequence(_)
        | Value::Rejected { .. }
        | Value::Dropped => block.value = Value::Dropped,
    }
}

fn retry_stand_in(culprit: &mut Node) {
    culprit.value = match &culprit.value {
        Value::Rejected { attempt } if attempt + 1 < stand_in::TEXTS.len() => {
            Value::Rejected { attempt: attempt + 1 }
        }
        Value::Rejected { .. } => Value::Dropped,
        // Something within it could not be made up.
        Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) | Value::Dropped => {
            Value::Rejected { attempt: 0 }
        }
    };
}

/// The node that the steps lead to; they were noted from the inside out.
fn descend<'a>(block: &'a mut Node, trail: &[Step]) -> Option<&'a mut Node> {
    let Some((step, inner)) = trail.split_last() else { return Some(block) };
    let next = match (step, &mut block.value) {
        (Step::Index(at), Value::Sequence(items)) => items.get_mut(*at),
        (Step::Key(key), Value::Mapping(entries)) => {
            entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.value)
        }
        (Step::Index(_) | Step::Key(_), _) => None,
    };
    next.and_then(|next| descend(next, inner))
}
