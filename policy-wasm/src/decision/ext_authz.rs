//! The result object of OPA's Envoy plugin, read as strictly as a decision of our own.
//!
//! Where the plugin passes over what it does not know, this is an error: a key that is misspelt there is an obligation
//! that nobody keeps.

use std::collections::BTreeMap;

use super::fields::{Fields, NAME_BYTES_MAX, bounded, headers, list, mistyped, text};
use super::reader::TEXT_BYTES_MAX;
use super::{AnswerChanges, Decision, Denial, Permission, QueryChanges, not_a_decision};
use crate::error::EvalError;
use crate::value::Value;

const BODY_BYTES_MAX: usize = 16 * 1024;
const PARAMETERS_MAX: usize = 64;
const PARAMETER_BYTES_MAX: usize = 4096;

pub(super) fn read(fields: BTreeMap<Value, Value>) -> Result<Decision, EvalError> {
    let mut fields = Fields::of(fields)?;
    let allowed = fields.verdict("allowed")?;
    let headers = headers_of(&mut fields, "headers")?;
    let body = fields.text("body", BODY_BYTES_MAX)?;
    let status = fields.whole("http_status")?;
    let remove_headers = fields.header_names("request_headers_to_remove")?;
    let answer = AnswerChanges {
        set_headers: headers_of(&mut fields, "response_headers_to_add")?,
        ..AnswerChanges::default()
    };
    let query = query_changes(&mut fields)?;
    pass_over_metadata(&mut fields)?;
    fields.must_be_empty(&[])?;
    Ok(match allowed {
        true => Decision::Permit(Permission {
            set_headers: headers,
            remove_headers,
            query,
            answer,
            ..Permission::plain()
        }),
        false => Decision::Deny(Denial {
            reason: body.as_deref().map(beginning),
            status: status.map(denial_status).transpose()?,
            headers,
            body,
            ..Denial::SILENT
        }),
    })
}

/// Envoy would answer a denial with 200 as well; a workload would take that for its upstream's word.
fn denial_status(status: i64) -> Result<u16, EvalError> {
    let status = u16::try_from(status).ok().filter(|status| (300..=599).contains(status));
    status.ok_or_else(|| not_a_decision("`http_status` of a denial must be from 300 to 599"))
}

/// `{name: text}`, `{name: [text, …]}`, or an array of such objects.
fn headers_of(fields: &mut Fields, key: &str) -> Result<Vec<(String, String)>, EvalError> {
    let objects = match fields.take(key) {
        None => return Ok(Vec::new()),
        Some(one @ Value::Object(_)) => vec![one],
        Some(several) => list(key, several, "an object or an array of objects")?,
    };
    let mut pairs = Vec::new();
    for object in objects {
        pairs.extend(pairs_of(key, object)?);
    }
    headers(key, pairs)
}

fn query_changes(fields: &mut Fields) -> Result<QueryChanges, EvalError> {
    const SET: &str = "query_parameters_to_set";
    let pairs = fields.take(SET).map_or(Ok(Vec::new()), |object| pairs_of(SET, object))?;
    bounded(SET, pairs.len(), PARAMETERS_MAX)?;
    let parameter =
        |(name, value)| Ok((text(SET, name, NAME_BYTES_MAX)?, text(SET, value, PARAMETER_BYTES_MAX)?));
    Ok(QueryChanges {
        set: pairs.into_iter().map(parameter).collect::<Result<_, _>>()?,
        remove: fields.texts("query_parameters_to_remove", PARAMETERS_MAX)?.unwrap_or_default(),
    })
}

/// Each value with its name, in order.
fn pairs_of(key: &str, object: Value) -> Result<Vec<(Value, Value)>, EvalError> {
    let Value::Object(fields) = object else { return Err(mistyped(key, &object, "an object")) };
    let mut pairs = Vec::with_capacity(fields.len());
    for (name, value) in fields {
        match value {
            Value::Array(values) => pairs.extend(values.into_iter().map(|value| (name.clone(), value))),
            Value::Set(values) => pairs.extend(values.into_iter().map(|value| (name.clone(), value))),
            one @ (Value::Null
            | Value::Boolean(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => pairs.push((name, one)),
        }
    }
    Ok(pairs)
}

/// Metadata is for Envoy's later filters, and here is none.
fn pass_over_metadata(fields: &mut Fields) -> Result<(), EvalError> {
    const KEY: &str = "dynamic_metadata";
    match fields.take(KEY) {
        None | Some(Value::Object(_)) => Ok(()),
        Some(other) => Err(mistyped(KEY, &other, "an object")),
    }
}

/// As much of the body as a record holds.
fn beginning(body: &str) -> String {
    body[..body.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests;
