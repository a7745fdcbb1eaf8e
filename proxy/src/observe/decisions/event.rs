//! One event, as OPA's `EventV1` has it.

use claviger_policy::EvalError;
use serde::Serialize;
use serde_json::value::RawValue;

use super::masking::{Masking, Verdict};
use crate::admin::metrics::reports::Loss;
use crate::observe::Judgement;
use crate::observe::labels::Labels;

/// Why there is no event.
#[derive(Debug)]
pub(super) enum Unwritten {
    /// The policy does not want it.
    Excluded,
    /// It should be there, and why it is not. Holds nothing of the documents.
    Lost(Loss, String),
}

#[derive(Serialize)]
struct Event<'a> {
    labels: &'a Labels,
    decision_id: &'a str,
    bundles: Bundles<'a>,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    erased: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    masked: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Failure>,
    timestamp: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<Metrics>,
}

/// Our one bundle has the name of its section in the configuration.
#[derive(Serialize)]
struct Bundles<'a> {
    policy: Bundle<'a>,
}

#[derive(Serialize)]
struct Bundle<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    revision: &'a str,
}

/// Words of ours alone: what a policy aborts with may hold a part of its input.
#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: &'static str,
}

#[derive(Serialize)]
struct Metrics {
    timer_rego_query_eval_ns: u64,
}

/// The event's JSON, masked.
pub(super) fn write(
    judgement: &Judgement,
    labels: &Labels,
    masking: &mut Masking,
) -> Result<Vec<u8>, Unwritten> {
    let timestamp = judgement.time.rfc3339();
    let timestamp = String::from_utf8_lossy(&timestamp);
    let result = judgement.papers.result.as_deref().map(value_of).transpose()?.flatten();
    let input = raw(&judgement.papers.input)?;
    let mut event = Event {
        labels,
        decision_id: &judgement.id,
        bundles: Bundles { policy: Bundle { revision: judgement.policy.revision() } },
        path: judgement.policy.entrypoint(),
        input: Some(input),
        result,
        erased: &[],
        masked: &[],
        error: None,
        timestamp: &timestamp,
        metrics: None,
    };
    let bare = json(&event);
    let now_ns = judgement.time.nanoseconds();
    event.error = judgement.decision.as_ref().err().map(failure);
    event.metrics = Some(Metrics { timer_rego_query_eval_ns: nanoseconds(judgement) });
    let mask = match masking.judge(&judgement.policy, &bare, now_ns)? {
        Verdict::Exclude => return Err(Unwritten::Excluded),
        Verdict::Plain => return Ok(json(&event)),
        Verdict::Mask(mask) => mask,
    };
    let documents = mask.apply(Some(input.get()), result.map(RawValue::get));
    let documents = documents.map_err(|error| Unwritten::Lost(Loss::mask_failed, error.to_string()))?;
    event.input = documents.input.as_deref().map(raw).transpose()?;
    event.result = documents.result.as_deref().map(raw).transpose()?;
    (event.erased, event.masked) = (&documents.erased, &documents.masked);
    Ok(json(&event))
}

fn json(event: &Event<'_>) -> Vec<u8> {
    serde_json::to_vec(event).expect("an event always serialises")
}

fn raw(text: &str) -> Result<&RawValue, Unwritten> {
    serde_json::from_str(text).map_err(|_| unreadable())
}

/// The value in OPA's result set, if it is defined.
fn value_of(result_set: &[u8]) -> Result<Option<&RawValue>, Unwritten> {
    #[derive(serde::Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        result: &'a RawValue,
    }
    let rows: Vec<Row<'_>> = serde_json::from_slice(result_set).map_err(|_| unreadable())?;
    Ok(rows.first().map(|row| row.result))
}

fn unreadable() -> Unwritten {
    Unwritten::Lost(Loss::unreadable, "its documents are not JSON".to_owned())
}

fn nanoseconds(judgement: &Judgement) -> u64 {
    u64::try_from(judgement.took.as_nanos()).unwrap_or(u64::MAX)
}

fn failure(error: &EvalError) -> Failure {
    let message = match error {
        EvalError::Aborted { .. } => "the policy aborted the evaluation",
        EvalError::Trapped { .. } => "the policy trapped",
        EvalError::TimedOut { .. } => "the policy did not finish in time",
        EvalError::OutOfMemory { .. } => "the policy needs too much memory",
        EvalError::InputTooLarge { .. } | EvalError::InputBeyond { .. } => "the input is too large",
        EvalError::InputNotJson { .. } => "the input is not JSON",
        EvalError::ResultTooLarge { .. } => "the result is too large",
        EvalError::NotADecision { .. } => "the result is not a decision",
    };
    Failure { code: "policy_error", message }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::masking::Wanted;
    use super::*;
    use crate::observe::testing::judgement;

    fn written(judgement: &Judgement) -> Value {
        let labels = Labels::from([("id".into(), "s".into())]);
        let mut masking = Masking::new(Wanted::mask(None), Wanted::drop(None));
        let event = write(judgement, &labels, &mut masking).expect("there is an event");
        serde_json::from_slice(&event).expect("JSON")
    }

    #[test]
    fn events_have_the_form_of_opas() {
        let mut judgement = judgement(r#"{"a": 0.10}"#);
        judgement.papers.result = Some(br#"[{"result":{"allow":true}}]"#.to_vec());
        let time = String::from_utf8_lossy(&judgement.time.rfc3339()).into_owned();
        let revision = judgement.policy.revision().to_owned();
        let expected = json!({
            "labels": { "id": "s" }, "decision_id": "0192f0c1", "bundles": { "policy": { "revision": revision } },
            "path": "claviger/authz/decision", "input": { "a": 0.10 }, "result": { "allow": true },
            "timestamp": time, "metrics": { "timer_rego_query_eval_ns": 4000 },
        });
        assert_eq!(written(&judgement), expected);
        judgement.papers.result = Some(b"[]".to_vec());
        assert_eq!(written(&judgement).get("result"), None);
    }

    #[test]
    fn failures_are_told_in_our_own_words() {
        let mut judgement = judgement("{}");
        judgement.decision = Err(EvalError::Aborted { message: "canary".into() });
        let event = written(&judgement);
        assert_eq!(event["error"]["code"], "policy_error");
        assert!(!event.to_string().contains("canary"), "{event}");
    }

    #[test]
    fn what_cannot_be_read_is_lost() {
        let check = |input: &str, result: Option<&str>| {
            let mut judgement = judgement(input);
            judgement.papers.result = result.map(|result| result.as_bytes().to_vec());
            let mut masking = Masking::new(Wanted::mask(None), Wanted::drop(None));
            let lost = write(&judgement, &Labels::new(), &mut masking);
            assert!(matches!(lost, Err(Unwritten::Lost(Loss::unreadable, _))), "{input} {result:?}");
        };
        check("{", None);
        check("{}", Some("[{}]"));
        check("{}", Some("{\"result\": 1}"));
    }
}
