use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::tests::{faults, issue, kind, lease, permit, run, source, text};
use super::*;
use crate::credential::fake::{FakeServer, Seen, response};

const KV2: &str = r#"{"lease_id":"","lease_duration":0,"renewable":false,
    "data":{"data":{"token":"stored","n":5},"metadata":{"version":1}}}"#;
const DYNAMIC: &str =
    r#"{"lease_id":"pki/issue/leaf/1","lease_duration":300,"renewable":true,"data":{"key":"made"}}"#;
const LOGIN: &str = r#"{"auth":{"client_token":"logged-in","lease_duration":600,"renewable":true}}"#;

/// A source at `server` whose secrets lie in files of `folder`.
fn at(server: &FakeServer, folder: &tempfile::TempDir, auth: &str, more: &str) -> Box<dyn Source> {
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "the-secret\n").expect("written");
    let (url, secret) = (&server.url, secret.display());
    let auth = match auth {
        "approle" => format!("{{ approle: {{ role_id: role, secret_id: {{ file: {secret} }} }} }}"),
        _ => format!("{{ token_file: {secret} }}"),
    };
    source(&kind("vault", &format!("{{ address: {url}, auth: {auth}, allow_plaintext: true, {more} }}")))
}

/// What the server was asked, as `METHOD path token`.
fn asked(server: &FakeServer) -> Vec<String> {
    let line = |seen: &Seen| {
        let token = seen.header("x-vault-token").unwrap_or("-");
        format!("{} {} {token}", seen.method, seen.target.trim_start_matches("/v1/"))
    };
    server.seen().iter().map(line).collect()
}

#[test]
fn settings_are_judged_at_their_place() {
    let check = |more: &str, expected: &[(&str, &str)]| {
        let address = if more.contains("address") { "" } else { "address: https://vault.example, " };
        let auth = if more.contains("auth") { "" } else { "auth: { token_file: /run/token }, " };
        let path = if more.contains("path") { "" } else { "path: secret/data/app, " };
        let found = faults(&kind("vault", &format!("{{ {address}{auth}{path}{more} }}")));
        let found: Vec<_> = found.iter().map(|(code, path)| (*code, path.as_str())).collect();
        assert_eq!(found, expected, "{more}");
    };
    check("field: token", &[]);
    check("format: '{user}:{pass}', method: write, namespace: a/b/, params: { ttl: 5m }", &[]);
    check("address: http://vault.example, field: token", &[("plaintext", "address")]);
    check("namespace: ''", &[("missing_key", ""), ("bad_value", "namespace")]);
    check("field: a, format: '{b}'", &[("conflict", "format")]);
    check("format: plain", &[("bad_value", "format")]);
    check("field: token, wrap_ttl: 5m", &[("not_supported_yet", "wrap_ttl")]);
    for path in ["/secret", "v1/secret", "a//b", "a/../b", "a/b?c", "a b", "''", "a%2fb"] {
        check(&format!("field: token, path: {path}"), &[("bad_value", "path")]);
    }
    check("field: token, auth: { jwt: { role: r } }", &[("not_supported_yet", "auth.jwt")]);
    check("field: token, auth: { kubernetes: { role: r } }", &[("not_supported_yet", "auth.kubernetes")]);
    check("field: token, auth: { tls_client: {} }", &[("not_supported_yet", "auth.tls_client")]);
    let mount = "field: token, auth: { approle: { role_id: r, secret_id: { env: S }, mount: /x } }";
    check(mount, &[("bad_value", "auth.approle.mount")]);
}

