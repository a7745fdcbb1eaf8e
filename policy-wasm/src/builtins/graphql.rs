//! GraphQL documents taken apart, as the trees that OPA gives, and schemas judged.

mod lexer;
mod parser;
mod query;
mod schema;
mod validity;

use super::{Family, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
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

/// A schema is text, or a tree as `graphql.parse_schema` gives it.
fn schema_is_valid(_: &mut Scope, operands: &[Value]) -> Outcome {
    let schema = operand::any(operands, 0)?;
    let valid = match (schema.as_str(), schema.as_object()) {
        (Some(text), _) => schema::document(text).is_ok_and(|document| validity::is_valid(&document)),
        (None, Some(_)) => validity::is_valid(schema),
        (None, None) => false,
    };
    Ok(valid.into())
}
