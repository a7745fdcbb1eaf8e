//! The decision's form for authors and their tools.

use serde_json::{Value, json};

/// JSON Schema (draft 2020-12) of what an entrypoint may yield.
#[must_use]
pub fn decision_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://claviger.dev/schemas/decision-1.json",
        "title": "Claviger decision, version 1",
        "description": "`true` permits, `false` and undefined deny; everything that is not of this form is an error and denies.",
        "anyOf": [{ "type": "boolean" }, { "$ref": "#/$defs/decision" }],
        "$defs": {
            "decision": {
                "type": "object",
                "required": ["allow"],
                "additionalProperties": false,
                "properties": {
                    "allow": { "type": "boolean", "description": "Whether the request may leave." },
                    "reason": text("Why; shown to the caller on denial and kept in the audit.", 1024),
                    "rule": text("The author's name of the rule.", 256),
                    "credential": text("Which of the route's credentials; absent: the route's only one.", 256),
                    "scopes": {
                        "type": "array", "maxItems": 64, "items": text("A scope.", 256),
                        "description": "Scopes to ask the issuer for, at most the configured ones."
                    },
                    "audience": text("Audience to ask the issuer for.", 2048),
                    "resource": text("Resource to ask the issuer for.", 2048),
                    "ttl_s": { "type": "integer", "minimum": 1, "description": "Use the credential at most this many seconds." },
                    "set_headers": {
                        "type": "object", "maxProperties": 64,
                        "propertyNames": header_name(),
                        "additionalProperties": { "type": "string", "maxLength": 4096, "pattern": "^([!-~]([ -~]*[!-~])?)?$" },
                        "description": "Headers to set on the upstream request."
                    },
                    "remove_headers": {
                        "type": "array", "maxItems": 64, "items": header_name(),
                        "description": "Headers to remove from the upstream request."
                    },
                    "response": {
                        "type": "object", "additionalProperties": false,
                        "properties": {
                            "remove_headers": {
                                "type": "array", "maxItems": 64, "items": header_name(),
                                "description": "Headers to remove from the upstream's answer."
                            },
                            "scrub": { "type": "boolean", "description": "Take the credential out of the answer; `false` only where the route does not scrub." }
                        }
                    },
                    "status": { "type": "integer", "minimum": 400, "maximum": 499, "description": "For denials, in place of 403." },
                    "hint": text("For denials: what the caller may do about it.", 1024)
                }
            }
        }
    })
}

fn text(description: &str, bytes_max: usize) -> Value {
    json!({ "type": "string", "maxLength": bytes_max, "description": description })
}

fn header_name() -> Value {
    json!({ "type": "string", "maxLength": 256, "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" })
}
