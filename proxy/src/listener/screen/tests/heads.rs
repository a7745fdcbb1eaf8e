//! Heads: a table of hostile ones, and a second opinion on those that pass.

use super::super::head::{Framing, HeadScan, NAME_BYTES_MAX, split_field};
use super::*;

/// What a head is refused as, with a part of the sentence.
#[derive(Debug, Clone, Copy)]
enum As {
    Bad(&'static str),
    Framing(&'static str),
    Header(&'static str),
    Path(&'static str),
    TooLarge,
}

fn check_refused(head: &[u8], expected: As) {
    let shown = text(head);
    let refused = steady_outcome(head);
    assert_eq!((&refused.passed, &refused.end), (&text(REFUSED_HEAD), &End::Silence), "{shown:?}");
    match (expected, refused.verdict) {
        (As::TooLarge, Some(HeadError::HeadTooLarge)) => {}
        (As::Bad(part), Some(HeadError::BadRequest(sentence)))
        | (As::Framing(part), Some(HeadError::BodyFraming(sentence)))
        | (As::Header(part), Some(HeadError::HeaderNotAllowed(sentence)))
        | (As::Path(part), Some(HeadError::PathNotCanonical(sentence))) => {
            assert!(sentence.contains(part), "{shown:?}: {sentence}");
        }
        (expected, found) => panic!("{shown:?}: {found:?}, not {expected:?}"),
    }
    let behind = steady_outcome(&[GOOD, head].concat());
    assert_eq!(behind.passed, text(GOOD) + &text(REFUSED_HEAD), "{shown:?} behind another");
    assert_eq!(behind.verdict, refused.verdict, "{shown:?} behind another");
}

#[test]
fn hostile_request_lines() {
    for (head, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], As::Bad("TLS")),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", As::Bad("HTTP/2")),
        (b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("carriage return")),
        (b"GET /\r\n", As::Bad("request line")),
        (b"GET /\n", As::Bad("carriage return")),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("request line")),
        (b"GET / HTTP/1.2\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"GET / http/1.1\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", As::Bad("version")),
        (b"G@T / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("method")),
        (b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("method")),
        (b"get / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("method")),
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("method")),
        (b"CLAVIGER-REFUSED / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("reserved")),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("CONNECT")),
        (b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("CONNECT")),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("not a path")),
        (b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("not a path")),
        (b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("not a path")),
        (b"GET ?a HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("not a path")),
        (b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("control")),
        (b"GET /a\rb HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("control")),
        (b"GET /a?\x7f HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("control")),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", As::Path("fragment")),
        (b"GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n", As::Path("fragment")),
        (b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", As::Path("percent-encoded")),
        (b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n", As::Path("percent-encoded")),
        (b"GET /<a> HTTP/1.1\r\nHost: a\r\n\r\n", As::Path("percent-encoded")),
        (b"GET /?\xe9 HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("percent-encoded")),
        (b"GET /?\"a\" HTTP/1.1\r\nHost: a\r\n\r\n", As::Bad("percent-encoded")),
    ] {
        check_refused(head, expected);
    }
}

#[test]
fn hostile_fields() {
    for (fields, expected) in [
        (&b""[..], As::Bad("no Host")),
        (b"Accept: */*\r\n", As::Bad("no Host")),
        (b"Host: a\r\nHost: a\r\n", As::Bad("more than one Host")),
        (b"Host: a\r\nhOST: b\r\n", As::Bad("more than one Host")),
        (b"Host: a\n", As::Bad("carriage return")),
        (b"Host: a\r\nA: b\nC: d\r\n", As::Bad("carriage return")),
        (b"Host: a\r\nA: b\rC: d\r\n", As::Bad("control")),
        (b"Host: a\r\nA: b\r\r\n", As::Bad("control")),
        (b"Host: a\r\nA: b\0c\r\n", As::Bad("control")),
        (b"Host: a\r\nA: \x1b\r\n", As::Bad("control")),
        (b"Host: a\r\nA: \x7f\r\n", As::Bad("control")),
        (b"Host: a\r\nA: \x0b\r\n", As::Bad("control")),
        (b"Host: a\r\nA: \xe9\r\n", As::Header("ASCII")),
        (b"Host: a\r\nA: caf\xc3\xa9\r\n", As::Header("ASCII")),
        (b"Host: a\r\n b\r\n", As::Bad("folded")),
        (b"Host: a\r\n\tb\r\n", As::Bad("folded")),
        (b" Host: a\r\n", As::Bad("folded")),
        (b"Host: a\r\n \r\n", As::Bad("folded")),
        (b"Host : a\r\n", As::Bad("space before")),
        (b"Host\t: a\r\n", As::Bad("space before")),
        (b"Host: a\r\nX Y: b\r\n", As::Bad("space before")),
        (b"Host: a\r\n: b\r\n", As::Bad("no name")),
        (b"Host: a\r\nA\r\n", As::Bad("no colon")),
        (b"Host: a\r\nA\0: b\r\n", As::Bad("header name")),
        (b"Host: a\r\nA\xe9: b\r\n", As::Bad("header name")),
        (b"Host: a\r\nA(b): c\r\n", As::Bad("header name")),
        (b"Host: a\r\n\"A\": c\r\n", As::Bad("header name")),
        (b"Host: a\r\n\r: c\r\n", As::Bad("header name")),
        (b"Host: a\r\nTransfer-Encoding : chunked\r\n", As::Bad("space before")),
        (b"Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: chunked, chunked\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: chunked, identity\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: identity\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: xchunked\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: \"chunked\"\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: chunked;a=b\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: ,chunked\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding:\r\n", As::Framing("something else")),
        (b"Host: a\r\nTransfer-Encoding: \x0bchunked\r\n", As::Bad("control")),
        (
            b"Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            As::Framing("more than one"),
        ),
        (b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", As::Framing("beside")),
        (b"Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", As::Framing("beside")),
        (b"Host: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n", As::Framing("beside")),
        (b"Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n", As::Framing("more than one")),
        (b"Host: a\r\nContent-Length: 5\r\ncontent-length: 5\r\n", As::Framing("more than one")),
        (b"Host: a\r\nContent-Length: 5, 5\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: +5\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: -5\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 05\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 00\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 0x5\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 5 5\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 5.0\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: \r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 9223372036854775808\r\n", As::Framing("plain decimal")),
        (b"Host: a\r\nContent-Length: 18446744073709551621\r\n", As::Framing("plain decimal")),
    ] {
        check_refused(&[b"POST / HTTP/1.1\r\n", fields, b"\r\n"].concat(), expected);
    }
}

#[test]
fn hostile_older_heads() {
    check_refused(b"GET / HTTP/1.0\r\n\r\n", As::Bad("no Host"));
    check_refused(
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        As::Framing("HTTP/1.0"),
    );
    check_refused(b"GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", As::Bad("more than one Host"));
}

#[test]
fn bounds() {
    let padded = |bytes: usize| {
        let start = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
        format!("{start}{}\r\n\r\n", "b".repeat(bytes - start.len() - 4)).into_bytes()
    };
    assert_eq!(steady_outcome(&padded(HEAD_BYTES_MAX)).passed, text(&padded(HEAD_BYTES_MAX)));
    check_refused(&padded(HEAD_BYTES_MAX + 1), As::TooLarge);
    let endless = vec![b'a'; HEAD_BYTES_MAX];
    check_refused(&endless, As::TooLarge);
    assert_eq!(outcome(&[&endless[1..]], false, 8192).verdict, None, "one byte is still free");
    let crowded = |fields: usize| {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "A:b\r\n".repeat(fields - 1)).into_bytes()
    };
    assert_eq!(steady_outcome(&crowded(FIELDS_MAX)).passed, text(&crowded(FIELDS_MAX)));
    check_refused(&crowded(FIELDS_MAX + 1), As::TooLarge);
}

#[test]
fn good_heads_pass_untouched() {
    for head in [
        GOOD,
        b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nhOsT:a\r\nA:\r\nB: \t b c\t \r\n\r\n",
        b"M-SEARCH /a\"{}|^\\[]%zz?{}|^`\\[] HTTP/1.1\r\nHost:\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n",
        b"GET //a/../b HTTP/1.1\r\nHost: me@[::1\r\n\r\n",
    ] {
        let passed = steady_outcome(head);
        assert_eq!(passed, Outcome { passed: text(head), verdict: None, end: End::Silence });
    }
}

#[test]
fn a_name_is_not_longer_than_a_parser_takes() {
    let head = |name_bytes| format!("GET / HTTP/1.1\r\nHost: a\r\n{}: b\r\n\r\n", "n".repeat(name_bytes));
    let verdict = |name_bytes| {
        let mut screen = HeadScan::default();
        screen.advance(head(name_bytes).as_bytes(), 1 << 20).map(|head| head.is_some())
    };
    assert_eq!(verdict(NAME_BYTES_MAX), Ok(true));
    assert_eq!(verdict(NAME_BYTES_MAX + 1), Err(HeadError::HeadTooLarge));
}

#[test]
fn an_end_of_file_is_passed_on() {
    for (bytes, passed) in [(&b""[..], &b""[..]), (GOOD, GOOD), (&GOOD[..20], b"")] {
        let expected = Outcome { passed: text(passed), verdict: None, end: End::Closed };
        assert_eq!(outcome(&[bytes], true, 8192), expected);
    }
    let refused = outcome(&[b"GET\r\n"], true, 8192);
    assert_eq!(refused.end, End::Silence, "the answer to a refused head must still be wanted");
}

#[test]
fn what_follows_a_refusal_is_thrown_away() {
    let flood = vec![b'a'; DRAIN_BYTES_MAX / 64];
    let mut pieces = vec![&b"GET\r\n"[..], GOOD];
    pieces.extend([flood.as_slice(); 3 * 64]);
    let refused = outcome(&pieces, false, 8192);
    assert_eq!((refused.passed, refused.end), (text(REFUSED_HEAD), End::Silence));
}

/// Heads that pass are read by an independent parser, and by `http`, exactly as we read them.
#[test]
fn second_opinion() {
    const PIECES: &[&str] = &[
        "GET",
        "POST",
        " ",
        " ",
        "/",
        "/a?b=c",
        "%2e",
        "HTTP/1.1",
        "HTTP/1.0",
        "\r\n",
        "\r\n",
        "\r\n",
        "\n",
        "\r",
        "Host",
        ": ",
        ":",
        "a",
        "b",
        "\t",
        " ",
        "Content-Length: 5\r\n",
        "Content-Length",
        "0",
        "Transfer-Encoding: chunked\r\n",
        "chunked",
        "Transfer-Encoding",
        ",",
        "X-A: b\r\n",
        "_",
        "\0",
        "\u{e9}",
        "\"",
        "{",
        "#",
        "Host: a\r\n",
        "X: \u{7f}\r\n",
        "[]",
        "<",
        "`",
    ];
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize
    };
    let mut passed = 0;
    for _ in 0..300_000 {
        let mut head = String::from(["", "GET / HTTP/1.1\r\nHost: a\r\n", "POST /"][draw() % 3]);
        (0..draw() % 12).for_each(|_| head.push_str(PIECES[draw() % PIECES.len()]));
        head.push_str(["\r\n\r\n", "\r\n", " HTTP/1.1\r\nHost: a\r\n\r\n"][draw() % 3]);
        if let Ok(Some(found)) = HeadScan::default().advance(head.as_bytes(), HEAD_BYTES_MAX) {
            passed += 1;
            compare(&head.as_bytes()[..found.bytes], found.framing);
        }
    }
    assert!(passed > 10_000, "only {passed} of the heads drawn passed");
}

fn compare(head: &[u8], framing: Framing) {
    let shown = text(head);
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    assert_eq!(request.parse(head), Ok(httparse::Status::Complete(head.len())), "{shown:?}");
    let theirs: Vec<_> = request.headers.iter().map(|field| (field.name.as_bytes(), field.value)).collect();
    let lines = shown.split("\r\n").skip(1).take_while(|line| !line.is_empty());
    let ours: Vec<_> = lines.map(|line| split_field(line.as_bytes()).expect("it passed")).collect();
    assert_eq!(ours, theirs, "{shown:?}");
    let (method, target) = (request.method.expect("complete"), request.path.expect("complete"));
    assert_eq!(target.parse::<http::Uri>().expect(target).to_string(), target);
    assert_eq!(http::Method::from_bytes(method.as_bytes()).expect(method).as_str(), method);
    let value = |name: &str| {
        theirs.iter().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
    };
    let expected = match (value("content-length"), value("transfer-encoding")) {
        (None, None) => Framing::Length(0),
        (Some(length), None) => Framing::Length(text(length).parse().expect("a number")),
        (None, Some(b"chunked")) => Framing::Chunked,
        (_, Some(coding)) => panic!("{shown:?} passed with {coding:?}"),
    };
    assert_eq!(framing, expected, "{shown:?}");
}
