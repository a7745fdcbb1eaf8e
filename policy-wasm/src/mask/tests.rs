use super::*;

const INPUT: &str = r#"{"name": "bob", "ssn": "1", "list": [1, {"a": 2}, 3], "deep": {"x": {"y": 1e400}}, "a b/c": 1, "": 0}"#;
const RESULT: &str = r#"[{"allow": true}, "x"]"#;

fn masked(rules: &str) -> Result<Masked, MaskError> {
    Mask::read(format!(r#"[{{"result": {rules}}}]"#).as_bytes())?.apply(Some(INPUT), Some(RESULT))
}

/// The rule's effect on the input: what is left of it, and what the event tells.
fn check(rule: &str, input: Option<&str>, erased: &[&str], told: &[&str]) {
    let done = masked(&format!("[{rule}]")).unwrap_or_else(|error| panic!("{rule}: {error}"));
    assert_eq!(done.input.as_deref(), input, "{rule}");
    assert_eq!(done.result.as_deref(), Some(RESULT), "{rule}");
    assert_eq!(
        (done.erased.as_slice(), done.masked.as_slice()),
        (&strings(erased)[..], &strings(told)[..]),
        "{rule}"
    );
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The input as this crate writes it, with one text in it replaced.
fn input_with(old: &str, new: &str) -> String {
    let canonical = Value::parse(INPUT).expect("JSON").to_string();
    assert!(canonical.contains(old), "{canonical}");
    canonical.replacen(old, new, 1)
}

#[test]
fn values_are_taken_out() {
    let check = |rule: &str, old: &str, new: &str, path: &str| {
        check(rule, Some(&input_with(old, new)), &[path], &[]);
    };
    check(r#""/input/ssn""#, r#", "ssn": "1""#, "", "/input/ssn");
    check(r#"{"op": "remove", "path": "/input/ssn"}"#, r#", "ssn": "1""#, "", "/input/ssn");
    check(r#""/input/list/1""#, r#"{"a": 2}, "#, "", "/input/list/1");
    check(r#""/input/list/1/a""#, r#"{"a": 2}"#, "{}", "/input/list/1/a");
    check(r#""/input/deep/x/y""#, r#"{"y": 1e400}"#, "{}", "/input/deep/x/y");
    check(r#""/input/a%20b%2Fc""#, r#""a b/c": 1, "#, "", "/input/a%20b%2Fc");
    check(r#""/input/a b%2fc""#, r#""a b/c": 1, "#, "", "/input/a%20b%2Fc");
    check(r#""/input/""#, r#""": 0, "#, "", "/input/");
}

#[test]
fn values_are_replaced() {
    let check = |path: &str, value: &str, old: &str, new: &str| {
        let rule = format!(r#"{{"op": "upsert", "path": "{path}", "value": {value}}}"#);
        check(&rule, Some(&input_with(old, new)), &[], &[path]);
    };
    check("/input/ssn", "\"**\"", r#""ssn": "1""#, r#""ssn": "**""#);
    check("/input/list/0", "null", "[1,", "[null,");
    check("/input/list/1/b/c", "{}", r#"{"a": 2}"#, r#"{"a": 2, "b": {"c": {}}}"#);
    check("/input/zz/y", "[1]", r#""ssn": "1""#, r#""ssn": "1", "zz": {"y": [1]}"#);
}

#[test]
fn whole_documents_are_taken_out_and_replaced() {
    check(r#""/input""#, None, &["/input"], &[]);
    check(r#"{"op": "upsert", "path": "/input", "value": "gone"}"#, Some("\"gone\""), &[], &["/input"]);
    check(r#"{"op": "upsert", "path": "/input"}"#, Some("null"), &[], &["/input"]);
    // what is gone stays gone
    check(r#""/input", {"op": "upsert", "path": "/input", "value": 1}, "/input/a""#, None, &["/input"], &[]);
}

#[test]
fn paths_that_lead_nowhere_change_nothing() {
    let same = input_with("", "");
    for path in ["none", "name/x", "list/3", "list/-1", "list/x", "list/0/a", "deep/none/y"] {
        check(&format!(r#""/input/{path}""#), Some(&same), &[], &[]);
    }
    for path in ["name/x", "list/3", "list/x", "list/0/a"] {
        check(&format!(r#"{{"op": "upsert", "path": "/input/{path}", "value": 1}}"#), Some(&same), &[], &[]);
    }
    check(r#""/nd_builtin_cache/x""#, Some(INPUT), &[], &[]);
    check("", Some(INPUT), &[], &[]);
}

#[test]
fn results_are_masked_too_and_in_order() {
    let done =
        masked(r#"["/result/1", {"op": "upsert", "path": "/result/0/allow", "value": "?"}, "/result/0"]"#)
            .expect("rules");
    assert_eq!((done.input.as_deref(), done.result.as_deref()), (Some(INPUT), Some("[]")));
    assert_eq!(done.erased, ["/result/1", "/result/0"]);
    assert_eq!(done.masked, ["/result/0/allow"]);
    let nothing = Mask::read(b"[]").expect("undefined").apply(None, None).expect("nothing");
    assert_eq!(nothing, Masked::default());
}

#[test]
fn what_is_no_mask_is_an_error() {
    let check = |rules: &str| assert!(masked(rules).is_err(), "{rules}");
    for rules in ["true", "null", "{}", "\"/input/a\"", "[1]", "[null]", "[[\"/input\"]]"] {
        check(rules);
    }
    for path in
        ["", "input/a", "/", "/inputs", "/data/a", "/input/%", "/input/%2", "/input/%zz", "/input/%ff"]
    {
        check(&format!(r#"["{path}"]"#));
        check(&format!(r#"["/input/a", {{"op": "remove", "path": "{path}"}}]"#));
    }
    for rule in [
        r#"{"path": "/input/a"}"#,
        r#"{"op": "", "path": "/input/a"}"#,
        r#"{"op": "delete", "path": "/input/a"}"#,
        r#"{"op": 1, "path": "/input/a"}"#,
        r#"{"op": "remove"}"#,
        r#"{"op": "remove", "path": 1}"#,
    ] {
        check(&format!("[{rule}]"));
    }
    check(&format!(r#"["/input{}"]"#, "/a".repeat(KEYS_MAX + 1)));
    for set in [&b"[{\"result\": [\"/input/a\"]}, {\"result\": []}]"[..], b"{}", b"", b"[{}]", b"\xff"] {
        assert!(Mask::read(set).is_err(), "{set:?}");
    }
    let broken = Mask::read(br#"[{"result": ["/input/a"]}]"#).expect("a rule").apply(Some("{\"a\": 1"), None);
    assert_eq!(broken, Err(MaskError::NotADocument));
}
