use std::io::Write;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Response;

use super::scanner::Scanner;
use super::*;
use crate::admin::metrics::{Metrics, RouteLabel};
use crate::clock;
use crate::connection::{Connection, ListenerFacts, Peer};
use crate::request::id::RequestIds;
use crate::tally::{RouteName, Tally};

const TOKEN: &str = "canary-0123456789abcdef+/token";

type Encode = fn(&str) -> String;

fn json_string(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("text");
    quoted[1..quoted.len() - 1].to_owned()
}

fn each(text: &str, encode: impl Fn(u8) -> String) -> String {
    text.bytes().map(encode).collect()
}

/// Forms that stand for the secret alone, so that all of them is to go.
const WHOLE: &[(&str, Encode)] = &[
    ("text", |text| text.to_owned()),
    ("hex", |text| hex::encode(text)),
    ("upper-case hex", |text| hex::encode_upper(text)),
    ("percent", |text| each(text, |byte| format!("%{byte:02x}"))),
    ("upper-case percent", |text| each(text, |byte| format!("%{byte:02X}"))),
    ("some percent", |text| text.replace('+', "%2B").replace('/', "%2f")),
    ("every other percent", |text| {
        each(text, |byte| if byte % 2 == 0 { format!("%{byte:02x}") } else { char::from(byte).into() })
    }),
    ("JSON", |text| each(text, |byte| format!("\\u{byte:04x}"))),
    ("upper-case JSON", |text| each(text, |byte| format!("\\u{byte:04X}"))),
    ("JSON with slashes", |text| text.replace('/', "\\/")),
    ("JSON in part", |text| text.replace('c', "\\u0063").replace('+', "\\u002b")),
    ("a JSON string", |text| json_string(text)),
    ("JavaScript", |text| each(text, |byte| format!("\\x{byte:02x}"))),
    ("HTML", |text| each(text, |byte| format!("&#{byte};"))),
    ("hexadecimal HTML", |text| each(text, |byte| format!("&#x{byte:02X};"))),
    ("HTML in part", |text| text.replace('+', "&#43;").replace('/', "&#x2f;").replace('"', "&quot;")),
    ("percent and JSON", |text| text.replace('c', "%63").replace('/', "\\/")),
    ("base64", |text| STANDARD.encode(text).trim_end_matches('=').to_owned()),
    ("base64url", |text| URL_SAFE_NO_PAD.encode(text)),
    ("base64 in JSON", |text| STANDARD.encode(text).trim_end_matches('=').replace('/', "\\/")),
    ("base64 in a query", |text| STANDARD.encode(text).trim_end_matches('=').replace('+', "%2B")),
    ("hex in percent", |text| each(&hex::encode(text), |byte| format!("%{byte:02x}"))),
];

const PARTIAL: [&str; 6] = [
    "HTML in part",
    "some percent",
    "every other percent",
    "JSON in part",
    "percent and JSON",
    "a JSON string",
];

/// What goes on of a stream that comes in these pieces.
fn scrubbed<'a>(sought: &Sought, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut scanner = Scanner::new();
    let mut out = Vec::new();
    for piece in pieces {
        out.extend(scanner.push(sought.forms(), Bytes::copy_from_slice(piece)));
    }
    out.extend(scanner.finish());
    String::from_utf8(out).expect("the test's text is ASCII")
}

/// In one piece, in two at every place, and byte by byte.
fn check_everywhere(sought: &Sought, text: &str, expected: &str) {
    let bytes = text.as_bytes();
    assert_eq!(scrubbed(sought, [bytes]), expected, "{text}");
    for at in 0..=bytes.len() {
        let (one, two) = bytes.split_at(at);
        assert_eq!(scrubbed(sought, [one, two]), expected, "{text} split at {at}");
    }
    assert_eq!(scrubbed(sought, bytes.chunks(1)), expected, "{text} byte by byte");
    assert_eq!(scrubbed(sought, bytes.chunks(7)), expected, "{text} in sevens");
}

#[test]
fn every_form_goes_over_every_boundary() {
    let around = [
        ("", ""),
        ("{\"token\":\"", "\"}"),
        ("a line\ncanary-012 and canary-%30 then ", "canary-0123456789abcdef+/toke"),
        ("100% \\\" \\u00", "%"),
        (&"lorem ipsum %20 ".repeat(9), &"dolor \\n sit ".repeat(9)),
    ];
    for secret in [TOKEN, "s3cr3t", "aaaaaaaa", "abcabcabcabc", "%41\\u0041%25x", "{\"a\": \"b\\\\c\"}"] {
        let sought = Sought::for_test(secret, None);
        for (name, encode) in WHOLE {
            // a secret that looks like an escape is found as it is, and where all of it wears another
            let ambiguous = secret.contains('%') || secret.contains('\\') && *name != "a JSON string";
            if PARTIAL.contains(name) && ambiguous {
                continue;
            }
            let form = encode(secret);
            for (before, after) in around {
                // letters next to it would be part of another secret, or of another base64
                let (before, after) = (format!("{before} "), format!(" {after}"));
                let text = [before.as_str(), &form, &after].concat();
                let expected = [before.as_str(), &"*".repeat(form.len()), &after].concat();
                check_everywhere(&sought, &text, &expected);
            }
        }
    }
}

