use super::*;

fn check(raw: &str, owned: &[&str], wire: &str, pairs: &[(&str, &str)], presented: &[&str]) {
    let query = Query::parse(raw.to_owned(), owned).expect(raw);
    assert_eq!(query.wire(), wire, "{raw:?}");
    let found: Vec<_> = query.pairs().collect();
    let found: Vec<_> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(found, pairs, "{raw:?}");
    assert_eq!(query.presented(), presented, "{raw:?}");
}

fn check_refused(raw: &str, part: &str) {
    let sentence = Query::parse(raw.to_owned(), &["key"]).expect_err(raw);
    assert!(sentence.contains(part), "{raw:?}: {sentence}");
}

#[test]
fn ordinary_queries_pass_as_sent() {
    for (raw, pairs) in [
        ("", &[][..]),
        ("a=1", &[("a", "1")]),
        ("x=1&y=%20z&x=2", &[("x", "1"), ("y", " z"), ("x", "2")]),
        ("a", &[("a", "")]),
        ("a=", &[("a", "")]),
        ("=a", &[("", "a")]),
        ("a=b=c", &[("a", "b=c")]),
        ("a+b=c+d%2B", &[("a b", "c d+")]),
        ("&a=1&&b=2&", &[("a", "1"), ("b", "2")]),
        ("q=caf%c3%A9", &[("q", "caf\u{e9}")]),
        ("q=%7Ba%0A%09b%0d%7D", &[("q", "{a\n\tb\r}")]),
        ("q={a}|^`\\[]", &[("q", "{a}|^`\\[]")]),
        ("a=1;b=2", &[("a", "1;b=2")]),
        ("token=1&key=2&signature=3", &[("token", "1"), ("key", "2"), ("signature", "3")]),
        ("access_tokens=1&xaccess_token=2", &[("access_tokens", "1"), ("xaccess_token", "2")]),
        ("a=access_token%3Dx%26private_token", &[("a", "access_token=x&private_token")]),
        ("u=a/b?c:d@e,f", &[("u", "a/b?c:d@e,f")]),
    ] {
        check(raw, &[], raw, pairs, &[]);
        let owned = raw.to_owned();
        let at = owned.as_ptr();
        assert_eq!(Query::parse(owned, &[]).expect(raw).wire.as_ptr(), at, "{raw:?} was copied");
    }
}

#[test]
fn carriers_are_removed() {
    for (raw, wire, presented) in [
        ("access_token=x", "", "access_token"),
        ("a=1&access_token=x&b=%20", "a=1&b=%20", "access_token"),
        ("ACCESS_TOKEN=x&a=1", "a=1", "access_token"),
        ("a=1&access%5Ftoken=x", "a=1", "access_token"),
        ("%61ccess_token=x", "", "access_token"),
        ("access-token=x", "", "access-token"),
        ("access.token=x", "", "access.token"),
        ("access+token=x", "", "access token"),
        ("+access_token=x", "", " access_token"),
        ("access_token[]=x", "", "access_token[]"),
        ("access_token", "", "access_token"),
        ("private_token=x", "", "private_token"),
        ("X-Amz-Security-Token=x&versionId=1", "versionId=1", "x-amz-security-token"),
        ("X-Goog-Signature=x", "", "x-goog-signature"),
        ("sig=x&sv=1", "sv=1", "sig"),
        ("API-Key=x", "", "api-key"),
    ] {
        let query = Query::parse(raw.to_owned(), &[]).expect(raw);
        assert_eq!((query.wire(), query.presented()), (wire, &[presented.to_owned()][..]), "{raw:?}");
    }
    check("sig=1&a=b&client_secret=2", &[], "a=b", &[("a", "b")], &["sig", "client_secret"]);
}

#[test]
fn the_injection_owns_its_name() {
    check("a=1&key=x&KEY=y&k%65y=z", &["key"], "a=1", &[("a", "1")], &["key", "key", "key"]);
    check("a=1&key=x", &[], "a=1&key=x", &[("a", "1"), ("key", "x")], &[]);
    check("my.key=x&b=2", &["My-Key"], "b=2", &[("b", "2")], &["my.key"]);
}

