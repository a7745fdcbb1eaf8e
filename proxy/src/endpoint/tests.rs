use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use claviger_config::{BundleSource, Source};
use http::header::{ETAG, HeaderValue};

use super::*;

/// A server that gives these answers in turn, one for each connection, and tells what it was asked.
fn server(answers: Vec<&'static str>) -> (u16, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a client");
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && !head.ends_with(b"client_credentials") {
                let mut piece = [0; 1024];
                match stream.read(&mut piece).expect("a request") {
                    0 => break,
                    length => head.extend_from_slice(&piece[..length]),
                }
            }
            let _ = tell.send(String::from_utf8(head).expect("text"));
            stream.write_all(answer.as_bytes()).expect("the client reads");
        }
    });
    (port, asked)
}

/// The endpoint that these keys of a bundle service describe, or the codes of what is wrong with them.
fn endpoint(keys: &str) -> Result<Endpoint, Vec<&'static str>> {
    let text = format!(
        "version: 1\nlisteners: {{}}\nroutes: {{}}\npolicy: {{ entrypoint: a/b, bundle: {{ http: {{ {keys} }} }} }}\n"
    );
    let draft = claviger_config::parse(&Source::new("claviger.yaml", text), &|_| None);
    let codes = |findings: &Findings| findings.iter().map(|finding| finding.code).collect::<Vec<_>>();
    let Some(policy) = draft.policy else { return Err(codes(&draft.findings)) };
    let BundleSource::Http(service) = policy.bundle else { panic!("a bundle service") };
    let mut findings = Findings::default();
    Endpoint::new(&service.endpoint, &mut findings).ok_or_else(|| codes(&findings))
}

fn call(endpoint: &Endpoint) -> Result<Reply, CallError> {
    let call = Call {
        method: Method::GET,
        headers: HeaderMap::from_iter([(ETAG, HeaderValue::from_static("ours"))]),
        body: Bytes::new(),
        patience: Duration::ZERO,
        answer_bytes_max: 100,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(endpoint.send(&call))
}

const OK: &str = "HTTP/1.1 200 OK\r\nETag: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
const UNAUTHORIZED: &str = "HTTP/1.1 401 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const TOKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 45\r\nConnection: close\r\n\r\n\
    {\"access_token\":\"t-1\",\"token_type\":\"bearer\" }";

#[test]
fn settings_that_cannot_work_are_told() {
    let check =
        |keys: &str, expected: &[&str]| assert_eq!(endpoint(keys).err().as_deref(), Some(expected), "{keys}");
    check("url: https://b.example/x, auth: { bearr: { env: A } }", &["unknown_variant"]);
    check("url: https://b.example/x, auth: { bearer: hunter2 }", &["inline_secret"]);
    check(
        "url: https://b.example/x, auth: { oauth2_client_credentials: { client_id: a } }",
        &["missing_key"],
    );
    check("url: https://b.example/x, tls: { ca: /nowhere/ca.pem }", &["bad_file"]);
    assert!(endpoint("url: https://b.example/x").is_ok());
}

#[test]
fn a_bearer_token_goes_out_as_it_is_now() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    let (port, asked) = server(vec![OK, UNAUTHORIZED]);
    let endpoint = endpoint(&format!(
        "url: 'http://127.0.0.1:{port}/b', allow_plaintext: true, auth: {{ bearer: {{ file: {} }} }}",
        token.display()
    ))
    .expect("sound settings");
    for (secret, status) in [("one", StatusCode::OK), ("two", StatusCode::UNAUTHORIZED)] {
        std::fs::write(&token, secret).expect("written");
        assert_eq!(call(&endpoint).map(|reply| reply.status), Ok(status));
        let head = asked.recv().expect("a request");
        assert!(head.contains(&format!("authorization: Bearer {secret}\r\n")), "{head}");
        assert!(head.starts_with("GET /b HTTP/1.1\r\n") && head.contains("etag: ours\r\n"), "{head}");
    }
    std::fs::remove_file(&token).expect("removed");
    let without = IssueError::Refused("a secret's file cannot be read");
    assert_eq!(call(&endpoint).map(|reply| reply.status), Err(CallError::NoToken(without)));
}

#[test]
fn an_issued_token_is_kept_and_replaced_once_when_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "s").expect("written");
    let (port, asked) = server(vec![TOKEN, OK, OK, UNAUTHORIZED, TOKEN, UNAUTHORIZED]);
    let endpoint = endpoint(&format!(
        "url: 'http://127.0.0.1:{port}/b', allow_plaintext: true, auth: {{ oauth2_client_credentials: {{ \
         token_url: 'http://127.0.0.1:{port}/token', allow_plaintext: true, client_id: me, \
         client_secret: {{ file: {} }} }} }}",
        secret.display()
    ))
    .expect("sound settings");
    for status in [StatusCode::OK, StatusCode::OK, StatusCode::UNAUTHORIZED] {
        assert_eq!(call(&endpoint).map(|reply| reply.status), Ok(status));
    }
    let asked: Vec<_> =
        asked.iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect();
    assert_eq!(asked, ["/token", "/b", "/b", "/b", "/token", "/b"]);
}

#[test]
fn what_is_no_answer_is_none() {
    let check = |answer: &'static str, timeout: &str, expected: Result<u16, CallError>| {
        let (port, _asked) = server(vec![answer]);
        let keys = format!("url: 'http://127.0.0.1:{port}/b', allow_plaintext: true, timeout: {timeout}");
        let reply = call(&endpoint(&keys).expect("sound settings"));
        assert_eq!(reply.map(|reply| reply.status.as_u16()), expected, "{answer}");
    };
    let long = Err(CallError::Invalid("the answer is too long"));
    check("HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", "9s", long);
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n\
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\n",
        "9s",
        long,
    );
    check(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
        "9s",
        Err(CallError::Unavailable("the answer broke off")),
    );
    check("", "9s", Err(CallError::Unavailable("no answer")));
    check("HTTP/1.1 307 Away\r\nLocation: /c\r\nContent-Length: 0\r\n\r\n", "9s", Ok(307));
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    let keys = format!("url: 'http://127.0.0.1:{port}/b', allow_plaintext: true, timeout: 50ms");
    let reply = call(&endpoint(&keys).expect("sound settings"));
    assert_eq!(reply.map(|reply| reply.status), Err(CallError::Unavailable("no answer in time")));
}