#[test]
fn base64_of_more_than_the_secret_keeps_its_neighbours() {
    let check = |before: &str, after: &str| {
        let text = STANDARD.encode([before, TOKEN, after].concat());
        let first = (8 * before.len()).div_ceil(6);
        let end = if after.is_empty() {
            text.trim_end_matches('=').len()
        } else {
            8 * (before.len() + TOKEN.len()) / 6
        };
        let expected = [&text[..first], &"*".repeat(end - first), &text[end..]].concat();
        check_everywhere(&Sought::for_test(TOKEN, None), &text, &expected);
    };
    for before in ["", "a", "ab", "robot:", "Bearer ", "0123"] {
        for after in ["", "a", "ab", "abc"] {
            check(before, after);
        }
    }
}

#[test]
fn what_an_injection_composes_is_hidden_too() {
    let sought = Sought::for_test("pw", Some("robot:pw"));
    check_everywhere(&sought, "Basic cm9ib3Q6cHc= pw", "Basic ***********= pw");
}

#[test]
fn texts_full_of_beginnings_come_through() {
    let sought = Sought::for_test(TOKEN, None);
    for text in [
        "",
        "canary-0123456789abcdef+/toke",
        "canarycanary-0123canary-0123456789abcdef+/tokecanary",
        "%63%61%6e\\u0063\\u0061n%6",
        "\\\\\\\\%%%%\\u\\u0\\u00\\u00g%4g%",
        "&&#&#;&#x;&#x63&#999;&#0000000099;&am&amp&amp;%26",
        "Y2FuYXJ5LTAxMjM0",
    ] {
        check_everywhere(&sought, text, text);
    }
    let twice = [TOKEN, TOKEN].concat();
    check_everywhere(&sought, &twice, &"*".repeat(twice.len()));
    check_everywhere(&Sought::for_test("aaaaaaaa", None), &"a".repeat(40), &"*".repeat(40));
    check_everywhere(&Sought::for_test("aaaaaaaa", None), "baaaaaaab", "baaaaaaab");
}

/// However a text is cut, the same comes out; and the secret never does.
#[test]
fn cuts_change_nothing() {
    let secret = "abab-a\\%61";
    let sought = Sought::for_test(secret, None);
    let words = [
        "abab", "&#97;", "&#x61;", "&", "-a", "\\\\", "%61", "%25", "\\u0061", "\\", "%", "b", secret,
        "YWJhYi1h", "6162",
    ];
    let mut random = 1u32;
    let mut next = |below: usize| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as usize % below
    };
    for _ in 0..3_000 {
        let text: String = (0..next(30)).map(|_| words[next(words.len())]).collect();
        let whole = scrubbed(&sought, [text.as_bytes()]);
        assert_eq!(whole.len(), text.len());
        assert!(!whole.contains(secret), "{text}: {whole}");
        let mut rest = text.as_bytes();
        let pieces = std::iter::from_fn(|| {
            let (piece, after) = rest.split_at(rest.len().min(1 + next(9)));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        });
        assert_eq!(scrubbed(&sought, pieces), whole, "{text}");
    }
}

#[test]
fn only_what_could_begin_a_secret_waits() {
    let sought = Sought::for_test(TOKEN, None);
    let check = |piece: &str, ready: &str| {
        let mut scanner = Scanner::new();
        let went = scanner.push(sought.forms(), Bytes::copy_from_slice(piece.as_bytes()));
        assert_eq!(went, ready, "{piece}");
        assert_eq!(went.len() + scanner.finish().len(), piece.len(), "{piece}");
    };
    check("data: {\"n\": 1}\n\n", "data: {\"n\": 1}\n\n");
    check(&format!("data: {TOKEN}"), &format!("data: {}", "*".repeat(TOKEN.len())));
    check("data: canary-0", "data: ");
    check("data: canary-1", "data: canary-1");
    check("100%", "100");
    check("100% ", "100% ");
    check("a&", "a");
    check("a&b", "a&b");
    check("\\u0063\\u0061", "");
    check("\\u0063\\u0062", "\\u0063\\u0062");
}

fn exchange() -> (Rc<Exchange>, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new());
    let facts = ListenerFacts { name: "app".into(), callers: None, hosts: Vec::new() };
    let connection = Rc::new(Connection::new(Rc::new(facts), Peer::Pretended { uid: None }));
    let tally = Rc::new(Tally::new(Arc::clone(&metrics)));
    let exchange = Exchange::begin(RequestIds::new().next(clock::now()), connection, None, tally);
    exchange.saw_route(RouteName { index: 0, name: "api".into() }, "upstream", "/");
    (exchange, metrics)
}

fn answer(headers: &[(&str, &str)]) -> response::Parts {
    let mut answer = Response::builder();
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    answer.body(()).expect("valid headers").into_parts().0
}

