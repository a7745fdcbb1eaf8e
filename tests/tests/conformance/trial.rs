//! Evaluates a case in every way that input gets to a policy, and holds what comes against what has to come.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use claviger_policy::{Bundle, EvalError, Evaluator, Limits, Policy, Trace};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::corpus::{Case, Wanted};
use super::tree::Tree;

const EVAL_TIME_MAX: Duration = Duration::from_secs(20);
const MEMORY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// A moment, where one has to be given.
const NOW_NS: i64 = 1_795_302_000_000_000_000;
/// How OPA's compiled policies word a conflict.
const CONFLICTS: [&str; 2] = ["var assignment conflict", "object insert conflict"];

/// A result set, or why there is none.
type Answer = Result<Vec<u8>, EvalError>;
/// How the policy is spoken to.
type Speak = fn(&Arc<Policy>) -> Arc<Policy>;
/// How it is asked.
type Ask = fn(&mut Evaluator, &str) -> Answer;
/// The input is built in the module's memory from text or from values, or goes there as JSON.
const WAYS: [(&str, Speak, Ask); 3] = [
    ("built from text", Arc::clone, ask_text),
    ("built from values", Arc::clone, ask_values),
    ("in JSON", in_json, ask_text),
];

/// The outcomes of a module's cases, in their order.
pub(crate) fn run(module: &Path, cases: &[&Case]) -> Vec<Result<(), String>> {
    let module = std::fs::read(module).expect("the module is listed");
    let mut policies: HashMap<&str, Result<Arc<Policy>, String>> = HashMap::new();
    let mut outcomes = Vec::new();
    for case in cases {
        let data = case.data.as_ref().map_or("{}", |data| data.get());
        let policy = policies.entry(data).or_insert_with(|| load(&module, data, &case.entrypoint));
        outcomes.push(policy.as_ref().map_err(Clone::clone).and_then(|policy| judged(case, policy)));
    }
    outcomes
}

fn load(module: &[u8], data: &str, entrypoint: &str) -> Result<Arc<Policy>, String> {
    let bundle = Bundle::read(&packed(module, data)).map_err(|error| error.to_string())?;
    let policy = Policy::load(&bundle, entrypoint, Limits::new(EVAL_TIME_MAX, MEMORY_BYTES_MAX));
    policy.map(Arc::new).map_err(|error| error.to_string())
}

/// A bundle as OPA packs it, but stored: it is read a moment later.
fn packed(module: &[u8], data: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::none()));
    for (name, bytes) in [("data.json", data.as_bytes()), ("policy.wasm", module)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).expect("memory does not fail");
    }
    archive.into_inner().and_then(GzEncoder::finish).expect("memory does not fail")
}

fn judged(case: &Case, policy: &Arc<Policy>) -> Result<(), String> {
    WAYS.iter().try_for_each(|(name, policy_for, ask)| {
        let mut evaluator = Evaluator::for_entrypoint(policy_for(policy), &case.entrypoint)
            .expect("the list names what is in the module");
        let answer = match &case.input {
            Some(input) => ask(&mut evaluator, input.get()),
            None => unasked(&mut evaluator),
        };
        fits(case, &answer).map_err(|what| format!("{name}: {what}"))
    })
}

fn in_json(policy: &Arc<Policy>) -> Arc<Policy> {
    Arc::new(policy.in_json())
}

fn unasked(evaluator: &mut Evaluator) -> Answer {
    evaluator.evaluate_nothing(NOW_NS, &mut Trace::new())?;
    evaluator.result_json()
}

fn ask_text(evaluator: &mut Evaluator, input: &str) -> Answer {
    evaluator.evaluate_json_at(input.as_bytes(), NOW_NS, &mut Trace::new())
}

/// Numbers that Rust's JSON values would round stay as they are written.
fn ask_values(evaluator: &mut Evaluator, input: &str) -> Answer {
    let value: serde_json::Value = serde_json::from_str(input).expect("the input is JSON");
    if Tree::read(&value.to_string()).ok() != Tree::read(input).ok() {
        return ask_text(evaluator, input);
    }
    evaluator.evaluate_document(&value, NOW_NS, &mut Trace::new())?;
    evaluator.result_json()
}

fn fits(case: &Case, answer: &Answer) -> Result<(), String> {
    let unlike = |what: &str| Err(format!("{what}, got {}", shown(answer)));
    match (case.wanted(), answer) {
        (Wanted::Defined(wanted), Ok(text)) => match results(case, text)?.is_empty() {
            empty if empty != wanted => Ok(()),
            _ => unlike(if wanted { "a result was expected" } else { "no result was expected" }),
        },
        (Wanted::Nothing, Ok(text)) if results(case, text)?.is_empty() => Ok(()),
        (Wanted::Results(wanted), Ok(text)) => {
            let equal = Tree::results(wanted.get(), case.sort_bindings)? == results(case, text)?;
            if equal { Ok(()) } else { unlike(&format!("expected {wanted}")) }
        }
        (Wanted::Error("eval_conflict_error"), Err(EvalError::Aborted { message }))
            if CONFLICTS.iter().any(|conflict| message.contains(conflict)) =>
        {
            Ok(())
        }
        (Wanted::Nothing, _) => unlike("no result was expected"),
        (Wanted::Error(code), _) => unlike(&format!("expected {code}")),
        (Wanted::Defined(_) | Wanted::Results(_), Err(_)) => unlike("a result set was expected"),
    }
}

fn results(case: &Case, text: &[u8]) -> Result<Vec<Tree>, String> {
    Tree::results(std::str::from_utf8(text).map_err(|error| error.to_string())?, case.sort_bindings)
}

fn shown(answer: &Answer) -> String {
    match answer {
        Ok(text) => String::from_utf8_lossy(text).into_owned(),
        Err(EvalError::Aborted { message }) => format!("an abort: {message}"),
        Err(error) => error.to_string(),
    }
}
