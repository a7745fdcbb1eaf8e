//! What a case expects of a decision, and where a decision is not that.

use claviger_policy::{Dialect, decision_schema};
use serde_json::{Map, Value, json};

use crate::cli::policy::verdict::{Verdict, verdict_key};

/// What Envoy's plugin reads of a result object.
const EXT_AUTHZ_KEYS: &[&str] = &[
    "allowed",
    "body",
    "dynamic_metadata",
    "headers",
    "http_status",
    "query_parameters_to_remove",
    "query_parameters_to_set",
    "request_headers_to_remove",
    "response_headers_to_add",
];

/// What a case expects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expectation {
    /// This outcome, whatever else the decision says.
    Outcome(&'static str),
    /// No decision, with this text in what is wrong.
    Error(String),
    /// A decision that has these keys; null for one that it must not have.
    Decision(Map<String, Value>),
}

/// One way in which a decision is not what was expected.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mismatch {
    /// Where in the decision, as `set_headers.x-team`; `outcome` for the whole.
    pub(super) path: String,
    /// What stands in the table; null for nothing.
    pub(super) expected: Value,
    /// What the policy gave; null for nothing.
    pub(super) found: Value,
}

impl Expectation {
    /// Reads `expect`. The error is a sentence.
    pub(super) fn read(value: Value, dialect: Dialect) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::Outcome("allow")),
            Value::Bool(false) => Ok(Self::Outcome("deny")),
            Value::String(word) => match word.as_str() {
                "allow" => Ok(Self::Outcome("allow")),
                "deny" => Ok(Self::Outcome("deny")),
                "error" => Ok(Self::Outcome("error")),
                _ => Err("expected `allow`, `deny`, `error` or keys of a decision".into()),
            },
            Value::Object(keys) => Self::of_keys(keys, dialect),
            Value::Null | Value::Number(_) | Value::Array(_) => {
                Err("expected `allow`, `deny`, `error` or keys of a decision".into())
            }
        }
    }

    fn of_keys(keys: Map<String, Value>, dialect: Dialect) -> Result<Self, String> {
        if let Some(text) = keys.get("error") {
            return match (text.as_str(), keys.len()) {
                (Some(text), 1) => Ok(Self::Error(text.to_owned())),
                _ => Err("`error` is a text and stands alone: there is no decision beside it".into()),
            };
        }
        if keys.is_empty() {
            return Err("this expects nothing".into());
        }
        let known = known_keys(dialect);
        match keys.keys().find(|key| !known.contains(key)) {
            Some(unknown) => Err(format!("a decision has no key `{unknown}`: it has {}", known.join(", "))),
            None => Ok(Self::Decision(keys)),
        }
    }

    /// Where the verdict is not what is expected; nothing where it is.
    pub(super) fn judge(&self, dialect: Dialect, verdict: &Verdict) -> Vec<Mismatch> {
        let mut mismatches = Vec::new();
        match (self, verdict) {
            (Self::Outcome(outcome), _) if *outcome == verdict.outcome() => {}
            (Self::Error(text), Verdict::Error(_))
                if verdict.to_json()["error"].as_str().is_some_and(|why| why.contains(text)) => {}
            (Self::Decision(keys), Verdict::Allow(decision) | Verdict::Deny(decision)) => {
                for (key, expected) in keys {
                    compare(key, expected, decision.get(key), &mut mismatches);
                }
            }
            (Self::Outcome(_) | Self::Error(_) | Self::Decision(_), _) => {
                mismatches.push(Mismatch {
                    path: "outcome".into(),
                    expected: self.outcome(dialect),
                    found: found(verdict),
                });
            }
        }
        mismatches
    }

    fn outcome(&self, dialect: Dialect) -> Value {
        match self {
            Self::Outcome(outcome) => json!(outcome),
            Self::Error(text) => json!(format!("error: …{text}…")),
            Self::Decision(keys) => match keys.get(verdict_key(dialect)) {
                Some(Value::Bool(true)) => json!("allow"),
                Some(Value::Bool(false)) => json!("deny"),
                Some(_) | None => json!("a decision"),
            },
        }
    }
}

