//! A credential is written only into a connection whose verified name is the route's.

use claviger_tests::bundle::ALLOW;
use claviger_tests::pki::{Fault, Pki};
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::json;

fn check(fault: Fault) {
    let case = Case::new();
    let pki = Pki::new(case.dir());
    let upstream = Upstream::tls(&pki.leaf(fault));
    let token = case.mint("the token");
    let source = json!({ "static": { "file": case.secret_file(&token) } });
    let config =
        Config::mediating(&case, ALLOW, &upstream, &source).with("routes.api.tls", json!({ "ca": pki.ca }));
    let sidecar = Sidecar::start(&case, &config);
    let answer = sidecar.call("/api/echo");
    if fault == Fault::None {
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(upstream.bearers(), [token]);
        return;
    }
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_tls"), "{fault:?}: {answer:?}");
    assert_eq!(upstream.bytes(), 0, "{fault:?}: application bytes were sent");
    assert!(upstream.connections() > 0, "{fault:?}: it was not even tried");
}

#[test]
fn good_certificate_gets_the_credential() {
    needs!("opa");
    check(Fault::None);
}

#[test]
fn wrong_name_gets_nothing() {
    needs!("opa");
    check(Fault::WrongName);
}

#[test]
fn expired_certificate_gets_nothing() {
    needs!("opa");
    check(Fault::Expired);
}

#[test]
fn unknown_authority_gets_nothing() {
    needs!("opa");
    check(Fault::UnknownAuthority);
}

#[test]
fn plaintext_server_on_a_tls_route_gets_nothing() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let url = format!("https://localhost:{}", upstream.port());
    let config = Config::new(&case, ALLOW).route("api", &url, "key").credential(
        "key",
        &source,
        &json!({ "bearer": {} }),
    );
    let sidecar = Sidecar::start(&case, &config);
    let answer = sidecar.call("/api/echo");
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(["upstream_tls", "upstream_protocol"].contains(&answer.code().as_str()), "{answer:?}");
    assert!(upstream.requests().is_empty());
}
