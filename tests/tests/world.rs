//! The far sides alone, without the product: a fake that lies makes every test above it lie.

use std::process::Command;

use claviger_tests::issuer::Mode;
use claviger_tests::nginx::Nginx;
use claviger_tests::oidc::{Auth, OidcProvider};
use claviger_tests::openbao::OpenBao;
use claviger_tests::pki::{Fault, Pki};
use claviger_tests::{Case, Connection, Issuer, Upstream, bundle, needs};
use serde_json::{Value, json};

fn call(
    port: u16,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<(u16, Vec<u8>)> {
    let answer = Connection::tcp(port)?.request(method, target, headers, body)?;
    Ok((answer.status, answer.body))
}

#[test]
fn upstream_records_and_behaves() {
    let upstream = Upstream::plain();
    let port = upstream.port();
    let (status, body) = call(port, "POST", "/echo?x=1", &[("Authorization", "Bearer a")], b"four").unwrap();
    let echo: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, echo), (200, json!({ "method": "POST", "target": "/echo?x=1", "body_bytes": 4 })));
    assert!(upstream.last().head.starts_with(b"POST /echo?x=1 HTTP/1.1\r\n"));
    assert_eq!(
        (upstream.bearers(), upstream.last().body.as_slice()),
        (vec!["a".to_owned()], b"four".as_slice())
    );

    assert_eq!(call(port, "GET", "/status/418", &[], b"").unwrap().0, 418);
    assert_eq!(call(port, "GET", "/big/100000", &[], b"").unwrap().1.len(), 100_000);
    let statuses = ["a", "a", "b"]
        .map(|token| call(port, "GET", "/once401", &[("Authorization", token)], b"").unwrap().0);
    assert_eq!(statuses, [401, 401, 200]);
    assert!(call(port, "GET", "/cut", &[], b"").is_err());
    assert!(call(port, "GET", "/garbage", &[], b"").is_err());
    assert_eq!(upstream.connections(), 8);
}

#[test]
fn chunked_body_is_read_whole() {
    let upstream = Upstream::plain();
    let mut connection = Connection::tcp(upstream.port()).unwrap();
    connection.send(b"POST /sink HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n5;x=y\r\n, two\r\n0\r\n\r\n").unwrap();
    assert_eq!(connection.response("POST").unwrap().body, b"8");
}

#[test]
fn leaf_is_what_it_is_called() {
    needs!("openssl");
    let case = Case::new();
    let pki = Pki::new(case.dir());
    for (fault, accepted) in [(Fault::None, true), (Fault::Expired, false), (Fault::UnknownAuthority, false)]
    {
        let leaf = pki.leaf(fault);
        let mut command = Command::new("openssl");
        let output =
            command.arg("verify").arg("-CAfile").arg(&pki.ca).arg(&leaf.certificate).output().unwrap();
        assert_eq!(
            output.status.success(),
            accepted,
            "{fault:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

fn token_url(source: &Value) -> (u16, String) {
    let url = source["oauth2_client_credentials"]["token_url"].as_str().unwrap_or_default();
    let port = url
        .rsplit(':')
        .next()
        .and_then(|rest| rest.strip_suffix("/token"))
        .and_then(|port| port.parse().ok());
    (port.expect("a port before /token"), "/token".to_owned())
}

#[test]
fn issuer_grants_and_misbehaves() {
    let case = Case::new();
    let issuer = Issuer::start(&case);
    let (port, path) = token_url(&issuer.source(&case));
    let ask = || call(port, "POST", &path, &[], b"grant_type=client_credentials");
    let (status, body) = ask().unwrap();
    let grant: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, grant["access_token"].as_str()), (200, Some(issuer.tokens()[0].as_str())));
    for (mode, status) in
        [(Mode::Failing, 500), (Mode::Refusing, 401), (Mode::Redirecting, 307), (Mode::Huge, 200)]
    {
        issuer.behave(mode);
        assert_eq!(ask().unwrap().0, status, "{mode:?}");
    }
    issuer.behave(Mode::Down);
    assert!(ask().is_err());
    assert_eq!((issuer.calls().len(), issuer.tokens().len(), issuer.strays().len()), (6, 6, 0));
}

#[test]
fn openbao_is_set_up_for_leases() {
    needs!("bao");
    let case = Case::new();
    let bao = OpenBao::start(&case);
    bao.put("app", &json!({ "token": "x" }));
    assert_eq!(bao.leased_source(&case)["vault"]["path"], "pki/issue/leaf");
    assert!(bao.leases().is_empty());
}

#[test]
fn oidc_provider_knows_its_clients() {
    needs!("oidc-provider");
    let case = Case::new();
    let provider = OidcProvider::start(&case, 60);
    let source = provider.source(&case, Auth::Post);
    let (port, path) = token_url(&source);
    let secret = std::fs::read_to_string(
        source["oauth2_client_credentials"]["client_secret"]["file"].as_str().unwrap(),
    );
    let form =
        format!("grant_type=client_credentials&client_id=workload-post&client_secret={}", secret.unwrap());
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let (status, body) = call(port, "POST", &path, &headers, form.as_bytes()).unwrap();
    let grant: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(status, 200, "{grant}");
    assert_eq!(provider.introspect(grant["access_token"].as_str().unwrap())["active"], true);
}

#[test]
fn nginx_asks_for_its_token() {
    needs!("nginx", "curl");
    let case = Case::new();
    let pki = Pki::new(case.dir());
    let token = case.mint("the token");
    let nginx = Nginx::start(&case, &pki.leaf(Fault::None), &token);
    for (bearer, expected) in [(token.as_str(), "welcome"), ("another", "401")] {
        let mut command = Command::new("curl");
        command
            .args(["-sS", "--noproxy", "*", "--cacert"])
            .arg(&pki.ca)
            .arg("-H")
            .arg(format!("Authorization: Bearer {bearer}"));
        let output = command.arg(nginx.url()).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stdout).contains(expected), "{output:?}");
    }
}

#[test]
fn policy_compiles_once() {
    needs!("opa");
    assert_eq!(bundle::compile(bundle::ALLOW), bundle::compile(bundle::ALLOW));
}

#[test]
#[should_panic(expected = "secrets were seen")]
fn secret_in_a_log_fails_its_case() {
    let case = Case::new();
    let token = case.mint("the token");
    case.file("claviger-1.stderr", format!("DEBUG authorization: Bearer {token}"));
}
