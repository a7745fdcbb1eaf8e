//! A table of requests and expected decisions, from YAML to cases, with everything that is wrong with it told at once.

use std::sync::Arc;

use claviger_config::{Findings, Location, Node, Source, decode};
use claviger_policy::input::Time;
use claviger_policy::{Dialect, Policy, input_schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::expect::Expectation;
use super::shape;
use crate::cli::policy::rehearsal::{Draft, Rehearsal, lay};
use crate::cli::policy::subject::{DialectWord, Wish};

/// When requests come, unless a table says something else: a Thursday.
const TIME: &str = "2026-01-01T00:00:00Z";
const URL: &str = "https://upstream.example/";

/// A table as it is written, with its places.
pub(in crate::cli::policy) struct Table {
    raw: RawTable,
    root: Node,
}

/// One request and what is expected of it.
pub(in crate::cli::policy) struct Case {
    /// The author's name for it, or its request.
    pub(in crate::cli::policy) name: String,
    /// Its line in the table.
    pub(in crate::cli::policy) line: usize,
    /// The input.
    pub(in crate::cli::policy) document: Value,
    pub(super) expectation: Expectation,
}

#[derive(Deserialize)]
struct RawTable {
    entrypoint: Option<String>,
    dialect: Option<DialectWord>,
    defaults: Option<RawDefaults>,
    cases: Vec<RawCase>,
}

/// What every case begins with.
#[derive(Default, Deserialize)]
struct RawDefaults {
    time: Option<String>,
    input: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct RawCase {
    name: Option<String>,
    request: Option<Value>,
    time: Option<String>,
    input: Option<Map<String, Value>>,
    expect: Value,
}

/// A request in its long form.
#[derive(Deserialize)]
struct RawRequest {
    method: Option<String>,
    url: String,
    headers: Option<Map<String, Value>>,
    body: Option<Value>,
}

impl Table {
    /// Reads a table as far as it can be judged without a policy.
    pub(in crate::cli::policy) fn read(source: &Source) -> Result<Self, Findings> {
        let root = Node::from_yaml(source.text())?;
        let mut findings = Findings::default();
        let raw: Option<RawTable> = decode(&root, "", &mut findings);
        match raw {
            Some(raw) if raw.cases.is_empty() => {
                findings.error("no_cases", "cases", root.location(), "there is no case in this table");
                Err(findings)
            }
            Some(raw) => Ok(Self { raw, root }),
            None => Err(findings),
        }
    }

    /// What it says of how it is to be run.
    pub(in crate::cli::policy) fn wish(&self) -> Wish<'_> {
        Wish { entrypoint: self.raw.entrypoint.as_deref(), dialect: self.raw.dialect }
    }

    /// The cases, with the inputs that serving would build for the policy.
    pub(in crate::cli::policy) fn cases(&self, policy: &Arc<Policy>) -> Result<Vec<Case>, Findings> {
        let mut reading = Reading {
            rehearsal: Rehearsal::new(policy),
            dialect: policy.dialect(),
            schema: input_schema(),
            findings: Findings::default(),
        };
        let defaults = reading.defaults(&self.raw, &self.root);
        let nodes = self.root.child("cases").map(Node::items).unwrap_or_default();
        let places = nodes.iter().enumerate().map(|(at, node)| Place { node, path: format!("cases.{at}") });
        let cases: Vec<Option<Case>> = self
            .raw
            .cases
            .iter()
            .zip(places)
            .map(|(raw, place)| reading.case(raw, &place, &defaults))
            .collect();
        match reading.findings.has_errors() {
            true => Err(reading.findings),
            false => Ok(cases.into_iter().flatten().collect()),
        }
    }
}

/// A case's place in the file.
struct Place<'a> {
    node: &'a Node,
    path: String,
}

impl Place<'_> {
    /// Where one of its keys stands.
    fn of(&self, key: &str) -> (String, Location) {
        let location = self.node.members().find(|(name, ..)| *name == key).map(|(_, location, _)| location);
        (format!("{}.{key}", self.path), location.unwrap_or(self.node.location()))
    }
}

struct Defaults {
    now_ns: i64,
    input: Value,
}

/// What is needed to read cases, and what is wrong with them.
struct Reading {
    rehearsal: Rehearsal,
    dialect: Dialect,
    schema: Value,
    findings: Findings,
}

impl Reading {
    fn defaults(&mut self, raw: &RawTable, root: &Node) -> Defaults {
        let none = RawDefaults::default();
        let (given, node) = (raw.defaults.as_ref().unwrap_or(&none), root.child("defaults").unwrap_or(root));
        let place = Place { node, path: "defaults".into() };
        let now_ns = self.moment(given.time.as_deref().unwrap_or(TIME), &place).unwrap_or_default();
        Defaults { now_ns, input: self.input(given.input.as_ref(), &place) }
    }

