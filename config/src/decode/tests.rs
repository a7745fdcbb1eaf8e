use std::collections::BTreeMap;

use serde::Deserialize;

use super::decode;
use crate::{Duration, Findings, HttpUrl, Node, SecretRef, Size, Source, Style};

/// What a kind's settings look like.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what decodes is looked at through `Debug`")]
struct Settings {
    token_url: HttpUrl,
    client_id: String,
    client_secret: SecretRef,
    auth: Auth,
    scopes: Option<Vec<String>>,
    timeout: Option<Duration>,
    memory: Option<Size>,
    #[serde(default)]
    extra: BTreeMap<String, String>,
    #[serde(default)]
    login: Login,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Auth {
    Basic,
    Post,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "what decodes is looked at through `Debug`")]
enum Login {
    #[default]
    None,
    TokenFile(String),
    Approle {
        role_id: String,
        secret_id: SecretRef,
        ttl: Option<u32>,
    },
}

const VALID: &str = "\
token_url: https://idp.example/token
client_id: me
client_secret: { file: /run/secret }
auth: basic
";

fn decoded(text: &str) -> (Option<Settings>, Findings) {
    let node = Node::from_yaml(text).expect("YAML");
    let mut findings = Findings::default();
    let settings = decode(&node, "a.b", &mut findings);
    assert_eq!(settings.is_none(), findings.has_errors(), "{findings:?}");
    (settings, findings)
}

fn check(text: &str, expected: &[(&str, &str, usize)]) {
    let (_, findings) = decoded(text);
    let found: Vec<_> = findings
        .iter()
        .map(|f| (f.code, f.path.as_str().trim_start_matches("a.b."), f.location.line))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn every_shape_decodes() {
    for more in [
        "",
        "scopes: []\nextra: {}\n",
        "scopes: [a, 'true']\nextra: { a: b, c: '1' }\n",
        "timeout: 250ms\nmemory: 512B\n",
        "login: none\n",
        "login: { token_file: /t }\n",
        "login: { approle: { role_id: r, secret_id: { env: S }, ttl: 0x10 } }\n",
    ] {
        check(&format!("{VALID}{more}"), &[]);
    }
}

#[test]
fn every_error_is_told_in_one_go() {
    check(
        "{}",
        &[
            ("missing_key", "token_url", 1),
            ("missing_key", "client_id", 1),
            ("missing_key", "client_secret", 1),
            ("missing_key", "auth", 1),
        ],
    );
    check(
        "token_url: ftp://x\nclient_secret: hunter2\nauth: basik\nscopes: read\ntimeout: 5\nmemory: 1kB\n",
        &[
            ("missing_key", "client_id", 1),
            ("bad_value", "token_url", 1),
            ("inline_secret", "client_secret", 2),
            ("unknown_variant", "auth", 3),
            ("wrong_type", "scopes", 4),
            ("wrong_type", "timeout", 5),
            ("bad_value", "memory", 6),
        ],
    );
}

#[test]
fn each_error_is_told_at_its_place() {
    for (more, code, path) in [
        ("scopes: [a, 1]", "wrong_type", "scopes.1"),
        ("scopes:", "wrong_type", "scopes"),
        ("extra: { a: true }", "wrong_type", "extra.a"),
        ("extra: [a]", "wrong_type", "extra"),
        ("client_di: x", "unknown_key", "client_di"),
        ("timeout: 1h30m", "bad_value", "timeout"),
        ("timeout: 9999999999999999999999s", "bad_value", "timeout"),
        ("timeout: 9000h", "bad_value", "timeout"),
        ("memory: 0B", "bad_value", "memory"),
        ("memory: 99999999999GiB", "bad_value", "memory"),
        ("login: {}", "wrong_type", "login"),
        ("login: nobody", "unknown_variant", "login"),
        ("login: { nobody: {} }", "unknown_variant", "login"),
        ("login: { approle: {}, token_file: x }", "two_kinds", "login"),
        ("login: approle", "wrong_type", "login"),
        ("login: { approle: [] }", "wrong_type", "login.approle"),
        ("login: { none: x }", "wrong_type", "login"),
        ("login: { token_file: 5 }", "wrong_type", "login.token_file"),
        ("login: { approle: { role_id: r, secret_id: 5 } }", "inline_secret", "login.approle.secret_id"),
        ("login: { approle: { secret_id: { env: S } } }", "missing_key", "login.approle.role_id"),
        (
            "login: { approle: { role_id: r, secret_id: { env: S }, ttl: -1 } }",
            "bad_value",
            "login.approle.ttl",
        ),
    ] {
        check(&format!("{VALID}{more}\n"), &[(code, path, 5)]);
    }
    check(&VALID.replace("client_id", "clientid"), &[("unknown_key", "clientid", 2)]);
    for whole in ["[]", "text", "~"] {
        check(whole, &[("wrong_type", "a.b", 1)]);
    }
}

#[test]
fn an_inline_secret_is_neither_told_nor_shown() {
    for inline in [
        "hunter2",
        "'hunter2'",
        "{ value: hunter2 }",
        "[hunter2]",
        "{ file: a, env: hunter2 }",
        "\n  value: hunter2",
        "|\n  hunter2",
    ] {
        let text = VALID.replace("{ file: /run/secret }", inline);
        let (_, findings) = decoded(&text);
        let told: Vec<_> = findings.iter().map(|finding| (finding.code, finding.path.as_str())).collect();
        assert_eq!(told, [("inline_secret", "a.b.client_secret")], "{inline}");
        let shown = findings.render(&Source::new("c", text), Style::Plain) + &findings.to_json().to_string();
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("client_secret: …"), "{shown}");
    }
    let text = VALID.replace("client_secret: { file: /run/secret }", "client_secrt: hunter2");
    let shown = decoded(&text).1.render(&Source::new("c", text), Style::Plain);
    assert!(!shown.contains("hunter2") && shown.contains("client_secrt: …"), "{shown}");
}

