//! How long a credential is used: it is renewed before it ends, once after a 401, and handed back at the end.

use std::time::Duration;

use claviger_tests::bundle::ALLOW;
use claviger_tests::wait::until;
use claviger_tests::{Case, Config, Issuer, Sidecar, Upstream, needs};

#[test]
fn token_that_ends_during_a_request_is_replaced_for_the_next() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case).expires_in(3);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    // its credential runs out while the upstream thinks: the answer still arrives
    let slow = sidecar.call("/api/slow/4000");
    assert_eq!((slow.status, slow.body.as_slice()), (200, b"slow but sure".as_slice()));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    assert_eq!(upstream.bearers(), issuer.tokens(), "each token was used once");
    assert_eq!(issuer.calls().len(), 2);
    let records = sidecar.records(2);
    assert_ne!(records[0]["credential"]["lease"], records[1]["credential"]["lease"]);
}

#[test]
fn ttl_max_cuts_a_long_life_short() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case).expires_in(3600);
    let config = Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case));
    let sidecar = Sidecar::start(&case, &config.with("credentials.key.ttl_max", "2s"));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    assert_eq!(upstream.bearers(), issuer.tokens());
    assert_eq!(issuer.calls().len(), 2);
}

#[test]
fn a_401_renews_once_and_tries_once_more() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    assert_eq!(sidecar.call("/api/once401/a").status, 200, "the second token is accepted");
    assert_eq!(upstream.bearers(), issuer.tokens());
    assert_eq!(issuer.calls().len(), 2);

    assert_eq!(sidecar.call("/api/status/401").status, 401, "a second 401 is the upstream's last word");
    assert!(issuer.calls().len() <= 3, "{} issuer calls", issuer.calls().len());
    let before = issuer.calls().len();
    assert_eq!(sidecar.call("/api/status/403").status, 403);
    assert_eq!(issuer.calls().len(), before, "a 403 never renews");
}

#[test]
fn streamed_body_is_not_sent_again_after_a_401() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    let body = vec![b'x'; 4 << 20];
    assert_eq!(sidecar.ask("POST", "/api/once401/b", &[], &body).status, 401);
    assert_eq!(upstream.requests().len(), 1, "the body cannot be sent twice");
}

#[test]
fn drained_stop_revokes_every_token() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    let mut sidecar =
        Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    assert_eq!(sidecar.stop(), 0);
    until("the token is revoked", || issuer.revoked() == issuer.tokens());
    let events: Vec<_> =
        sidecar.events().iter().filter_map(|event| Some(event["event"].as_str()?.to_owned())).collect();
    for event in ["lease_issued", "lease_revoked"] {
        assert!(events.iter().any(|seen| seen == event), "no {event} in {events:?}");
    }
}
