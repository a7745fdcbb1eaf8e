//! GraphQL documents taken apart, as the trees that OPA gives, and judged.

mod lexer;
mod parser;
mod query;
mod rules;
mod schema;
mod shape;
mod tree;
mod validity;

use std::collections::BTreeMap;

use super::{Family, Fault, Outcome, Scope, operand};
use crate::value::Value;
use shape::Shape;

const WRONG_TYPE: Fault = Fault::Undefined("a GraphQL document is text or its tree");

pub(super) const FAMILY: Family = &[
    ("graphql.is_valid", is_valid),
    ("graphql.parse", parse),
    ("graphql.parse_and_verify", parse_and_verify),
    ("graphql.parse_query", parse_query),
    ("graphql.parse_schema", parse_schema),
    ("graphql.schema_is_valid", schema_is_valid),
];

fn parse_query(_: &mut Scope, operands: &[Value]) -> Outcome {
    query::document(operand::string(operands, 0)?)
}

fn parse_schema(_: &mut Scope, operands: &[Value]) -> Outcome {
    schema::document(operand::string(operands, 0)?)
}

fn is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    or_else(judged(operands).map(|_| true.into()), false.into())
}

fn parse(_: &mut Scope, operands: &[Value]) -> Outcome {
    let [query, schema] = judged(operands)?;
    Ok(Value::Array(vec![query, schema]))
}

fn parse_and_verify(_: &mut Scope, operands: &[Value]) -> Outcome {
    let nothing = || Value::Object(BTreeMap::new());
    let verified = judged(operands).map(|[query, schema]| Value::Array(vec![true.into(), query, schema]));
    or_else(verified, Value::Array(vec![false.into(), nothing(), nothing()]))
}

fn schema_is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    let document = document(operand::any(operands, 0)?, schema::document, shape::SCHEMA);
    let valid = document.and_then(|document| validity::schema(&document).map(|_| true.into()));
    or_else(valid, false.into())
}

/// The trees of a query and of its schema, where both are valid.
fn judged(operands: &[Value]) -> Result<[Value; 2], Fault> {
    let query = document(operand::any(operands, 0)?, query::document, shape::QUERY)?;
    let schema = document(operand::any(operands, 1)?, schema::document, shape::SCHEMA)?;
    rules::judge(&query, &validity::schema(&schema)?)?;
    Ok([query, schema])
}

/// A document is text, or a tree as `graphql.parse_query` and `graphql.parse_schema` give it.
fn document(operand: &Value, read: fn(&str) -> Outcome, shape: Shape) -> Outcome {
    match (operand.as_str(), operand.as_object()) {
        (Some(text), _) => read(text),
        (None, Some(_)) => shape::fit(operand, shape),
        (None, None) => Err(WRONG_TYPE),
    }
}

/// What cannot be read or is not valid has an answer of its own; what is too much to judge has none.
fn or_else(outcome: Outcome, otherwise: Value) -> Outcome {
    match outcome {
        Err(Fault::Undefined(_)) => Ok(otherwise),
        decided => decided,
    }
}
