//! Trees that a policy brings instead of text: what is in them is kept where the tree has a place for it, and what is
//! missing gets the value that the parser would have given it.

use super::tree::{field, list};
use crate::builtins::{Fault, Outcome};
use crate::value::{Number, Value};

const MALFORMED: Fault = Fault::Undefined("the GraphQL tree has a part of the wrong type");

/// What a kind of node has, and under which names.
pub(super) type Shape = &'static [(&'static str, Part)];

/// What a field of a node holds.
pub(super) enum Part {
    Text,
    Flag,
    Number,
    Texts,
    Node(&'static Shape),
    Nodes(&'static Shape),
}

/// A query document.
pub(super) static QUERY: Shape =
    &[("Operations", Part::Nodes(&OPERATION)), ("Fragments", Part::Nodes(&FRAGMENT))];

static OPERATION: Shape = &[
    ("Operation", Part::Text),
    ("Name", Part::Text),
    ("VariableDefinitions", Part::Nodes(&VARIABLE)),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("SelectionSet", Part::Nodes(&FIELD)),
];

static FRAGMENT: Shape = &[
    ("Name", Part::Text),
    ("VariableDefinition", Part::Nodes(&VARIABLE)),
    ("TypeCondition", Part::Text),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("SelectionSet", Part::Nodes(&FIELD)),
];

static VARIABLE: Shape = &[
    ("Variable", Part::Text),
    ("Type", Part::Node(&REFERENCE)),
    ("DefaultValue", Part::Node(&VALUE)),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("Comment", Part::Node(&COMMENTS)),
    ("Used", Part::Flag),
];

/// Every selection in a tree is a field for OPA, whatever it was in the text.
static FIELD: Shape = &[
    ("Alias", Part::Text),
    ("Name", Part::Text),
    ("Arguments", Part::Nodes(&ARGUMENT)),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("SelectionSet", Part::Nodes(&FIELD)),
];

static ARGUMENT: Shape =
    &[("Name", Part::Text), ("Value", Part::Node(&VALUE)), ("Comment", Part::Node(&COMMENTS))];

static DIRECTIVE: Shape =
    &[("Name", Part::Text), ("Arguments", Part::Nodes(&ARGUMENT)), ("Location", Part::Text)];

static VALUE: Shape = &[
    ("Raw", Part::Text),
    ("Children", Part::Nodes(&ARGUMENT)),
    ("Kind", Part::Number),
    ("Comment", Part::Node(&COMMENTS)),
    ("ExpectedTypeHasDefault", Part::Flag),
];

static REFERENCE: Shape =
    &[("NamedType", Part::Text), ("Elem", Part::Node(&REFERENCE)), ("NonNull", Part::Flag)];

static COMMENTS: Shape = &[("List", Part::Nodes(&COMMENT))];

static COMMENT: Shape = &[("Value", Part::Text)];

/// A schema document.
pub(super) static SCHEMA: Shape = &[
    ("Schema", Part::Nodes(&ROOT)),
    ("SchemaExtension", Part::Nodes(&ROOT)),
    ("Directives", Part::Nodes(&DIRECTIVE_DEFINITION)),
    ("Definitions", Part::Nodes(&DEFINITION)),
    ("Extensions", Part::Nodes(&DEFINITION)),
    ("Comment", Part::Node(&COMMENTS)),
];

static ROOT: Shape = &[
    ("Description", Part::Text),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("OperationTypes", Part::Nodes(&OPERATION_TYPE)),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
    ("EndOfDefinitionComment", Part::Node(&COMMENTS)),
];

static OPERATION_TYPE: Shape =
    &[("Operation", Part::Text), ("Type", Part::Text), ("Comment", Part::Node(&COMMENTS))];

static DEFINITION: Shape = &[
    ("Kind", Part::Text),
    ("Description", Part::Text),
    ("Name", Part::Text),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("Interfaces", Part::Texts),
    ("Fields", Part::Nodes(&FIELD_DEFINITION)),
    ("Types", Part::Texts),
    ("EnumValues", Part::Nodes(&ENUM_VALUE)),
    ("BuiltIn", Part::Flag),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
    ("EndOfDefinitionComment", Part::Node(&COMMENTS)),
];

static FIELD_DEFINITION: Shape = &[
    ("Description", Part::Text),
    ("Name", Part::Text),
    ("Arguments", Part::Nodes(&ARGUMENT_DEFINITION)),
    ("DefaultValue", Part::Node(&VALUE)),
    ("Type", Part::Node(&REFERENCE)),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
];

static ARGUMENT_DEFINITION: Shape = &[
    ("Description", Part::Text),
    ("Name", Part::Text),
    ("DefaultValue", Part::Node(&VALUE)),
    ("Type", Part::Node(&REFERENCE)),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
];

static ENUM_VALUE: Shape = &[
    ("Description", Part::Text),
    ("Name", Part::Text),
    ("Directives", Part::Nodes(&DIRECTIVE)),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
];

static DIRECTIVE_DEFINITION: Shape = &[
    ("Description", Part::Text),
    ("Name", Part::Text),
    ("Arguments", Part::Nodes(&ARGUMENT_DEFINITION)),
    ("Locations", Part::Texts),
    ("IsRepeatable", Part::Flag),
    ("BeforeDescriptionComment", Part::Node(&COMMENTS)),
    ("AfterDescriptionComment", Part::Node(&COMMENTS)),
];

/// The tree of this shape. It is no deeper than values are that come out of a module.
pub(super) fn fit(value: &Value, shape: Shape) -> Outcome {
    if value.as_object().is_none() {
        return Err(MALFORMED);
    }
    let mut fields = Vec::with_capacity(shape.len());
    for (name, part) in shape {
        let given = field(value, name).filter(|given| **given != Value::Null);
        if let Some(fitted) = fit_part(given, part)? {
            fields.push(((*name).into(), fitted));
        }
    }
    Ok(Value::Object(fields.into_iter().collect()))
}

/// Text, flags and numbers are always there; lists and nodes only where they hold something.
fn fit_part(given: Option<&Value>, part: &Part) -> Result<Option<Value>, Fault> {
    let Some(given) = given else {
        return Ok(match part {
            Part::Text => Some("".into()),
            Part::Flag => Some(false.into()),
            Part::Number => Some(0.into()),
            Part::Texts | Part::Node(_) | Part::Nodes(_) => None,
        });
    };
    match (part, given) {
        (Part::Text, Value::String(_)) | (Part::Flag, Value::Boolean(_)) => Ok(Some(given.clone())),
        (Part::Number, Value::Number(number)) if is_kind(number) => Ok(Some(given.clone())),
        (Part::Node(shape), Value::Object(_)) => {
            let node = fit(given, shape)?;
            Ok(node.as_object().is_some_and(|fields| !fields.is_empty()).then_some(node))
        }
        (Part::Nodes(shape), Value::Array(nodes)) => {
            nodes.iter().map(|node| fit(node, shape)).collect::<Result<_, _>>().map(list)
        }
        (Part::Texts, Value::Array(texts)) if texts.iter().all(|text| text.as_str().is_some()) => {
            Ok(list(texts.clone()))
        }
        _ => Err(MALFORMED),
    }
}

/// The only number in a tree says what kind of value a literal is.
fn is_kind(number: &Number) -> bool {
    number.as_i64().is_some_and(|kind| (0..=9).contains(&kind))
}
