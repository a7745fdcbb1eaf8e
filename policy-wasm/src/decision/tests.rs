//! Every row of the decision's contract, valid and invalid.

use super::{AnswerChanges, Decision, Denial, Permission};
use crate::error::EvalError;

fn read(result: &str) -> Result<Decision, EvalError> {
    Decision::read(format!("[{{\"result\":{result}}}]").as_bytes())
}

fn permit(permission: Permission) -> Result<Decision, EvalError> {
    Ok(Decision::Permit(permission))
}

fn deny(denial: Denial) -> Result<Decision, EvalError> {
    Ok(Decision::Deny(denial))
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn permits() {
    let plain = Permission::plain;
    let cases = [
        ("true", plain()),
        (r#"{"allow":true}"#, plain()),
        (
            r#"{"allow":true,"reason":"r","rule":"n"}"#,
            Permission { reason: text("r"), rule: text("n"), ..plain() },
        ),
        (r#"{"allow":true,"credential":"c"}"#, Permission { credential: text("c"), ..plain() }),
        (
            r#"{"allow":true,"scopes":["a","b"]}"#,
            Permission { scopes: Some(vec!["a".to_owned(), "b".to_owned()]), ..plain() },
        ),
        (r#"{"allow":true,"scopes":[]}"#, Permission { scopes: Some(Vec::new()), ..plain() }),
        (
            r#"{"allow":true,"audience":"a","resource":"b"}"#,
            Permission { audience: text("a"), resource: text("b"), ..plain() },
        ),
        (r#"{"allow":true,"ttl_s":60}"#, Permission { ttl_s: Some(60), ..plain() }),
        (r#"{"allow":true,"ttl_s":6e1}"#, Permission { ttl_s: Some(60), ..plain() }),
        (
            r#"{"allow":true,"set_headers":{"X-Team":"a b","x-empty":""},"remove_headers":["X-Debug"]}"#,
            Permission {
                set_headers: vec![
                    ("x-team".to_owned(), "a b".to_owned()),
                    ("x-empty".to_owned(), String::new()),
                ],
                remove_headers: vec!["x-debug".to_owned()],
                ..plain()
            },
        ),
        (
            r#"{"allow":true,"response":{"remove_headers":["Server"]}}"#,
            Permission {
                answer: AnswerChanges {
                    remove_headers: vec!["server".to_owned()],
                    ..AnswerChanges::default()
                },
                ..plain()
            },
        ),
        (
            r#"{"allow":true,"response":{"scrub":true}}"#,
            Permission { answer: AnswerChanges { scrub: Some(true), ..AnswerChanges::default() }, ..plain() },
        ),
        (r#"{"allow":true,"response":{}}"#, plain()),
        (r#"{"allow":true,"status":451,"hint":"h"}"#, plain()),
    ];
    for (result, expected) in cases {
        assert_eq!(read(result), permit(expected), "{result}");
    }
}

#[test]
fn denials() {
    let cases = [
        ("false", Denial::SILENT),
        (r#"{"allow":false}"#, Denial::SILENT),
        (
            r#"{"allow":false,"reason":"r","rule":"n","status":451,"hint":"h"}"#,
            Denial {
                reason: text("r"),
                rule: text("n"),
                status: Some(451),
                hint: text("h"),
                ..Denial::SILENT
            },
        ),
        (r#"{"allow":false,"status":400}"#, Denial { status: Some(400), ..Denial::SILENT }),
        (r#"{"allow":false,"status":499}"#, Denial { status: Some(499), ..Denial::SILENT }),
        (r#"{"allow":false,"credential":"c","scopes":["a"]}"#, Denial::SILENT),
    ];
    for (result, expected) in cases {
        assert_eq!(read(result), deny(expected), "{result}");
    }
    assert_eq!(Decision::read(b"[]"), deny(Denial::SILENT));
    assert_eq!(Decision::read(b" [ ] "), deny(Denial::SILENT));
}

fn what_is_wrong(result_set: &[u8]) -> String {
    match Decision::read(result_set) {
        Err(EvalError::NotADecision { what }) => what,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(result_set)),
    }
}

#[test]
fn everything_else_is_no_decision() {
    let cases = [
        (r#""true""#, "a string"),
        ("1", "a number"),
        ("null", "null"),
        ("[true]", "an array"),
        ("{}", "`allow` is missing"),
        (r#"{"reason":"hello"}"#, "`allow` is missing"),
        (r#"{"allow":"true"}"#, "`allow` must be a boolean"),
        (r#"{"allow":1}"#, "`allow`"),
        (r#"{"allow":null}"#, "`allow`"),
        (r#"{"allow":{"allow":true}}"#, "`allow`"),
        (r#"{"Allow":true}"#, "`allow` is missing"),
        (r#"{"allowed":true}"#, "`allow` is missing"),
        (r#"{"allow":true,"allow":true}"#, "twice"),
        (r#"{"allow":true,"surprise":1}"#, "unknown key `surprise`"),
        (r#"{"allow":true,"ttls":5}"#, "unknown key `ttls`"),
        (r#"{"allow":false,"surprise":1}"#, "unknown key `surprise`"),
        (r#"{"allow":true,"reason":5}"#, "`reason` must be a string"),
        (r#"{"allow":true,"reason":null}"#, "`reason`"),
        (r#"{"allow":false,"rule":[]}"#, "`rule`"),
        (r#"{"allow":true,"credential":1}"#, "`credential`"),
        (r#"{"allow":true,"scopes":"repo"}"#, "`scopes` must be an array"),
        (r#"{"allow":true,"scopes":["repo",1]}"#, "`scopes` must be a string"),
        (r#"{"allow":true,"audience":["a"]}"#, "`audience`"),
        (r#"{"allow":true,"resource":{}}"#, "`resource`"),
        (r#"{"allow":true,"ttl_s":"60"}"#, "`ttl_s` must be a whole number"),
        (r#"{"allow":true,"ttl_s":1.5}"#, "`ttl_s`"),
        (r#"{"allow":true,"ttl_s":-1}"#, "`ttl_s` must be positive"),
        (r#"{"allow":true,"ttl_s":0}"#, "`ttl_s` must be positive"),
        (r#"{"allow":true,"ttl_s":1e30}"#, "`ttl_s`"),
        (r#"{"allow":true,"set_headers":["x"]}"#, "`set_headers` must be an object"),
        (r#"{"allow":true,"set_headers":{"x-a":1}}"#, "`x-a`"),
        (r#"{"allow":true,"set_headers":{"x-a":"b\r\nX-Planted: planted"}}"#, "`x-a`"),
        (r#"{"allow":true,"set_headers":{"x-a":"b\u0000"}}"#, "`x-a`"),
        (r#"{"allow":true,"set_headers":{"x-a":" b"}}"#, "`x-a`"),
        (r#"{"allow":true,"set_headers":{"x-a":"é"}}"#, "`x-a`"),
        (r#"{"allow":true,"set_headers":{"x a":"planted"}}"#, "no header name"),
        (r#"{"allow":true,"set_headers":{"":"planted"}}"#, "no header name"),
        (r#"{"allow":true,"set_headers":{"X-A":"1","x-a":"2"}}"#, "`x-a` twice"),
        (r#"{"allow":true,"remove_headers":{}}"#, "`remove_headers` must be an array"),
        (r#"{"allow":true,"remove_headers":["a:b"]}"#, "no header name"),
        (r#"{"allow":false,"status":200}"#, "`status` must be from 400 to 499"),
        (r#"{"allow":false,"status":399}"#, "`status`"),
        (r#"{"allow":false,"status":500}"#, "`status`"),
        (r#"{"allow":false,"status":-1}"#, "`status`"),
        (r#"{"allow":false,"status":"403"}"#, "`status`"),
        (r#"{"allow":true,"status":200}"#, "`status`"),
        (r#"{"allow":false,"hint":1}"#, "`hint`"),
        (r#"{"allow":true,"response":[]}"#, "`response` must be an object"),
        (r#"{"allow":true,"response":{"remove_headers":["a b"]}}"#, "no header name"),
        (r#"{"allow":true,"response":{"scrub":1}}"#, "`scrub` must be a boolean"),
        (r#"{"allow":true,"response":{"scrub":null}}"#, "`scrub` must be a boolean"),
        (r#"{"allow":true,"response":{"status":200}}"#, "unknown key `status`"),
    ];
    for (result, expected) in cases {
        let what = what_is_wrong(format!("[{{\"result\":{result}}}]").as_bytes());
        assert!(what.contains(expected), "{result}: {what}");
    }
}

#[test]
fn keys_of_later_versions_are_named() {
    for key in ["approval", "details", "rate", "revalidate_s"] {
        for allow in [true, false] {
            let what =
                what_is_wrong(format!("[{{\"result\":{{\"allow\":{allow},\"{key}\":1}}}}]").as_bytes());
            assert_eq!(what, format!("`{key}` is not supported yet"));
        }
    }
}

#[test]
fn result_sets_have_one_form() {
    let cases: [&[u8]; 8] = [
        b"",
        b"{}",
        b"true",
        b"[true]",
        b"[{}]",
        b"[{\"result\":true},{\"result\":true}]",
        b"[{\"result\":true}",
        b"[\xff]",
    ];
    for result_set in cases {
        what_is_wrong(result_set);
    }
}

#[test]
fn sizes_are_bounded() {
    let long = "a".repeat(4097);
    let many = |element: &str| vec![element; 65].join(",");
    let cases = [
        format!(r#"{{"allow":true,"reason":"{long}"}}"#),
        format!(r#"{{"allow":true,"rule":"{long}"}}"#),
        format!(r#"{{"allow":true,"credential":"{long}"}}"#),
        format!(r#"{{"allow":true,"audience":"{long}"}}"#),
        format!(r#"{{"allow":true,"scopes":["{long}"]}}"#),
        format!(r#"{{"allow":true,"scopes":[{}]}}"#, many("\"a\"")),
        format!(r#"{{"allow":true,"remove_headers":[{}]}}"#, many("\"a\"")),
        format!(r#"{{"allow":true,"set_headers":{{"a":"{long}"}}}}"#),
        format!(r#"{{"allow":true,"set_headers":{{"{long}":"a"}}}}"#),
        format!(r#"{{"allow":false,"hint":"{long}"}}"#),
    ];
    for result in cases {
        what_is_wrong(format!("[{{\"result\":{result}}}]").as_bytes());
    }
    let strange = what_is_wrong(format!("[{{\"result\":{{\"allow\":true,\"{long}\":1}}}}]").as_bytes());
    assert_eq!(strange, "unknown key");
}

#[test]
fn the_schema_lists_every_key() {
    let schema = super::decision_schema();
    let properties = &schema["$defs"]["decision"]["properties"];
    let keys = [
        "allow",
        "reason",
        "rule",
        "credential",
        "scopes",
        "audience",
        "resource",
        "ttl_s",
        "set_headers",
        "remove_headers",
        "response",
        "status",
        "hint",
    ];
    for key in keys {
        assert!(properties[key].is_object(), "{key}");
    }
    assert_eq!(properties.as_object().map(serde_json::Map::len), Some(keys.len()));
}
