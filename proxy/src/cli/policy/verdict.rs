//! What an evaluation comes to, in the three words of the record.

use claviger_policy::{Decision, EvalError, Evaluator, Trace};
use serde::Deserialize;
use serde_json::{Value, json};

/// The outcome of one evaluation, as the record would tell it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The policy permits.
    Allow(Value),
    /// It denies.
    Deny(Value),
    /// There is no decision, which refuses too.
    Error(EvalError),
}

impl Verdict {
    /// Judges what an evaluation gave: a result set, or why there is none.
    pub(super) fn of(result_set: Result<Vec<u8>, EvalError>) -> Self {
        let judged = result_set.and_then(|set| Decision::read(&set).map(|decision| (decision, set)));
        match judged {
            Ok((Decision::Permit(_), set)) => Self::Allow(decision(&set, true)),
            Ok((Decision::Deny(_), set)) => Self::Deny(decision(&set, false)),
            Err(error) => Self::Error(error),
        }
    }

    /// `allow`, `deny` or `error`.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Allow(_) => "allow",
            Self::Deny(_) => "deny",
            Self::Error(_) => "error",
        }
    }

    /// The decision as an object; of an error, what is wrong.
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Allow(decision) | Self::Deny(decision) => decision.clone(),
            Self::Error(error) => json!({ "error": told(error) }),
        }
    }
}

/// OPA's result set for a document, at the moment that it names itself or else now.
pub(super) fn evaluate(
    evaluator: &mut Evaluator,
    document: &[u8],
    trace: &mut Trace,
) -> Result<Vec<u8>, EvalError> {
    match moment_of(document) {
        Some(now_ns) => evaluator.evaluate_json_at(document, now_ns, trace),
        None => evaluator.evaluate_json(document, trace),
    }
}

fn moment_of(document: &[u8]) -> Option<i64> {
    #[derive(Deserialize)]
    struct Timed {
        time: Value,
    }
    serde_json::from_slice::<Timed>(document).ok()?.time.get("now_ns")?.as_i64()
}

/// `time.now_ns` of a document.
pub(super) fn moment(document: &Value) -> Option<i64> {
    document.get("time")?.get("now_ns")?.as_i64()
}

/// An error with what its message leaves out for the sake of the log.
pub(super) fn told(error: &EvalError) -> String {
    match error {
        EvalError::Aborted { message } => format!("{error}: {message}"),
        EvalError::Trapped { .. }
        | EvalError::TimedOut { .. }
        | EvalError::OutOfMemory { .. }
        | EvalError::InputTooLarge { .. }
        | EvalError::InputBeyond { .. }
        | EvalError::InputNotJson { .. }
        | EvalError::ResultTooLarge { .. }
        | EvalError::NotADecision { .. } => error.to_string(),
    }
}

/// The object that the policy gave; a boolean and undefined are short for one.
fn decision(result_set: &[u8], allow: bool) -> Value {
    let set: Value = serde_json::from_slice(result_set).unwrap_or_default();
    match &set[0]["result"] {
        object @ Value::Object(_) => object.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            json!({ "allow": allow })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_may_name_their_moment() {
        let check =
            |document: &str, expected| assert_eq!(moment_of(document.as_bytes()), expected, "{document}");
        check(r#"{"time":{"now_ns":7,"weekday":"Monday"},"x":[1]}"#, Some(7));
        for none in
            ["{}", "[]", "7", r#"{"time":7}"#, r#"{"time":{"now_ns":"7"}}"#, r#"{"time":{"now_ns":7}"#]
        {
            check(none, None);
        }
    }

    #[test]
    fn result_sets() {
        let check = |set: &str, outcome: &str, expected: Value| {
            let verdict = Verdict::of(Ok(set.as_bytes().to_vec()));
            assert_eq!((verdict.outcome(), verdict.to_json()), (outcome, expected), "{set}");
        };
        check("[]", "deny", json!({ "allow": false }));
        check(r#"[{"result":false}]"#, "deny", json!({ "allow": false }));
        check(r#"[{"result":true}]"#, "allow", json!({ "allow": true }));
        check(r#"[{"result":{"allow":true,"rule":"r"}}]"#, "allow", json!({ "allow": true, "rule": "r" }));
        check(
            r#"[{"result":{"allow":false,"status":404}}]"#,
            "deny",
            json!({ "allow": false, "status": 404 }),
        );
        for wrong in [r#"[{"result":"yes"}]"#, r#"[{"result":{"allow":true,"x":1}}]"#, "null", "no json"] {
            let verdict = Verdict::of(Ok(wrong.as_bytes().to_vec()));
            assert_eq!(verdict.outcome(), "error", "{wrong}");
            assert!(verdict.to_json()["allow"].is_null(), "{wrong}");
        }
        let aborted = Verdict::of(Err(EvalError::Aborted { message: "a.rego:3: conflict".into() }));
        assert!(aborted.to_json()["error"].as_str().is_some_and(|why| why.ends_with("a.rego:3: conflict")));
    }
}
