//! What two bundles hold and need, side by side.

use std::path::Path;
use std::process::ExitCode;

use claviger_policy::{Bundle, Inspection, NeededBuiltin, Standing};
use serde_json::{Map, Value, json};

use super::change;
use crate::cli::fail;
use crate::cli::policy::inspect::{inspect, signature};
use crate::cli::policy::page::{Hue, Page, shown};

/// Places in the data document that are told.
const DATA_PLACES_MAX: usize = 1_000;

/// The differences of two bundles, without asking either.
pub(super) struct Contents {
    /// Labels, and what stood and stands there.
    values: Vec<(&'static str, Value, Value)>,
    /// Labels of lists, what is no longer there, and what is new.
    lists: Vec<(&'static str, Vec<String>, Vec<String>)>,
    data: DataChanges,
    digests: [String; 2],
}

/// Places in the data document, as `grants/payments/scopes`.
#[derive(Debug, Default, PartialEq, Eq)]
struct DataChanges {
    added: Vec<String>,
    removed: Vec<String>,
    changed: Vec<String>,
    /// How many there are, told or not.
    count: usize,
}

impl Contents {
    pub(super) fn of(old: (&Path, &Bundle), new: (&Path, &Bundle)) -> Result<Self, ExitCode> {
        let look = |(path, bundle): (&Path, &Bundle)| {
            inspect(bundle).map_err(|why| fail(1, &format!("{}: {why}", path.display())))
        };
        let (seen_old, seen_new) = (look(old)?, look(new)?);
        let ((_, old), (_, new)) = (old, new);
        let values = [
            ("digest", json!(old.digest()), json!(new.digest())),
            ("wasm", json!(old.module_digest()), json!(new.module_digest())),
            ("revision", json!(old.revision()), json!(new.revision())),
            ("abi", json!(abi(&seen_old)), json!(abi(&seen_new))),
            ("metadata", json!(old.metadata()), json!(new.metadata())),
            ("signature", signature(old), signature(new)),
        ];
        let lists = [
            list("entrypoints", &seen_old.entrypoints, &seen_new.entrypoints),
            list("builtins", &builtins(&seen_old), &builtins(&seen_new)),
            list("roots", old.roots(), new.roots()),
        ];
        Ok(Self {
            values: values.into_iter().filter(|(_, old, new)| old != new).collect(),
            lists: lists
                .into_iter()
                .filter(|(_, gone, come)| !(gone.is_empty() && come.is_empty()))
                .collect(),
            data: DataChanges::between(&old.data(), &new.data()),
            digests: [old.digest().to_owned(), new.digest().to_owned()],
        })
    }

    pub(super) fn are_equal(&self) -> bool {
        self.values.is_empty() && self.lists.is_empty() && self.data.count == 0
    }

    pub(super) fn to_json(&self) -> Value {
        let mut differences = Map::new();
        for (label, old, new) in &self.values {
            differences.insert((*label).into(), json!({ "old": old, "new": new }));
        }
        for (label, removed, added) in &self.lists {
            differences.insert((*label).into(), json!({ "removed": removed, "added": added }));
        }
        let DataChanges { added, removed, changed, count } = &self.data;
        if *count > 0 {
            let told = json!({ "added": added, "removed": removed, "changed": changed, "count": count });
            differences.insert("data".into(), told);
        }
        json!({ "old": self.digests[0], "new": self.digests[1], "differences": differences })
    }

    pub(super) fn show(&self, page: &mut Page) {
        for (label, old, new) in &self.values {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            change(page, label, &text(old), &text(new));
        }
        for (label, removed, added) in &self.lists {
            show_list(page, label, removed, added, &[]);
        }
        let DataChanges { added, removed, changed, count } = &self.data;
        if *count > 0 {
            show_list(page, "data", removed, added, changed);
        }
    }
}

fn show_list(page: &mut Page, label: &str, removed: &[String], added: &[String], changed: &[String]) {
    let painted = |hue: Hue, sign: char, texts: &[String]| {
        texts.iter().map(|text| page.paint(hue, &format!("{sign} {}", shown(text)))).collect::<Vec<_>>()
    };
    let rows =
        [painted(Hue::Red, '-', removed), painted(Hue::Green, '+', added), painted(Hue::Bold, '~', changed)];
    page.rows(label, &rows.concat());
}

fn abi(seen: &Inspection) -> String {
    format!("{}.{}", seen.abi.0, seen.abi.1)
}

/// The builtins by name, with what stands in the way of those that cannot be called here.
fn builtins(seen: &Inspection) -> Vec<String> {
    let told = |needed: &NeededBuiltin| match needed.standing {
        Standing::Offered => needed.name.clone(),
        Standing::Refused(_) => format!("{} (refused)", needed.name),
        Standing::Unknown => format!("{} (not offered)", needed.name),
    };
    seen.builtins.iter().map(told).collect()
}

fn list(label: &'static str, old: &[String], new: &[String]) -> (&'static str, Vec<String>, Vec<String>) {
    let without = |these: &[String], those: &[String]| {
        these.iter().filter(|name| !those.contains(name)).cloned().collect::<Vec<_>>()
    };
    (label, without(old, new), without(new, old))
}

impl DataChanges {
    /// Compares two documents as JSON text.
    fn between(old: &str, new: &str) -> Self {
        let mut changes = Self::default();
        if old == new {
            return changes;
        }
        let read = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        changes.compare(&mut String::new(), Some(&read(old)), Some(&read(new)));
        if changes.count == 0 {
            // numbers that only their full text tells apart
            changes.tell(Kind::Changed, "");
        }
        changes
    }

    fn compare(&mut self, place: &mut String, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                let keys = old.keys().chain(new.keys().filter(|key| !old.contains_key(*key)));
                for key in keys {
                    let length = place.len();
                    if length > 0 {
                        place.push('/');
                    }
                    place.push_str(key);
                    self.compare(place, old.get(key), new.get(key));
                    place.truncate(length);
                }
            }
            (Some(old), Some(new)) if old == new => {}
            (None, _) => self.tell(Kind::Added, place),
            (_, None) => self.tell(Kind::Removed, place),
            (Some(_), Some(_)) => self.tell(Kind::Changed, place),
        }
    }