#[test]
fn what_is_stored_is_read() {
    let check = |answer: &str, more: &str, expected: Result<(&str, u64), IssueError>| {
        let (server, folder) = (FakeServer::always(200, answer), tempfile::tempdir().expect("a folder"));
        let issued = issue(&*at(&server, &folder, "token_file", more), &permit());
        let told = issued.as_ref().map(|issued| {
            assert!(issued.handle.is_none() && !issued.renewable);
            (text(&issued.secret), issued.lifetime.expect("it ends").as_secs())
        });
        assert_eq!(told.map_err(|error| *error), expected, "{more}");
    };
    let stored = STORED_LIFETIME.as_secs();
    check(KV2, "path: secret/data/app, field: token", Ok(("stored", stored)));
    check(KV2, "path: secret/data/app, format: '{token}/{n}'", Ok(("stored/5", stored)));
    check(
        KV2,
        "path: secret/data/app, field: none",
        Err(IssueError::Refused("the answer has no such field")),
    );
    // what merely looks like KV version 2 is not
    check(KV2, "path: other/app, field: data", Err(IssueError::Refused("the field is not text")));
    let v1 = r#"{"lease_duration":3600,"data":{"token":"stored","data":"x"}}"#;
    check(v1, "path: kv/app, field: data", Ok(("x", 3600)));
    check(
        r#"{"data":null}"#,
        "path: kv/app, field: x",
        Err(IssueError::Refused("there is nothing at the path")),
    );
    check("<html>", "path: kv/app, field: x", Err(IssueError::Invalid("it is not of the documented shape")));
    let timeless = r#"{"lease_id":"a/b","lease_duration":0,"data":{"x":"y"}}"#;
    check(timeless, "path: a/b, field: x", Err(IssueError::Invalid("a lease without a life")));
}

