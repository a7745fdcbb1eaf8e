//! The input's form for authors and their tools, in that part of JSON Schema which `opa check --schema` follows.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Input;

/// JSON Schema (draft 2020-12) of [`Input`].
#[must_use]
pub fn input_schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Input<'_>>();
    schema.insert("$id".to_owned(), "https://claviger.dev/schemas/input-1.json".into());
    schema.insert("title".to_owned(), "Claviger policy input, version 1".into());
    let mut schema = schema.to_value();
    refuse_null(&mut schema);
    schema
}

/// What is optional is absent where it is not there, and never null; and where null may stand, OPA takes every
/// misspelt reference for a right one.
fn refuse_null(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Array(types)) = fields.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    fields.insert("type".to_owned(), only);
                }
            }
            let referred = fields.get("anyOf").and_then(without_null);
            if let Some(referred) = referred {
                fields.remove("anyOf");
                fields.insert("$ref".to_owned(), referred);
            }
            fields.values_mut().for_each(refuse_null);
        }
        Value::Array(elements) => elements.iter_mut().for_each(refuse_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The reference in `[{"$ref": …}, {"type": "null"}]`.
fn without_null(choices: &Value) -> Option<Value> {
    let choices: Vec<&Value> = choices.as_array()?.iter().filter(|choice| choice["type"] != "null").collect();
    match choices.as_slice() {
        [only] => only.get("$ref").cloned(),
        _ => None,
    }
}
