//! Bodies: the next head is found exactly, and nothing malformed passes.

use super::*;

const CHUNKED: &[u8] = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A second request follows, and a hostile third: only where the body's end is found exactly is the third refused as such.
fn check(message: &[u8]) {
    let outcome = steady_outcome(&[message, GOOD, b"GET /\r\n"].concat());
    assert_eq!(outcome.passed, text(message) + &text(GOOD) + &text(REFUSED_HEAD));
    assert!(matches!(outcome.verdict, Some(HeadError::BadRequest(_))), "{outcome:?}");
}

#[test]
fn sized() {
    check(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
    check(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    check(b"GET / HTTP/1.1\r\nHost: a\r\ncontent-length:2\r\n\r\n\r\n");
    check(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\n\n\0\xff");
    let large =
        [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n", &[b'x'; 40_000][..], GOOD].concat();
    for at in [10, 47, 52, 53, 54, 1000, 40_052, 40_053, 40_060] {
        assert_eq!(outcome(&[&large[..at], &large[at..]], false, 8192).passed, text(&large), "cut at {at}");
    }
    let endless =
        [b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", GOOD].concat();
    assert_eq!(steady_outcome(&endless).passed, text(&endless));
}

#[test]
fn chunked() {
    for body in [
        &b"0\r\n\r\n"[..],
        b"5\r\nabcde\r\n0\r\n\r\n",
        b"5\r\nabcde\r\n1\r\nf\r\n0\r\n\r\n",
        b"a\r\n0123456789\r\nA\r\n0123456789\r\n00\r\n\r\n",
        b"0000000000000002\r\n\r\n\r\n0\r\n\r\n",
        b"3;ext=1\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n",
        b"3;a=\"b c\";\td\r\nabc\r\n0;last\r\n\r\n",
        b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
        b"4\r\n\0\xff\n\r\r\n0\r\nA:\r\nB: c\t\r\nContent-Length: 9\r\n\r\n",
    ] {
        check(&[CHUNKED, body].concat());
    }
    check(&[CHUNKED, b"1;", &[b'e'; 256], b"\r\na\r\n0\r\n\r\n"].concat());
}

#[test]
fn broken() {
    let long_extension = [b"1;", &[b'e'; 257][..]].concat();
    let long_trailers = [b"0\r\nA:", &[b'b'; HEAD_BYTES_MAX][..]].concat();
    for (body, sound, part) in [
        (&b"\r\n"[..], 0, "hexadecimal"),
        (b";a\r\n", 0, "hexadecimal"),
        (b" 5\r\nabcde\r\n", 0, "hexadecimal"),
        (b"+5\r\nabcde\r\n", 0, "hexadecimal"),
        (b"-1\r\n", 0, "hexadecimal"),
        (b"0x5\r\nabcde\r\n", 1, "hexadecimal"),
        (b"5 \r\nabcde\r\n", 1, "hexadecimal"),
        (b"5\nabcde\r\n", 1, "hexadecimal"),
        (b"g\r\n", 0, "hexadecimal"),
        (b"00000000000000005\r\nabcde\r\n", 16, "16 digits"),
        (b"5\rabcde", 2, "CR LF"),
        (b"5\r\nabcdef\r\n", 8, "longer than its size"),
        (b"5\r\nabcde\n", 8, "longer than its size"),
        (b"5\r\nabcde\rx", 9, "longer than its size"),
        (b"5;a\nabcde", 3, "extensions"),
        (b"5;\0\r\n", 2, "extensions"),
        (b"5;\xe9\r\n", 2, "extensions"),
        (b"5;a\rb\r\n", 4, "CR LF"),
        (&long_extension, 258, "256 bytes"),
        (b"0\r\n\n", 3, "trailer"),
        (b"0\r\n\rx", 4, "CR LF"),
        (b"0\r\n a: b\r\n", 3, "trailer"),
        (b"0\r\nA : b\r\n", 4, "trailer"),
        (b"0\r\n: b\r\n", 3, "trailer"),
        (b"0\r\nA\r\n", 4, "trailer"),
        (b"0\r\nA: b\nC", 7, "trailer"),
        (b"0\r\nA: b\rC", 8, "trailer"),
        (b"0\r\nA: \0", 6, "trailer"),
        (b"0\r\nGET / HTTP/1.1\r\n", 6, "trailer"),
        (&long_trailers, 3 + HEAD_BYTES_MAX, "too large"),
    ] {
        let shown = text(body);
        let outcome = steady_outcome(&[CHUNKED, body].concat());
        assert_eq!(outcome.passed, text(CHUNKED) + &text(&body[..sound]), "{shown:?}");
        let End::Failure(reason) = outcome.end else { panic!("{shown:?}: {outcome:?}") };
        assert!(reason.contains(part), "{shown:?}: {reason}");
        assert!(
            matches!(outcome.verdict, Some(HeadError::BodyFraming(found)) if found == reason),
            "{shown:?}"
        );
    }
}

#[test]
fn an_end_of_file_within_a_body_is_passed_on() {
    let cut = [CHUNKED, b"5\r\nabc"].concat();
    let expected = Outcome { passed: text(&cut), verdict: None, end: End::Closed };
    assert_eq!(outcome(&[&cut], true, 8192), expected);
}