fn known_keys(dialect: Dialect) -> Vec<String> {
    match dialect {
        Dialect::Mediation => {
            let schema = decision_schema();
            schema["$defs"]["decision"]["properties"]
                .as_object()
                .into_iter()
                .flat_map(Map::keys)
                .cloned()
                .collect()
        }
        Dialect::ExtAuthz => EXT_AUTHZ_KEYS.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn found(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Allow(_) | Verdict::Deny(_) => json!(verdict.outcome()),
        Verdict::Error(_) => json!(format!("error: {}", verdict.to_json()["error"].as_str().unwrap_or("-"))),
    }
}

/// Objects may have more than is expected of them, everything else is equal or not.
fn compare(path: &str, expected: &Value, found: Option<&Value>, mismatches: &mut Vec<Mismatch>) {
    match (expected, found) {
        (Value::Null, None) => {}
        (Value::Object(keys), Some(Value::Object(fields))) => {
            for (key, expected) in keys {
                compare(&format!("{path}.{key}"), expected, fields.get(key), mismatches);
            }
        }
        (_, Some(found)) if same(expected, found) => {}
        _ => mismatches.push(Mismatch {
            path: path.to_owned(),
            expected: expected.clone(),
            found: found.cloned().unwrap_or_default(),
        }),
    }
}

/// `1` and `1.0` are one number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(result: Value) -> Verdict {
        Verdict::recorded(Dialect::Mediation, Some(&result))
    }

    #[track_caller]
    fn check(expect: Value, result: Value, mismatches: &[(&str, Value, Value)]) {
        let expectation = Expectation::read(expect.clone(), Dialect::Mediation).expect("it can be expected");
        let found = expectation.judge(Dialect::Mediation, &verdict(result));
        let wanted: Vec<Mismatch> = mismatches
            .iter()
            .map(|(path, expected, found)| Mismatch {
                path: (*path).into(),
                expected: expected.clone(),
                found: found.clone(),
            })
            .collect();
        assert_eq!(found, wanted, "{expect}");
    }

    #[test]
    fn outcomes() {
        for (expect, result) in [
            (json!("allow"), json!(true)),
            (json!(true), json!({ "allow": true, "rule": "r" })),
            (json!("deny"), json!(false)),
            (json!(false), json!({ "allow": false })),
            (json!("error"), json!("yes")),
            (json!({ "error": "neither a boolean" }), json!("yes")),
        ] {
            check(expect, result, &[]);
        }
        check(json!("allow"), json!(false), &[("outcome", json!("allow"), json!("deny"))]);
        check(
            json!("deny"),
            json!({ "allow": true, "x": 1 }),
            &[(
                "outcome",
                json!("deny"),
                json!("error: the policy's result is not a decision: unknown key `x`"),
            )],
        );
        check(json!("error"), json!(true), &[("outcome", json!("error"), json!("allow"))]);
    }

    #[test]
    fn parts_of_decisions() {
        let permit = json!({ "allow": true, "rule": "r", "ttl_s": 60, "scopes": ["a", "b"],
                             "set_headers": { "x-a": "1", "x-b": "2" } });
        check(
            json!({ "allow": true, "ttl_s": 60.0, "set_headers": { "x-a": "1" }, "reason": null }),
            permit.clone(),
            &[],
        );
        check(
            json!({ "allow": false, "rule": "s", "reason": "why" }),
            permit.clone(),
            &[
                ("allow", json!(false), json!(true)),
                ("reason", json!("why"), json!(null)),
                ("rule", json!("s"), json!("r")),
            ],
        );
        check(
            json!({ "scopes": ["b", "a"], "set_headers": { "x-a": null }, "ttl_s": null }),
            permit,
            &[
                ("scopes", json!(["b", "a"]), json!(["a", "b"])),
                ("set_headers.x-a", json!(null), json!("1")),
                ("ttl_s", json!(null), json!(60)),
            ],
        );
        check(
            json!({ "rule": "r" }),
            json!("yes"),
            &[(
                "outcome",
                json!("a decision"),
                json!(
                    "error: the policy's result is not a decision: it is a string, neither a boolean nor an object"
                ),
            )],
        );
    }

    #[test]
    fn what_cannot_be_expected() {
        let check = |expect: Value, dialect: Dialect, why: &str| {
            let found = Expectation::read(expect.clone(), dialect).expect_err(&expect.to_string());
            assert!(found.contains(why), "{expect}: {found}");
        };
        for nothing in [json!("permit"), json!(1), json!([]), json!(null)] {
            check(nothing, Dialect::Mediation, "expected `allow`");
        }
        check(json!({}), Dialect::Mediation, "expects nothing");
        check(json!({ "alow": true }), Dialect::Mediation, "no key `alow`");
        check(json!({ "allowed": true }), Dialect::Mediation, "no key `allowed`");
        check(json!({ "allow": true }), Dialect::ExtAuthz, "no key `allow`");
        check(json!({ "error": "x", "allow": true }), Dialect::Mediation, "stands alone");
        check(json!({ "error": 1 }), Dialect::Mediation, "stands alone");
        assert!(Expectation::read(json!({ "allowed": true }), Dialect::ExtAuthz).is_ok());
    }
}
