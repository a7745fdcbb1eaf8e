//! A record of our own audit as the input that was judged: what it holds, and a mark for all that it does not.

use claviger_policy::input::ext_authz::{Timestamp, Version};
use claviger_policy::input::{Time, VERSION};
use claviger_policy::{Dialect, Policy};
use serde_json::{Value, json};

use super::fact::Fact;
use super::settings::Settings;
use super::{Line, Recorded, Was};
use crate::request::path::CanonicalPath;

/// How the error of a permit that cannot be honoured begins.
const UNSOUND: &str = "the policy's decision cannot be honoured";

/// What a record says, and the configuration that it was made under, where that is known.
pub(super) fn read(event: &Value, policy: &Policy, settings: Option<&Settings>) -> Line {
    if event["event"].is_string() {
        return Line::PassedOver("not about a request");
    }
    let decision = &event["decision"];
    let Some(outcome) = decision["outcome"].as_str() else { return Line::PassedOver("no policy was asked") };
    let unsound = decision["reason"].as_str().is_some_and(|reason| reason.starts_with(UNSOUND));
    if event["refusal"] == "credential_not_offered" || unsound {
        return Line::PassedOver("a permit that the configuration did not honour");
    }
    let Some(time) = event["time"].as_str().and_then(Time::from_rfc3339) else {
        return Line::Unreadable("it has no time");
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let now_ns = time.now_ns();
    let mut recorded = Recorded {
        id: text(&event["id"]).unwrap_or_default(),
        time: text(&event["time"]).unwrap_or_default(),
        method: text(&event["request"]["method"]),
        route: text(&event["request"]["route"]),
        path: text(&event["request"]["path"]),
        was: Was {
            outcome: outcome.to_owned(),
            reason: text(&decision["reason"]),
            rule: text(&decision["rule"]),
            credential: text(&event["credential"]["name"]),
            decision: None,
        },
        input: match policy.dialect() {
            Dialect::Mediation => mediation(event, time, policy),
            Dialect::ExtAuthz => ext_authz(event, now_ns, policy),
        },
        now_ns,
    };
    if let Some(settings) = settings {
        settings.complete(&mut recorded, policy.dialect());
    }
    Line::Decision(Box::new(recorded))
}

/// Our own input.
fn mediation(event: &Value, time: Time, policy: &Policy) -> Fact {
    let mut context = Fact::parts([("sidecar", Fact::Unknown), ("shadow", Fact::known(false))]);
    if !policy.revision().is_empty() {
        context.add("revision", Fact::known(policy.revision()));
    }
    let mut input = Fact::parts([
        ("version", Fact::known(VERSION)),
        ("id", Fact::known(event["id"].clone())),
        ("time", Fact::known(json!(time))),
        ("workload", workload(event)),
        ("claimed", Fact::Unknown),
        ("request", request(event, policy)),
        (
            "route",
            Fact::parts([
                ("name", Fact::known(event["request"]["route"].clone())),
                ("upstream", Fact::Unknown),
                ("credentials", Fact::Unknown),
            ]),
        ),
        ("credential", Fact::Unknown),
        (
            "network",
            Fact::parts([
                ("listener", Fact::known(event["listener"].clone())),
                ("mode", Fact::Unknown),
                ("peer", Fact::Unknown),
            ]),
        ),
        ("context", context),
    ]);
    if let Some(id) = event["task"].as_str() {
        let unknown = ["purpose", "issued_ns", "expires_ns", "requests_left", "claims"];
        let mut task = Fact::parts([("id", Fact::known(id))]);
        unknown.into_iter().for_each(|key| task.add(key, Fact::Unknown));
        input.add("task", task);
    }
    input
}

fn request(event: &Value, policy: &Policy) -> Fact {
    let recorded = &event["request"];
    let (path, segments) = path(recorded);
    let mut request = Fact::parts([
        ("method", Fact::known(recorded["method"].clone())),
        ("host", Fact::known(recorded["host"].clone())),
        ("path", path),
        ("segments", segments),
        ("protocol", Fact::known(recorded["protocol"].clone())),
    ]);
    let unknown = ["scheme", "port", "query", "headers", "presented", "content_type", "content_length"];
    unknown.into_iter().for_each(|key| request.add(key, Fact::Unknown));
    if policy.body_bytes_max().is_some() {
        ["body", "body_truncated"].into_iter().for_each(|key| request.add(key, Fact::Unknown));
    }
    request
}

/// The path with its segments, where all of it is on the record.
fn path(request: &Value) -> (Fact, Fact) {
    let whole = request["path"].as_str().filter(|_| request["path_truncated"] != true);
    match whole.map(CanonicalPath::parse) {
        Some(Ok(path)) => {
            let segments: Vec<_> = path.segments().collect();
            (Fact::known(path.as_str()), Fact::known(json!(segments)))
        }
        Some(Err(_)) | None => (Fact::Unknown, Fact::Unknown),
    }
}

fn workload(event: &Value) -> Fact {
    let mut workload = Fact::known(event["workload"].clone());
    if event["workload"]["truncated"] == true {
        return Fact::Unknown;
    }
    ["environment", "labels"].into_iter().for_each(|key| workload.add(key, Fact::Unknown));
    workload
}

/// The document of Envoy's plugin.
fn ext_authz(event: &Value, now_ns: i64, policy: &Policy) -> Fact {
    let asks = policy.body_bytes_max().is_some();
    let body = |without: Value| if asks { Fact::Unknown } else { Fact::known(without) };
    let segments = path(&event["request"]).1;
    let is_root = segments == Fact::known(json!([]));
    let segments = if is_root { Fact::known(json!([""])) } else { segments };
    Fact::parts([
        (
            "attributes",
            Fact::parts([
                ("source", Fact::Unknown),
                ("destination", Fact::Unknown),
                (
                    "request",
                    Fact::parts([
                        ("time", Fact::known(json!(Timestamp::from_ns(now_ns)))),
                        ("http", http(event, asks)),
                    ]),
                ),
                ("contextExtensions", facts(event)),
                ("metadataContext", Fact::known(json!({}))),
                ("routeMetadataContext", Fact::known(json!({}))),
            ]),
        ),
        ("parsed_path", segments),
        ("parsed_query", Fact::Unknown),
        ("parsed_body", body(Value::Null)),
        ("truncated_body", body(json!(false))),
        ("version", Fact::known(json!(Version::V3))),
    ])
}

fn http(event: &Value, asks_body: bool) -> Fact {
    let mut http = Fact::parts([
        ("id", Fact::known(event["id"].clone())),
        ("method", Fact::known(event["request"]["method"].clone())),
        ("protocol", Fact::known(event["request"]["protocol"].clone())),
    ]);
    ["headers", "path", "host", "scheme", "size"].into_iter().for_each(|key| http.add(key, Fact::Unknown));
    if asks_body {
        ["body", "raw_body"].into_iter().for_each(|key| http.add(key, Fact::Unknown));
    }
    http
}

fn facts(event: &Value) -> Fact {
    let mut facts = Fact::parts([
        ("route", Fact::known(event["request"]["route"].clone())),
        ("listener", Fact::known(event["listener"].clone())),
    ]);
    for key in ["uid", "gid", "pid", "exe", "cgroup"] {
        let fact = &event["workload"][key];
        match fact {
            Value::Null if event["workload"]["truncated"] == true => facts.add(key, Fact::Unknown),
            Value::Null => {}
            Value::String(text) => facts.add(key, Fact::known(text.as_str())),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                facts.add(key, Fact::known(fact.to_string()))
            }
        }
    }
    let unknown = ["upstream", "environment", "presented", "claimed_purpose"];
    unknown.into_iter().for_each(|key| facts.add(key, Fact::Unknown));
    facts
}
