//! The documented form of a line, for those who read the audit with other tools.

use serde_json::{Value, json};

/// The JSON Schema, draft 2020-12, of a line of the audit, version 1.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://claviger.dev/schemas/audit-v1.json",
        "title": "Audit event",
        "description": "One line: how a request was decided and carried, or what happened to a lease.",
        "type": "object",
        "properties": {
            "v": { "const": 1 },
            "seq": { "type": "integer", "minimum": 1, "description": "One more than in the line before." },
            "time": { "type": "string", "format": "date-time" },
            "prev": { "$ref": "#/$defs/hash", "description": "The hash of the line before; zeros in the first." },
            "hash": { "$ref": "#/$defs/hash", "description": "SHA-256 of the line's bytes before `,\"hash\":`." }
        },
        "required": ["v", "seq", "time", "prev", "hash"],
        "oneOf": [{ "$ref": "#/$defs/request" }, { "$ref": "#/$defs/lease" }, { "$ref": "#/$defs/recovered" }],
        "unevaluatedProperties": false,
        "$defs": {
            "hash": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
            "count": { "type": "integer", "minimum": 0 },
            "request": request(),
            "lease": lease(),
            "recovered": {
                "description": "A start mended what a crash had left.",
                "properties": {
                    "event": { "const": "recovered" },
                    "torn_bytes": { "$ref": "#/$defs/count" },
                    "slots_unreadable": { "$ref": "#/$defs/count" }
                },
                "required": ["event", "torn_bytes", "slots_unreadable"]
            }
        }
    })
}

fn request() -> Value {
    json!({
        "description": "A request, allowed or not.",
        "properties": {
            "id": { "type": "string" },
            "listener": { "type": "string" },
            "workload": { "type": "object", "description": "The verified facts of the caller." },
            "task": { "type": "string" },
            "request": asked(),
            "decision": decided(),
            "credential": credential(json!(["object", "null"])),
            "upstream": {
                "type": ["object", "null"],
                "properties": { "address": { "type": "string" }, "status": { "type": "integer" } },
                "additionalProperties": false
            },
            "refusal": { "type": ["string", "null"], "description": "The code of our refusal." },
            "interrupted": { "const": true, "description": "Nobody saw its end: what follows the decision is not known." },
            "bytes_in": { "$ref": "#/$defs/count" },
            "bytes_out": { "$ref": "#/$defs/count" },
            "duration_us": { "$ref": "#/$defs/count" }
        },
        "required": ["id", "listener", "workload", "request", "decision", "credential", "upstream", "refusal",
            "bytes_in", "bytes_out", "duration_us"]
    })
}

fn asked() -> Value {
    json!({
        "type": "object",
        "properties": {
            "method": { "type": "string", "description": "Absent where the head was refused before it was read." },
            "route": { "type": "string" },
            "host": { "type": "string" },
            "path": { "type": "string" },
            "path_truncated": { "const": true },
            "protocol": { "type": "string" }
        },
        "additionalProperties": false
    })
}

fn decided() -> Value {
    json!({
        "type": ["object", "null"],
        "properties": {
            "outcome": { "enum": ["allow", "deny", "error"] },
            "reason": { "type": "string" },
            "rule": { "type": "string" },
            "revision": { "type": "string" },
            "digest": { "type": "string" },
            "eval_us": { "$ref": "#/$defs/count" }
        },
        "required": ["outcome", "revision", "digest", "eval_us"],
        "additionalProperties": false
    })
}

fn lease() -> Value {
    json!({
        "description": "Something that happened to a lease.",
        "properties": {
            "event": {
                "enum": ["lease_issued", "lease_renewed", "lease_revoked", "lease_expired", "lease_revoke_failed"]
            },
            "credential": credential(json!("object")),
            "route": { "type": "string" },
            "subject": { "type": "string" }
        },
        "required": ["event", "credential", "route", "subject"]
    })
}

fn credential(types: Value) -> Value {
    json!({
        "type": types,
        "properties": {
            "name": { "type": "string" },
            "kind": { "type": "string" },
            "lease": { "type": "string", "description": "The id of the lease, never the secret." },
            "from": { "enum": ["cache", "issued", "renewed"] },
            "expires": { "type": ["string", "null"], "format": "date-time" },
            "scopes": { "type": "array", "items": { "type": "string" } }
        },
        "required": ["name", "kind", "lease", "expires", "scopes"],
        "additionalProperties": false
    })
}
