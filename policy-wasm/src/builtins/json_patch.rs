//! RFC 6902 on OPA's values, in which objects may have any keys and there are sets.

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("json.patch", patch)];

const DEPTH_MAX: usize = 128;
const NODES_MAX: usize = 128 * 1024;
/// So much text counts as one node more.
const TEXT_BYTES: usize = 128;
const NO_PLACE: Fault = Fault::Undefined("a path leads nowhere");
const NO_FIELD: Fault = Fault::Undefined("an operation lacks a field");

fn patch(_: &mut Scope, operands: &[Value]) -> Outcome {
    let mut root = Some(operand::any(operands, 0)?.clone());
    let mut nodes = nodes_of(operand::any(operands, 0)?);
    for operation in operand::array(operands, 1)? {
        let field = |name: &str| operation.as_object().and_then(|fields| fields.get(&Value::from(name)));
        let value = || field("value").cloned().ok_or(NO_FIELD);
        let path = path(field("path").ok_or(NO_FIELD)?)?;
        let from = |root: &Option<Value>| {
            let from = self::path(field("from").ok_or(NO_FIELD)?)?;
            Ok((find(root.as_ref(), &from)?.clone(), from))
        };
        match operand::as_string(field("op").ok_or(NO_FIELD)?)? {
            "add" => insert(&mut root, &path, value()?)?,
            "remove" => remove(&mut root, &path)?,
            "replace" => {
                remove(&mut root, &path)?;
                insert(&mut root, &path, value()?)?;
            }
            "move" => {
                let (moved, from) = from(&root)?;
                remove(&mut root, &from)?;
                insert(&mut root, &path, moved)?;
            }
            "copy" => {
                let (copied, _) = from(&root)?;
                // copies of copies double with each operation
                nodes += nodes_of(&copied);
                if nodes > NODES_MAX {
                    return Err(Fault::Halt("the patched document is too large"));
                }
                insert(&mut root, &path, copied)?;
            }
            "test" if *find(root.as_ref(), &path)? == value()? => {}
            "test" => return Err(Fault::Undefined("a tested value is another one")),
            _ => return Err(Fault::Undefined("an operation is not known")),
        }
    }
    root.ok_or(NO_PLACE)
}

fn nodes_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Boolean(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / TEXT_BYTES,
        Value::Array(elements) => 1 + elements.iter().map(nodes_of).sum::<usize>(),
        Value::Set(members) => 1 + members.iter().map(nodes_of).sum::<usize>(),
        Value::Object(fields) => {
            1 + fields.iter().map(|(key, value)| nodes_of(key) + nodes_of(value)).sum::<usize>()
        }
    }
}

/// A JSON pointer, whose leading slashes do not matter, or an array of keys.
pub(super) fn path(value: &Value) -> Result<Vec<Value>, Fault> {
    match (value.as_str(), value.as_array()) {
        (Some(""), _) => Ok(Vec::new()),
        (Some(pointer), _) => Ok(pointer
            .trim_start_matches('/')
            .split('/')
            .map(|part| part.replace("~1", "/").replace("~0", "~").into())
            .collect()),
        (None, Some(keys)) => Ok(keys.to_vec()),
        (None, None) => Err(Fault::Undefined("a path is neither a string nor an array")),
    }
}

fn find<'v>(root: Option<&'v Value>, path: &[Value]) -> Result<&'v Value, Fault> {
    path.iter().try_fold(root.ok_or(NO_PLACE)?, |value, key| match value {
        Value::Object(fields) => fields.get(key).ok_or(NO_PLACE),
        Value::Array(elements) => elements.get(place(key, elements.len())?).ok_or(NO_PLACE),
        Value::Set(members) => members.get(key).ok_or(NO_PLACE),
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) => Err(NO_PLACE),
    })
}

fn insert(root: &mut Option<Value>, path: &[Value], value: Value) -> Result<(), Fault> {
    if path.is_empty() {
        *root = Some(value);
        return Ok(());
    }
    change(root.as_mut().ok_or(NO_PLACE)?, path, &mut |node, key| match node {
        Value::Object(fields) => {
            fields.insert(key.clone(), value.clone());
            Ok(())
        }
        Value::Array(elements) => {
            let at = place(key, elements.len())?;
            if at > elements.len() {
                return Err(NO_PLACE);
            }
            elements.insert(at, value.clone());
            Ok(())
        }
        Value::Set(members) if *key == value => {
            members.insert(value.clone());
            Ok(())
        }
        Value::Set(_) | Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) => {
            Err(NO_PLACE)
        }
    })
}

fn remove(root: &mut Option<Value>, path: &[Value]) -> Result<(), Fault> {
    if path.is_empty() {
        return root.take().map(drop).ok_or(NO_PLACE);
    }
    change(root.as_mut().ok_or(NO_PLACE)?, path, &mut |node, key| match node {
        Value::Object(fields) => fields.remove(key).map(drop).ok_or(NO_PLACE),
        Value::Array(elements) => {
            let at = place(key, elements.len())?;
            if at >= elements.len() {
                return Err(NO_PLACE);
            }
            elements.remove(at);
            Ok(())
        }
        Value::Set(members) => {
            if members.remove(key) {
                Ok(())
            } else {
                Err(NO_PLACE)
            }
        }
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) => Err(NO_PLACE),
    })
}

/// What is done at a place: the collection and the key in it.
type Change<'c> = dyn FnMut(&mut Value, &Value) -> Result<(), Fault> + 'c;

/// Does it where the path, which is not empty, ends.
fn change(node: &mut Value, path: &[Value], done: &mut Change<'_>) -> Result<(), Fault> {
    let Some((key, rest)) = path.split_first() else { return Err(NO_PLACE) };
    if rest.is_empty() {
        return done(node, key);
    }
    if rest.len() > DEPTH_MAX {
        return Err(NO_PLACE);
    }
    match node {
        Value::Object(fields) => change(fields.get_mut(key).ok_or(NO_PLACE)?, rest, done),
        Value::Array(elements) => {
            let at = place(key, elements.len())?;
            change(elements.get_mut(at).ok_or(NO_PLACE)?, rest, done)
        }
        Value::Set(members) => {
            let mut member = members.take(key).ok_or(NO_PLACE)?;
            change(&mut member, rest, done)?;
            members.insert(member);
            Ok(())
        }
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) => Err(NO_PLACE),
    }
}

/// The index that a key stands for; `-` is behind the last element.
fn place(key: &Value, length: usize) -> Result<usize, Fault> {
    const NO_INDEX: Fault = Fault::Undefined("a key is no index");
    if let Some(number) = key.as_number() {
        return number.as_i64().and_then(|index| usize::try_from(index).ok()).ok_or(NO_INDEX);
    }
    match key.as_str().ok_or(NO_INDEX)? {
        "-" => Ok(length),
        text if text != "0" && text.starts_with('0') => Err(NO_INDEX),
        text => text.parse().map_err(|_| NO_INDEX),
    }
}
