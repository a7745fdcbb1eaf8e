//! One status report, as OPA's `UpdateRequestV1` has it.

use serde_json::{Map, Value, json};

use crate::clock::Timestamp;
use crate::observe::decisions::Upload;
use crate::observe::labels::Labels;
use crate::reload::standing::Facts;

/// What OPA says of a time that never was.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// What there is to tell at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) bundles: Vec<(&'static str, Facts)>,
    pub(super) upload: Option<Upload>,
}

impl Report {
    /// Whether only looks and what they brought are newer, as they are with every poll, and nothing follows from them.
    pub(super) fn tells_the_same(&self, other: &Self) -> bool {
        let bare = |report: &Self| {
            let mut report = report.clone();
            for (_, facts) in &mut report.bundles {
                (facts.looked, facts.answered, facts.came) = (None, None, None);
            }
            report
        };
        bare(self) == bare(other)
    }

    pub(super) fn json(&self, labels: &Labels) -> Value {
        let bundles: Map<String, Value> =
            self.bundles.iter().map(|(name, facts)| ((*name).to_owned(), bundle(name, facts))).collect();
        let mut report = json!({ "labels": labels, "bundles": bundles });
        if let Some(upload) = &self.upload {
            let failure = upload.failure.as_deref().map(|message| (message, upload.status));
            report["decision_logs"] = Value::Object(trouble("decision_log_error", failure));
        }
        report
    }
}

fn bundle(name: &str, facts: &Facts) -> Value {
    let failure = facts.failure.as_ref().map(|failure| (failure.message.as_str(), failure.status));
    let mut told = trouble("bundle_error", failure);
    let mut tell = |key: &str, value: Value| drop(told.insert(key.to_owned(), value));
    tell("name", name.into());
    tell("type", "snapshot".into());
    if !facts.revision.is_empty() {
        tell("active_revision", facts.revision.as_str().into());
    }
    if let Some(bytes) = facts.bytes {
        tell("size", bytes.into());
    }
    tell("last_request", time(facts.looked));
    tell("last_successful_request", time(facts.answered));
    tell("last_successful_download", time(facts.came));
    tell("last_successful_activation", time(facts.activated));
    Value::Object(told)
}

/// What is wrong, if anything.
fn trouble(code: &str, failure: Option<(&str, Option<u16>)>) -> Map<String, Value> {
    let mut told = Map::new();
    if let Some((message, status)) = failure {
        told.insert("code".to_owned(), code.into());
        told.insert("message".to_owned(), message.into());
        told.extend(status.map(|status| ("http_code".to_owned(), status.into())));
    }
    told
}

fn time(time: Option<Timestamp>) -> Value {
    let told = time.map(Timestamp::rfc3339);
    told.map_or_else(|| NEVER.into(), |told| String::from_utf8_lossy(&told).into_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::reload::standing::Failure;

    #[test]
    fn reports_have_the_form_of_opas() {
        let never = json!(NEVER);
        let labels = Labels::from([("id".into(), "s".into())]);
        let nothing = Report { bundles: vec![("policy", Facts::default())], upload: None };
        let expected = json!({ "labels": { "id": "s" }, "bundles": { "policy": {
            "name": "policy", "type": "snapshot", "last_request": never, "last_successful_request": never,
            "last_successful_download": never, "last_successful_activation": never } } });
        assert_eq!(nothing.json(&labels), expected);
        let now = clock::now();
        let facts = Facts {
            revision: "r1".into(),
            bytes: Some(7),
            activated: Some(now),
            failure: Some(Failure { message: "down".into(), status: Some(503) }),
            ..Facts::default()
        };
        let upload = Upload { failure: Some("away".into()), status: None };
        let told = Report { bundles: vec![("policy", facts)], upload: Some(upload) }.json(&labels);
        let policy = &told["bundles"]["policy"];
        assert_eq!((&policy["code"], &policy["http_code"]), (&json!("bundle_error"), &json!(503)));
        assert_eq!((&policy["message"], &policy["size"]), (&json!("down"), &json!(7)));
        assert_eq!(policy["last_successful_activation"], time(Some(now)));
        assert_eq!(told["decision_logs"], json!({ "code": "decision_log_error", "message": "away" }));
    }

    #[test]
    fn polls_are_no_news() {
        let report = |facts: Facts| Report { bundles: vec![("policy", facts)], upload: None };
        let now = Some(clock::now());
        let check = |facts: Facts, same: bool| {
            assert_eq!(report(facts.clone()).tells_the_same(&report(Facts::default())), same, "{facts:?}");
        };
        check(Facts { looked: now, answered: now, came: now, ..Facts::default() }, true);
        check(Facts { activated: now, ..Facts::default() }, false);
        let failure = Some(Failure { message: "down".into(), status: None });
        check(Facts { failure, ..Facts::default() }, false);
    }
}
