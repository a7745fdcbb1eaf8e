//! The form of a tree, and how to read one.

use std::collections::BTreeMap;

use crate::value::Value;

/// An object of the fields that are there. Lists are there where they hold something.
pub(super) fn node<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let fields = fields.into_iter().filter_map(|(name, value)| Some((name.into(), value?)));
    Value::Object(fields.collect::<BTreeMap<Value, Value>>())
}

pub(super) fn list(elements: Vec<Value>) -> Option<Value> {
    (!elements.is_empty()).then_some(Value::Array(elements))
}

pub(super) fn text(text: impl Into<String>) -> Option<Value> {
    Some(Value::String(text.into()))
}

/// The kinds of values by the numbers that the tree has for them.
pub(super) mod literal {
    pub(in crate::builtins::graphql) const VARIABLE: i64 = 0;
    pub(in crate::builtins::graphql) const INT: i64 = 1;
    pub(in crate::builtins::graphql) const FLOAT: i64 = 2;
    pub(in crate::builtins::graphql) const STRING: i64 = 3;
    pub(in crate::builtins::graphql) const BLOCK: i64 = 4;
    pub(in crate::builtins::graphql) const BOOLEAN: i64 = 5;
    pub(in crate::builtins::graphql) const NULL: i64 = 6;
    pub(in crate::builtins::graphql) const ENUM: i64 = 7;
    pub(in crate::builtins::graphql) const LIST: i64 = 8;
    pub(in crate::builtins::graphql) const OBJECT: i64 = 9;
}

pub(super) fn field<'v>(node: &'v Value, name: &str) -> Option<&'v Value> {
    node.as_object()?.get(&Value::from(name))
}

pub(super) fn items<'v>(node: &'v Value, name: &str) -> &'v [Value] {
    field(node, name).and_then(Value::as_array).unwrap_or_default()
}

pub(super) fn string<'v>(node: &'v Value, name: &str) -> &'v str {
    field(node, name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn is_true(node: &Value, name: &str) -> bool {
    field(node, name) == Some(&Value::Boolean(true))
}

pub(super) fn named<'v>(nodes: impl IntoIterator<Item = &'v Value>, name: &str) -> Option<&'v Value> {
    nodes.into_iter().find(|node| string(node, "Name") == name)
}

/// The name at the bottom of a reference.
pub(super) fn bottom(mut reference: &Value) -> &str {
    while let Some(element) = field(reference, "Elem") {
        reference = element;
    }
    string(reference, "NamedType")
}

pub(super) fn type_of(node: &Value) -> Option<&Value> {
    field(node, "Type")
}

pub(super) fn is_null(value: &Value) -> bool {
    kind_of(value) == Some(literal::NULL)
}

/// What kind of value a literal is.
pub(super) fn kind_of(value: &Value) -> Option<i64> {
    field(value, "Kind")?.as_number()?.as_i64()
}