    fn case(&mut self, raw: &RawCase, place: &Place<'_>, defaults: &Defaults) -> Option<Case> {
        let now_ns = match &raw.time {
            Some(text) => self.moment(text, place)?,
            None => defaults.now_ns,
        };
        let input = self.input(raw.input.as_ref(), place);
        let draft = self.draft(raw.request.as_ref(), place)?;
        let document = match self.rehearsal.document(&draft, now_ns) {
            Ok(document) => document,
            Err(why) => return self.tell("bad_request", place.of("request"), why),
        };
        let expectation = match Expectation::read(raw.expect.clone(), self.dialect) {
            Ok(expectation) => expectation,
            Err(why) => return self.tell("bad_expectation", place.of("expect"), why),
        };
        Some(Case {
            name: raw.name.clone().unwrap_or_else(|| format!("{} {}", draft.method, draft.url)),
            line: place.node.location().line,
            document: self.layered(document, raw.request.is_some(), &defaults.input, &input),
            expectation,
        })
    }

    /// What the request itself says lies above the table's defaults, and the case's own input above both.
    fn layered(&self, built: Value, has_request: bool, defaults: &Value, input: &Value) -> Value {
        let mut document = built.clone();
        lay(&mut document, defaults);
        if has_request {
            lay(&mut document, &said_by_request(self.dialect, &built));
            for body in ["/request/body", "/parsed_body"] {
                if let (Some(place), Some(body)) = (document.pointer_mut(body), built.pointer(body)) {
                    *place = body.clone();
                }
            }
        }
        lay(&mut document, input);
        document
    }

    fn input(&mut self, given: Option<&Map<String, Value>>, place: &Place<'_>) -> Value {
        if let (Some(node), Dialect::Mediation) = (place.node.child("input"), self.dialect) {
            shape::check(node, &self.schema, &format!("{}.input", place.path), &mut self.findings);
        }
        given.map_or_else(|| json!({}), |given| Value::Object(given.clone()))
    }

    fn moment(&mut self, text: &str, place: &Place<'_>) -> Option<i64> {
        match Time::from_rfc3339(text) {
            Some(time) => Some(time.now_ns()),
            None => {
                self.tell("bad_time", place.of("time"), "a time is RFC 3339, as 2026-11-21T23:00:00Z".into())
            }
        }
    }

    fn draft(&mut self, request: Option<&Value>, place: &Place<'_>) -> Option<Draft> {
        let draft = |method: &str, url: &str| Draft {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
        };
        match request {
            None => Some(draft("GET", URL)),
            Some(Value::String(line)) => match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                [method, url] => Some(draft(method, url)),
                _ => self.tell(
                    "bad_request",
                    place.of("request"),
                    "a request is `METHOD URL`, or has a `url`".into(),
                ),
            },
            Some(_) => {
                let node = place.node.child("request")?;
                let raw: RawRequest = decode(node, &place.of("request").0, &mut self.findings)?;
                self.long_draft(raw, place)
            }
        }
    }

    fn long_draft(&mut self, raw: RawRequest, place: &Place<'_>) -> Option<Draft> {
        let mut headers = Vec::new();
        for (name, value) in raw.headers.unwrap_or_default() {
            let Some(values) = texts(&value) else {
                return self.tell(
                    "bad_header",
                    place.of("request"),
                    format!("header `{name}` is a text or a list of texts"),
                );
            };
            headers.extend(values.into_iter().map(|value| (name.clone(), value)));
        }
        let is_typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let body = match raw.body {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.into_bytes()),
            Some(json) => {
                if !is_typed {
                    headers.push(("content-type".into(), "application/json".into()));
                }
                Some(json.to_string().into_bytes())
            }
        };
        Some(Draft { method: raw.method.unwrap_or_else(|| "GET".into()), url: raw.url, headers, body })
    }

    /// Adds a finding, in place of whatever it was about.
    fn tell<T>(
        &mut self,
        code: &'static str,
        (path, location): (String, Location),
        why: String,
    ) -> Option<T> {
        self.findings.error(code, path, location, why);
        None
    }
}

/// The parts of a document that come of the request's own bytes.
fn said_by_request(dialect: Dialect, document: &Value) -> Value {
    let part = |keys: &[&str]| {
        let said = keys.iter().filter_map(|key| Some(((*key).to_owned(), document.get(*key)?.clone())));
        Value::Object(said.collect())
    };
    match dialect {
        Dialect::Mediation => part(&["request", "claimed"]),
        Dialect::ExtAuthz => {
            let mut said = part(&["parsed_path", "parsed_query", "parsed_body", "truncated_body"]);
            said["attributes"] = json!({ "request": { "http": document["attributes"]["request"]["http"] } });
            said
        }
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Number(_) | Value::Bool(_) => Some(vec![value.to_string()]),
        Value::Array(values) => values
            .iter()
            .map(|value| texts(value).filter(|_| !value.is_array()))
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.concat()),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
