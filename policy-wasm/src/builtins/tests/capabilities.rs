//! What authors are told that they may call: OPA's own list without what this host cannot run.

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

use crate::builtins::{REFUSED, Standing, standing};
use crate::shipped::CAPABILITIES;
use crate::testing::opa;

/// What OPA's compiler makes code of, or takes away, when it compiles to WebAssembly.
const COMPILED: [&str; 101] = [
    "abs",
    "all",
    "and",
    "any",
    "array.concat",
    "array.flatten",
    "array.reverse",
    "array.slice",
    "assign",
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "base64url.decode",
    "base64url.encode",
    "bits.and",
    "bits.lsh",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "ceil",
    "concat",
    "contains",
    "count",
    "div",
    "endswith",
    "eq",
    "equal",
    "floor",
    "format_int",
    "glob.match",
    "graph.reachable",
    "gt",
    "gte",
    "indexof",
    "internal.member_2",
    "internal.member_3",
    "internal.template_string",
    "internal.test_case",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.filter",
    "json.is_valid",
    "json.marshal",
    "json.remove",
    "json.unmarshal",
    "lower",
    "lt",
    "lte",
    "max",
    "min",
    "minus",
    "mul",
    "neq",
    "net.cidr_contains",
    "net.cidr_intersects",
    "net.cidr_overlap",
    "numbers.range",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.union",
    "object.union_n",
    "or",
    "plus",
    "product",
    "re_match",
    "regex.find_all_string_submatch_n",
    "regex.is_valid",
    "regex.match",
    "rego.metadata.chain",
    "rego.metadata.rule",
    "rem",
    "replace",
    "round",
    "set_diff",
    "sort",
    "split",
    "startswith",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "to_number",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "upper",
    "walk",
];

fn names(capabilities: &Json) -> Vec<&str> {
    let builtins = capabilities["builtins"].as_array().expect("builtins are a list");
    builtins.iter().map(|builtin| builtin["name"].as_str().expect("builtins have names")).collect()
}

#[test]
fn what_is_told_is_compiled_or_offered() {
    let told: Json = serde_json::from_str(CAPABILITIES).expect("it is JSON");
    let told = names(&told);
    for name in &told {
        assert_ne!(COMPILED.contains(name), standing(name) == Standing::Offered, "{name}");
    }
    assert!(COMPILED.iter().all(|name| told.contains(name)));
    assert!(REFUSED.iter().all(|(name, _)| !told.contains(name)));
}

/// With `CLAVIGER_BLESS=1` the file is written anew, for a new OPA or a new builtin.
#[test]
fn what_is_told_is_all_that_opa_knows_and_the_host_runs() {
    let Some(opa) = opa() else { return };
    let done = Command::new(opa).args(["capabilities", "--current"]).output().expect("opa starts");
    let mut known: Json = serde_json::from_slice(&done.stdout).expect("opa writes JSON");
    let runs = |name: &str| COMPILED.contains(&name) || standing(name) == Standing::Offered;
    let builtins = known["builtins"].as_array_mut().expect("builtins are a list");
    builtins.retain(|builtin| builtin["name"].as_str().is_some_and(runs));
    if std::env::var_os("CLAVIGER_BLESS").is_some() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("rego/capabilities.json");
        std::fs::write(file, format!("{known:#}\n")).expect("the file is writable");
        return;
    }
    let told: Json = serde_json::from_str(CAPABILITIES).expect("it is JSON");
    assert_eq!(names(&told), names(&known));
    assert_eq!(told, known);
}

#[test]
fn opa_holds_policies_against_it() {
    let Some(opa) = opa() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let check = |call: &str| {
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("it is writable");
        write("capabilities.json", CAPABILITIES);
        write("policy.rego", &format!("package p\n\nx := {call}\n"));
        let mut command = Command::new(&opa);
        command.current_dir(folder.path());
        command.args(["check", "--capabilities", "capabilities.json", "policy.rego"]);
        command.output().expect("opa starts").status.success()
    };
    let cases = [
        ("providers.aws.sign_req({}, {}, 1)", true),
        ("[y | some y in [1]; y > 0]", true),
        ("http.send({})", false),
        ("opa.runtime()", false),
    ];
    for (call, expected) in cases {
        assert_eq!(check(call), expected, "{call}");
    }
}
