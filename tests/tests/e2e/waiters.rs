//! Ten thousand workload connections that all miss the same credential at once: one call at the issuer.

use std::time::Duration;

use claviger_tests::bundle::ALLOW;
use claviger_tests::client::head;
use claviger_tests::sidecar::Launch;
use claviger_tests::tool::skip;
use claviger_tests::wait::free_port;
use claviger_tests::{Case, Config, Issuer, Sidecar, needs, slow};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

const WAITERS: usize = 10_000;
/// Each waiter is a descriptor here and one in the sidecar.
const DESCRIPTORS: u64 = 12_000;

/// Children inherit the limit. Only root may raise it beyond what was granted.
fn raise_descriptors() -> bool {
    let now = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= DESCRIPTORS);
    let maximum = if enough(now.maximum) { now.maximum } else { Some(DESCRIPTORS) };
    enough(now.current) || setrlimit(Resource::Nofile, Rlimit { current: Some(DESCRIPTORS), maximum }).is_ok()
}

#[test]
fn ten_thousand_cold_waiters_make_one_issuer_call() {
    needs!("opa");
    slow!();
    if !raise_descriptors() {
        skip("it needs 12,000 open files");
        return;
    }
    let case = Case::new();
    let issuer = Issuer::start(&case).delay(Duration::from_secs(3));
    // nobody listens there: with an upstream connection for each waiter the sidecar would need as many files again
    let upstream = format!("http://127.0.0.1:{}", free_port());
    let config = Config::new(&case, ALLOW)
        .route("api", &upstream, "key")
        .credential("key", &issuer.source(&case), &json!({ "bearer": {} }))
        .with("limits.connections", 12_000);
    let sidecar = Sidecar::launch(&case, &config, Launch { log: Some("warn"), ..Launch::default() }).ready();

    let mut waiters: Vec<_> = (0..WAITERS).map(|_| sidecar.connect()).collect();
    let request = head("GET", "/api/echo", &[("Accept", "text/plain")], 0);
    for waiter in &mut waiters {
        waiter.send(&request).unwrap();
    }
    for waiter in &mut waiters {
        let answer = waiter.response("GET").unwrap();
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_unreachable"), "{answer:?}");
    }
    assert_eq!(issuer.calls().len(), 1);
    let records = sidecar.records(WAITERS);
    let lease = &records[0]["credential"]["lease"];
    assert!(lease.is_string() && records.iter().all(|record| record["credential"]["lease"] == *lease));
}
