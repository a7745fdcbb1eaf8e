//! The JSON Schema of a configuration file, draft 2020-12.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use crate::raw;

/// The schema of the whole file; each kind comes with the schema of its settings.
pub fn schema(
    sources: &[(&str, Schema)],
    injections: &[(&str, Schema)],
    endpoint_auths: &[(&str, Schema)],
) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = generator.into_root_schema_for::<raw::File>();
    let definitions = root.ensure_object().entry("$defs").or_insert_with(|| json!({}));
    if let Value::Object(definitions) = definitions {
        add_kinds(&raw::Source::schema_name(), sources, definitions);
        add_kinds(&raw::Injection::schema_name(), injections, definitions);
        add_kinds(&raw::EndpointAuth::schema_name(), endpoint_auths, definitions);
    }
    let mut schema = root.to_value();
    refuse_null(&mut schema);
    schema
}

/// Defines `sort` as a mapping with one key, which is one of the kinds.
fn add_kinds(sort: &str, kinds: &[(&str, Schema)], definitions: &mut Map<String, Value>) {
    let alternatives: Vec<Value> = kinds
        .iter()
        .map(|(kind, schema)| {
            let settings = hoist(schema, &format!("{sort}.{kind}"), definitions);
            json!({
                "type": "object",
                "properties": { *kind: settings },
                "required": [kind],
                "additionalProperties": false,
            })
        })
        .collect();
    definitions.insert(sort.to_owned(), json!({ "oneOf": alternatives }));
}

/// The schema of a kind's settings with its own definitions moved to the root, under names of the kind's own.
fn hoist(schema: &Schema, prefix: &str, definitions: &mut Map<String, Value>) -> Value {
    let mut settings = schema.clone().to_value();
    rename_references(&mut settings, prefix);
    let Value::Object(object) = &mut settings else { return settings };
    object.remove("$schema");
    if let Some(Value::Object(own)) = object.remove("$defs") {
        definitions.extend(own.into_iter().map(|(name, schema)| (format!("{prefix}.{name}"), schema)));
    }
    settings
}

fn rename_references(value: &mut Value, prefix: &str) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get_mut("$ref") {
                *reference = reference.replacen("#/$defs/", &format!("#/$defs/{prefix}."), 1);
            }
            object.values_mut().for_each(|value| rename_references(value, prefix));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename_references(item, prefix)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An optional setting is left out, never null: a key without a value is an error.
fn refuse_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| *choice != json!({ "type": "null" }));
            }
            object.values_mut().for_each(refuse_null);
        }
        Value::Array(items) => items.iter_mut().for_each(refuse_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
