use claviger_config::Kind;

use super::super::tests::{faults, issue, kind, lease, run, source, terms, text};
use super::*;
use crate::authorize::Terms;
use crate::credential::fake::FakeServer;
use crate::credential::source::IssueError;

const GRANTED: &str = r#"{"access_token":"token","token_type":"Bearer","expires_in":300}"#;

/// A kind whose secret lies in a file of the test's folder, at a local issuer.
fn at(issuer: &FakeServer, folder: &tempfile::TempDir, more: &str) -> Kind {
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s%cret/w+th:od&d").expect("written");
    let (url, secret) = (&issuer.url, secret.display());
    let settings = format!(
        "{{ token_url: {url}/token, client_id: me, client_secret: {{ file: {secret} }}, allow_plaintext: true{more} }}"
    );
    kind("oauth2_client_credentials", &settings)
}

fn form_for(more: &str, terms: Terms) -> Result<Vec<(String, String)>, IssueError> {
    let (issuer, folder) = (FakeServer::always(200, GRANTED), tempfile::tempdir().expect("a folder"));
    issue(&*source(&at(&issuer, &folder, more)), &Permit::for_test(terms))?;
    Ok(issuer.seen()[0].form())
}

#[test]
fn settings_are_judged_at_their_place() {
    let check = |more: &str, expected: &[(&str, &str)]| {
        let url = if more.contains("token_url") { "" } else { "token_url: https://idp.example/token, " };
        let id = if more.contains("client_id") { "" } else { "client_id: me, " };
        let settings = format!("{{ {url}{id}client_secret: {{ env: SECRET }}{more} }}");
        let found = faults(&kind("oauth2_client_credentials", &settings));
        let found: Vec<_> = found.iter().map(|(code, path)| (*code, path.as_str())).collect();
        assert_eq!(found, expected, "{more}");
    };
    check("", &[]);
    check(", auth: post, scopes: [a, b], timeout: 10s, dpop: false", &[]);
    check(", token_url: http://idp.example/token", &[("plaintext", "token_url")]);
    check(", token_url: http://idp.example/token, allow_plaintext: true", &[]);
    check(", revoke_url: http://idp.example/revoke", &[("plaintext", "revoke_url")]);
    check(", client_id: ''", &[("bad_value", "client_id")]);
    check(", auth: basik", &[("unknown_variant", "auth")]);
    check(", auth: private_key_jwt", &[("not_supported_yet", "auth")]);
    check(", auth: spiffe_jwt", &[("not_supported_yet", "auth")]);
    check(", auth: tls_client", &[("not_supported_yet", "auth")]);
    check(", dpop: true", &[("not_supported_yet", "dpop")]);
    check(", scopes: ['two words']", &[("bad_value", "scopes")]);
    check(", scopes: ['']", &[("bad_value", "scopes")]);
    check(", extra: { scope: x }", &[("bad_value", "extra.scope")]);
    check(", timeout: 10m", &[("bad_value", "timeout")]);
    check(", tls: { ca: /nowhere/ca.pem }", &[("bad_file", "tls.ca")]);
    check(", colour: red", &[("unknown_key", "colour")]);
}

#[test]
fn a_secret_is_needed() {
    let settings = "{ token_url: https://idp.example/token, client_id: me }";
    let found = faults(&kind("oauth2_client_credentials", settings));
    assert_eq!(found, [("missing_key", "client_secret".to_owned())]);
}

#[test]
fn the_form_holds_what_is_asked_for() {
    let check = |more: &str, terms: Terms, expected: Result<&[(&str, &str)], IssueError>| {
        let form = form_for(more, terms);
        let form: Result<Vec<_>, _> =
            form.as_ref().map(|form| form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect());
        assert_eq!(form.map_err(|error| *error), expected.map(<[_]>::to_vec), "{more}");
    };
    let grant = ("grant_type", "client_credentials");
    check("", terms(), Ok(&[grant]));
    let scoped = Terms { scopes: ["a".into(), "b".into()].into(), ..terms() };
    check(", scopes: [b, a, c]", scoped, Ok(&[grant, ("scope", "a b")]));
    check(", audience: x, resource: y", terms(), Ok(&[grant, ("audience", "x"), ("resource", "y")]));
    check(", extra: { tenant: 't 1&x=y' }", terms(), Ok(&[grant, ("tenant", "t 1&x=y")]));
    let audience = || Terms { audience: Some("x".into()), ..terms() };
    check("", audience(), Ok(&[grant, ("audience", "x")]));
    check(", audience: y", audience(), Err(super::super::NOT_OFFERED));
    let posted = [grant, ("client_id", "me"), ("client_secret", "s%cret/w+th:od&d")];
    check(", auth: post", terms(), Ok(&posted));
}

#[test]
fn basic_encodes_both_halves() {
    let (issuer, folder) = (FakeServer::always(200, GRANTED), tempfile::tempdir().expect("a folder"));
    let source = source(&at(&issuer, &folder, ""));
    let issued = issue(&*source, &Permit::for_test(terms())).expect("issued");
    assert_eq!((text(&issued.secret), issued.lifetime), ("token", Some(Duration::from_secs(300))));
    let seen = &issuer.seen()[0];
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/token"));
    // base64 of `me:s%25cret%2Fw%2Bth%3Aod%26d`
    assert_eq!(seen.header("authorization"), Some("Basic bWU6cyUyNWNyZXQlMkZ3JTJCdGglM0FvZCUyNmQ="));
}

#[test]
fn a_token_is_revoked_where_there_is_an_endpoint() {
    let check = |status: u16, revoke: bool, expected: Result<bool, IssueError>| {
        let answer = move |seen: &crate::credential::fake::Seen| {
            let (status, body) = if seen.target == "/token" { (200, GRANTED) } else { (status, "") };
            crate::credential::fake::response(status, body)
        };
        let (issuer, folder) = (FakeServer::new(answer), tempfile::tempdir().expect("a folder"));
        let more = if revoke { format!(", revoke_url: {}/revoke", issuer.url) } else { String::new() };
        let source = source(&at(&issuer, &folder, &more));
        let lease = lease(issue(&*source, &Permit::for_test(terms())).expect("issued"));
        assert_eq!(run(source.revoke(&lease)), expected);
        let revoked: Vec<_> =
            issuer.seen().iter().filter(|seen| seen.target == "/revoke").map(|seen| seen.form()).collect();
        let fields = [("token", "token"), ("token_type_hint", "access_token")];
        let fields: Vec<_> = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        assert_eq!(revoked, if revoke { vec![fields] } else { vec![] });
    };
    check(200, true, Ok(true));
    check(200, false, Ok(false));
    check(503, true, Err(IssueError::Unavailable("it cannot answer now")));
    check(400, true, Err(IssueError::Refused("for a reason of its own")));
}

#[test]
fn scopes_are_sorted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = FakeServer::always(200, GRANTED);
    assert_eq!(source(&at(&issuer, &folder, ", scopes: [b, a, b]")).scopes(), ["a", "b"]);
}

#[test]
fn without_its_secret_nothing_is_asked() {
    let (issuer, folder) = (FakeServer::always(200, GRANTED), tempfile::tempdir().expect("a folder"));
    let source = source(&at(&issuer, &folder, ""));
    std::fs::write(folder.path().join("secret"), "two\nlines").expect("written");
    let issued = issue(&*source, &Permit::for_test(terms()));
    assert_eq!(issued.err(), Some(IssueError::Refused("a configured secret cannot be used")));
    assert!(issuer.seen().is_empty());
}
