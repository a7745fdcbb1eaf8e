use super::*;

fn check(raw: &str, expected: Result<&str, &str>) {
    let found = CanonicalPath::parse(raw);
    match (expected, found) {
        (Ok(text), Ok(path)) => assert_eq!(path.as_str(), text, "{raw:?}"),
        (Err(part), Err(sentence)) => assert!(sentence.contains(part), "{raw:?}: {sentence}"),
        (_, found) => panic!("{raw:?}: {found:?}, not {expected:?}"),
    }
}

#[test]
fn one_spelling() {
    for (raw, text) in [
        ("/", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/repos/acme/ledger", "/repos/acme/ledger"),
        ("/a-b_c~d/e", "/a-b_c~d/e"),
        ("/%61%2D%5f%7e", "/a-_~"),
        ("/a%2cb", "/a%2Cb"),
        ("/a,b;c=d:e@f!$&'()*+", "/a,b;c=d:e@f!$&'()*+"),
        ("/a%3bb", "/a%3Bb"),
        ("/a\"<>^`{|}[]", "/a%22%3C%3E%5E%60%7B%7C%7D%5B%5D"),
        ("/a%20b", "/a%20b"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/100%25", "/100%25"),
        ("/100%25x1", "/100%25x1"),
        ("/%25", "/%25"),
        ("/.", "/"),
        ("/./", "/"),
        ("/a/.", "/a/"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c/./d", "/a/c/d"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/b", "/b"),
        ("/%2e/a", "/a"),
        ("/.well-known/x", "/.well-known/x"),
        ("/...", "/..."),
        ("/..a", "/..a"),
        ("/a..", "/a.."),
        ("/a;..", "/a;.."),
        ("/%3F%23", "/%3F%23"),
    ] {
        check(raw, Ok(text));
    }
}

#[test]
fn more_than_one_reading() {
    for (raw, part) in [
        ("", "start with"),
        ("a", "start with"),
        ("*", "start with"),
        ("//", "empty"),
        ("//a", "empty"),
        ("/a//b", "empty"),
        ("/a//", "empty"),
        ("/a/..//b", "empty"),
        ("/././/", "empty"),
        ("/..", "climbs"),
        ("/../a", "climbs"),
        ("/a/../..", "climbs"),
        ("/a/../../b", "climbs"),
        ("/%2e%2e/a", "climbs"),
        ("/./..", "climbs"),
        ("/a%2fb", "slash"),
        ("/a%2Fb", "slash"),
        ("/a%5cb", "slash"),
        ("/..%2f", "slash"),
        ("/..%5c", "slash"),
        ("/a\\b", "backslash"),
        ("/a%00", "control"),
        ("/a%0a", "control"),
        ("/a%0d%0ax", "control"),
        ("/a%1f", "control"),
        ("/a%7F", "control"),
        ("/a%C2%85", "control"),
        ("/a\0", "control"),
        ("/a\tb", "control"),
        ("/a b", "space"),
        ("/a\x7f", "control"),
        ("/%", "two hexadecimal"),
        ("/%2", "two hexadecimal"),
        ("/%2/a", "two hexadecimal"),
        ("/%zz", "two hexadecimal"),
        ("/%+1", "two hexadecimal"),
        ("/%u002f", "two hexadecimal"),
        ("/%%32%35", "two hexadecimal"),
        ("/caf\u{e9}", "ASCII"),
        ("/%e9", "UTF-8"),
        ("/%c0%af", "UTF-8"),
        ("/%c0%ae%c0%ae/a", "UTF-8"),
        ("/%ed%a0%80", "UTF-8"),
        ("/a#b", "fragment"),
        ("/a?b", "question"),
        ("/%252f", "twice"),
        ("/%252e%252e", "twice"),
        ("/%25%32%66", "twice"),
        ("/%2525", "twice"),
        ("/%25252f", "twice"),
        ("/a%2541", "twice"),
        ("/.;/a", "semicolon"),
        ("/..;/a", "semicolon"),
        ("/a/..;x=1/b", "semicolon"),
        ("/%2e%2e;/a", "semicolon"),
        ("/a/..%3b/b", "semicolon"),
        ("/a/;/b", "semicolon"),
        ("/;x", "semicolon"),
    ] {
        check(raw, Err(part));
    }
}

#[test]
fn bounds() {
    check(&"/a".repeat(SEGMENTS_MAX), Ok(&"/a".repeat(SEGMENTS_MAX)));
    check(&"/a".repeat(SEGMENTS_MAX + 1), Err("256 segments"));
    check(&"/.".repeat(SEGMENTS_MAX + 1), Err("256 segments"));
    let long = format!("/{}", "a".repeat(PATH_BYTES_MAX - 1));
    check(&long, Ok(&long));
    check(&format!("{long}a"), Err("16 KiB"));
    check(&format!("/{}", "{".repeat(PATH_BYTES_MAX / 2)), Err("once its characters"));
}

#[test]
fn segments_are_decoded() {
    for (raw, segments) in [
        ("/", &[][..]),
        ("/a/", &["a", ""]),
        ("/repos/acme/ledger", &["repos", "acme", "ledger"]),
        ("/a%20b/caf%C3%A9/x%3B%3f", &["a b", "caf\u{e9}", "x;?"]),
        ("/a/%2e", &["a", ""]),
    ] {
        let path = CanonicalPath::parse(raw).expect("canonical");
        assert_eq!(path.segments().collect::<Vec<_>>(), segments, "{raw:?}");
    }
}

/// What is canonical stays as it is, and says nothing that is refused elsewhere.
#[test]
fn canonical_text_is_a_fixed_point() {
    const PIECES: &[&str] = &[
        "/",
        "/",
        "/",
        ".",
        ".",
        "..",
        "a",
        "B",
        "7",
        "%",
        "%2e",
        "%2E",
        "%25",
        "%32",
        "%35",
        "2",
        "5",
        "f",
        "%41",
        "%c3",
        "%A9",
        "%e2%82%ac",
        ";",
        "%3b",
        "=",
        ":",
        "@",
        "~",
        "_",
        "-",
        "{",
        "\"",
        "|",
        "%7b",
        "%20",
        "+",
        "%2f",
        "%5C",
        "%00",
        "//",
        "/../",
        "/./",
        "%zz",
        "?",
        "\\",
        " ",
        "\u{e9}",
        "%C2%85",
        "*",
        "!",
    ];
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut accepted = 0;
    for _ in 0..200_000 {
        let raw = format!(
            "/{}",
            (0..draw(&mut seed) % 12).map(|_| PIECES[draw(&mut seed) % PIECES.len()]).collect::<String>()
        );
        let Ok(once) = CanonicalPath::parse(&raw) else { continue };
        accepted += 1;
        assert_eq!(CanonicalPath::parse(once.as_str()).as_ref(), Ok(&once), "{raw:?}");
        let inner: Vec<_> = once.segments().collect();
        assert!(
            inner
                .iter()
                .all(|segment| !matches!(&**segment, "." | "..") && !segment.contains(['/', '\\', '\0'])),
            "{raw:?}"
        );
        assert!(inner.iter().rev().skip(1).all(|segment| !segment.is_empty()), "{raw:?}");
        let escapes = once.as_str().match_indices('%').map(|(at, _)| &once.as_str()[at + 1..at + 3]);
        assert!(escapes.clone().all(|digits| digits.to_ascii_uppercase() == digits), "{raw:?}");
    }
    assert!(accepted > 20_000, "only {accepted} of the paths drawn are canonical");
}

/// The next of a fixed sequence (xorshift).
fn draw(seed: &mut u64) -> usize {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 33) as usize
}
