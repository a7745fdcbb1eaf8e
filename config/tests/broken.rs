//! Every rule over a whole file: one change to a valid file, one finding, at its place.

use std::fs;
use std::time::Duration;

use claviger_config::{Draft, FINDINGS_MAX, Severity, SignatureAlg, Sink, Source, Style, parse};

const VALID: &str = include_str!("valid.yaml");

fn env(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("canary-of-the-environment".to_owned()),
        "EMPTY" => Some(String::new()),
        "NUMBER" => Some("4711".to_owned()),
        "HOME" => Some("/home/me".to_owned()),
        _ => None,
    }
}

fn draft(text: &str) -> Draft {
    parse(&Source::new("claviger.yaml", text), &env)
}

fn found(text: &str) -> Vec<(String, String, usize)> {
    let draft = draft(text);
    draft
        .findings
        .iter()
        .map(|finding| (finding.code.to_owned(), finding.path.clone(), finding.location.line))
        .collect()
}

/// What stands in the valid file, what stands there instead, and the only finding: code, path, line.
type Case = (&'static str, &'static str, &'static str, &'static str, usize);

fn check(cases: &[Case]) {
    let mut wrong = Vec::new();
    for (old, new, code, path, line) in cases {
        assert!(VALID.contains(old), "{old:?} is not in the valid file");
        let got = found(&VALID.replacen(old, new, 1));
        if got != [((*code).to_owned(), (*path).to_owned(), *line)] {
            wrong.push(format!("{old:?} -> {new:?}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn the_valid_file_is_valid() {
    let draft = draft(VALID);
    assert!(draft.findings.is_empty(), "{:?}", draft.findings);
    let config = draft.config.expect("a valid file is a config");
    assert_eq!(config.routes.len(), 2);
    assert_eq!(config.credentials[1].source.section(), "credentials.idp.source");
}

#[test]
fn the_whole() {
    check(&[
        ("version: 1\n", "", "missing_key", "version", 1),
        ("version: 1", "version: 2", "bad_value", "version", 1),
        ("version: 1", "version: one", "wrong_type", "version", 1),
        ("version: 1", "version: '1'", "wrong_type", "version", 1),
        ("audit:\n", "audits:\n", "unknown_key", "audits", 33),
        ("audit:\n  stdout: {}\n", "audit:\n  stdout: {}\nversion: 1\n", "duplicate_key", "version", 35),
        ("audit:\n  stdout: {}\n", "audit:\n", "wrong_type", "audit", 33),
        ("  stdout: {}", "  stduot: {}", "unknown_key", "audit.stduot", 34),
        ("  stdout: {}", "  stdout: {}\n  file: { path: /a }", "two_kinds", "audit", 33),
        ("  stdout: {}", "  required: true", "missing_kind", "audit", 33),
        ("  stdout: {}", "  file: {}", "missing_key", "audit.file.path", 34),
        ("state:\n", "metrics: { bind: 127.0.0.1:port }\nstate:\n", "bad_value", "metrics.bind", 35),
        ("state:\n", "metrics: { bind: 127.0.0.1:18080 }\nstate:\n", "address_taken", "metrics.bind", 35),
        ("state:\n", "limits: { connections: 0 }\nstate:\n", "out_of_range", "limits.connections", 35),
        ("state:\n", "limits: { header_bytes: 2MiB }\nstate:\n", "out_of_range", "limits.header_bytes", 35),
        ("state:\n", "limits: { workers: -1 }\nstate:\n", "bad_value", "limits.workers", 35),
        ("state:\n", "admin: { bind: unix:/a }\nstate:\n", "not_supported_yet", "admin", 35),
        ("state:\n", "identity: { spiffe: {} }\nstate:\n", "not_supported_yet", "identity.spiffe", 35),
        (
            "state:\n",
            "identity: { kubernetes: {} }\nstate:\n",
            "not_supported_yet",
            "identity.kubernetes",
            35,
        ),
        ("state:\n", "identity: { labels: { a: 1 } }\nstate:\n", "wrong_type", "identity.labels.a", 35),
    ]);
}

#[test]
fn listeners() {
    check(&[
        (
            "    mode: reverse\n",
            "    mode: reverse\n    mode: reverse\n",
            "duplicate_key",
            "listeners.app.mode",
            6,
        ),
        ("mode: reverse", "mode: revers", "unknown_variant", "listeners.app.mode", 5),
        ("mode: reverse", "mode: forward", "not_supported_yet", "listeners.app.mode", 5),
        ("mode: reverse", "mode: transparent", "not_supported_yet", "listeners.app.mode", 5),
        ("mode: reverse", "mode: { reverse: {} }", "wrong_type", "listeners.app.mode", 5),
        ("bind: 127.0.0.1:18080", "bind: 127.0.0.1", "bad_value", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: 127.0.0.1:99999", "bad_value", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: localhost:18080", "bad_value", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: unix:run/a.sock", "bad_value", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: 0.0.0.0:18080", "unsafe_bind", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: '[::]:18080'", "unsafe_bind", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080", "bind: ${NO:-0.0.0.0:1}", "unsafe_bind", "listeners.app.bind", 4),
        ("bind: 127.0.0.1:18080\n    mode: reverse", "mode: reverse", "missing_key", "listeners.app.bind", 3),
        (
            "    mode: reverse\n",
            "    mode: reverse\n    callers: {}\n",
            "missing_key",
            "listeners.app.callers.uids",
            6,
        ),
        (
            "    mode: reverse\n",
            "    mode: reverse\n    callers:\n",
            "wrong_type",
            "listeners.app.callers",
            6,
        ),
        (
            "    mode: reverse\n",
            "    mode: reverse\n    callers: { uids: [1, a] }\n",
            "wrong_type",
            "listeners.app.callers.uids.1",
            6,
        ),
        (
            "    mode: reverse\n",
            "    mode: reverse\n    hosts: [a:1]\n",
            "bad_value",
            "listeners.app.hosts.0",
            6,
        ),
        (
            "    bind: 127.0.0.1:18080\n    mode: reverse\n",
            "    - bind: 127.0.0.1:18080\n",
            "wrong_type",
            "listeners.app",
            3,
        ),
        ("  app:\n", "  a/b:\n", "bad_name", "listeners.a/b", 3),
        (
            "    mode: reverse\n",
            "    mode: reverse\n  more: { bind: 127.0.0.1:18080, mode: reverse }\n",
            "address_taken",
            "listeners.more.bind",
            6,
        ),
    ]);
}

#[test]
fn routes() {
    check(&[
        ("  pay:\n", "  github:\n", "duplicate_key", "routes.github", 11),
        ("    upstream: https://api.github.com\n", "", "missing_key", "routes.github.upstream", 7),
        ("credential: token", "credential: tokn", "unknown_name", "routes.github.credential", 9),
        ("[token, idp]", "[token, ipd]", "unknown_name", "routes.pay.credentials.1", 13),
        ("[token, idp]", "[token, token]", "duplicate_name", "routes.pay.credentials.1", 13),
        (
            "    credential: token\n",
            "    credential: token\n    credentials: [token]\n",
            "credential_and_credentials",
            "routes.github.credentials",
            10,
        ),
        ("connect: 5s", "connect: 5", "wrong_type", "routes.github.timeouts.connect", 10),
        ("connect: 5s", "connect: 5 parsecs", "bad_value", "routes.github.timeouts.connect", 10),
        ("connect: 5s", "connect: -5s", "bad_value", "routes.github.timeouts.connect", 10),
        ("connect: 5s", "connect: 0s", "bad_value", "routes.github.timeouts.connect", 10),
        ("    timeouts:", "    scrub: on\n    timeouts:", "wrong_type", "routes.github.scrub", 10),
        (
            "    timeouts:",
            "    websocket: true\n    timeouts:",
            "not_supported_yet",
            "routes.github.websocket",
            10,
        ),
        ("    timeouts:", "    websocket: maybe\n    timeouts:", "wrong_type", "routes.github.websocket", 10),
        (
            "    timeouts:",
            "    tls: { client: {} }\n    timeouts:",
            "not_supported_yet",
            "routes.github.tls.client",
            10,
        ),
        ("    timeouts:", "    hosts: [a, b:0]\n    timeouts:", "bad_value", "routes.github.hosts.1", 10),
        (
            "    timeouts:",
            "    strip_response_headers: [a b]\n    timeouts:",
            "bad_value",
            "routes.github.strip_response_headers.0",
            10,
        ),
    ]);
}

#[test]
fn upstreams() {
    let wrong = [
        ("api.github.com", "bad_value"),
        ("ftp://api.github.com", "bad_value"),
        ("HTTPS://api.github.com", "bad_value"),
        ("https://me:pw@api.github.com", "inline_secret"),
        ("https://api.github.com/?a=b", "inline_secret"),
        ("https://api.github.com#f", "inline_secret"),
        ("me:pw@api.github.com", "inline_secret"),
        ("https://me:p/w@api.github.com", "inline_secret"),
        ("https://", "bad_value"),
        ("https://:443", "bad_value"),
        ("https://api.github.com:0", "bad_value"),
        ("https://api.github.com:0443", "bad_value"),
        ("'https://api.github.com:'", "bad_value"),
        ("https://api.github.com./", "bad_value"),
        ("https://a..b", "bad_value"),
        ("https://a_b%2ec", "bad_value"),
        ("https://bücher.example", "bad_value"),
        ("https://0x7f.1", "bad_value"),
        ("https://127.1", "bad_value"),
        ("https://[::0:1]", "bad_value"),
        ("https://a/b/../c", "bad_value"),
        ("https://a/b/..;x/c", "bad_value"),
        ("https://a/%2e%2e/c", "bad_value"),
        ("https://a/b%2fc", "bad_value"),
        ("https://a/b%252fc", "bad_value"),
        ("https://a/%41", "bad_value"),
        ("https://a/b//c", "bad_value"),
        ("https://a/b\\c", "bad_value"),
        ("https://a/b c", "bad_value"),
        ("7", "wrong_type"),
        ("true", "wrong_type"),
        ("[https://a]", "wrong_type"),
        ("http://api.github.com", "plaintext_credential"),
    ];
    for (url, code) in wrong {
        let text = VALID.replacen("https://api.github.com", url, 1);
        assert_eq!(found(&text), [(code.to_owned(), "routes.github.upstream".to_owned(), 8)], "{url}");
    }
    let right = [
        ("https://API.github.com", "api.github.com", 443, ""),
        ("https://a:8443/", "a", 8443, ""),
        ("https://a/v2/", "a", 443, "/v2"),
        ("https://a/@b", "a", 443, "/@b"),
        ("https://a/v2/b%20c", "a", 443, "/v2/b%20c"),
        ("'https://[::1]:8443/x'", "::1", 8443, "/x"),
        ("https://10.0.0.1", "10.0.0.1", 443, ""),
        ("https://xn--bcher-kva.example", "xn--bcher-kva.example", 443, ""),
    ];
    for (url, host, port, base_path) in right {
        let draft = draft(&VALID.replacen("https://api.github.com", url, 1));
        let config = draft.config.unwrap_or_else(|| panic!("{url}: {:?}", draft.findings));
        let upstream = &config.routes[0].upstream;
        assert_eq!(
            (upstream.host.as_str(), upstream.port, upstream.base_path.as_str()),
            (host, port, base_path)
        );
    }
}

#[test]
fn credentials() {
    let inject = "credentials.token.inject";
    check(&[
        (
            "      static: { env: TOKEN }\n",
            "      static: { env: TOKEN }\n      exec: { command: [x] }\n",
            "two_kinds",
            "credentials.token.source",
            18,
        ),
        (
            "    source:\n      static: { env: TOKEN }\n",
            "    source: {}\n",
            "missing_kind",
            "credentials.token.source",
            16,
        ),
        ("    source:\n      static: { env: TOKEN }\n", "", "missing_key", "credentials.token.source", 15),
        ("{ bearer: {} }", "{ bearer: {}, query: { name: k } }", "two_kinds", inject, 18),
        ("{ bearer: {} }", "bearer", "wrong_type", inject, 18),
        ("{ bearer: {} }", "", "wrong_type", inject, 18),
        ("ttl_max: 15m", "ttl_max: 15", "wrong_type", "credentials.idp.ttl_max", 29),
        ("ttl_max: 15m", "refresh_ahead: 1.8", "bad_value", "credentials.idp.refresh_ahead", 29),
        ("ttl_max: 15m", "refresh_ahead: 0", "bad_value", "credentials.idp.refresh_ahead", 29),
        ("ttl_max: 15m", "refresh_ahead: .nan", "bad_value", "credentials.idp.refresh_ahead", 29),
        ("ttl_max: 15m", "ttlmax: 15m", "unknown_key", "credentials.idp.ttlmax", 29),
    ]);
}

#[test]
fn policy() {
    let before = "  entrypoint:";
    check(&[
        (
            "policy:\n  bundle: { file: /p.tar.gz }\n  entrypoint: claviger/authz/decision\n",
            "",
            "missing_key",
            "policy",
            1,
        ),
        ("  bundle: {", "  memory_max: lots\n  bundle: {", "bad_value", "policy.memory_max", 31),
        ("  bundle: {", "  memory_max: 5GiB\n  bundle: {", "out_of_range", "policy.memory_max", 31),
        ("claviger/authz/decision", "${UNSET}", "variable_unset", "policy.entrypoint", 32),
        ("claviger/authz/decision", "/authz", "bad_value", "policy.entrypoint", 32),
        ("{ file: /p.tar.gz }", "/p.tar.gz", "wrong_type", "policy.bundle", 31),
        ("{ file: /p.tar.gz }", "{}", "missing_kind", "policy.bundle", 31),
        (
            "{ file: /p.tar.gz }",
            "{ file: /p, http: { url: https://b.example/x } }",
            "two_kinds",
            "policy.bundle",
            31,
        ),
        (before, "  input: something_else\n  entrypoint:", "unknown_variant", "policy.input", 32),
        (before, "  verify: { scope: write }\n  entrypoint:", "missing_key", "policy.verify.keys", 32),
        (before, "  verify: { keys: [] }\n  entrypoint:", "too_few", "policy.verify.keys", 32),
        (
            before,
            "  verify: { keys: [{ id: a, alg: none, key: /k }] }\n  entrypoint:",
            "unknown_variant",
            "policy.verify.keys.0.alg",
            32,
        ),
        (
            before,
            "  verify: { keys: [{ id: a, alg: RS256 }] }\n  entrypoint:",
            "missing_key",
            "policy.verify.keys.0.key",
            32,
        ),
        (
            before,
            "  verify: { keys: [{ id: '', alg: RS256, key: /k }] }\n  entrypoint:",
            "bad_value",
            "policy.verify.keys.0.id",
            32,
        ),
        (
            before,
            "  verify: { keys: [{ id: a, alg: RS256, key: /k }, { id: a, alg: ES256, key: /l }] }\n  entrypoint:",
            "duplicate_name",
            "policy.verify.keys.1.id",
            32,
        ),
        (before, "  shadow: {}\n  entrypoint:", "missing_key", "policy.shadow.bundle", 32),
        (before, "  shadow: { bundle: {} }\n  entrypoint:", "missing_kind", "policy.shadow.bundle", 32),
        (
            before,
            "  shadow: { bundle: { http: { url: http://b.example/x } } }\n  entrypoint:",
            "plaintext",
            "policy.shadow.bundle.http.url",
            32,
        ),
        (
            before,
            "  shadow: { bundle: { file: /s }, entrypoint: a/b }\n  entrypoint:",
            "unknown_key",
            "policy.shadow.entrypoint",
            32,
        ),
    ]);
}

#[test]
fn reports() {
    let check_keys = |section: &str, keys: &str, findings: &[(&str, &str)]| {
        let text = VALID.replacen("state:\n", &format!("{section}: {{ {keys} }}\nstate:\n"), 1);
        let expected: Vec<_> = findings
            .iter()
            .map(|(code, path)| ((*code).to_owned(), format!("{section}{path}"), 35))
            .collect();
        assert_eq!(found(&text), expected, "{section}: {keys}");
    };
    let http = "http: { url: https://o.example/logs }";
    check_keys("decision_logs", "", &[("missing_key", ".http")]);
    check_keys("decision_logs", "http: {}", &[("missing_key", ".http.url")]);
    check_keys("decision_logs", "http: { url: http://o.example/logs }", &[("plaintext", ".http.url")]);
    check_keys(
        "decision_logs",
        "http: { url: https://o.example/logs, poll: 1s }",
        &[("unknown_key", ".http.poll")],
    );
    check_keys("decision_logs", http, &[]);
    for (keys, code, path) in [
        ("min_delay: 1ms", "out_of_range", ".min_delay"),
        ("max_delay: 25h", "out_of_range", ".max_delay"),
        ("min_delay: 2s, max_delay: 1s", "out_of_range", ".max_delay"),
        ("buffer_bytes_max: 1KiB", "out_of_range", ".buffer_bytes_max"),
        ("upload_bytes_max: 1B", "out_of_range", ".upload_bytes_max"),
        ("mask: /system/log/mask", "bad_value", ".mask"),
        ("console: true", "unknown_key", ".console"),
    ] {
        check_keys("decision_logs", &format!("{http}, {keys}"), &[(code, path)]);
    }
    check_keys("status", "", &[("missing_key", ".http")]);
    check_keys("status", &format!("{http}, interval: 10ms"), &[("out_of_range", ".interval")]);
    check_keys(
        "status",
        "http: { url: https://o.example/s, timeout: 11m }",
        &[("out_of_range", ".http.timeout")],
    );
    check_keys(
        "status",
        "http: { url: https://o.example/s, auth: { a: {}, b: {} } }",
        &[("two_kinds", ".http.auth")],
    );
}

#[test]
fn one_delay_moves_the_default_of_the_other() {
    let delays = |keys: &str| {
        let block = format!("decision_logs: {{ http: {{ url: https://o.example/logs }}, {keys} }}\nstate:\n");
        let draft = draft(&VALID.replacen("state:\n", &block, 1));
        let logs = draft.config.expect("valid").decision_logs.expect("it is there");
        (logs.delay_min.as_secs(), logs.delay_max.as_secs())
    };
    assert_eq!(delays(""), (300, 600));
    assert_eq!(delays("min_delay: 20m"), (1200, 1200));
    assert_eq!(delays("max_delay: 5s"), (5, 5));
    assert_eq!(delays("min_delay: 1s, max_delay: 5s"), (1, 5));
}

#[test]
fn bundle_service() {
    let file = "{ file: /p.tar.gz }";
    let http = "policy.bundle.http";
    let check_keys = |keys: &str, code: &str, path: &str| {
        let got = found(&VALID.replacen(file, &format!("{{ http: {{ {keys} }} }}"), 1));
        assert_eq!(got, [(code.to_owned(), format!("{http}{path}"), 31)], "{keys}");
    };
    check_keys("", "missing_key", ".url");
    check_keys("url: http://b.example/x", "plaintext", ".url");
    check_keys("url: https://b.example/x?sig=1", "inline_secret", ".url");
    check_keys("url: https://b.example/x, pol: 3s", "unknown_key", ".pol");
    check_keys("url: https://b.example/x, poll: 3", "wrong_type", ".poll");
    check_keys("url: https://b.example/x, poll: 3ms", "out_of_range", ".poll");
    check_keys("url: https://b.example/x, timeout: 1h", "out_of_range", ".timeout");
    check_keys("url: https://b.example/x, auth: {}", "missing_kind", ".auth");
    check_keys("url: https://b.example/x, auth: { a: {}, b: {} }", "two_kinds", ".auth");
    check_keys("url: https://b.example/x, tls: { roots: /ca }", "unknown_key", ".tls.roots");
    check_keys(
        "url: https://b.example/x, tls: { client: { cert: /c, key: inline } }",
        "inline_secret",
        ".tls.client.key",
    );
    let whole = "url: http://b.example/x, allow_plaintext: true, poll: 10s, long_poll: true, persist: false, \
                 auth: { bearer: { env: TOKEN } }, tls: { ca: /ca, client: { cert: /c, key: { file: /k } } }, timeout: 9s";
    assert_eq!(found(&VALID.replacen(file, &format!("{{ http: {{ {whole} }} }}"), 1)), []);
}

#[test]
fn what_is_no_configuration_at_all() {
    let one = |text: &str| {
        let found = found(text);
        assert_eq!(found.len(), 1, "{found:?}");
        (found[0].0.clone(), found[0].2)
    };
    let change = |old, new| VALID.replacen(old, new, 1);
    for (text, code, line) in [
        (String::new(), "bad_yaml", 1),
        ("# nothing\n".to_owned(), "bad_yaml", 1),
        (change("    mode: reverse\n", "\tmode: reverse\n"), "bad_yaml", 5),
        (change("mode: reverse", "mode: [reverse"), "bad_yaml", 6),
        (change("mode: reverse", "mode: &a reverse"), "bad_yaml", 5),
        (change("mode: reverse", "mode: *a"), "bad_yaml", 5),
        (change("mode: reverse", "mode: !!str reverse"), "bad_yaml", 5),
        (change("mode: reverse", "<<: { mode: reverse }"), "bad_yaml", 5),
        (change("mode: reverse", "[mode]: reverse"), "bad_yaml", 5),
        (change("mode: reverse", "mode: rev\u{0}erse"), "not_text", 5),
        (change("mode: reverse", "mode: rev\u{1b}[31merse"), "not_text", 5),
        (change("mode: reverse\n", "mode: reverse\r"), "not_text", 5),
        (format!("{VALID}---\nversion: 1\n"), "bad_yaml", 38),
        ("[".repeat(100), "file_too_large", 1),
        ("[".repeat(100_000), "bad_yaml", 1),
        ("- ".repeat(100_000), "file_too_large", 1),
        ("a: ".repeat(1000), "bad_yaml", 1),
        (format!("a: [{}]", "b,".repeat(100_000)), "file_too_large", 1),
        (format!("a: \"{}\"", "b".repeat(10 << 20)), "file_too_large", 1),
        (format!("a: &a [x]\nb: &b [{}]\n", "*a,".repeat(1000)), "bad_yaml", 1),
    ] {
        assert_eq!(one(&text), (code.to_owned(), line), "{:?}", text.chars().take(80).collect::<String>());
    }
}

#[test]
fn other_line_ends_and_a_byte_order_mark_are_fine() {
    for text in [VALID.replace('\n', "\r\n"), format!("\u{feff}{VALID}"), format!("---\n{VALID}...\n")] {
        assert!(draft(&text).config.is_some(), "{:?}", found(&text));
    }
    let text = VALID.replace('\n', "\r\n").replace("mode: reverse", "mode: sideways");
    assert_eq!(found(&text)[0].2, 5);
}

#[test]
fn files_are_read_within_bounds() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("claviger.yaml");
    for (bytes, code) in [
        (b"a: \xff\xfe\n".to_vec(), "not_text"),
        (vec![b'a'; 10 << 20], "file_too_large"),
        ("ü".repeat(1 << 20).into_bytes(), "file_too_large"),
        ((0..=255).collect(), "not_text"),
    ] {
        fs::write(&path, bytes).expect("a file");
        let source = Source::read(&path).expect("readable");
        let draft = parse(&source, &env);
        assert_eq!(draft.findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), [code]);
    }
    let missing = Source::read(&dir.path().join("none")).err().expect("no such file").to_string();
    assert!(missing.starts_with("cannot read ") && missing.contains("none"), "{missing}");
}

#[test]
fn all_errors_at_once() {
    let text = VALID
        .replacen("mode: reverse", "mode: sideways", 1)
        .replacen("    upstream: https://api.github.com\n", "    upstrem: https://api.github.com\n", 1)
        .replacen("credential: token", "credential: nobody", 1)
        .replacen("ttl_max: 15m", "ttl_max: soon", 1)
        .replacen("  entrypoint: claviger/authz/decision", "  verify: {}", 1)
        .replacen("  stdout: {}", "  stdout: {}\n  requird: yes", 1);
    let paths: Vec<String> = found(&text).into_iter().map(|(_, path, _)| path).collect();
    assert_eq!(
        paths,
        [
            "listeners.app.mode",
            "routes.github.upstrem",
            "routes.github.credential",
            "credentials.idp.ttl_max",
            "policy.entrypoint",
            "policy.verify.keys",
            "audit.requird",
        ]
    );
    let draft = draft(&text);
    assert!(draft.config.is_none() && draft.policy.is_none());
    let kinds: Vec<&str> = draft
        .credentials
        .iter()
        .flat_map(|credential| [&credential.source, &credential.inject])
        .flatten()
        .map(|kind| kind.path.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "credentials.token.source.static",
            "credentials.token.inject.bearer",
            "credentials.idp.source.oauth2_client_credentials",
            "credentials.idp.inject.header",
        ]
    );
}

#[test]
fn near_names_are_suggested() {
    for (old, new, near) in [
        ("upstream: https://api", "upstrem: https://api", "upstream"),
        ("credential: token", "credentail: token", "credential"),
        ("credential: token", "credential: tokn", "token"),
        ("mode: reverse", "mode: revers", "reverse"),
        ("audit:", "audits:", "audit"),
    ] {
        let draft = draft(&VALID.replacen(old, new, 1));
        let suggested: Vec<_> =
            draft.findings.iter().filter_map(|finding| finding.suggestion.as_deref()).collect();
        assert_eq!(suggested, [near], "{new}");
        let shown = draft.findings.render(&Source::new("c.yaml", VALID), Style::Plain);
        assert!(shown.contains(&format!("help: did you mean `{near}`?")), "{shown}");
    }
}

#[test]
fn values_of_variables_are_never_told() {
    for (old, new) in [
        ("mode: reverse", "mode: ${TOKEN}"),
        ("bind: 127.0.0.1:18080", "bind: ${TOKEN}"),
        ("upstream: https://api.github.com", "upstream: ${TOKEN}"),
        ("upstream: https://api.github.com", "upstream: https://${TOKEN}@a"),
        ("credential: token", "credential: ${TOKEN}"),
        ("claviger/authz/decision", "/${TOKEN}"),
        ("ttl_max: 15m", "ttl_max: ${TOKEN}"),
        ("ttl_max: 15m", "refresh_ahead: ${TOKEN}"),
    ] {
        let text = VALID.replacen(old, new, 1);
        let draft = draft(&text);
        let told = format!(
            "{draft:?}{}{}",
            draft.findings.to_json(),
            draft.findings.render(&Source::new("c", text), Style::Plain)
        );
        assert!(draft.config.is_none(), "{new}");
        assert!(!told.contains("canary"), "{told}");
    }
}

#[test]
fn variables_are_put_in() {
    for (old, new) in [
        ("bind: 127.0.0.1:18080", "bind: ${UNSET:-127.0.0.1:18080}"),
        ("bind: 127.0.0.1:18080", "bind: 127.0.0.1:${NUMBER}"),
        ("dir: /s", "dir: ${NUMBER}"),
        ("version: 1", "version: ${EMPTY:-1}"),
    ] {
        assert!(draft(&VALID.replacen(old, new, 1)).config.is_some(), "{new}");
    }
    check(&[
        ("    timeouts:", "    ${TOKEN}: 1\n    timeouts:", "variable_in_key", "routes.github.${TOKEN}", 10),
        ("dir: /s", "dir: ${a-b}", "bad_variable", "state.dir", 36),
        ("dir: /s", "dir: ${TOKEN", "bad_variable", "state.dir", 36),
    ]);
}

#[test]
fn an_unused_credential_is_a_warning() {
    let draft = draft(&VALID.replacen("[token, idp]", "[token]", 1));
    let told: Vec<_> =
        draft.findings.iter().map(|f| (f.severity, f.code, f.path.as_str(), f.location.line)).collect();
    assert_eq!(told, [(Severity::Warning, "unused_credential", "credentials.idp", 19)]);
    assert!(draft.config.is_some() && !draft.findings.has_errors());
}

#[test]
fn without_a_state_section_the_user_has_one() {
    let text = VALID.replacen("state:\n  dir: /s\n", "", 1);
    let dir = |env: &dyn Fn(&str) -> Option<String>| {
        parse(&Source::new("c", text.as_str()), env)
            .config
            .map(|config| config.state_dir.display().to_string())
    };
    let xdg = |name: &str| (name == "XDG_STATE_HOME").then(|| "/xdg".to_owned());
    let relative = |name: &str| (name == "XDG_STATE_HOME").then(|| "xdg".to_owned());
    assert_eq!(dir(&env).as_deref(), Some("/home/me/.local/state/claviger"));
    assert_eq!(dir(&xdg).as_deref(), Some("/xdg/claviger"));
    assert_eq!(dir(&relative), None);
    assert_eq!(dir(&|_| None), None);
}

#[test]
fn machine_code_is_kept_only_where_the_file_says_so() {
    let kept = |state: &str| {
        let text = VALID.replacen("state:\n  dir: /s\n", state, 1);
        draft(&text).config.map(|config| config.compiled_policies_dir)
    };
    let dir = || Some("/s/compiled-policies".into());
    assert_eq!(kept("state: { dir: /s, compiled_policies: true }\n"), Some(dir()));
    assert_eq!(kept("state: { dir: /s, compiled_policies: false }\n"), Some(None));
    assert_eq!(kept("state: { dir: /s }\n"), Some(None));
    assert_eq!(kept(""), Some(None));
    assert_eq!(kept("state: { dir: /s, compiled_policies: yes please }\n"), None);
}

#[test]
fn every_finding_lies_within_the_file() {
    let lines: Vec<&str> = VALID.lines().collect();
    let mutations: [fn(&str) -> Vec<String>; 6] = [
        |_| vec![],
        |line| vec![line.to_owned(), line.to_owned()],
        |line| vec![format!(" {line}")],
        |line| vec![line.replace(": ", ":\t[")],
        |line| vec![line.chars().rev().collect()],
        |line| vec![line.chars().take(line.chars().count() / 2).collect()],
    ];
    for at in 0..lines.len() {
        for mutate in mutations {
            let mut changed: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
            changed.splice(at..=at, mutate(lines[at]));
            let text = changed.join("\n");
            let draft = draft(&text);
            let source = Source::new("c", text.as_str());
            for finding in &draft.findings {
                let line = text.lines().nth(finding.location.line - 1).unwrap_or_default();
                assert!(finding.location.column <= line.chars().count() + 1, "{finding:?} in\n{text}");
            }
            assert_eq!(draft.config.is_some(), !draft.findings.has_errors(), "{text}");
            draft.findings.render(&source, Style::Colour);
        }
    }
}

#[test]
fn names_are_short_and_plain() {
    for (name, right) in [
        ("a", true),
        ("A1-b_c.d", true),
        ("9", true),
        (&"a".repeat(63), true),
        (&"a".repeat(64), false),
        ("-a", false),
        (".", false),
        ("a b", false),
        ("a/b", false),
        ("b\u{fc}", false),
    ] {
        let codes = found(&VALID.replacen("  pay:", &format!("  {name}:"), 1));
        assert_eq!(codes.is_empty(), right, "{name}: {codes:?}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let text = VALID.replacen("audit:\n  stdout: {}\n", "", 1).replacen(
        "https://pay.example/v2",
        "https://pay.example:8443",
        1,
    );
    let config = draft(&text).config.expect("a valid file");
    let (github, pay) = (&config.routes[0], &config.routes[1]);
    assert_eq!(
        (github.timeouts.connect, pay.timeouts.idle),
        (Duration::from_secs(5), Duration::from_secs(60))
    );
    assert_eq!(
        (github.hosts.as_slice(), pay.hosts.as_slice()),
        (&["api.github.com".to_owned()][..], &["pay.example:8443".to_owned()][..])
    );
    assert_eq!(github.strip_response_headers, ["set-cookie"]);
    assert!(github.scrub);
    assert_eq!((config.audit.sink, config.audit.required, config.metrics), (Sink::Stdout, false, None));
    assert_eq!(
        (config.policy.eval_timeout, config.policy.memory_bytes_max),
        (Duration::from_millis(5), 64 << 20)
    );
    assert_eq!((config.limits.connections, config.limits.header_bytes), (10_000, 64 << 10));
    assert_eq!((config.limits.request_timeout, config.limits.workers), (Duration::from_secs(300), None));
    assert!(
        (config.credentials[0].refresh_ahead - 0.8).abs() < f64::EPSILON
            && config.credentials[0].ttl_max.is_none()
    );
}

#[test]
fn who_may_sign_bundles() {
    let check = |verify: &str, expected: Option<(&str, &[(&str, SignatureAlg)])>| {
        let text = VALID.replacen("  entrypoint:", &format!("{verify}  entrypoint:"), 1);
        let policy = draft(&text).config.expect("a valid file").policy;
        let found = policy.verify.map(|verify| {
            let keys: Vec<_> = verify.keys.iter().map(|key| (key.id.clone(), key.alg)).collect();
            (verify.scope, keys)
        });
        let keys =
            |keys: &[(&str, SignatureAlg)]| keys.iter().map(|(id, alg)| ((*id).to_owned(), *alg)).collect();
        assert_eq!(found, expected.map(|(scope, list)| (scope.to_owned(), keys(list))));
    };
    check("", None);
    check(
        "  verify: { keys: [{ id: a, alg: HS512, key: /k }] }\n",
        Some(("", &[("a", SignatureAlg::Hs512)])),
    );
    check(
        "  verify:\n    scope: write\n    keys:\n      - { id: a, alg: ES256, key: /k }\n      - { id: b, alg: PS384, key: /l }\n",
        Some(("write", &[("a", SignatureAlg::Es256), ("b", SignatureAlg::Ps384)])),
    );
}

#[test]
fn too_many_findings_are_still_errors() {
    let routes: String = (0..600).map(|at| format!("  r{at}: {{ upstream: ftp://a }}\n")).collect();
    let draft = draft(&VALID.replacen("routes:\n", &format!("routes:\n{routes}"), 1));
    assert_eq!(draft.findings.iter().count(), FINDINGS_MAX);
    assert!(draft.findings.has_errors() && draft.config.is_none());
}
