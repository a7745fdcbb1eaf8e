use std::io::{Read, Write};
use std::net::TcpListener;

use claviger_config::{Location, Node};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// An issuer with the settings of `tls` in YAML.
pub(super) fn issuer(tls: &str) -> Issuer {
    let mut findings = Findings::default();
    let node = Node::from_yaml(tls).expect("the test's YAML is sound");
    let kind = Kind { name: "test".into(), location: Location::START, path: "test".into(), settings: node };
    let tls = claviger_config::decode(&kind.settings, "tls", &mut findings);
    let issuer = Issuer::new(&kind, &[], false, tls, &mut findings);
    assert!(findings.is_empty(), "{findings:?}");
    issuer
}

fn get(issuer: &Issuer, url: &str) -> Result<StatusCode, IssueError> {
    let request = Request::builder().uri(url).body(Bytes::new()).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(issuer.send(request)).map(|answer| answer.status)
}

/// A TLS server with a certificate for `name`; gives its port and the certificate in PEM.
fn tls_server(name: &str) -> (u16, String) {
    let certified = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let key = PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a usable certificate");
    let (listener, config) = (TcpListener::bind("127.0.0.1:0").expect("a free port"), Arc::new(config));
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = StreamOwned::new(connection, stream);
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (port, certified.cert.pem())
}

#[test]
fn only_a_trusted_issuer_of_the_right_name_is_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let check = |name: &str, trusted: bool, expected: Result<StatusCode, IssueError>| {
        let (port, pem) = tls_server(name);
        let ca = folder.path().join(name);
        std::fs::write(&ca, pem).expect("written");
        let tls = if trusted { format!("{{ ca: {} }}", ca.display()) } else { "{}".to_owned() };
        assert_eq!(get(&issuer(&tls), &format!("https://localhost:{port}/")), expected, "{name}");
    };
    let untrusted = Err(IssueError::Unavailable("TLS could not be agreed on"));
    check("localhost", true, Ok(StatusCode::OK));
    check("localhost", false, untrusted);
    check("elsewhere.example", true, untrusted);
}

#[test]
fn nobody_there_is_told_as_such() {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("bound").port();
    let answer = get(&issuer("{}"), &format!("http://127.0.0.1:{port}/"));
    assert_eq!(answer, Err(IssueError::Unavailable("no connection")));
}

#[test]
fn a_client_key_is_read_when_it_is_needed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (port, pem) = tls_server("localhost");
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, pem).expect("written");
    let path = ca.display();
    let tls = format!("{{ ca: {path}, client: {{ cert: {path}, key: {{ file: /nowhere/key.pem }} }} }}");
    let answer = get(&issuer(&tls), &format!("https://localhost:{port}/"));
    assert_eq!(answer, Err(IssueError::Refused("a secret's file cannot be read")));
}

#[test]
fn header_values_are_marked() {
    let value = sensitive(Zeroizing::new("Bearer token".into())).expect("ASCII");
    assert!(value.is_sensitive() && !format!("{value:?}").contains("token"));
    assert!(sensitive(Zeroizing::new("a\nb".into())).is_none());
}
