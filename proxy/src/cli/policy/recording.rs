//! Decisions that were made once, read back from our audit or from a decision log in OPA's format, and asked again of
//! another policy.

mod audit;
mod decision_log;
pub(super) mod fact;
pub(super) mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use claviger_policy::{EvalError, Evaluator, Policy, Trace};
use serde_json::{Map, Value, json};

use self::fact::Fact;
use self::settings::Settings;
use super::verdict::Verdict;
use crate::cli::{USAGE, fail};

/// A line that is longer is no record.
const LINE_BYTES_MAX: u64 = 8 << 20;

/// One decision on the record.
pub(super) struct Recorded {
    pub(super) id: String,
    pub(super) time: String,
    pub(super) method: Option<String>,
    pub(super) route: Option<String>,
    pub(super) path: Option<String>,
    pub(super) was: Was,
    /// What was judged, as far as it is known.
    pub(super) input: Fact,
    /// The moment of the decision, in nanoseconds since 1970.
    pub(super) now_ns: i64,
}

/// What was decided.
pub(super) struct Was {
    pub(super) outcome: String,
    pub(super) reason: Option<String>,
    pub(super) rule: Option<String>,
    /// The credential's name, where it is known.
    pub(super) credential: Option<String>,
    /// The whole decision, where it is known.
    pub(super) decision: Option<Value>,
}

/// What one event is.
enum Line {
    Decision(Box<Recorded>),
    /// No decision to be made again, and why.
    PassedOver(&'static str),
    /// No record at all, and why.
    Unreadable(&'static str),
}

/// What is read from one file after another.
#[derive(Default)]
pub(super) struct Counts {
    /// Decisions.
    pub(super) decisions: usize,
    /// Events that are none, by why.
    pub(super) passed_over: BTreeMap<&'static str, usize>,
}

/// By what files are read.
pub(super) struct Reading {
    /// The policy that will be asked.
    pub(super) policy: Arc<Policy>,
    /// What is known beside the records.
    pub(super) settings: Option<Settings>,
}

/// Gives each decision of a file, with the number of its line, to `each`.
pub(super) fn read(
    path: &Path,
    reading: &Reading,
    counts: &mut Counts,
    mut each: impl FnMut(usize, Recorded),
) -> Result<(), ExitCode> {
    let file = File::open(path).map_err(|error| fail(USAGE, &format!("{}: {error}", path.display())))?;
    let mut reader = BufReader::new(file);
    let (mut bytes, mut number) = (Vec::new(), 0);
    loop {
        let refuse = |why: &str| fail(USAGE, &format!("{}:{}: {why}", path.display(), number + 1));
        bytes.clear();
        let read = reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
        read.map_err(|error| refuse(&error.to_string()))?;
        if bytes.is_empty() {
            return Ok(());
        }
        for event in events_in(&bytes, counts).map_err(|why| refuse(&why))? {
            if let Some(found) = take(&event, reading, counts).map_err(refuse)? {
                each(number + 1, found);
            }
        }
        number += 1;
    }
}

/// The events of one line: none, one, or a whole chunk of a decision log.
fn events_in(line: &[u8], counts: &mut Counts) -> Result<Vec<Value>, String> {
    let is_whole = line.ends_with(b"\n");
    if !is_whole && line.len() as u64 == LINE_BYTES_MAX {
        return Err("the line is longer than 8 MiB".to_owned());
    }
    if line.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    match serde_json::from_slice::<Value>(line) {
        Ok(Value::Array(events)) => Ok(events),
        Ok(event) => Ok(vec![event]),
        Err(_) if !is_whole => {
            *counts.passed_over.entry("a last line that is torn").or_default() += 1;
            Ok(Vec::new())
        }
        Err(error) => Err(format!("this is no record: {error}")),
    }
}

fn take(event: &Value, reading: &Reading, counts: &mut Counts) -> Result<Option<Recorded>, &'static str> {
    let policy = &reading.policy;
    let line = match event {
        event if event["v"] == 1 && event["seq"].is_u64() => {
            audit::read(event, policy, reading.settings.as_ref())
        }
        event if decision_log::is_one(event) => decision_log::read(event, policy),
        _ => Line::Unreadable("this is neither a record nor an event of a decision log"),
    };
    match line {
        Line::Decision(recorded) => {
            counts.decisions += 1;
            Ok(Some(*recorded))
        }
        Line::PassedOver(why) => {
            *counts.passed_over.entry(why).or_default() += 1;
            Ok(None)
        }
        Line::Unreadable(why) => Err(why),
    }
}

/// What a policy says of an input of which not everything is known.
pub(super) struct Answer {
    pub(super) verdict: Verdict,
    pub(super) ground: Ground,
}

/// What a verdict stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Whatever else the input held, this is what the policy says.
    Certain,
    /// The policy looks at something that is not known, and was asked as if that were absent.
    Incomplete,
}