    fn tell(&mut self, kind: Kind, place: &str) {
        self.count += 1;
        let places = match kind {
            Kind::Added => &mut self.added,
            Kind::Removed => &mut self.removed,
            Kind::Changed => &mut self.changed,
        };
        if places.len() < DATA_PLACES_MAX {
            places.push(if place.is_empty() { "/".to_owned() } else { place.to_owned() });
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Added,
    Removed,
    Changed,
}

#[cfg(test)]
mod tests {
    use claviger_policy::shipped;

    use super::*;

    #[test]
    fn data_is_compared_by_place() {
        let check = |old: &str, new: &str, added: &[&str], removed: &[&str], changed: &[&str]| {
            let found = DataChanges::between(old, new);
            assert_eq!(
                (found.added, found.removed, found.changed),
                (owned(added), owned(removed), owned(changed)),
                "{old} {new}"
            );
        };
        check("{}", "{}", &[], &[], &[]);
        check(r#"{"a":{"b":1}}"#, r#"{"a":{"b":2,"c":3}}"#, &["a/c"], &[], &["a/b"]);
        check(r#"{"a":{"b":1},"d":[1]}"#, r#"{"d":[1,2]}"#, &[], &["a"], &["d"]);
        check(r#"{"a":{}}"#, r#"{"a":7}"#, &[], &[], &["a"]);
        check(r#"{"n":1.00000000000000000001}"#, r#"{"n":1.00000000000000000002}"#, &[], &[], &["/"]);
    }

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn bundles_side_by_side() {
        let read = |bytes: &[u8]| Bundle::read(bytes).expect("it is a bundle");
        let (baseline, other) = (read(shipped::BASELINE), read(shipped::LEAST_PRIVILEGE));
        let path = Path::new("bundle");
        let same = Contents::of((path, &baseline), (path, &baseline)).expect("it can be looked at");
        assert!(same.are_equal());
        let differ = Contents::of((path, &baseline), (path, &other)).expect("they can be looked at");
        let told = differ.to_json();
        assert!(!differ.are_equal() && told["differences"]["wasm"].is_object(), "{told}");
        assert_ne!(told["differences"]["data"]["added"], json!([]), "{told}");
    }
}
