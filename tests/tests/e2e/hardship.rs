//! What peers and operators do wrong: bodies that nobody reads, answers with two readings, slots that run out, roots that
//! are none, signals that mean to end.

use std::io::{Read, Write};
use std::net::TcpListener;

use claviger_tests::bundle::ALLOW;
use claviger_tests::client::head;
use claviger_tests::sidecar::Launch;
use claviger_tests::wait::{free_port, until};
use claviger_tests::{Case, Config, Connection, Sidecar, Upstream, needs};
use rustix::process::Signal;
use serde_json::{Value, json};

const NOBODY: &str = "package claviger.authz\n\ndecision := {\"allow\": false}\n";

fn static_key(case: &Case) -> Value {
    json!({ "static": { "file": case.secret_file(&case.mint("the static token")) } })
}

/// An upstream that answers each connection's first request with these bytes and closes.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.expect("accepted");
            let mut seen = Vec::new();
            while !seen.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                match client.read(&mut byte) {
                    Ok(1) => seen.push(byte[0]),
                    _ => break,
                }
            }
            // the sidecar may have given the answer up
            let _ = client.write_all(bytes);
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[test]
fn refusal_is_read_behind_a_large_body_and_ends_its_connection() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, NOBODY, &upstream, &static_key(&case)));
    for body_bytes in [1, 100_000, 8 << 20] {
        let answer = sidecar.ask("POST", "/api/sink", &[], &vec![b'x'; body_bytes]);
        assert_eq!((answer.status, answer.header("connection")), (403, Some("close")), "{body_bytes}");
    }
    assert_eq!(sidecar.call("/api/echo").header("connection"), None, "nothing is left unread");
}

#[test]
fn broken_chunk_is_told_as_such() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &static_key(&case)));
    let mut connection = sidecar.connect();
    let sent =
        "POST /api/sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n";
    connection.send(sent.as_bytes()).unwrap();
    let answer = connection.response("POST").unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (400, "body_framing"));
}

#[test]
fn answer_with_two_lengths_is_refused() {
    needs!("opa");
    for bytes in [
        &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
            [..],
        b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    ] {
        let case = Case::new();
        let config = Config::new(&case, ALLOW).route("api", &answering(bytes), "key");
        let config = config.credential("key", &static_key(&case), &json!({ "bearer": {} }));
        let sidecar = Sidecar::start(&case, &config);
        let answer = sidecar.call("/api/x");
        assert_eq!((answer.status, answer.code().as_str()), (502, "upstream_protocol"), "{answer:?}");
    }
}

#[test]
fn answer_of_an_old_upstream_speaks_our_version() {
    needs!("opa");
    let case = Case::new();
    let upstream = answering(b"HTTP/1.0 200 OK\r\n\r\nuntil the end");
    let config = Config::new(&case, ALLOW).route("api", &upstream, "key");
    let config = config.credential("key", &static_key(&case), &json!({ "bearer": {} }));
    let sidecar = Sidecar::start(&case, &config);
    let answer = sidecar.call("/api/x");
    assert!(answer.head.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    assert_eq!(answer.body, b"until the end");
}

#[test]
fn idle_listener_keeps_no_slot_from_the_others() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let other = free_port();
    let config = Config::mediating(&case, ALLOW, &upstream, &static_key(&case))
        .with("limits.connections", 1)
        .with("listeners.other", json!({ "bind": format!("127.0.0.1:{other}"), "mode": "reverse" }));
    let sidecar = Sidecar::start(&case, &config);
    for port in [other, other, config.port("listeners.app.bind"), other] {
        let answer = Connection::tcp(port).unwrap().request("GET", "/api/echo", &[], b"").unwrap();
        assert_eq!(answer.status, 200);
    }
    drop(sidecar);
}

#[test]
fn record_that_is_still_to_be_written_holds_nobody_up() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &static_key(&case))
        .with("limits", json!({ "connections": 1, "workers": 1 }));
    let sidecar = Sidecar::start(&case, &config);
    let mut connection = sidecar.connect();
    for _ in 0..100 {
        let answer = connection.request("GET", "/api/echo", &[], b"").unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[test]
fn hangup_drains() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let mut sidecar = Sidecar::start(&case, &Config::mediating(&case, ALLOW, &upstream, &static_key(&case)));
    let mut connection = sidecar.connect();
    connection.send(&head("GET", "/api/slow/500", &[], 0)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    sidecar.process().signal(Signal::HUP);
    assert_eq!(connection.response("GET").unwrap().status, 200);
    assert_eq!(sidecar.process().exit_code(std::time::Duration::from_secs(20)), 0);
}

#[test]
fn roots_that_are_none_end_the_start() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &static_key(&case))
        .with("routes.api.tls", json!({ "ca": case.file("ca.pem", "no certificate") }));
    let mut sidecar = Sidecar::launch(&case, &config, Launch::default());
    assert_eq!(sidecar.process().exit_code(std::time::Duration::from_secs(20)), 2);
    assert!(sidecar.logs().contains("routes.api.tls.ca"), "{}", sidecar.logs());
}

#[test]
fn signal_during_the_start_ends_it_in_order() {
    needs!("opa");
    let (case, upstream) = (Case::new(), Upstream::plain());
    let config = Config::mediating(&case, ALLOW, &upstream, &static_key(&case));
    let mut sidecar = Sidecar::launch(&case, &config, Launch::default());
    let caught = |sidecar: &mut Sidecar| {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", sidecar.process().pid())).unwrap_or_default();
        let line =
            status.lines().find_map(|line| line.strip_prefix("SigCgt:")).map(str::trim).map(str::to_owned);
        u64::from_str_radix(&line.unwrap_or_default(), 16).unwrap_or(0) & (1 << 14) != 0
    };
    until("TERM is caught", || caught(&mut sidecar));
    assert!(!sidecar.logs().contains("ready"), "it is caught before the policy is loaded");
    sidecar.process().signal(Signal::TERM);
    assert_eq!(sidecar.process().exit_code(std::time::Duration::from_secs(20)), 0);
}