fn begun(head: &mut response::Parts) -> Result<(Scrubber, Arc<Metrics>), Error> {
    let (exchange, metrics) = exchange();
    let sought =
        vec![Sought::for_test(TOKEN, None), Sought::for_test("another-secret", Some("robot:another-secret"))];
    Scrubber::begin(sought, head, exchange).map(|scrubber| (scrubber, metrics))
}

fn scrubbed_answers(metrics: &Metrics) -> u64 {
    metrics.scrubbed.get_or_create(&RouteLabel { route: "api".into() }).get()
}

#[test]
fn heads_are_scrubbed() {
    let check = |name: &str, value: &str, expected: Option<&str>| {
        let mut head = answer(&[(name, value), ("x-other", "stays")]);
        let (_, metrics) = begun(&mut head).expect("readable");
        let found = head.headers.get(name).map(|value| value.to_str().expect("ASCII"));
        assert_eq!(found, expected, "{name}: {value}");
        assert_eq!(head.headers["x-other"], "stays");
        assert_eq!(scrubbed_answers(&metrics), u64::from(expected != Some(value)), "{name}: {value}");
    };
    let hidden = "*".repeat(TOKEN.len());
    check("x-echo", TOKEN, Some(&hidden));
    check("x-echo", &format!("a {TOKEN}, another-secret"), Some(&format!("a {hidden}, **************")));
    check("location", &format!("/?t={}", hex::encode(TOKEN)), Some(&format!("/?t={hidden}{hidden}")));
    check("x-echo", "canary-0123456789abcdef", Some("canary-0123456789abcdef"));
    // names lose their case on the way
    check("x-another-secret-b", "1", None);
    check("x-CANARY-another-secretx", "1", None);
    check("x-", &STANDARD.encode(TOKEN), Some(&"*".repeat(STANDARD.encode(TOKEN).len())));
    check(&format!("x-{}", hex::encode("another-secret")), "1", None);
    check("content-length", "123456", Some("123456"));

    for (reason, stays) in [("Fine", true), ("the another-secret", false)] {
        let mut head = answer(&[]);
        head.extensions.insert(ReasonPhrase::try_from(reason.as_bytes()).expect("a valid reason"));
        let (_, metrics) = begun(&mut head).expect("readable");
        assert_eq!(head.extensions.get::<ReasonPhrase>().is_some(), stays, "{reason}");
        assert_eq!(scrubbed_answers(&metrics), u64::from(!stays));
    }
}

#[test]
fn answers_that_cannot_be_read_are_refused() {
    let check = |status: u16, headers: &[(&str, &str)], refused: bool| {
        let mut head = answer(headers);
        head.status = StatusCode::from_u16(status).expect("valid");
        let outcome = begun(&mut head);
        assert_eq!(matches!(outcome, Err(Error::UpstreamProtocol(_))), refused, "{status} {headers:?}");
        assert_eq!(outcome.is_err(), refused, "{status} {headers:?}");
    };
    check(200, &[], false);
    check(206, &[("content-range", "bytes 0-1/2")], true);
    for coding in ["gzip", "X-GZIP", "deflate", "br", "zstd", "identity", "", "identity, gzip"] {
        check(200, &[("content-encoding", coding)], false);
    }
    for coding in ["compress", "gzip, gzip", "gzip,br", "gzi", "dcb", "aes128gcm"] {
        check(200, &[("content-encoding", coding)], true);
    }
    check(200, &[("content-encoding", "gzip"), ("content-encoding", "br")], true);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).expect("to memory");
    encoder.finish().expect("to memory")
}

#[test]
fn decoded_answers_are_scrubbed_and_say_so() {
    let text = format!("{{\"token\":\"{TOKEN}\",\"other\":\"another-secret\"}}\n").repeat(50);
    let expected = text.replace(TOKEN, &"*".repeat(TOKEN.len())).replace("another-secret", "**************");
    let coded = gzip(text.as_bytes());
    for size in 1..coded.len() {
        let mut head = answer(&[
            ("content-encoding", "gzip"),
            ("content-length", "123"),
            ("content-md5", "x"),
            ("repr-digest", "x"),
            ("accept-ranges", "bytes"),
            ("etag", "\"tag\""),
        ]);
        let (mut scrubber, metrics) = begun(&mut head).expect("readable");
        let left: Vec<_> = head.headers.iter().collect();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(head.headers[ETAG], "W/\"tag\"");
        assert!(!scrubber.keeps_length());
        let mut out = Vec::new();
        for piece in coded.chunks(size) {
            out.extend(scrubber.push(Bytes::copy_from_slice(piece)).expect("whole"));
            while let Some(piece) = scrubber.more().expect("whole") {
                out.extend(piece);
            }
        }
        assert!(!scrubber.is_over());
        out.extend(scrubber.finish().expect("whole"));
        assert!(scrubber.is_over());
        assert_eq!(String::from_utf8(out).expect("ASCII"), expected, "in pieces of {size}");
        assert_eq!(scrubbed_answers(&metrics), 1);
    }
}
