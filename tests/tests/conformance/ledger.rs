//! What is known not to be answered as OPA answers it, by name and with its reason; and how many cases there are.

use std::collections::{BTreeMap, BTreeSet};

use claviger_tests::tool;
use serde::Deserialize;

use super::corpus::{Corpus, Kind};

const PATH: &str = "tests/conformance/exceptions.json";
/// Of the result cases, in hundredths of a percent.
const PASSED_MIN: usize = 9_850;

/// `exceptions.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ledger {
    /// How many cases have a result.
    result_cases: usize,
    /// How many have an error.
    error_cases: usize,
    /// Why a case is not answered, by its name.
    exceptions: BTreeMap<String, String>,
}

impl Ledger {
    /// The one in the repository.
    pub(crate) fn read() -> Ledger {
        let text = std::fs::read(tool::root().join(PATH)).expect(PATH);
        serde_json::from_slice(&text).expect(PATH)
    }

    /// The number of exceptions.
    pub(crate) fn len(&self) -> usize {
        self.exceptions.len()
    }

    /// Why the run is no success: what the ledger does not say, and what it says wrongly.
    pub(crate) fn complaints(&self, corpus: &Corpus, failures: &BTreeMap<String, String>) -> Vec<String> {
        let unlisted = failures.iter().filter(|(name, _)| !self.exceptions.contains_key(*name));
        let unlisted = unlisted.map(|(name, what)| format!("failed: {name}: {what}"));
        let known: BTreeSet<_> = corpus.cases.iter().map(|case| &case.name).collect();
        let outdated = self.exceptions.keys().filter(|name| !failures.contains_key(*name)).map(|name| {
            match known.contains(name) {
                true => format!("passed, but {PATH} lists it: {name}"),
                false => format!("{PATH} lists a case that does not exist: {name}"),
            }
        });
        let unexplained = self.exceptions.iter().filter(|(_, reason)| reason.trim().is_empty());
        let unexplained = unexplained.map(|(name, _)| format!("{PATH} gives no reason for {name}"));
        unlisted.chain(outdated).chain(unexplained).chain(self.miscounts(corpus, failures)).collect()
    }

    fn miscounts(&self, corpus: &Corpus, failures: &BTreeMap<String, String>) -> Vec<String> {
        let (results, errors) = (corpus.count(Kind::Result), corpus.count(Kind::Error));
        let mut complaints = Vec::new();
        if (results, errors) != (self.result_cases, self.error_cases) {
            complaints
                .push(format!("{PATH} counts other cases than the {results} and {errors} that were run"));
        }
        let passed = corpus.passed(Kind::Result, failures);
        if passed * 10_000 < results * PASSED_MIN {
            complaints.push(format!("{passed} of {results} result cases are too few"));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &str = r#"[
        {"name": "a", "strict_error": false, "sort_bindings": false, "want_result": []},
        {"name": "b", "strict_error": false, "sort_bindings": false, "want_defined": true},
        {"name": "b", "strict_error": true, "sort_bindings": false, "want_error": "eval_type_error"}
    ]"#;

    /// The ledger counts `counts` cases and has these exceptions; these cases failed.
    fn check(counts: (usize, usize), exceptions: &[(&str, &str)], failed: &[&str], expected: &[&str]) {
        let owned = |(name, reason): &(&str, &str)| ((*name).to_owned(), (*reason).to_owned());
        let exceptions = exceptions.iter().map(owned).collect();
        let ledger = Ledger { result_cases: counts.0, error_cases: counts.1, exceptions };
        let failures = failed.iter().map(|name| ((*name).to_owned(), "wrong".to_owned())).collect();
        let complaints = ledger.complaints(&Corpus::read(CASES.as_bytes(), "".into()), &failures);
        assert_eq!(complaints.len(), expected.len(), "{complaints:?}");
        for (complaint, part) in complaints.iter().zip(expected) {
            assert!(complaint.contains(part), "{complaint}");
        }
    }

    #[test]
    fn ledger_and_run_must_agree() {
        check((2, 1), &[], &[], &[]);
        check((2, 1), &[("b #2", "because")], &["b #2"], &[]);
        check((2, 1), &[], &["b #2"], &["failed: b #2: wrong"]);
        check((2, 1), &[("b #2", "because")], &[], &["passed, but"]);
        check((2, 1), &[("c", "because")], &[], &["does not exist: c"]);
        check((2, 1), &[("b #2", " ")], &["b #2"], &["no reason for b #2"]);
        check((3, 1), &[], &[], &["counts other cases than the 2 and 1"]);
        check((2, 0), &[], &[], &["counts other cases than the 2 and 1"]);
        check((2, 1), &[("a", "because")], &["a"], &["1 of 2 result cases are too few"]);
    }
}
