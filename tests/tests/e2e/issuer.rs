//! An issuer that fails in every way: the workload gets a refusal, and nothing leaves without its credential.

use claviger_tests::bundle::ALLOW;
use claviger_tests::issuer::Mode;
use claviger_tests::wait::eventually_within;
use claviger_tests::{Case, Config, Issuer, Sidecar, Upstream, needs};
use std::time::Duration;

fn check(mode: Mode, codes: &[&str]) {
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    issuer.behave(mode);
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case)));
    let answer = sidecar.call("/api/echo");
    assert_eq!(answer.status, 503, "{mode:?}: {answer:?}");
    assert!(codes.contains(&answer.code().as_str()), "{mode:?}: {answer:?}");
    assert_eq!(upstream.connections(), 0, "{mode:?}: a request left without a good credential");
    assert!(issuer.strays().is_empty(), "{mode:?}: followed to {:?}", issuer.strays());
    assert!(!issuer.calls().is_empty(), "{mode:?}: the issuer was not even asked");
    assert_eq!(sidecar.admin("/livez").expect("it lives").status, 200);
    let record = &sidecar.records(1)[0];
    assert!(record["refusal"].to_string().contains(&answer.code()), "{record}");
}

macro_rules! refusals {
    ($($name:ident: $mode:ident => $codes:expr;)+) => {
        $(#[test]
        fn $name() {
            needs!("opa");
            check(Mode::$mode, &$codes);
        })+
    };
}

refusals! {
    issuer_that_is_down_is_unavailable: Down => ["issuer_unavailable"];
    issuer_that_fails_is_unavailable: Failing => ["issuer_unavailable"];
    slow_issuer_is_unavailable: Slow => ["issuer_unavailable"];
    issuer_that_refuses_us_is_named_so: Refusing => ["issuer_refused"];
    garbage_is_no_token: Garbage => ["issuer_unavailable", "issuer_refused"];
    huge_answer_is_not_read: Huge => ["issuer_unavailable", "issuer_refused"];
    redirect_is_not_followed: Redirecting => ["issuer_unavailable", "issuer_refused"];
    token_with_a_line_break_is_refused: LineBreak => ["issuer_unavailable", "issuer_refused"];
    token_outside_ascii_is_refused: NotAscii => ["issuer_unavailable", "issuer_refused"];
    empty_token_is_refused: Empty => ["issuer_unavailable", "issuer_refused"];
}

#[test]
fn live_lease_outlasts_its_issuer_and_then_nothing_leaves() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case).expires_in(6);
    // due for renewal early, so that renewing fails while the lease still lives
    let config = Config::mediating(&case, ALLOW, &upstream, &issuer.source(&case));
    let sidecar = Sidecar::start(&case, &config.with("credentials.key.refresh_ahead", 0.1));
    assert_eq!(sidecar.call("/api/echo").status, 200);
    issuer.behave(Mode::Down);
    let refusal = eventually_within(Duration::from_secs(30), "the lease runs out", || {
        let answer = sidecar.call("/api/echo");
        (answer.status != 200).then_some(answer)
    });
    assert_eq!((refusal.status, refusal.code().as_str()), (503, "issuer_unavailable"));
    assert!(refusal.header("retry-after").is_some(), "{refusal:?}");
    assert!(upstream.requests().len() > 1, "the lease was served while the issuer was down");
    let first = issuer.tokens()[0].clone();
    assert!(upstream.bearers().iter().all(|token| *token == first));
    assert!(issuer.calls().len() < upstream.requests().len(), "a tight loop: {} calls", issuer.calls().len());

    issuer.behave(Mode::Granting);
    eventually_within(Duration::from_secs(60), "it recovers by itself", || {
        (sidecar.call("/api/echo").status == 200).then_some(())
    });
}

#[test]
fn issuer_is_not_asked_without_a_permit() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let issuer = Issuer::start(&case);
    let deny = "package claviger.authz\n\ndecision := false\n";
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, deny, &upstream, &issuer.source(&case)));
    assert_eq!(sidecar.call("/api/echo").status, 403);
    assert!(issuer.calls().is_empty());
}