#[test]
fn debug_of_a_node_shows_no_value() {
    let node = Node::from_yaml("a: hunter2").expect("YAML");
    assert_eq!(format!("{node:?}"), "Mapping(1:1)");
    assert!(!node.is_empty_mapping());
    assert!(Node::from_yaml("{}").expect("YAML").is_empty_mapping());
    assert!(Node::from_yaml("a: 1\na: 2").is_err());
}

#[test]
fn plain_scalars_have_the_types_of_the_core_schema() {
    fn is<T: serde::de::DeserializeOwned + PartialEq>(text: &str, expected: Option<T>) {
        let node = Node::from_yaml(text).expect("YAML");
        assert!(decode::<T>(&node, "", &mut Findings::default()) == expected, "{text}");
    }
    for (text, number) in [("10", 10), ("0x1F", 31), ("0o17", 15), ("+5", 5), ("007", 7)] {
        is(text, Some(number as u64));
        is::<String>(text, None);
    }
    for text in ["'10'", "1_000", "1e", "0xg", "10.0", "yes", "-1", "18446744073709551616"] {
        is::<u64>(text, None);
    }
    for (text, number) in
        [("1.5", 1.5), ("2", 2.0), ("-1e3", -1000.0), (".5", 0.5), ("-.inf", f64::NEG_INFINITY)]
    {
        is(text, Some(number));
    }
    for (text, truth) in [("true", true), ("FALSE", false)] {
        is(text, Some(truth));
        is::<String>(text, None);
    }
    for text in ["yes", "no", "on", "0.0.0.0", "nan", "infinity", "1.2.3", "'5'", "\"null\"", "|\n 5"] {
        let node = Node::from_yaml(text).expect("YAML");
        assert!(decode::<String>(&node, "", &mut Findings::default()).is_some(), "{text}");
        is::<bool>(text, None);
    }
    for text in ["~", "null", "a:"] {
        is::<Option<String>>(text, None);
    }
}
