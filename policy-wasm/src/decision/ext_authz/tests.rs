//! Every key of the Envoy plugin's result, as its users write it, and as it is refused.

use crate::error::EvalError;
use crate::{AnswerChanges, Decision, Denial, Dialect, Permission, QueryChanges};

fn read(result: &str) -> Result<Decision, EvalError> {
    Decision::read_in(Dialect::ExtAuthz, format!("[{{\"result\":{result}}}]").as_bytes())
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn permits() {
    let plain = Permission::plain;
    let set = |headers: &[(&str, &str)]| Permission { set_headers: pairs(headers), ..plain() };
    let cases = [
        ("true", plain()),
        (r#"{"allowed":true}"#, plain()),
        (r#"{"allowed":true,"http_status":200,"body":"fine"}"#, plain()),
        (r#"{"allowed":true,"dynamic_metadata":{"team":{"a":[1]}}}"#, plain()),
        (r#"{"allowed":true,"headers":{"X-User":"alice"}}"#, set(&[("x-user", "alice")])),
        (
            r#"{"allowed":true,"headers":{"x-b":["1","2"],"x-a":"0"}}"#,
            set(&[("x-a", "0"), ("x-b", "1"), ("x-b", "2")]),
        ),
        (
            r#"{"allowed":true,"headers":[{"x-b":"1"},{"x-a":["0"]},{"X-B":"2"}]}"#,
            set(&[("x-b", "1"), ("x-a", "0"), ("x-b", "2")]),
        ),
        (
            r#"{"allowed":true,"request_headers_to_remove":["One-Auth-Header"]}"#,
            Permission { remove_headers: names(&["one-auth-header"]), ..plain() },
        ),
        (
            r#"{"allowed":true,"response_headers_to_add":[{"X-Foo":"bar"},{"x-foo":"baz"}]}"#,
            Permission {
                answer: AnswerChanges {
                    set_headers: pairs(&[("x-foo", "bar"), ("x-foo", "baz")]),
                    ..AnswerChanges::default()
                },
                ..plain()
            },
        ),
        (
            r#"{"allowed":true,"query_parameters_to_set":{"Tenant":"ä b","tag":["x","y"]},
                "query_parameters_to_remove":["debug"]}"#,
            Permission {
                query: QueryChanges {
                    set: pairs(&[("Tenant", "ä b"), ("tag", "x"), ("tag", "y")]),
                    remove: names(&["debug"]),
                },
                ..plain()
            },
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(read(result), Ok(Decision::Permit(expected)), "{result}");
    }
}

#[test]
fn denials() {
    let silent = || Denial::SILENT;
    let told = |body: &str| Denial { reason: Some(body.to_owned()), body: Some(body.to_owned()), ..silent() };
    let cases = [
        ("false", silent()),
        (r#"{"allowed":false}"#, silent()),
        (r#"{"allowed":false,"body":"Unauthorized Request"}"#, told("Unauthorized Request")),
        (r#"{"allowed":false,"http_status":401}"#, Denial { status: Some(401), ..silent() }),
        (r#"{"allowed":false,"http_status":503}"#, Denial { status: Some(503), ..silent() }),
        (
            r#"{"allowed":false,"http_status":302,"headers":{"Location":"https://login.example/"}}"#,
            Denial {
                status: Some(302),
                headers: pairs(&[("location", "https://login.example/")]),
                ..silent()
            },
        ),
        (
            r#"{"allowed":false,"request_headers_to_remove":["a"],"response_headers_to_add":{"a":"b"}}"#,
            silent(),
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(read(result), Ok(Decision::Deny(expected)), "{result}");
    }
    assert_eq!(Decision::read_in(Dialect::ExtAuthz, b"[]"), Ok(Decision::Deny(silent())));
}

#[test]
fn long_bodies_are_whole_and_their_reasons_short() {
    let body = format!("{}é and so on", "a".repeat(1023));
    let Ok(Decision::Deny(denial)) = read(&format!(r#"{{"allowed":false,"body":"{body}"}}"#)) else {
        panic!("it is a denial")
    };
    assert_eq!(denial.reason.as_deref(), Some("a".repeat(1023).as_str()));
    assert_eq!(denial.body, Some(body));
}

#[test]
fn everything_else_is_no_decision() {
    let long = "a".repeat(16 * 1024 + 1);
    let cases = [
        (r#""true""#, "a string"),
        ("1", "a number"),
        ("null", "null"),
        ("[true]", "an array"),
        ("{}", "`allowed` is missing"),
        (r#"{"allow":true}"#, "`allowed` is missing"),
        (r#"{"Allowed":true}"#, "`allowed` is missing"),
        (r#"{"allowed":"true"}"#, "`allowed` must be a boolean"),
        (r#"{"allowed":1}"#, "`allowed`"),
        (r#"{"allowed":null}"#, "`allowed`"),
        (r#"{"allowed":{"allowed":true}}"#, "`allowed`"),
        (r#"{"allowed":true,"allowed":true}"#, "twice"),
        (r#"{"allowed":true,"reason":"r"}"#, "unknown key `reason`"),
        (r#"{"allowed":true,"credential":"c"}"#, "unknown key `credential`"),
        (r#"{"allowed":true,"request_header_to_remove":["a"]}"#, "unknown key `request_header_to_remove`"),
        (r#"{"allowed":false,"surprise":1}"#, "unknown key `surprise`"),
        (r#"{"allowed":true,"headers":"x-a: b"}"#, "`headers` must be an object or an array"),
        (r#"{"allowed":true,"headers":["x-a"]}"#, "`headers` must be an object"),
        (r#"{"allowed":true,"headers":{"x-a":1}}"#, "`x-a`"),
        (r#"{"allowed":true,"headers":{"x-a":["b",1]}}"#, "`x-a`"),
        (r#"{"allowed":true,"headers":{"x-a":[["b"]]}}"#, "`x-a`"),
        (r#"{"allowed":true,"headers":{"x-a":"b\r\nX-Planted: c"}}"#, "`x-a`"),
        (r#"{"allowed":true,"headers":{"x a":"b"}}"#, "no header name"),
        (r#"{"allowed":true,"headers":{":path":"/b"}}"#, "no header name"),
        (r#"{"allowed":true,"response_headers_to_add":{"x-a":"b\u0000"}}"#, "`x-a`"),
        (r#"{"allowed":true,"request_headers_to_remove":"a"}"#, "must be an array of strings"),
        (r#"{"allowed":true,"request_headers_to_remove":[1]}"#, "must be a string"),
        (r#"{"allowed":true,"query_parameters_to_set":[{"a":"b"}]}"#, "must be an object"),
        (r#"{"allowed":true,"query_parameters_to_set":{"a":1}}"#, "must be a string"),
        (r#"{"allowed":true,"query_parameters_to_remove":{"a":"b"}}"#, "must be an array of strings"),
        (r#"{"allowed":true,"dynamic_metadata":"a"}"#, "`dynamic_metadata` must be an object"),
        (r#"{"allowed":false,"http_status":"403"}"#, "`http_status` must be a whole number"),
        (r#"{"allowed":true,"http_status":"200"}"#, "`http_status` must be a whole number"),
        (r#"{"allowed":false,"http_status":200}"#, "from 300 to 599"),
        (r#"{"allowed":false,"http_status":101}"#, "from 300 to 599"),
        (r#"{"allowed":false,"http_status":600}"#, "from 300 to 599"),
        (r#"{"allowed":false,"http_status":-403}"#, "from 300 to 599"),
        (r#"{"allowed":false,"body":{"a":1}}"#, "`body` must be a string"),
        (r#"{"allowed":false,"body":null}"#, "`body` must be a string"),
        (&format!(r#"{{"allowed":false,"body":"{long}"}}"#), "`body` is longer"),
        (&format!(r#"{{"allowed":true,"query_parameters_to_set":{{"a":"{long}"}}}}"#), "is longer"),
        (
            &format!(r#"{{"allowed":true,"headers":[{}]}}"#, vec![r#"{"a":"b"}"#; 65].join(",")),
            "more than 64",
        ),
    ];
    for (result, expected) in cases {
        match read(result) {
            Err(EvalError::NotADecision { what }) => assert!(what.contains(expected), "{result}: {what}"),
            other => panic!("{result}: {other:?}"),
        }
    }
}