#[test]
fn doubtful() {
    for (raw, part) in [
        ("a=%", "two hexadecimal"),
        ("a=%2", "two hexadecimal"),
        ("a=%zz", "two hexadecimal"),
        ("a=%%32%35", "two hexadecimal"),
        ("%=a", "two hexadecimal"),
        ("a=%u0041", "two hexadecimal"),
        ("a=%e9", "UTF-8"),
        ("a=%c0%af", "UTF-8"),
        ("a=%00", "control"),
        ("a=%1b", "control"),
        ("a=%7f", "control"),
        ("a=%C2%85", "control"),
        ("a%0a=1", "control"),
        ("a\0=1", "control"),
        ("a=\r\n", "control"),
        ("a=b c", "space"),
        ("a=\u{e9}", "ASCII"),
        ("a=1#b", "fragment"),
        ("a=1;access_token=x", "semicolon"),
        ("a=1;b=2;Private-Token=x", "semicolon"),
        ("a;key", "semicolon"),
    ] {
        check_refused(raw, part);
    }
}

#[test]
fn bounds() {
    let most = vec!["a=1"; PAIRS_MAX].join("&");
    assert_eq!(Query::parse(most.clone(), &[]).map(|query| query.pairs().count()), Ok(PAIRS_MAX));
    check_refused(&format!("{most}&"), "1024");
}

fn pairs_of(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn change(raw: &str, set: &[(&str, &str)], remove: &[&str]) -> Result<String, Unchangeable> {
    let query = Query::parse(raw.to_owned(), &["key"]).expect(raw);
    let remove: Vec<String> = remove.iter().map(|name| (*name).to_owned()).collect();
    query.changed(&pairs_of(set), &remove, &["key"]).map(|query| query.wire().to_owned())
}

#[test]
fn policies_change_parameters_and_leave_the_others_as_sent() {
    for (raw, set, remove, expected) in [
        ("", &[("a", "1")][..], &[][..], "a=1"),
        ("a=1&b=%7e+x&a=2&c", &[("a", "3")], &[], "b=%7e+x&c&a=3"),
        ("%61=1&b=2", &[("a", "3")], &[], "b=2&a=3"),
        ("b=2", &[("a", "x y&z=\u{e4}"), ("a", "")], &[], "b=2&a=x%20y%26z%3D%C3%A4&a="),
        ("a=1&b=2&a=3", &[], &["a"], "b=2"),
        ("%61=1", &[], &["a"], ""),
        ("A=1&a[]=2", &[("a", "3")], &[], "A=1&a[]=2&a=3"),
        ("a=1", &[("a", "2"), ("b", "3")], &["a"], "b=3"),
        ("a=1", &[], &["absent", "access_token"], "a=1"),
        ("a=1;b=2", &[("c", "3")], &["d"], "a=1;b=2&c=3"),
    ] {
        assert_eq!(change(raw, set, remove), Ok(expected.to_owned()), "{raw:?} {set:?} {remove:?}");
    }
}

#[test]
fn policies_set_no_credential_and_trust_no_second_reading() {
    for name in ["access_token", "Access-Token", "key", "KEY", "key[]", " key"] {
        assert!(matches!(change("a=1", &[(name, "x")], &[]), Err(Unchangeable::Unsound(_))), "{name}");
    }
    for name in ["key", "Key", "key[0]"] {
        assert!(matches!(change("a=1", &[], &[name]), Err(Unchangeable::Unsound(_))), "{name}");
    }
    for (set, remove) in [(&[("b", "3")][..], &[][..]), (&[], &["b"])] {
        assert!(matches!(change("a=1;%62=2", set, remove), Err(Unchangeable::Ambiguous(_))));
    }
    for (name, value) in [("a\0b", "x"), ("a", "x\0"), ("a\n", "x")] {
        assert!(matches!(change("", &[(name, value)], &[]), Err(Unchangeable::Unsound(_))), "{name:?}");
    }
    let long = "x".repeat(16 * 1024);
    assert!(matches!(change("", &[("a", &long)], &[]), Err(Unchangeable::Unsound(_))));
    let full = vec!["a=1"; PAIRS_MAX].join("&");
    assert!(matches!(change(&full, &[("b", "2")], &[]), Err(Unchangeable::Unsound(_))));
}
