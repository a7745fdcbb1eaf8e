//! Holds the parts of an input that an author wrote against the input's own schema: a slip of the hand there would make a
//! case that can never happen.

use claviger_config::{Finding, Findings, Node, nearest};
use serde_json::Value;

/// Tells of every key that the schema's documents do not have.
pub(super) fn check(node: &Node, schema: &Value, path: &str, findings: &mut Findings) {
    descend(node, schema, schema, path, findings);
}

fn descend(node: &Node, part: &Value, root: &Value, path: &str, findings: &mut Findings) {
    let part = resolved(part, root);
    let Some(known) = part["properties"].as_object() else { return };
    for (key, location, value) in node.members() {
        let path = format!("{path}.{key}");
        match known.get(key) {
            Some(part) => descend(value, part, root, &path, findings),
            None => {
                let near = nearest(key, known.keys().map(String::as_str));
                let message = "the input has no such key".to_owned();
                findings.push(Finding::error("unknown_key", path, location, message).suggest(near));
            }
        }
    }
}

fn resolved<'a>(part: &'a Value, root: &'a Value) -> &'a Value {
    let target = part["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
    target.and_then(|target| root.pointer(target)).unwrap_or(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_hand_are_found() {
        let check = |yaml: &str, expected: &[(&str, Option<&str>)]| {
            let node = Node::from_yaml(yaml).expect("it is YAML");
            let mut findings = Findings::default();
            check(&node, &claviger_policy::input_schema(), "input", &mut findings);
            let found: Vec<_> =
                findings.iter().map(|found| (found.path.as_str(), found.suggestion.as_deref())).collect();
            assert_eq!(found, expected, "{yaml}");
        };
        check("{}", &[]);
        check("{ workload: { uid: 1, labels: { anything: goes } }, request: { headers: { x: [y] } } }", &[]);
        check(
            "{ task: { claims: { deep: { er: 1 } } }, request: { body: { a: 1 } }, credential: null }",
            &[],
        );
        check("{ worklod: { uid: 1 } }", &[("input.worklod", Some("workload"))]);
        check(
            "{ workload: { uids: 1, kubernetes: { ns: a } } }",
            &[("input.workload.uids", Some("uid")), ("input.workload.kubernetes.ns", None)],
        );
    }
}
