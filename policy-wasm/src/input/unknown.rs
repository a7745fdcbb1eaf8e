//! A place in an input document for what nobody knows any more, as the headers of a request on the record.

use serde::ser::Error;
use serde::{Serialize, Serializer};

/// How the writer of values in memory knows it.
pub(crate) const NAME: &str = "$claviger_policy::input::Unknown";

/// Something that is there with a value that is not known. An evaluation that looks at it ends in an error, so one that
/// ends in a decision decided without it. It has no form in JSON: a policy whose input goes to it as JSON cannot be asked
/// in this way, which is an error too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unknown;

impl Serialize for Unknown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(NAME, &Formless)
    }
}

struct Formless;

impl Serialize for Formless {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("a part that is not known has no form in JSON"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::testing::{ENTRYPOINT, LIMITS, compile, opa};
    use crate::{Decision, Evaluator, Policy, Trace};

    /// Decides by `known` where that is 1, 2 or 3, and else by what else there is.
    const REGO: &str = r#"package claviger.authz

import rego.v1

default decision := false

decision if input.known == 1

decision if {
	input.known == 2
	input.unknown.a == 1
}

decision if {
	input.known == 3
	not input.unknown
}

decision if {
	input.known == 4
	some value in input
	value == 4
}

decision if {
	input.known == 5
	sprintf("%v", [input.unknown]) == "1"
}

decision := input.unknown if input.known == 6
"#;

    #[test]
    fn whoever_looks_at_it_has_no_decision() {
        assert!(serde_json::to_string(&Unknown).is_err());
        let Some(opa) = opa() else { return };
        let policy = Policy::load(&compile(&opa, REGO, "{}"), ENTRYPOINT, LIMITS).expect("it loads");
        let in_json = Arc::new(policy.in_json());
        let mut evaluator = Evaluator::new(Arc::new(policy));
        let mut ask = |known: u32| {
            let document =
                BTreeMap::from([("known", Part::Known(known)), ("unknown", Part::Unknown(Unknown))]);
            evaluator.evaluate_document(&document, 0, &mut Trace::new())?;
            evaluator.decision()
        };
        assert!(matches!(ask(0), Ok(Decision::Deny(_))));
        assert!(matches!(ask(1), Ok(Decision::Permit(_))));
        for known in 2..=6 {
            assert!(ask(known).is_err(), "{known}");
            assert!(matches!(ask(1), Ok(Decision::Permit(_))), "after {known}");
        }
        let asked = Evaluator::new(in_json).evaluate_document(&[Unknown], 0, &mut Trace::new());
        assert!(asked.is_err());
    }

    #[derive(Serialize)]
    #[serde(untagged)]
    enum Part {
        Known(u32),
        Unknown(Unknown),
    }
}
