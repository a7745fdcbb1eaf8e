//! Where the host matches, it says what OPA's own engine says: both are asked, through the same compiled policy.

use std::sync::Arc;

use super::Patterns;
use super::translate::translate;
use crate::testing::{ENTRYPOINT, LIMITS, compile, opa};
use crate::{Evaluator, InputMode, Policy, Trace};

/// Both read these, as they stand or rewritten.
const SHARED: [&str; 34] = [
    "^/repos/[a-z0-9-]+/[a-z0-9._-]+/issues(/[0-9]+)?$",
    r"^agent/\d+\.\d+( \([^)]*\))?$",
    "^[0-9a-f]{8}-[0-9a-f]{4}$",
    r"\Aab\z",
    r"\bb\b",
    r"[\w.]+@[\d.]+",
    r"^\D\S\W$",
    r"^\s*$",
    "(?i)^get$",
    "(?s).$",
    "a|",
    "()",
    "(?P<year>[0-9]{4})",
    "(?:a|b)*?c",
    "[[:alpha:]]+[^[:^digit:]]",
    r"\x41\x{e9}\t\n\f\r\a\v",
    "é+",
    "[^é]",
    "^.$",
    "[a-]",
    "[-a]",
    "[a-b-c]",
    "[ -~]",
    r"[\]\[\^\-]",
    r"\/\:\@\%",
    "a{2,3}b{2}c{1,}",
    "^(a+)+$",
    "x*",
    "]",
    "}",
    "[a&b]",
    r"\.\*\+\?\(\)\|\[\]\{\}\^\$\\",
    "^[^/]*$",
    "(?i:A)b(?-i:C)",
];

/// One of the engines refuses these, or may mean something else.
const DOUBTFUL: [&str; 41] = [
    "(",
    "[",
    "*",
    "a**",
    "a{2}{3}",
    "a{1001}",
    "(a{100}){11}",
    "a{,3}",
    "a{",
    "[--a]",
    "[]-a]",
    "[^]a]",
    "[a[b]]",
    "[a&&b]",
    r"\<a",
    r"\b{start}a",
    r"\B",
    r"\pL",
    r"\p{Greek}",
    r"\u0041",
    r"\U00000041",
    r"\Qa\E",
    r"\C",
    r"\1",
    r"\_",
    r"[\D]",
    r"[\pL]",
    "(?<name>a)",
    "(?x) a",
    "(?m)^a$",
    "(?U)a",
    "(?R)a",
    "(?i)é",
    r"(?i)\w",
    r"(?i)\bk",
    "(?i)[[:alpha:]]",
    "^*",
    "()**",
    "(?=a)",
    "(?P=a)",
    "a\0b",
];

const TEXTS: [&str; 30] = [
    "",
    "a",
    "b",
    "ab",
    "aab",
    "aaaaaaaaaaaaaaaaaaaaaaaab",
    "abc",
    "aabbc",
    "a-b",
    "a\nb",
    "\n",
    "é",
    "aé",
    "A\u{e9}\t\n\u{c}\r\u{7}\u{b}",
    "get",
    "GET",
    "K",
    "\u{212a}",
    "s",
    "\u{17f}",
    "_",
    "-",
    "[",
    "]",
    "}",
    "/repos/acme/ledger/issues/17",
    "agent/1.4 (linux)",
    "0123abcd-ef01",
    "me@10.0",
    "\u{2003}",
];

const POLICY: &str = "package claviger.authz\n\nimport rego.v1\n\ndecision := {[pattern, text, found] |\n\tsome pattern in input.patterns\n\tsome text in input.texts\n\tfound := regex.match(pattern, text)\n}\n";

/// What the policy says of all patterns and texts, by each way.
fn compare(policy: &Arc<Policy>, patterns: &[&str]) {
    let input = serde_json::json!({"patterns": patterns, "texts": TEXTS}).to_string();
    let ask = |policy: Arc<Policy>| {
        let result = Evaluator::new(policy).evaluate_json(input.as_bytes(), &mut Trace::new());
        serde_json::from_slice::<serde_json::Value>(&result.expect("it evaluates")).expect("it is JSON")
    };
    let (host, module) = (ask(Arc::clone(policy)), ask(Arc::new(policy.in_json())));
    let rows = |answer: &serde_json::Value| answer[0]["result"].as_array().cloned().expect("a set");
    let (host, module) = (rows(&host), rows(&module));
    let only_host: Vec<_> = host.iter().filter(|row| !module.contains(row)).collect();
    let only_module: Vec<_> = module.iter().filter(|row| !host.contains(row)).collect();
    assert!(only_host.is_empty() && only_module.is_empty(), "host: {only_host:?}, module: {only_module:?}");
}

