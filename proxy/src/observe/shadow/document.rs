//! The input that a shadow judges: the active policy's, but for what it says of the policy itself.

use std::borrow::Cow;
use std::collections::BTreeMap;

use claviger_policy::{Dialect, EvalError, Policy};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// The document's fields; what is not changed stays as it is written, numbers included.
pub(super) type Document<'a> = BTreeMap<&'a str, Cow<'a, RawValue>>;

/// In our own dialect `context` tells that this is the shadow, and its revision. The document of Envoy's plugin has no place
/// for that.
pub(super) fn for_shadow<'a>(input: &'a str, policy: &Policy) -> Result<Document<'a>, EvalError> {
    let mut document: Document<'a> = serde_json::from_str(input).map_err(not_json)?;
    match policy.dialect() {
        Dialect::ExtAuthz => {}
        Dialect::Mediation => {
            let context = document.get("context").map_or("{}", |context| context.get());
            let context = changed(context, policy.revision()).map_err(not_json)?;
            document.insert("context", Cow::Owned(context));
        }
    }
    Ok(document)
}

fn changed(context: &str, revision: &str) -> serde_json::Result<Box<RawValue>> {
    let mut context: Map<String, Value> = serde_json::from_str(context)?;
    context.insert("shadow".to_owned(), true.into());
    match revision {
        "" => drop(context.remove("revision")),
        revision => drop(context.insert("revision".to_owned(), revision.into())),
    }
    to_raw_value(&context)
}

fn not_json(error: serde_json::Error) -> EvalError {
    EvalError::InputNotJson { cause: format!("line {} column {}", error.line(), error.column()) }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::policy;
    use super::*;

    #[test]
    fn only_the_context_changes() {
        let check = |dialect: Dialect, input: &str, expected: &str| {
            let policy = policy(dialect);
            let document = for_shadow(input, &policy).expect("it is an object");
            let expected = expected.replace("{revision}", policy.revision());
            assert_eq!(serde_json::to_string(&document).expect("it serialises"), expected);
        };
        let input = r#"{"a":{"n":1e400,"m":0.10},"context":{"revision":"old","shadow":false,"sidecar":"s"}}"#;
        check(
            Dialect::Mediation,
            input,
            r#"{"a":{"n":1e400,"m":0.10},"context":{"revision":"{revision}","shadow":true,"sidecar":"s"}}"#,
        );
        check(Dialect::ExtAuthz, input, input);
        assert!(for_shadow("[]", &policy(Dialect::Mediation)).is_err());
    }
}
