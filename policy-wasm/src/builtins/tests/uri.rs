//! URIs.

use super::Case;

pub(super) const CASES: &[Case] = &[
    (
        "uri.parse",
        r#"["HTTPS://user:p%40ss@Example.org:8443/a%20b/c%2Fd?q=1&r=%zz#frag%20ment"]"#,
        Some(
            r#"{"fragment": "frag ment", "hostname": "Example.org", "path": "/a b/c/d", "port": "8443", "raw_path": "/a%20b/c%2Fd", "raw_query": "q=1&r=%zz", "scheme": "https"}"#,
        ),
    ),
    (
        "uri.parse",
        r#"["http://[fe80::1%25en0]:80/"]"#,
        Some(r#"{"hostname": "fe80::1%en0", "path": "/", "port": "80", "raw_path": "/", "scheme": "http"}"#),
    ),
    (
        "uri.parse",
        r#"["mailto:a@example.org?subject=x"]"#,
        Some(r#"{"raw_query": "subject=x", "scheme": "mailto"}"#),
    ),
    ("uri.parse", r#"["/a/b?"]"#, Some(r#"{"path": "/a/b", "raw_path": "/a/b"}"#)),
    ("uri.parse", r#"["*"]"#, Some(r#"{"path": "*", "raw_path": "*"}"#)),
    ("uri.parse", r#"["///a//b"]"#, Some(r#"{"path": "///a//b", "raw_path": "///a//b"}"#)),
    ("uri.parse", r#"["//host/a;b"]"#, Some(r#"{"hostname": "host", "path": "/a;b", "raw_path": "/a;b"}"#)),
    (
        "uri.parse",
        r#"["redis://a:1,b:2/0"]"#,
        Some(r#"{"hostname": "a:1,b", "path": "/0", "port": "2", "raw_path": "/0", "scheme": "redis"}"#),
    ),
    (
        "uri.parse",
        r#"["http://h/é\"<>"]"#,
        Some(r#"{"hostname": "h", "path": "/é\"<>", "raw_path": "/é\"<>", "scheme": "http"}"#),
    ),
    ("uri.parse", r#"[""]"#, Some("{}")),
    ("uri.parse", r#"["http://a b/"]"#, None),
    ("uri.parse", r#"["http://h:8o/"]"#, None),
    ("uri.parse", r#"["http://[::1"]"#, None),
    ("uri.parse", r#"["http://[1.2.3.4]/"]"#, None),
    ("uri.parse", r#"["http://%41/"]"#, None),
    ("uri.parse", r#"["http://us er@h/"]"#, None),
    ("uri.parse", r#"["http://h/%4"]"#, None),
    ("uri.parse", r#"[":a"]"#, None),
    ("uri.parse", r#"["a:b:c/d"]"#, Some(r#"{"scheme": "a"}"#)),
    ("uri.parse", r#"["1a:b"]"#, None),
    ("uri.is_valid", r#"["http://h/%zz"]"#, Some("false")),
    ("uri.is_valid", r#"["http://h/\u0001"]"#, Some("false")),
    ("uri.is_valid", r#"["h/%ff"]"#, Some("true")),
    ("uri.is_valid", r#"[""]"#, Some("false")),
    ("uri.is_valid", r#"["a/b:c"]"#, Some("true")),
];
