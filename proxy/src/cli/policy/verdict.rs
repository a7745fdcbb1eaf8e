//! What an evaluation comes to, in the three words of the record.

use claviger_policy::input::Time;
use claviger_policy::{Decision, Dialect, EvalError, Evaluator, Trace};
use serde_json::{Value, json};

use crate::clock;

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
    pub(super) fn of(dialect: Dialect, result_set: Result<Vec<u8>, EvalError>) -> Self {
        let judged =
            result_set.and_then(|set| Decision::read_in(dialect, &set).map(|decision| (decision, set)));
        match judged {
            Ok((Decision::Permit(_), set)) => Self::Allow(decision(dialect, &set, true)),
            Ok((Decision::Deny(_), set)) => Self::Deny(decision(dialect, &set, false)),
            Err(error) => Self::Error(error),
        }
    }

    /// Evaluates a document at the moment that it names itself, or else now.
    pub(super) fn on(evaluator: &mut Evaluator, document: &Value, trace: &mut Trace) -> Self {
        let now_ns = moment(document).unwrap_or_else(|| clock::now().nanoseconds());
        let evaluated = evaluator.evaluate_document(document, now_ns, trace);
        let result_set = evaluated.and_then(|()| evaluator.result_json());
        Self::of(evaluator.policy().dialect(), result_set)
    }

    /// Judges a result that was recorded; absent where it was undefined.
    pub(super) fn recorded(dialect: Dialect, result: Option<&Value>) -> Self {
        let set = result.map_or_else(|| json!([]), |result| json!([{ "result": result }]));
        Self::of(dialect, Ok(set.to_string().into_bytes()))
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
    moment(&serde_json::from_slice(document).ok()?)
}

/// The moment that a document names, in nanoseconds since 1970: `time.now_ns`, or the time of Envoy's request.
pub(super) fn moment(document: &Value) -> Option<i64> {
    let envoys = &document["attributes"]["request"]["time"];
    let seconds = || envoys["seconds"].as_i64()?.checked_mul(1_000_000_000);
    let ours = document["time"]["now_ns"].as_i64();
    ours.or_else(|| seconds()?.checked_add(envoys["nanos"].as_i64().unwrap_or_default()))
        .or_else(|| Time::from_rfc3339(envoys.as_str()?).map(|time| time.now_ns()))
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
fn decision(dialect: Dialect, result_set: &[u8], allow: bool) -> Value {
    let set: Value = serde_json::from_slice(result_set).unwrap_or_default();
    match &set[0]["result"] {
        object @ Value::Object(_) => object.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            json!({ verdict_key(dialect): allow })
        }
    }
}

/// The key that says yes or no.
pub(super) fn verdict_key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Mediation => "allow",
        Dialect::ExtAuthz => "allowed",
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
        let envoys = |time: &str| format!(r#"{{"attributes":{{"request":{{"time":{time}}}}}}}"#);
        check(&envoys(r#"{"seconds":7,"nanos":8}"#), Some(7_000_000_008));
        check(&envoys(r#"{"seconds":7}"#), Some(7_000_000_000));
        check(&envoys(r#""1970-01-01T00:00:07Z""#), Some(7_000_000_000));
        check(&envoys(r#"{"seconds":9223372036854775807}"#), None);
        for none in
            ["{}", "[]", "7", r#"{"time":7}"#, r#"{"time":{"now_ns":"7"}}"#, r#"{"time":{"now_ns":7}"#]
        {
            check(none, None);
        }
    }

    #[test]
    fn recorded_results() {
        let check = |dialect: Dialect, result: Option<Value>, expected: &str| {
            assert_eq!(Verdict::recorded(dialect, result.as_ref()).outcome(), expected, "{result:?}");
        };
        check(Dialect::Mediation, None, "deny");
        check(Dialect::Mediation, Some(json!(true)), "allow");
        check(Dialect::Mediation, Some(json!({ "allow": false })), "deny");
        check(Dialect::Mediation, Some(json!({ "allowed": true })), "error");
        check(Dialect::ExtAuthz, Some(json!({ "allowed": true })), "allow");
        check(Dialect::ExtAuthz, Some(json!(null)), "error");
        let told = Verdict::recorded(Dialect::ExtAuthz, Some(&json!(false))).to_json();
        assert_eq!(told, json!({ "allowed": false }));
    }

    #[test]
    fn result_sets() {
        let check = |set: &str, outcome: &str, expected: Value| {
            let verdict = Verdict::of(Dialect::Mediation, Ok(set.as_bytes().to_vec()));
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
            let verdict = Verdict::of(Dialect::Mediation, Ok(wrong.as_bytes().to_vec()));
            assert_eq!(verdict.outcome(), "error", "{wrong}");
            assert!(verdict.to_json()["allow"].is_null(), "{wrong}");
        }
        let aborted =
            Verdict::of(Dialect::Mediation, Err(EvalError::Aborted { message: "a.rego:3: conflict".into() }));
        assert!(aborted.to_json()["error"].as_str().is_some_and(|why| why.ends_with("a.rego:3: conflict")));
    }
}
