//! A gibibyte each way at the same memory as a kibibyte.

use claviger_tests::bundle::ALLOW;
use claviger_tests::client::head;
use claviger_tests::sidecar::Launch;
use claviger_tests::{Case, Config, Sidecar, Upstream, needs, slow};
use serde_json::json;

const GIB: u64 = 1 << 30;
/// What a stream may hold at any time, over the memory of a sidecar that has served one small request.
const GROWTH_KIB_MAX: u64 = 16 << 10;

fn warm(case: &Case, upstream: &Upstream) -> Sidecar {
    let source = json!({ "static": { "file": case.secret_file(&case.mint("the token")) } });
    let config = Config::mediating(case, ALLOW, upstream, &source);
    let sidecar = Sidecar::launch(case, &config, Launch { log: Some("warn"), ..Launch::default() }).ready();
    assert_eq!(sidecar.call("/api/echo").status, 200);
    sidecar
}

/// The most memory that the sidecar ever held, in KiB.
fn peak_kib(sidecar: &mut Sidecar) -> u64 {
    sidecar.process().status_kib("VmHWM")
}

#[test]
fn gibibyte_from_the_upstream_streams_at_flat_memory() {
    needs!("opa");
    slow!();
    let (case, upstream) = (Case::new(), Upstream::plain());
    let mut sidecar = warm(&case, &upstream);
    let before = peak_kib(&mut sidecar);
    let mut connection = sidecar.connect();
    connection.send(&head("GET", &format!("/api/big/{GIB}"), &[], 0)).unwrap();
    let answer = connection.response_head().unwrap();
    assert_eq!(answer.status, 200);
    let mut bytes = 0;
    connection.body(&answer, |piece| bytes += piece.len() as u64).unwrap();
    assert_eq!(bytes, GIB);
    let grown = peak_kib(&mut sidecar) - before;
    assert!(grown <= GROWTH_KIB_MAX, "memory grew by {grown} KiB");
    let record = &sidecar.records(2)[1];
    assert!(record["bytes_out"].as_u64() >= Some(GIB), "{record}");
}

#[test]
fn gibibyte_to_the_upstream_streams_at_flat_memory() {
    needs!("opa");
    slow!();
    let (case, upstream) = (Case::new(), Upstream::plain());
    let mut sidecar = warm(&case, &upstream);
    let before = peak_kib(&mut sidecar);
    let mut connection = sidecar.connect();
    connection.send(&head("POST", "/api/sink", &[], GIB)).unwrap();
    let piece = vec![b'x'; 1 << 20];
    for _ in 0..GIB >> 20 {
        connection.send(&piece).unwrap();
    }
    let answer = connection.response("POST").unwrap();
    assert_eq!((answer.status, answer.body), (200, GIB.to_string().into_bytes()));
    let grown = peak_kib(&mut sidecar) - before;
    assert!(grown <= GROWTH_KIB_MAX, "memory grew by {grown} KiB");
    let record = &sidecar.records(2)[1];
    assert!(record["bytes_in"].as_u64() >= Some(GIB), "{record}");
}

#[test]
fn answer_that_breaks_off_is_not_made_whole() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = warm(&case, &upstream);
    let mut connection = sidecar.connect();
    connection.send(&head("GET", "/api/cut", &[], 0)).unwrap();
    assert!(connection.response("GET").is_err(), "a cut answer ended as if it were whole");

    let answer = sidecar.call("/api/garbage");
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_protocol"));
    assert_eq!(sidecar.call("/api/echo").status, 200);
}
