//! In what two decisions on the same request differ. Words that only people read do not count.

use claviger_policy::{Decision, Denial, EvalError, Permission};

/// Two decisions that are not the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The keys of a decision in which they differ, or `outcome` alone.
    pub(super) keys: Vec<&'static str>,
}

impl Difference {
    /// `None` where there is none. Two failures are alike.
    pub(super) fn between(
        active: &Result<Decision, EvalError>,
        shadow: &Result<Decision, EvalError>,
    ) -> Option<Self> {
        let keys = match (active, shadow) {
            (Ok(Decision::Permit(active)), Ok(Decision::Permit(shadow))) => permits(active, shadow),
            (Ok(Decision::Deny(active)), Ok(Decision::Deny(shadow))) => denials(active, shadow),
            (Err(_), Err(_)) => Vec::new(),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => vec!["outcome"],
        };
        (!keys.is_empty()).then_some(Self { keys })
    }
}

/// The names for which the answer is yes.
fn named<const N: usize>(differs: [(&'static str, bool); N]) -> Vec<&'static str> {
    differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
}

fn permits(active: &Permission, shadow: &Permission) -> Vec<&'static str> {
    let Permission {
        reason: _,
        rule,
        credential,
        scopes,
        audience,
        resource,
        ttl_s,
        set_headers,
        remove_headers,
        query,
        answer,
    } = active;
    named([
        ("rule", *rule != shadow.rule),
        ("credential", *credential != shadow.credential),
        ("scopes", *scopes != shadow.scopes),
        ("audience", *audience != shadow.audience),
        ("resource", *resource != shadow.resource),
        ("ttl_s", *ttl_s != shadow.ttl_s),
        ("set_headers", *set_headers != shadow.set_headers),
        ("remove_headers", *remove_headers != shadow.remove_headers),
        ("query", *query != shadow.query),
        ("response", *answer != shadow.answer),
    ])
}

fn denials(active: &Denial, shadow: &Denial) -> Vec<&'static str> {
    let Denial { reason: _, rule, hint: _, status, headers, body } = active;
    named([
        ("rule", *rule != shadow.rule),
        ("status", *status != shadow.status),
        ("headers", *headers != shadow.headers),
        ("body", *body != shadow.body),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(text: &str) -> Result<Decision, EvalError> {
        Decision::read(format!(r#"[{{"result":{text}}}]"#).as_bytes())
    }

    #[test]
    fn differences_are_named_by_their_keys() {
        let check = |active: &str, shadow: &str, keys: &[&str]| {
            let found = Difference::between(&decision(active), &decision(shadow));
            assert_eq!(found.map_or(Vec::new(), |found| found.keys), keys, "{active} {shadow}");
        };
        check("true", r#"{"allow":true}"#, &[]);
        check("false", r#"{"allow":false,"reason":"no","hint":"ask"}"#, &[]);
        check("true", "false", &["outcome"]);
        check("true", "7", &["outcome"]);
        check("7", "8", &[]);
        check(r#"{"allow":true,"rule":"a"}"#, r#"{"allow":true,"rule":"b"}"#, &["rule"]);
        check("true", r#"{"allow":true,"credential":"x","scopes":["r"]}"#, &["credential", "scopes"]);
        check("true", r#"{"allow":true,"audience":"x","resource":"r"}"#, &["audience", "resource"]);
        check("true", r#"{"allow":true,"ttl_s":5}"#, &["ttl_s"]);
        check(r#"{"allow":true,"set_headers":{"x-a":"1"}}"#, r#"{"allow":true}"#, &["set_headers"]);
        check(r#"{"allow":true,"remove_headers":["x-a"]}"#, r#"{"allow":true}"#, &["remove_headers"]);
        check(r#"{"allow":false,"status":404}"#, r#"{"allow":false,"rule":"b"}"#, &["rule", "status"]);
    }
}
