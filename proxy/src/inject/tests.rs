use claviger_config::{Findings, Kind, Location, Node};
use http::HeaderMap;

use super::*;
use crate::credential::secret::{Secret, Written};

fn built(yaml: &str) -> (Option<Arc<dyn Injection>>, Findings) {
    let (name, settings) = yaml.split_once(": ").expect("the test gives one kind");
    let kind = Kind {
        name: name.to_owned(),
        location: Location::START,
        path: format!("credentials.key.inject.{name}"),
        settings: Node::from_yaml(settings).expect("the test's YAML is valid"),
    };
    let mut findings = Findings::default();
    (build(&kind, &mut findings), findings)
}

#[test]
fn every_kind_builds_from_its_example() {
    for kind in KINDS {
        let (injection, findings) = built(kind.example);
        assert!(injection.is_some() && findings.is_empty(), "{}: {findings:?}", kind.name);
    }
}

#[test]
fn golden_requests() {
    let check = |yaml: &str, secret: &str, header: Option<(&str, &str)>, target: &str| {
        let mut wire = Wire { headers: HeaderMap::new(), target: "/a?b=1".into() };
        let secret = Secret::new(secret.into()).expect("valid");
        built(yaml).0.expect(yaml).inject(&secret, &Written::default(), &mut wire).expect(yaml);
        assert_eq!(wire.target, target, "{yaml}");
        match header {
            Some((name, value)) => {
                assert_eq!(wire.headers[name], value, "{yaml}");
                assert!(wire.headers[name].is_sensitive(), "{yaml}");
            }
            None => assert!(wire.headers.is_empty(), "{yaml}"),
        }
    };
    check("bearer: {}", "t0k", Some(("authorization", "Bearer t0k")), "/a?b=1");
    check("basic: { username: robot }", "pw", Some(("authorization", "Basic cm9ib3Q6cHc=")), "/a?b=1");
    check(
        "header: { name: X-Token, format: \"token {secret}!\" }",
        "t",
        Some(("x-token", "token t!")),
        "/a?b=1",
    );
    check("header: { name: X-Token }", "t", Some(("x-token", "t")), "/a?b=1");
    check("query: { name: key }", "a&+ %/=", None, "/a?b=1&key=a%26%2B%20%25%2F%3D");
}

#[test]
fn refuses_settings_that_cannot_work() {
    for (yaml, code) in [
        ("bearr: {}", "unknown_variant"),
        ("sigv4: {}", "not_supported_yet"),
        ("bearer: { extra: 1 }", "unknown_key"),
        ("basic: {}", "missing_key"),
        ("basic: { username: \"a:b\" }", "bad_value"),
        ("header: { name: \"X Token\" }", "bad_value"),
        ("header: { name: X-Token, format: token }", "bad_value"),
        ("header: { name: X-Token, format: \"{secret}{secret}\" }", "bad_value"),
        ("header: { name: Content-Length }", "bad_value"),
        ("header: { name: X-Forwarded-For }", "bad_value"),
        ("query: { name: \"a b\" }", "bad_value"),
    ] {
        let (injection, findings) = built(yaml);
        assert!(injection.is_none(), "{yaml}");
        assert!(findings.iter().any(|finding| finding.code == code), "{yaml}: {findings:?}");
    }
}