/// Asks a policy about an input.
pub(super) fn ask(evaluator: &mut Evaluator, input: &Fact, now_ns: i64) -> Answer {
    let dialect = evaluator.policy().dialect();
    let first = evaluated(evaluator, input, now_ns);
    if first.is_ok() || input.unknown().is_empty() {
        return Answer { verdict: Verdict::of(dialect, first), ground: Ground::Certain };
    }
    let second = evaluated(evaluator, &Fact::Known(input.without_unknown()), now_ns);
    // what fails in the same way with and without is a matter of what is known
    let ground = if first == second { Ground::Certain } else { Ground::Incomplete };
    Answer { verdict: Verdict::of(dialect, second), ground }
}

/// The parts that a policy looks at, of those that are not known.
pub(super) fn parts_looked_at(evaluator: &mut Evaluator, input: &Fact, now_ns: i64) -> Vec<String> {
    let plain = evaluated(evaluator, &Fact::Known(input.without_unknown()), now_ns);
    let mut looks = |place: &String| evaluated(evaluator, &input.with_one_unknown(place), now_ns) != plain;
    input.unknown().into_iter().filter(|place| looks(place)).collect()
}

fn evaluated(evaluator: &mut Evaluator, input: &Fact, now_ns: i64) -> Result<Vec<u8>, EvalError> {
    evaluator.evaluate_document(input, now_ns, &mut Trace::new())?;
    evaluator.result_json()
}

/// How a verdict differs from what was decided; nothing where it does not. Words for people may change.
pub(super) fn differences(was: &Was, now: &Verdict) -> Vec<String> {
    if was.outcome != now.outcome() {
        return vec!["outcome".to_owned()];
    }
    let told = now.to_json();
    match &was.decision {
        Some(was) => changed_keys(was, &told),
        None => {
            // a record tells the credential alone, and a policy may leave it to the route
            let chosen = told["credential"].as_str();
            let differs = matches!((chosen, &was.credential), (Some(now), Some(was)) if now != was);
            if differs { vec!["credential".to_owned()] } else { Vec::new() }
        }
    }
}

/// The keys in which two decisions differ, but for words.
pub(super) fn changed_keys(was: &Value, now: &Value) -> Vec<String> {
    const WORDS: [&str; 4] = ["reason", "rule", "hint", "error"];
    let none = Map::new();
    let (was, now) = (was.as_object().unwrap_or(&none), now.as_object().unwrap_or(&none));
    let mut keys: Vec<&String> = was.keys().chain(now.keys().filter(|key| !was.contains_key(*key))).collect();
    keys.retain(|key| !WORDS.contains(&key.as_str()) && was.get(*key) != now.get(*key));
    keys.into_iter().cloned().collect()
}

/// A verdict for machines.
pub(super) fn verdict_json(verdict: &Verdict) -> Value {
    json!({ "outcome": verdict.outcome(), "decision": verdict.to_json() })
}
