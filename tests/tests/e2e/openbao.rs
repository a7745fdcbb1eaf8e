//! A real OpenBao, end to end: AppRole in, a secret or a lease out, and no lease left behind.

use std::time::Duration;

use claviger_tests::bundle::ALLOW;
use claviger_tests::openbao::OpenBao;
use claviger_tests::pki::{Fault, Pki};
use claviger_tests::wait::until;
use claviger_tests::{Case, Config, Sidecar, Upstream, needs};
use serde_json::json;

#[test]
fn approle_reads_a_kv_secret_for_an_https_upstream() {
    needs!("opa", "bao");
    let case = Case::new();
    let (bao, pki) = (OpenBao::start(&case), Pki::new(case.dir()));
    let upstream = Upstream::tls(&pki.leaf(Fault::None));
    let token = case.mint("the secret in KV");
    bao.put("app", &json!({ "token": token, "other": "x" }));
    let source = bao.source(&case, &[("path", json!("secret/data/app")), ("field", json!("token"))]);
    let config =
        Config::mediating(&case, ALLOW, &upstream, &source).with("routes.api.tls", json!({ "ca": pki.ca }));
    let mut sidecar = Sidecar::start(&case, &config);
    for _ in 0..5 {
        assert_eq!(sidecar.call("/api/echo").status, 200, "{}", sidecar.logs());
    }
    assert!(upstream.bearers().iter().all(|seen| *seen == token) && upstream.requests().len() == 5);
    assert_eq!(sidecar.stop(), 0);
}

#[test]
fn dynamic_leases_are_shared_replaced_and_revoked() {
    needs!("opa", "bao");
    let case = Case::new();
    let (bao, upstream) = (OpenBao::start(&case), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &bao.leased_source(&case));
    let mut sidecar = Sidecar::start(&case, &config.with("credentials.key.ttl_max", "3s"));
    for _ in 0..10 {
        assert_eq!(sidecar.call("/api/echo").status, 200, "{}", sidecar.logs());
    }
    assert_eq!(bao.leases().len(), 1, "ten requests share one lease");
    std::thread::sleep(Duration::from_millis(3_500));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    let serials = upstream.bearers();
    assert_ne!(serials.first(), serials.last(), "the second lease is another one");
    for serial in serials {
        case.canaries().watch("a leased serial number", &serial);
    }
    assert_eq!(sidecar.stop(), 0);
    until("OpenBao has no lease left", || bao.leases().is_empty());
}

#[test]
fn crash_leaves_at_most_its_own_lease_and_the_next_run_none() {
    needs!("opa", "bao");
    let case = Case::new();
    let (bao, upstream) = (OpenBao::start(&case), Upstream::plain());
    let mut sidecar =
        Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &bao.leased_source(&case)));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    let left = bao.leases();
    sidecar.kill();
    sidecar.restart();
    assert_eq!(sidecar.call("/api/echo").status, 200);
    assert_eq!(sidecar.stop(), 0);
    until("no lease of the second run is left", || bao.leases().iter().all(|lease| left.contains(lease)));
}

#[test]
fn missing_field_is_a_refusal() {
    needs!("opa", "bao");
    let case = Case::new();
    let (bao, upstream) = (OpenBao::start(&case), Upstream::plain());
    bao.put("app", &json!({ "token": case.mint("the secret in KV") }));
    let source = bao.source(&case, &[("path", json!("secret/data/app")), ("field", json!("nothing"))]);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &source));
    let answer = sidecar.call("/api/echo");
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(upstream.connections(), 0);
}
