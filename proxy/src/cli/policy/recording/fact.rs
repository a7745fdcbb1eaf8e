//! What is still known of an input that was judged once, and what is not.

use std::collections::BTreeMap;

use claviger_policy::input::Unknown;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// A part of an input.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::cli::policy) enum Fact {
    /// As it was.
    Known(Value),
    /// It may have been there with any value, or not at all.
    Unknown,
    /// An object of which something is known.
    Parts(BTreeMap<String, Fact>),
}

/// To the policy, what is not known is a place that it cannot look at without being noticed.
impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown => Unknown.serialize(serializer),
            Self::Parts(parts) => parts.serialize(serializer),
        }
    }
}

impl Fact {
    /// An object of these parts.
    pub(super) fn parts<const N: usize>(parts: [(&str, Self); N]) -> Self {
        Self::Parts(parts.into_iter().map(|(key, fact)| (key.to_owned(), fact)).collect())
    }

    /// Something known.
    pub(super) fn known(value: impl Into<Value>) -> Self {
        Self::Known(value.into())
    }

    /// Adds one part, where it is an object.
    pub(super) fn add(&mut self, key: &str, fact: Self) {
        if let Some(parts) = self.open() {
            parts.insert(key.to_owned(), fact);
        }
    }

    /// Puts what became known at a place, or takes the place away where it became known that nothing is there. A place in
    /// something of which nothing is known stays unknown with it.
    pub(super) fn settle(&mut self, place: &[&str], fact: Option<Self>) {
        let Some((key, rest)) = place.split_first() else { return };
        let Some(parts) = self.open() else { return };
        match (rest, fact) {
            ([], Some(fact)) => drop(parts.insert((*key).to_owned(), fact)),
            ([], None) => drop(parts.remove(*key)),
            (rest, fact) => {
                if let Some(inner) = parts.get_mut(*key) {
                    inner.settle(rest, fact);
                }
            }
        }
    }

    /// Forgets what stands at a JSON pointer; what is not there is made, for it may have been there.
    pub(super) fn forget(&mut self, pointer: &str) {
        let keys = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"));
        self.forget_along(&keys.collect::<Vec<_>>());
    }

    fn forget_along(&mut self, keys: &[String]) {
        if let Some((key, rest)) = keys.split_first()
            && let Some(parts) = self.open()
        {
            return parts.entry(key.clone()).or_insert(Self::Unknown).forget_along(rest);
        }
        // also where it is a part of a list: then nothing of the list is known
        *self = Self::Unknown;
    }

    fn open(&mut self) -> Option<&mut BTreeMap<String, Self>> {
        if let Self::Known(Value::Object(fields)) = self {
            let fields = std::mem::take(fields);
            *self = Self::Parts(fields.into_iter().map(|(key, value)| (key, Self::Known(value))).collect());
        }
        match self {
            Self::Parts(parts) => Some(parts),
            Self::Known(_) | Self::Unknown => None,
        }
    }

    /// What is known, and nothing in place of the rest.
    pub(in crate::cli::policy) fn without_unknown(&self) -> Value {
        match self {
            Self::Known(value) => value.clone(),
            Self::Unknown => Value::Null,
            Self::Parts(parts) => {
                let known = parts.iter().filter(|(_, fact)| **fact != Self::Unknown);
                Value::Object(known.map(|(key, fact)| (key.clone(), fact.without_unknown())).collect())
            }
        }
    }

    /// The places that are not known, as `request.headers`.
    pub(in crate::cli::policy) fn unknown(&self) -> Vec<String> {
        let mut places = Vec::new();
        self.visit("", &mut places);
        places
    }

    fn visit(&self, path: &str, places: &mut Vec<String>) {
        match self {
            Self::Known(_) => {}
            Self::Unknown => places.push(path.to_owned()),
            Self::Parts(parts) => {
                for (key, fact) in parts {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    fact.visit(&path, places);
                }
            }
        }
    }

    /// The same with nothing in place of what is not known, but for one place.
    pub(in crate::cli::policy) fn with_one_unknown(&self, place: &str) -> Self {
        self.kept("", place)
    }

    fn kept(&self, path: &str, place: &str) -> Self {
        let Self::Parts(parts) = self else { return self.clone() };
        let kept = parts.iter().filter_map(|(key, fact)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let stays = *fact != Self::Unknown || path == place;
            stays.then(|| (key.clone(), fact.kept(&path, place)))
        });
        Self::Parts(kept.collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn known(value: Value) -> Fact {
        Fact::known(value)
    }

    #[test]
    fn forgetting() {
        let check = |document: Value, pointer: &str, left: Value, unknown: &[&str]| {
            let mut fact = known(document);
            fact.forget(pointer);
            assert_eq!(
                (fact.without_unknown(), fact.unknown()),
                (left, unknown.iter().map(|place| (*place).to_owned()).collect()),
                "{pointer}"
            );
        };
        let document = json!({ "a": { "b": 1, "c/~": 2 }, "d": [1, { "e": 2 }] });
        check(document.clone(), "/a/b", json!({ "a": { "c/~": 2 }, "d": [1, { "e": 2 }] }), &["a.b"]);
        check(document.clone(), "/a/c~1~0", json!({ "a": { "b": 1 }, "d": [1, { "e": 2 }] }), &["a.c/~"]);
        check(document.clone(), "/a", json!({ "d": [1, { "e": 2 }] }), &["a"]);
        check(document.clone(), "/d/1/e", json!({ "a": { "b": 1, "c/~": 2 } }), &["d"]);
        check(document.clone(), "/x", document.clone(), &["x"]);
        check(document.clone(), "/a/x/y", document.clone(), &["a.x"]);
        check(document, "", json!(null), &[""]);
    }

    #[test]
    fn one_place_at_a_time() {
        let fact = Fact::parts([
            ("a", Fact::parts([("b", Fact::Unknown), ("c", known(json!(1)))])),
            ("d", Fact::Unknown),
        ]);
        assert_eq!(fact.unknown(), ["a.b", "d"]);
        assert_eq!(
            fact.with_one_unknown("d"),
            Fact::parts([("a", Fact::parts([("c", known(json!(1)))])), ("d", Fact::Unknown)])
        );
        assert_eq!(fact.without_unknown(), json!({ "a": { "c": 1 } }));
        assert!(serde_json::to_string(&fact).is_err(), "the unknown has no form in JSON");
    }
}