#[test]
fn a_path_is_read_or_written() {
    let check = |more: &str, expected: &str, body: &str| {
        let (server, folder) = (FakeServer::always(200, DYNAMIC), tempfile::tempdir().expect("a folder"));
        let source = at(&server, &folder, "token_file", &format!("path: pki/issue/leaf, field: key{more}"));
        issue(&*source, &permit()).expect("issued");
        assert_eq!((asked(&server), server.seen()[0].body.as_str()), (vec![expected.to_owned()], body));
    };
    check("", "GET pki/issue/leaf the-secret", "");
    check(", params: { cn: 'a b' }", "POST pki/issue/leaf the-secret", r#"{"cn":"a b"}"#);
    check(", method: write", "POST pki/issue/leaf the-secret", "{}");
    check(", method: read, params: { cn: 'a b' }", "GET pki/issue/leaf?cn=a+b the-secret", "");
}

#[test]
fn a_status_tells_who_is_to_blame() {
    let check = |status: u16, expected: IssueError| {
        let (server, folder) = (FakeServer::always(status, KV2), tempfile::tempdir().expect("a folder"));
        let source = at(&server, &folder, "token_file", "path: secret/data/app, field: token");
        assert_eq!(issue(&*source, &permit()).err(), Some(expected), "{status}");
    };
    check(403, IssueError::Refused("permission denied"));
    check(404, IssueError::Refused("there is nothing at the path"));
    for status in [429, 473, 500, 503] {
        check(status, IssueError::Unavailable("it is sealed, busy or failing"));
    }
    check(307, IssueError::Invalid("its status is neither success nor refusal"));
}

#[test]
fn a_role_logs_in_once_and_gives_its_token_up() {
    let answer = |seen: &Seen| match seen.target.as_str() {
        "/v1/auth/approle/login" => response(200, LOGIN),
        _ => response(200, DYNAMIC),
    };
    let (server, folder) = (FakeServer::new(answer), tempfile::tempdir().expect("a folder"));
    let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key, namespace: team");
    for _ in 0..2 {
        let issued = issue(&*source, &permit()).expect("issued");
        assert_eq!((text(&issued.secret), issued.handle.as_deref()), ("made", Some("pki/issue/leaf/1")));
        assert!(issued.renewable && issued.lifetime == Some(Duration::from_secs(300)));
    }
    run(source.close()).expect("given up");
    run(source.close()).expect("once");
    let leaf = "GET pki/issue/leaf logged-in";
    let expected = ["POST auth/approle/login -", leaf, leaf, "POST auth/token/revoke-self logged-in"];
    assert_eq!(asked(&server), expected);
    let login = &server.seen()[0];
    assert_eq!(login.body, r#"{"role_id":"role","secret_id":"the-secret"}"#);
    assert_eq!(login.header("x-vault-namespace"), Some("team"));
}

#[test]
fn a_token_from_a_file_is_not_ours_to_give_up() {
    let (server, folder) = (FakeServer::always(200, DYNAMIC), tempfile::tempdir().expect("a folder"));
    let source = at(&server, &folder, "token_file", "path: pki/issue/leaf, field: key");
    issue(&*source, &permit()).expect("issued");
    run(source.close()).expect("nothing to do");
    assert_eq!(asked(&server), ["GET pki/issue/leaf the-secret"]);
}

#[test]
fn no_lease_is_believed_to_outlive_its_token() {
    let answer = |seen: &Seen| match seen.target.as_str() {
        "/v1/auth/approle/login" => response(200, &LOGIN.replace("600", "60")),
        _ => response(200, DYNAMIC),
    };
    let (server, folder) = (FakeServer::new(answer), tempfile::tempdir().expect("a folder"));
    let issued = issue(&*at(&server, &folder, "approle", "path: pki/issue/leaf, field: key"), &permit());
    assert!(issued.expect("issued").lifetime <= Some(Duration::from_secs(60)));
}

/// A server where each login gives another token, and `denied` says which of them are refused.
fn with_logins(denied: impl Fn(usize) -> bool + Send + 'static) -> FakeServer {
    let logins = AtomicUsize::new(0);
    FakeServer::new(move |seen| {
        let number = |token: &str| token.trim_start_matches("logged-in-").parse().expect("one of ours");
        match (seen.target.as_str(), seen.header("x-vault-token")) {
            ("/v1/auth/approle/login", _) => {
                let token = format!("logged-in-{}", logins.fetch_add(1, Ordering::SeqCst));
                response(200, &LOGIN.replace("logged-in", &token))
            }
            ("/v1/pki/issue/leaf", Some(token)) if denied(number(token)) => response(403, "{}"),
            (_, _) => response(200, DYNAMIC),
        }
    })
}

#[test]
fn a_token_that_died_is_replaced_once() {
    let calls = AtomicUsize::new(0);
    // the first token serves one call and then is dead
    let server = with_logins(move |token| token == 0 && calls.fetch_add(1, Ordering::SeqCst) > 0);
    let folder = tempfile::tempdir().expect("a folder");
    let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key");
    for _ in 0..3 {
        issue(&*source, &permit()).expect("issued");
    }
    let login = "POST auth/approle/login -";
    let (old, new) = ("GET pki/issue/leaf logged-in-0", "GET pki/issue/leaf logged-in-1");
    assert_eq!(asked(&server), [login, old, old, login, new, new]);
}

#[test]
fn a_denied_path_costs_no_token() {
    let server = with_logins(|_| true);
    let folder = tempfile::tempdir().expect("a folder");
    let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key");
    let denied = Some(IssueError::Refused("permission denied"));
    assert_eq!(issue(&*source, &permit()).err(), denied, "a new token is believed");
    assert_eq!(issue(&*source, &permit()).err(), denied);
    let login = "POST auth/approle/login -";
    let (old, new) = ("GET pki/issue/leaf logged-in-0", "GET pki/issue/leaf logged-in-1");
    assert_eq!(asked(&server), [login, old, old, login, new, "POST auth/token/revoke-self logged-in-1"]);
}

#[test]
fn a_lease_is_prolonged_or_replaced() {
    let check = |answer: &'static str, status: u16, prolonged: bool| {
        let respond = move |seen: &Seen| match seen.target.as_str() {
            "/v1/auth/approle/login" => response(200, LOGIN),
            "/v1/sys/leases/renew" => response(status, answer),
            _ => response(200, DYNAMIC),
        };
        let (server, folder) = (FakeServer::new(respond), tempfile::tempdir().expect("a folder"));
        let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key");
        let lease = lease(issue(&*source, &permit()).expect("issued"));
        let renewed = run(source.renew(&permit(), &lease)).expect("renewed");
        assert!(renewed.secret.same_as(lease.secret()), "the fake has only one");
        let mut expected = vec![
            "POST auth/approle/login -",
            "GET pki/issue/leaf logged-in",
            "PUT sys/leases/renew logged-in",
        ];
        expected.extend((!prolonged).then_some("GET pki/issue/leaf logged-in"));
        let asked: Vec<_> = asked(&server).into_iter().filter(|line| !line.contains("revoke-self")).collect();
        let logins_for_denied = if status == 403 { 2 } else { 0 };
        assert_eq!(asked.len(), expected.len() + logins_for_denied, "{asked:?}");
        assert!(
            server
                .seen()
                .iter()
                .any(|seen| seen.body == r#"{"increment":300,"lease_id":"pki/issue/leaf/1"}"#)
        );
    };
    check(r#"{"lease_id":"pki/issue/leaf/1","lease_duration":300,"renewable":true}"#, 200, true);
    check(r#"{"lease_id":"pki/issue/leaf/1","lease_duration":100,"renewable":true}"#, 200, false);
    check(r#"{"lease_id":"another","lease_duration":300,"renewable":true}"#, 200, false);
    check("{}", 400, false);
    check("{}", 403, false);
}

#[test]
fn a_renewal_that_finds_nobody_is_not_a_refusal() {
    let respond = |seen: &Seen| match seen.target.as_str() {
        "/v1/auth/approle/login" => response(200, LOGIN),
        "/v1/sys/leases/renew" => response(503, "{}"),
        _ => response(200, DYNAMIC),
    };
    let (server, folder) = (FakeServer::new(respond), tempfile::tempdir().expect("a folder"));
    let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key");
    let lease = lease(issue(&*source, &permit()).expect("issued"));
    let busy = IssueError::Unavailable("it is sealed, busy or failing");
    assert_eq!(run(source.renew(&permit(), &lease)).err(), Some(busy));
}

#[test]
fn only_leases_are_revoked() {
    let check = |answer: &'static str, path: &str, expected: bool| {
        let (server, folder) = (FakeServer::always(200, answer), tempfile::tempdir().expect("a folder"));
        let source = at(&server, &folder, "token_file", path);
        let lease = lease(issue(&*source, &permit()).expect("issued"));
        assert_eq!(run(source.revoke(&lease)), Ok(expected));
        assert_eq!(server.seen().len(), 1 + usize::from(expected));
    };
    check(KV2, "path: secret/data/app, field: token", false);
    check(DYNAMIC, "path: pki/issue/leaf, field: key", true);
}

#[test]
fn a_token_is_renewed_before_its_end_and_replaced_at_its_last() {
    let check = |life: &'static str, renewal: &'static str, expected: &[&str]| {
        let respond = move |seen: &Seen| match seen.target.as_str() {
            "/v1/auth/approle/login" => response(200, &LOGIN.replace("600", life)),
            "/v1/auth/token/renew-self" => response(200, &LOGIN.replace("600", renewal)),
            _ => response(200, DYNAMIC),
        };
        let (server, folder) = (FakeServer::new(respond), tempfile::tempdir().expect("a folder"));
        let source = at(&server, &folder, "approle", "path: pki/issue/leaf, field: key");
        issue(&*source, &permit()).expect("issued");
        std::thread::sleep(Duration::from_millis(1400));
        issue(&*source, &permit()).expect("issued");
        assert_eq!(asked(&server), expected);
    };
    let (login, leaf) = ("POST auth/approle/login -", "GET pki/issue/leaf logged-in");
    let renew = "POST auth/token/renew-self logged-in";
    check("600", "600", &[login, leaf, leaf]);
    check("2", "2", &[login, leaf, renew, leaf]);
}
