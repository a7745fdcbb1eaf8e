//! OPA's own test cases, compiled to WebAssembly by OPA and evaluated by us: what OPA's WebAssembly engine has to answer,
//! ours has to answer.
//!
//! `tests/conformance/` compiles the cases and holds the ledger of what is not answered, and why. The run fails when a
//! case fails that is not in the ledger, when one passes that is, and when there are other cases than the ledger counts.

mod corpus;
mod ledger;
mod tree;
mod trial;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use claviger_tests::{needs, slow, tool};
use corpus::{Case, Corpus, Kind};
use ledger::Ledger;

#[test]
fn opas_own_cases_are_answered_as_opa_answers_them() {
    slow!();
    needs!("go");
    let corpus = Corpus::compile(0);
    let failures = failures(&corpus);
    let ledger = Ledger::read();
    let complaints = ledger.complaints(&corpus, &failures);
    for complaint in &complaints {
        println!("{complaint}");
    }
    tool::say(&summary(&corpus, &failures, &ledger));
    assert!(complaints.is_empty(), "{} complaints", complaints.len());
}

/// What went wrong, by the name of the case.
fn failures(corpus: &Corpus) -> BTreeMap<String, String> {
    let mut failures = corpus.uncompiled();
    failures.extend(shared_out(corpus, trial::run));
    failures
}

/// Runs every module's cases, shared out among the machine's cores; gives what went wrong.
fn shared_out(
    corpus: &Corpus,
    run: impl Fn(&Path, &[&Case]) -> Vec<Result<(), String>> + Sync,
) -> BTreeMap<String, String> {
    let found = Mutex::new(BTreeMap::new());
    let (groups, next) = (corpus.by_module(), AtomicUsize::new(0));
    let work = || {
        while let Some((module, cases)) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcomes = cases.iter().zip(run(module, cases));
            let failed = outcomes.filter_map(|(case, outcome)| Some((case.name.clone(), outcome.err()?)));
            found.lock().expect("no thread panicked").extend(failed);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(work))));
    found.into_inner().expect("no thread panicked")
}

fn summary(corpus: &Corpus, failures: &BTreeMap<String, String>, ledger: &Ledger) -> String {
    let [results, errors] = [Kind::Result, Kind::Error].map(|kind| corpus.count(kind));
    let [answered, refused] = [Kind::Result, Kind::Error].map(|kind| corpus.passed(kind, failures));
    let percent = answered as f64 * 100.0 / results as f64;
    format!(
        "conformance: {answered} of {results} result cases ({percent:.2} %), {refused} of {errors} error cases, \
         {} exceptions",
        ledger.len(),
    )
}
