use claviger_config::Location;

use super::*;
use crate::authorize::Terms;
use crate::clock;
use crate::credential::lease::Lifetime;

/// A kind as it stands in a configuration, with its settings in YAML.
pub(super) fn kind(name: &str, settings: &str) -> Kind {
    let settings = Node::from_yaml(settings).expect("the test's YAML is sound");
    let path = format!("credentials.key.source.{name}");
    Kind { name: name.to_owned(), location: Location::START, path, settings }
}

/// The source that `kind` builds.
pub(super) fn source(kind: &Kind) -> Box<dyn Source> {
    let mut findings = Findings::default();
    build(kind, &mut findings).unwrap_or_else(|| panic!("{findings:?}"))
}

/// The codes and paths below the kind of what is wrong with it.
pub(super) fn faults(kind: &Kind) -> Vec<(&'static str, String)> {
    let mut findings = Findings::default();
    assert_eq!(build(kind, &mut findings).is_none(), findings.has_errors());
    let below = |path: &str| path.trim_start_matches(&kind.path).trim_start_matches('.').to_owned();
    findings.iter().map(|finding| (finding.code, below(&finding.path))).collect()
}

/// Terms without scopes, audience or resource.
pub(in crate::credential) fn terms() -> Terms {
    Terms {
        credential: "key".into(),
        route: "api".into(),
        subject: "uid=1000".into(),
        scopes: [].into(),
        audience: None,
        resource: None,
    }
}

pub(in crate::credential) fn permit() -> Permit {
    Permit::for_test(terms())
}

/// Waits for a call on a runtime of its own.
pub(super) fn run<T>(call: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(call)
}

pub(super) fn issue(source: &dyn Source, permit: &Permit) -> Result<Issued, IssueError> {
    run(source.issue(permit))
}

pub(super) fn lease(issued: Issued) -> Lease {
    Lease::new(issued, Lifetime { ttl_max: None, refresh_ahead: 0.8 }, clock::monotonic())
}

#[expect(clippy::disallowed_methods, reason = "the test compares the bytes")]
pub(in crate::credential) fn text(secret: &crate::credential::secret::Secret) -> &str {
    secret.expose()
}

#[test]
fn every_kind_builds_from_its_own_example() {
    for known in KINDS {
        let example = Node::from_yaml(known.example).expect("the example is YAML");
        let settings = example.child("source").and_then(|source| source.child(known.name));
        let settings =
            settings.unwrap_or_else(|| panic!("the example of {} is one of it", known.name)).clone();
        let kind = Kind { settings, ..kind(known.name, "{}") };
        assert_eq!(faults(&kind), [], "{}", known.name);
        assert!((known.schema)().as_object().is_some_and(|schema| schema.contains_key("properties")));
    }
}

#[test]
fn an_unknown_kind_is_told_at_its_block() {
    let check = |name: &str, code: &str, suggestion: Option<&str>| {
        let mut findings = Findings::default();
        assert!(build(&kind(name, "{}"), &mut findings).is_none());
        let finding = findings.iter().next().expect("one finding");
        assert_eq!((finding.code, finding.path.as_str()), (code, "credentials.key.source"));
        assert_eq!(finding.suggestion.as_deref(), suggestion);
    };
    check("statik", "unknown_variant", Some("static"));
    check("vualt", "unknown_variant", Some("vault"));
    check("carrier_pigeon", "unknown_variant", None);
    for name in NOT_YET {
        check(name, "not_supported_yet", None);
    }
}

#[test]
fn a_permit_chooses_among_what_is_configured() {
    let check = |permitted, configured, expected| assert_eq!(chosen(permitted, configured), expected);
    check(None, None, Ok(None));
    check(Some("a"), None, Ok(Some("a")));
    check(None, Some("a"), Ok(Some("a")));
    check(Some("a"), Some("a"), Ok(Some("a")));
    check(Some("b"), Some("a"), Err(NOT_OFFERED));
}
