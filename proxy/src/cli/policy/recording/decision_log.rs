//! An event of OPA's decision log: the input that was judged is there, less what was masked.

use claviger_policy::Policy;
use claviger_policy::input::Time;
use serde_json::Value;

use super::fact::Fact;
use super::{Line, Recorded, Was};
use crate::cli::policy::verdict::{Verdict, moment};

/// Whether it looks like one.
pub(super) fn is_one(event: &Value) -> bool {
    event["decision_id"].is_string() || event.get("input").is_some()
}

/// What an event says.
pub(super) fn read(event: &Value, policy: &Policy) -> Line {
    let path = event["path"].as_str().map(|path| path.trim_matches('/').replace('.', "/"));
    if path.is_some_and(|path| path != policy.entrypoint()) {
        return Line::PassedOver("about another entrypoint");
    }
    let Some(input) = event.get("input") else { return Line::PassedOver("without an input") };
    let hidden: Vec<&str> = ["erased", "masked"]
        .into_iter()
        .flat_map(|key| event[key].as_array().into_iter().flatten().filter_map(Value::as_str))
        .collect();
    if hidden.iter().any(|place| *place == "/result" || place.starts_with("/result/")) {
        return Line::PassedOver("with a result that is masked");
    }
    let mut fact = Fact::Known(input.clone());
    hidden.iter().filter_map(|place| place.strip_prefix("/input")).for_each(|place| fact.forget(place));
    let time = event["timestamp"].as_str().and_then(Time::from_rfc3339).map(|time| time.now_ns());
    let Some(now_ns) = moment(input).or(time) else { return Line::Unreadable("it has no time") };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let request = &input["request"];
    let envoys = &input["attributes"]["request"]["http"];
    Line::Decision(Box::new(Recorded {
        id: text(&input["id"]).or_else(|| text(&event["decision_id"])).unwrap_or_default(),
        time: text(&event["timestamp"]).or_else(|| text(&input["time"]["rfc3339"])).unwrap_or_default(),
        method: text(&request["method"]).or_else(|| text(&envoys["method"])),
        route: text(&input["route"]["name"])
            .or_else(|| text(&input["attributes"]["contextExtensions"]["route"])),
        path: text(&request["path"]).or_else(|| text(&envoys["path"])),
        was: was(event, policy),
        input: fact,
        now_ns,
    }))
}

fn was(event: &Value, policy: &Policy) -> Was {
    if let Some(error) = event.get("error").filter(|error| !error.is_null()) {
        let reason = error["message"].as_str().map(str::to_owned);
        return Was { outcome: "error".into(), reason, rule: None, credential: None, decision: None };
    }
    let verdict = Verdict::recorded(policy.dialect(), event.get("result"));
    let told = verdict.to_json();
    let text = |key: &str| told[key].as_str().map(str::to_owned);
    Was {
        outcome: verdict.outcome().to_owned(),
        reason: text("reason"),
        rule: text("rule"),
        credential: text("credential"),
        decision: matches!(verdict, Verdict::Allow(_) | Verdict::Deny(_)).then_some(told),
    }
}
