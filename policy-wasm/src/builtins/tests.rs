//! Every builtin with what OPA gives for it; where OPA is installed it is asked again.

mod aws;
mod capabilities;
mod casts;
mod graphql;
mod jwt;
mod keys;
mod patch;
mod providers;
mod uri;
mod x509;

use std::fmt::Write as _;
use std::process::Command;

use super::{FAMILIES, Fault, Function, REFUSED, Scope, lookup};
use crate::testing::opa;
use crate::value::Value;

/// Name, operands, and the value or nothing where the call is undefined.
type Case = (&'static str, &'static str, Option<&'static str>);

const CASES: &[Case] = &[
    ("indexof_n", r#"["abcabcé", "bc"]"#, Some("[1, 4]")),
    ("indexof_n", r#"["aaa", "aa"]"#, Some("[0, 1]")),
    ("indexof_n", r#"["éa", "a"]"#, Some("[1]")),
    ("indexof_n", r#"["a", ""]"#, None),
    ("strings.any_prefix_match", r#"["abc", ["x", "ab"]]"#, Some("true")),
    ("strings.any_prefix_match", r#"[{"abc", "xyz"}, "y"]"#, Some("false")),
    ("strings.any_prefix_match", r#"[[], "y"]"#, Some("false")),
    ("strings.any_suffix_match", r#"[["abc", "xyz"], {"yz"}]"#, Some("true")),
    ("strings.count", r#"["cheese", "e"]"#, Some("3")),
    ("strings.count", r#"["éé", ""]"#, Some("3")),
    ("strings.count", r#"["aaaa", "aa"]"#, Some("2")),
    ("sprintf", r#"["%v %v %v", [1.5, 1e21, 1e20]]"#, Some(r#""1.5 1e+21 1e+20""#)),
    (
        "sprintf",
        r#"["%v|%v|%s", [true, {"a": 1, "b": [1, 2]}, {3, 1}]]"#,
        Some(r#""true|{\"a\": 1, \"b\": [1, 2]}|{1, 3}""#),
    ),
    (
        "sprintf",
        r#"["%d|%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%q|%U|%#x", [1, 1.5, 42, 42, -42, 7, 255, 255, 8, 5, 65, 65, 65, 255]]"#,
        Some(r#""1|%!d(float64=1.5)|   42|42   |-0042|+7|ff|FF|10|101|A|'A'|U+0041|0xff""#),
    ),
    ("sprintf", r#"["%s", [5]]"#, Some(r#""%!s(int=5)""#)),
    ("sprintf", r#"["%d", ["x"]]"#, Some(r#""%!d(string=x)""#)),
    ("sprintf", r#"["%d %d", [1]]"#, Some(r#""1 %!d(MISSING)""#)),
    ("sprintf", r#"["%d", [1, 2, "x"]]"#, Some(r#""1%!(EXTRA int=2, string=x)""#)),
    (
        "sprintf",
        r#"["%5s|%-5s|%.2s|%q|%x|% x|%X", ["ab", "ab", "abcdef", "a\"b\n", "hi", "hi", "hi"]]"#,
        Some(r#""   ab|ab   |ab|\"a\\\"b\\n\"|6869|68 69|6869""#),
    ),
    (
        "sprintf",
        r#"["%f|%.2f|%8.3f|%e|%g|%G|%.3g|%08.2f|%+.1f", [1.5, 1.255, 3.14159, 123456.789, 0.00001234, 1e30, 1234.5678, -3.14159, 2]]"#,
        Some(r#""1.500000|1.25|   3.142|1.234568e+05|1.234e-05|1E+30|1.23e+03|-0003.14|%!f(int=+2)""#),
    ),
    ("sprintf", r#"["%v", [123456789012345678901234567890]]"#, Some(r#""123456789012345678901234567890""#)),
    ("sprintf", r#"["%t %T %T %T", [true, 1, "a", 1.5]]"#, Some(r#""%!t(string=true) int string float64""#)),
    ("sprintf", r#"["100%", []]"#, Some(r#""100%!(NOVERB)""#)),
    ("sprintf", r#"["%%|%z", [1]]"#, Some(r#""%|%!z(int=1)""#)),
    ("sprintf", r#"["%*d|%.*f", [5, 42, 2, 3.14159]]"#, Some(r#""   42|3.14""#)),
    ("sprintf", r#"["%06s|%6v|%.3v", ["ab", true, "abcdef"]]"#, Some(r#""0000ab|  true|abc""#)),
    ("sprintf", r#"["% d|%x|%.5d", [5, -255, 42]]"#, Some(r#"" 5|-ff|00042""#)),
    ("sprintf", r#"["%v|%v|%v", [1e-7, 0.000123, 1000000.5]]"#, Some(r#""1e-07|0.000123|1.0000005e+06""#)),
    ("sprintf", r#"["%c|%q", [233, 0]]"#, Some(r#""é|'\\x00'""#)),
    ("sprintf", r#"["%08b|%#o|%O", [5, 8, 8]]"#, Some(r#""00000101|010|0o10""#)),
    (
        "sprintf",
        r#"["%s|%d|%x|%#X|%o|%b|%+d|%40d|%-40s|%040d|%q|%T", [123456789012345678901, -123456789012345678901, 123456789012345678901, 123456789012345678901, -123456789012345678901, 18446744073709551616, 123456789012345678901, 123456789012345678901, 123456789012345678901, -123456789012345678901, 123456789012345678901, 123456789012345678901]]"#,
        Some(
            r#""123456789012345678901|-123456789012345678901|6b14e9f812f366c35|0X6B14E9F812F366C35|-15305164770045715466065|10000000000000000000000000000000000000000000000000000000000000000|+123456789012345678901|                   123456789012345678901|123456789012345678901                   |-000000000000000000123456789012345678901|%!q(big.Int=123456789012345678901)|*big.Int""#,
        ),
    ),
    ("sprintf", r#"["%v %s %d", [2e308, -1e400, 1e999]]"#, Some(r#""2e308 -1e400 %!d(string=1e999)""#)),
    ("numbers.range_step", "[0, 10, 99999999999999999999]", Some("[0]")),
    ("net.cidr_merge", r#"[["192.0.128.0", "192.0.129.0"]]"#, Some(r#"{"192.0.128.0/23"}"#)),
    ("net.cidr_merge", r#"[["192.0.2.112"]]"#, Some(r#"{"192.0.2.112/24"}"#)),
    ("net.cidr_merge", r#"[["192.0.2.112", "192.0.2.112"]]"#, Some(r#"{"192.0.2.0/24"}"#)),
    (
        "net.cidr_merge",
        r#"[{"10.1.2.3", "172.16.0.1", "11.0.0.0/8"}]"#,
        Some(r#"{"10.0.0.0/7", "172.16.0.1/16"}"#),
    ),
    ("net.cidr_merge", r#"[["::ffff:192.0.2.1", "192.0.3.0/24"]]"#, Some(r#"{"192.0.2.0/23"}"#)),
    ("net.cidr_merge", r#"[["2001:db8::1"]]"#, None),
    (
        "uuid.parse",
        r#"["000003e8-48b9-21ee-b200-325096b39f47"]"#,
        Some(
            r#"{"clocksequence": 12800, "domain": "Person", "id": 1000, "macvariables": "local:unicast", "nodeid": "32-50-96-b3-9f-47", "time": 1693566990121469600, "variant": "RFC4122", "version": 2}"#,
        ),
    ),
    (
        "uuid.parse",
        r#"["{c232ab00-9414-11ec-b3c8-9f6bdeced846}"]"#,
        Some(
            r#"{"clocksequence": 13256, "macvariables": "local:multicast", "nodeid": "9f-6b-de-ce-d8-46", "time": 1645557742000000000, "variant": "RFC4122", "version": 1}"#,
        ),
    ),
    (
        "uuid.parse",
        r#"["ffffffff-ffff-2fff-bf07-010203040506"]"#,
        Some(
            r#"{"clocksequence": 16135, "domain": "Domain7", "id": 4294967295, "macvariables": "global:multicast", "nodeid": "01-02-03-04-05-06", "time": -7607606781572612196, "variant": "RFC4122", "version": 2}"#,
        ),
    ),
    ("sprintf", r#"["no verbs", []]"#, Some(r#""no verbs""#)),
    ("crypto.md5", r#"["hello"]"#, Some(r#""5d41402abc4b2a76b9719d911017c592""#)),
    ("crypto.sha1", r#"["hello"]"#, Some(r#""aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d""#)),
    (
        "crypto.sha256",
        r#"["hello"]"#,
        Some(r#""2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824""#),
    ),
    ("crypto.hmac.md5", r#"["m", "k"]"#, Some(r#""ed7e724d3a91554aaa2043041d9c5305""#)),
    ("crypto.hmac.sha1", r#"["m", "k"]"#, Some(r#""772b71c8a2997e768be01d9711e4a4f34a24ef33""#)),
    (
        "crypto.hmac.sha256",
        r#"["m", "k"]"#,
        Some(r#""b60090e3052297aeb5a080889ce2fc4bca957e756faeb4df7d31800ca1e771ec""#),
    ),
    (
        "crypto.hmac.sha512",
        r#"["m", "k"]"#,
        Some(
            r#""94ec958658ae2d2e92ae742007904d439af3a5509156f6ad5bd0bab74868b4cbb7cbc817162b11e4aff59813415a730e9720fc5ff1d1015a1f7d1b67fb047d87""#,
        ),
    ),
    ("crypto.hmac.equal", r#"["a", "a"]"#, Some("true")),
    ("crypto.hmac.equal", r#"["a", "b"]"#, Some("false")),
    ("base64url.encode_no_pad", r#"["a?>"]"#, Some(r#""YT8-""#)),
    ("base64url.encode_no_pad", r#"["a"]"#, Some(r#""YQ""#)),
    ("hex.encode", r#"["aé"]"#, Some(r#""61c3a9""#)),
    ("hex.decode", r#"["61C3a9"]"#, Some(r#""aé""#)),
    ("hex.decode", r#"["6"]"#, None),
    ("urlquery.encode", r#"["a b&c=é/~-_.*"]"#, Some(r#""a+b%26c%3D%C3%A9%2F~-_.%2A""#)),
    ("urlquery.decode", r#"["a+b%26c%3D"]"#, Some(r#""a b&c=""#)),
    ("urlquery.decode", r#"["%zz"]"#, None),
    ("urlquery.decode", r#"["%4"]"#, None),
    ("urlquery.encode_object", r#"[{"b": ["1", "2"], "a": "x y"}]"#, Some(r#""a=x+y&b=1&b=2""#)),
    (
        "urlquery.decode_object",
        r#"["a=1&b=2&a=3&c&=4"]"#,
        Some(r#"{"": ["4"], "a": ["1", "3"], "b": ["2"], "c": [""]}"#),
    ),
    ("object.subset", r#"[{"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}]"#, Some("true")),
    ("object.subset", r#"[{"a": [1, 2, 3]}, {"a": [2, 3]}]"#, Some("true")),
    ("object.subset", r#"[{"a": 1}, {"a": 2}]"#, Some("false")),
    ("object.subset", "[{1, 2}, {2}]", Some("true")),
    ("object.subset", "[[1, 2, 3], {3, 1}]", Some("true")),
    ("object.subset", "[[1, 2], [2, 1]]", Some("false")),
    ("net.cidr_is_valid", r#"["10.0.0.0/8"]"#, Some("true")),
    ("net.cidr_is_valid", r#"["10.0.0.0/33"]"#, Some("false")),
    ("net.cidr_is_valid", r#"["10.0.0.0"]"#, Some("false")),
    ("net.cidr_is_valid", r#"["10.0.0.0/+8"]"#, Some("false")),
    ("net.cidr_is_valid", r#"["2001:db8::/32"]"#, Some("true")),
    (
        "net.cidr_expand",
        r#"["192.168.0.6/30"]"#,
        Some(r#"{"192.168.0.4", "192.168.0.5", "192.168.0.6", "192.168.0.7"}"#),
    ),
    ("net.cidr_expand", r#"["::1/128"]"#, Some(r#"{"::1"}"#)),
    ("net.cidr_merge", r#"[["192.168.0.0/24", "192.168.1.0/24"]]"#, Some(r#"{"192.168.0.0/23"}"#)),
    (
        "net.cidr_merge",
        r#"[{"10.0.0.0/8", "10.1.0.0/16", "2001:db8::/33", "2001:db8:8000::/33"}]"#,
        Some(r#"{"10.0.0.0/8", "2001:db8::/32"}"#),
    ),
    (
        "net.cidr_merge",
        r#"[["192.0.2.112/30", "192.0.2.116/31", "192.0.2.118/31", "192.0.2.0/25"]]"#,
        Some(r#"{"192.0.2.0/25"}"#),
    ),
    ("net.cidr_contains_matches", r#"["1.1.1.0/24", "1.1.1.128"]"#, Some(r#"{["1.1.1.0/24", "1.1.1.128"]}"#)),
    (
        "net.cidr_contains_matches",
        r#"[["1.1.2.0/24", "1.1.1.0/24"], {"a": "1.1.1.128", "b": ["1.1.254.254/32", "x"]}]"#,
        Some(r#"{[1, "a"]}"#),
    ),
    ("net.cidr_contains_matches", r#"["1.1.1.0/24", "x"]"#, None),
    ("numbers.range_step", "[0, 10, 4]", Some("[0, 4, 8]")),
    ("numbers.range_step", "[5, 1, 2]", Some("[5, 3, 1]")),
    ("numbers.range_step", "[1, 5, 0]", None),
    ("regex.find_n", r#"["[oa]+", "foo bar baz", 2]"#, Some(r#"["oo", "a"]"#)),
    ("regex.find_n", r#"["[oa]", "foo bar", -1]"#, Some(r#"["o", "o", "a"]"#)),
    ("regex.find_n", r#"["[", "foo", 1]"#, None),
    ("regex.replace", r#"["foo-bar", "(\\w+)-(\\w+)", "$2-${1}x"]"#, Some(r#""bar-foox""#)),
    ("regex.replace", r#"["aaa", "b", "c"]"#, Some(r#""aaa""#)),
    ("regex.split", r#"["/", "a/b//c"]"#, Some(r#"["a", "b", "", "c"]"#)),
    ("regex.split", r#"["", "abc"]"#, Some(r#"["a", "b", "c"]"#)),
    ("regex.split", r#"["x*", "axbxc"]"#, Some(r#"["a", "b", "c"]"#)),
    ("regex.split", r#"["/", ""]"#, Some(r#"[""]"#)),
    ("regex.template_match", r#"["urn:foo:{.*}", "urn:foo:bar:baz", "{", "}"]"#, Some("true")),
    ("regex.template_match", r#"["urn.foo:<[0-9]+>", "urnxfoo:1", "<", ">"]"#, Some("false")),
    ("regex.template_match", r#"["urn:{", "urn:", "{", "}"]"#, None),
    ("glob.quote_meta", r#"["*.git{a}[b]?"]"#, Some(r#""\\*.git\\{a\\}\\[b\\]\\?""#)),
    ("semver.compare", r#"["1.2.3", "1.10.0"]"#, Some("-1")),
    ("semver.compare", r#"["1.0.0-rc.1", "1.0.0-rc.1+build"]"#, Some("0")),
    ("semver.compare", r#"["1.0.0", "1.0.0-rc.1"]"#, Some("1")),
    ("semver.compare", r#"["1.0", "1.0.0"]"#, None),
    ("semver.is_valid", r#"["1.2.3-a.b+c"]"#, Some("true")),
    ("semver.is_valid", r#"["v1.02.3"]"#, Some("true")),
    ("semver.is_valid", r#"["1.2.3-a_b"]"#, Some("false")),
    ("semver.is_valid", r#"["1.2.3.4"]"#, Some("false")),
    ("semver.compare", r#"["1.0.0-rc.2", "1.0.0-rc.10"]"#, Some("-1")),
    ("semver.compare", r#"["1.0.0-1", "1.0.0-a"]"#, Some("-1")),
    ("semver.compare", r#"["1.0.0-a.b", "1.0.0-a"]"#, Some("1")),
    ("units.parse", r#"["10"]"#, Some("10")),
    ("units.parse", r#"["250m"]"#, Some("0.2500000000")),
    ("units.parse", r#"["1.5Mi"]"#, Some("1572864")),
    ("units.parse", r#"["2G"]"#, Some("2000000000")),
    ("units.parse", r#"["3M"]"#, Some("3000000")),
    ("units.parse", r#"["1e3k"]"#, Some("1000000")),
    ("units.parse", r#"["-2Ki"]"#, Some("-2048")),
    ("units.parse", r#"["1 k"]"#, None),
    ("units.parse", r#"["k"]"#, None),
    ("units.parse", r#"["1x"]"#, None),
    ("units.parse_bytes", r#"["10MB"]"#, Some("10000000")),
    ("units.parse_bytes", r#"["1.5kib"]"#, Some("1536")),
    ("units.parse_bytes", r#"["0.0001k"]"#, Some("0")),
    ("units.parse_bytes", r#"["12"]"#, Some("12")),
    ("units.parse_bytes", r#"["1b"]"#, None),
    (
        "uuid.parse",
        r#"["00000000-0000-4000-8000-000000000000"]"#,
        Some(r#"{"variant": "RFC4122", "version": 4}"#),
    ),
    ("uuid.parse", r#"["x"]"#, None),
    ("time.date", "[1795302000123456789]", Some("[2026, 11, 21]")),
    ("time.date", r#"[[1795302000000000000, "Europe/Berlin"]]"#, Some("[2026, 11, 22]")),
    ("time.clock", r#"[[1795302000000000000, "America/New_York"]]"#, Some("[18, 0, 0]")),
    ("time.clock", r#"[[1795302000000000000, "Nowhere/Land"]]"#, None),
    ("time.weekday", "[1795302000000000000]", Some(r#""Saturday""#)),
    ("time.add_date", "[1793404800000000000, 0, 1, 0]", Some("1796083200000000000")),
    ("time.add_date", "[1793404800000000000, 1, -13, 45]", Some("1794700800000000000")),
    ("time.diff", "[1795302000000000000, 1700000000000000000]", Some("[3, 0, 7, 0, 46, 40]")),
    ("time.diff", "[0, 0]", Some("[0, 0, 0, 0, 0, 0]")),
    ("time.parse_rfc3339_ns", r#"["2026-11-21T23:00:00.5+01:00"]"#, Some("1795298400500000000")),
    ("time.parse_rfc3339_ns", r#"["2026-11-21T23:00:00Z"]"#, Some("1795302000000000000")),
    ("time.parse_rfc3339_ns", r#"["2026-11-21 23:00:00Z"]"#, None),
    ("time.parse_rfc3339_ns", r#"["2026-02-30T23:00:00Z"]"#, None),
    ("time.parse_rfc3339_ns", r#"["2500-01-01T00:00:00Z"]"#, None),
    ("time.parse_ns", r#"["2006-01-02", "2026-11-21"]"#, Some("1795219200000000000")),
    ("time.parse_ns", r#"["RFC1123Z", "Sat, 21 Nov 2026 23:00:00 +0100"]"#, Some("1795298400000000000")),
    ("time.parse_ns", r#"["Jan _2 2006 3:04PM", "Nov  1 2026 1:05PM"]"#, Some("1793538300000000000")),
    ("time.parse_ns", r#"["02/01/06 15:04:05.000", "21/11/26 23:00:00.250"]"#, Some("1795302000250000000")),
    ("time.parse_ns", r#"["2006-01-02", "2026-13-01"]"#, None),
    ("time.format", "[1795302000000000000]", Some(r#""2026-11-21T23:00:00Z""#)),
    ("time.format", r#"[[1795302000120000000, "Asia/Kolkata"]]"#, Some(r#""2026-11-22T04:30:00.12+05:30""#)),
    (
        "time.format",
        r#"[[1795302000000000000, "UTC", "Mon, Jan 2 2006 3:04:05.000 PM MST -0700"]]"#,
        Some(r#""Sat, Nov 21 2026 11:00:00.000 PM UTC +0000""#),
    ),
    (
        "time.format",
        r#"[[1795302000000000000, "America/New_York", "RFC850"]]"#,
        Some(r#""Saturday, 21-Nov-26 18:00:00 EST""#),
    ),
    ("time.parse_duration_ns", r#"["1h30m"]"#, Some("5400000000000")),
    ("time.parse_duration_ns", r#"["-1.5s"]"#, Some("-1500000000")),
    ("time.parse_duration_ns", r#"["2d1h"]"#, Some("176400000000000")),
    ("time.parse_duration_ns", r#"["100us"]"#, Some("100000")),
    ("time.parse_duration_ns", r#"["0"]"#, Some("0")),
    ("time.parse_duration_ns", r#"["5"]"#, None),
    ("time.parse_duration_ns", r#"[""]"#, None),
    ("trace", r#"["note"]"#, Some("true")),
];

/// The tables of all families.
const TABLES: &[&[Case]] = &[
    CASES,
    aws::CASES,
    casts::CASES,
    graphql::CASES,
    jwt::CASES,
    keys::CASES,
    providers::CASES,
    uri::CASES,
    x509::CASES,
];

fn cases() -> impl Iterator<Item = &'static Case> {
    TABLES.iter().copied().flatten()
}

/// Told by the machine, not by the operands.
const UNTOLD: [&str; 5] = ["internal.print", "print", "rand.intn", "time.now_ns", "uuid.rfc4122"];

fn call(name: &str, operands: &str) -> Result<Value, Fault> {
    let operands = Value::parse(operands).unwrap_or_else(|error| panic!("{operands}: {error}"));
    let builtin = lookup(name.to_owned()).unwrap_or_else(|error| panic!("{error}"));
    (builtin.run)(&mut Scope::default(), operands.as_array().expect("operands are an array"))
}

#[test]
fn builtins_give_what_opa_gives() {
    for (name, operands, expected) in cases() {
        let told = call(name, operands).ok().map(|value| value.to_string());
        assert_eq!(told.as_deref(), *expected, "{name}({operands})");
    }
}

#[test]
fn every_builtin_has_a_case_and_one_home() {
    let mut names: Vec<&str> = FAMILIES.iter().copied().flatten().map(|(name, _)| *name).collect();
    for name in &names {
        let tested = cases().any(|(case, _, _)| case == name) || UNTOLD.contains(name);
        assert!(tested, "{name} has no case");
        assert!(REFUSED.iter().all(|(refused, _)| refused != name), "{name} is refused");
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn wrong_operands_are_undefined() {
    let nothing: [&[Value]; 2] = [&[], &[Value::Null, Value::Null, Value::Null, Value::Null]];
    assert!(matches!(call("urlquery.encode_object", r#"[{"a": 1}]"#), Err(Fault::Undefined(_))));
    let exempt = [
        "time.now_ns",
        "uuid.rfc4122",
        "net.cidr_is_valid",
        "graphql.is_valid",
        "graphql.parse_and_verify",
        "graphql.schema_is_valid",
        "semver.is_valid",
        "uri.is_valid",
        "cast_null",
    ];
    let all = FAMILIES.iter().copied().flatten().filter(|(name, _)| !exempt.contains(name));
    for (name, run) in all {
        let run: Function = *run;
        for operands in nothing {
            let outcome = run(&mut Scope::default(), operands);
            assert!(matches!(outcome, Err(Fault::Undefined(_))), "{name}: {outcome:?}");
        }
    }
}

#[test]
fn endless_results_halt() {
    let cases = [
        ("net.cidr_expand", r#"["10.0.0.0/8"]"#),
        ("net.cidr_expand", r#"["::/0"]"#),
        ("numbers.range_step", "[0, 1000000000, 1]"),
        ("sprintf", r#"["%1000000d", [1]]"#),
    ];
    for (name, operands) in cases {
        assert!(matches!(call(name, operands), Err(Fault::Halt(_))), "{name}({operands})");
    }
}

#[test]
fn chance_is_constant_within_an_evaluation() {
    let mut scope = Scope::default();
    let operands = [Value::from("key"), Value::from(1_000_000_000)];
    let cases = [("rand.intn", &operands[..]), ("uuid.rfc4122", &operands[..1])];
    for (name, operands) in cases {
        let run = lookup(name.to_owned()).expect("it is offered").run;
        let first = run(&mut scope, operands).expect("it draws");
        assert_eq!(run(&mut scope, operands), Ok(first.clone()), "{name}");
        scope.begin(0);
        assert_ne!(run(&mut scope, operands), Ok(first), "{name}");
    }
}

#[test]
fn print_goes_into_the_trace() {
    let mut scope = Scope::default();
    let operands = Value::parse(r#"[[{"a"}, set(), {1, 2}]]"#).expect("it is a value");
    let run = lookup("internal.print".to_owned()).expect("it is offered").run;
    assert_eq!(run(&mut scope, operands.as_array().expect("an array")), Ok(true.into()));
    assert_eq!(scope.trace.lines(), ["a <undefined> 1", "a <undefined> 2"]);
}

/// Operands go through `object.get`, which hides their types from OPA's checker; the language is the old one, which has
/// the casts.
#[test]
fn opa_agrees() {
    let Some(opa) = opa() else { return };
    let mut rego = String::from("package cases\n\n");
    for (index, (name, operands, _)) in cases().enumerate() {
        let count =
            Value::parse(operands).expect("operands are a value").as_array().map_or(0, <[Value]>::len);
        let all =
            (0..count).map(|at| format!("object.get(all[{at}], 0, null)")).collect::<Vec<_>>().join(", ");
        let wrapped = Value::parse(operands).expect("operands are a value");
        let wrapped = wrapped.as_array().expect("operands are an array").iter();
        let wrapped = wrapped.map(|operand| format!("{{0: {operand}}}")).collect::<Vec<_>>().join(", ");
        writeln!(rego, "results[{index}] = value {{ all := [{wrapped}]; value := {name}({all}) }}\n")
            .expect("text is writable");
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let file = folder.path().join("cases.rego");
    std::fs::write(&file, rego).expect("scratch is writable");
    let shown = "[[i, s] | some i; v := data.cases.results[i]; s := sprintf(\"%v\", [v])]";
    let mut command = Command::new(opa);
    command.args(["eval", "--v0-compatible", "-f", "raw", shown, "-d"]);
    let done = command.arg(&file).output().expect("opa starts");
    let text = String::from_utf8(done.stdout).expect("opa writes text");
    let told: Vec<(usize, String)> = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{error}: {text}{}", String::from_utf8_lossy(&done.stderr)));
    let mut differing = String::new();
    for (index, (name, operands, _)) in cases().enumerate() {
        let theirs = told.iter().find(|(at, _)| *at == index).map(|(_, text)| text.as_str());
        let ours = call(name, operands).ok();
        // As text, or as a number that `sprintf` wrote shorter.
        let same = ours.as_ref().map(Value::to_plain).as_deref() == theirs
            || ours.is_some() && theirs.and_then(|text| Value::parse(text).ok()) == ours;
        if !same {
            writeln!(differing, "{name}({operands}): {ours:?}, opa says {theirs:?}")
                .expect("text is writable");
        }
    }
    assert!(differing.is_empty(), "{differing}");
}
