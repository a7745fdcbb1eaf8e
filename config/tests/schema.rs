//! The schema is one document that refers to nothing outside itself.

use claviger_config::{SecretRef, schema};
use schemars::{JsonSchema, schema_for};
use serde_json::Value;

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
struct Settings {
    /// What logs in.
    auth: Option<Auth>,
    secret: SecretRef,
}

#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is looked at")]
enum Auth {
    Basic,
    Nested(Box<Auth>),
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(reference)) = object.get("$ref") {
                found.push(reference.clone());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::String(text) => assert_ne!(text, "null", "no setting may be null"),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_reference_is_defined() {
    let settings = schema_for!(Settings);
    let schema =
        schema(&[("vault", settings.clone()), ("static", settings.clone())], &[("bearer", settings)], &[]);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let mut found = Vec::new();
    references(&schema, &mut found);
    for reference in &found {
        let pointer = reference.strip_prefix('#').expect("a reference into the same document");
        assert!(schema.pointer(pointer).is_some(), "{reference}");
    }
    assert!(found.contains(&"#/$defs/Source.vault.Auth".to_owned()), "{found:?}");
    assert!(found.contains(&"#/$defs/Injection.bearer.Auth".to_owned()), "{found:?}");
}

#[test]
fn a_credential_has_one_of_the_kinds() {
    let schema = schema(&[("vault", schema_for!(Settings))], &[], &[]);
    let kind = &schema["$defs"]["Source"]["oneOf"][0];
    assert_eq!(kind["required"], serde_json::json!(["vault"]));
    assert_eq!(kind["properties"]["vault"]["properties"]["auth"]["description"], "What logs in.");
    assert_eq!(schema["properties"]["credentials"]["additionalProperties"]["$ref"], "#/$defs/Credential");
}