fn policy() -> Option<Arc<Policy>> {
    let bundle = compile(&opa()?, POLICY, "{}");
    let policy = Policy::load(&bundle, ENTRYPOINT, LIMITS).expect("it loads");
    assert_eq!(policy.input_mode(), InputMode::Host);
    Some(Arc::new(policy))
}

#[test]
fn shared_patterns_are_matched_here_and_doubtful_ones_are_not() {
    for pattern in SHARED {
        assert!(translate(pattern).is_some(), "{pattern}");
    }
    for pattern in DOUBTFUL {
        assert_eq!(translate(pattern), None, "{pattern}");
    }
}

#[test]
fn patterns_mean_what_they_mean_to_the_module() {
    let Some(policy) = policy() else { return };
    compare(&policy, &SHARED);
    compare(&policy, &DOUBTFUL);
}

#[test]
fn patterns_put_together_at_random_mean_the_same() {
    const PARTS: [&str; 36] = [
        "a",
        "b",
        "k",
        "é",
        "_",
        "-",
        ".",
        "^",
        "$",
        "|",
        "(",
        ")",
        "(?:",
        "(?i)",
        "(?s)",
        "[",
        "]",
        "[^",
        "a-c",
        r"\d",
        r"\w",
        r"\S",
        r"\b",
        r"\.",
        r"\-",
        r"\x41",
        "*",
        "+",
        "?",
        "{2}",
        "{0,2}",
        "[[:word:]]",
        "[^\\s]",
        "&",
        "\n",
        ":",
    ];
    const PER_EVALUATION: usize = 48;
    let Some(policy) = policy() else { return };
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut shared = 0;
    while shared < 1500 {
        let mut patterns = Vec::new();
        while patterns.len() < PER_EVALUATION {
            let parts = 1 + draw(7);
            let pattern: String = (0..parts).map(|_| PARTS[draw(PARTS.len())]).collect();
            if translate(&pattern).is_some() {
                patterns.push(pattern);
            }
        }
        shared += patterns.len();
        compare(&policy, &patterns.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

#[test]
fn globs_mean_what_they_mean_to_the_module() {
    let Some(opa) = opa() else { return };
    let rego = "package claviger.authz\n\nimport rego.v1\n\ndecision := {[pattern, text, found] |\n\tsome pattern in input.patterns\n\tsome text in input.texts\n\tfound := glob.match(pattern, [\"/\"], text)\n}\n";
    let policy = Policy::load(&compile(&opa, rego, "{}"), ENTRYPOINT, LIMITS).expect("it loads");
    compare(
        &Arc::new(policy),
        &["*", "**", "/repos/*/*/issues/*", "{a,b}?", "[a-c]*", "[!a]", "a\\*", "", "é", "*.*", "{", "[a"],
    );
}

#[test]
fn what_stays_is_bounded() {
    let mut patterns = Patterns::default();
    let check = |patterns: &mut Patterns, pattern: &str, text: &str, expected| {
        assert_eq!(patterns.find(pattern, text), expected, "{pattern}");
    };
    check(&mut patterns, "^a", "ab", Some(true));
    check(&mut patterns, "^a", "b", Some(false));
    check(&mut patterns, "^a", &"a".repeat(super::TEXT_BYTES_MAX + 1), None);
    check(&mut patterns, &"a".repeat(super::PATTERN_BYTES_MAX + 1), "a", None);
    check(&mut patterns, "(a{1000}|b{1000}|c{1000}|d{1000}|é{1000})", "a", None);
    for number in 0..super::PATTERNS_MAX {
        patterns.find(&format!("a{number}"), "a");
    }
    check(&mut patterns, "^late", "late", None);
    check(&mut patterns, "^a", "ab", Some(true));
    assert_eq!(patterns.0.len(), super::PATTERNS_MAX);
}
