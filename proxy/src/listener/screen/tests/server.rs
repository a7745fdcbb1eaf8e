//! The screen before a real HTTP/1 server.

use std::convert::Infallible;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

const PIPE_BYTES: usize = 4096;

/// Answers with the method, the target and the body, or with the verdict.
async fn echo(request: Request<Incoming>, verdict: Verdict) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let told = if head.method == REFUSED_METHOD {
        format!("refused {:?}", verdict.refusal())
    } else {
        match body.collect().await {
            Ok(body) => format!("{} {} {}", head.method, head.uri, text(&body.to_bytes())),
            Err(_) => format!("broken {:?}", verdict.refusal()),
        }
    };
    Ok(Response::new(Full::from(told)))
}

async fn serve(io: DuplexStream) {
    let screen = Screen::new(io, HEAD_BYTES_MAX);
    let verdict = screen.verdict();
    let service = service_fn(|request| echo(request, verdict.clone()));
    // A connection that ended in an error has ended: what the peer saw of it is what counts.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(screen), service).await;
}

/// What a peer that sends `bytes` and reads to the end finds in the bodies of the answers.
async fn answers(bytes: &[u8]) -> Vec<String> {
    let (peer, server) = duplex(PIPE_BYTES);
    let (mut answers, mut requests) = tokio::io::split(peer);
    let send = async move {
        let _sent = requests.write_all(bytes).await;
    };
    let read = async move {
        let mut all = Vec::new();
        answers.read_to_end(&mut all).await.expect("a pipe does not fail");
        all
    };
    let ((), (), all) = tokio::join!(serve(server), send, read);
    text(&all).split("HTTP/1.1 200 OK").skip(1).map(|one| one.split("\r\n\r\n").skip(1).collect()).collect()
}

#[tokio::test]
async fn answers_keep_their_order() {
    let head = b"POST /b HTTP/1.1\r\nHost: a\r\n";
    let sent = [
        GOOD,
        head,
        b"Content-Length: 3\r\n\r\nabc",
        head,
        b"Transfer-Encoding: chunked\r\n\r\n3;e\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n",
        GOOD,
    ];
    let found = answers(&[&sent.concat()[..], b"GET / HTTP/1.1\nHost: a\n\n", GOOD].concat()).await;
    let refusal = HeadError::BadRequest("a line ends without a carriage return");
    assert_eq!(
        found,
        [
            "GET /api/echo?a=1 ".to_owned(),
            "POST /b abc".to_owned(),
            "POST /b abcd".to_owned(),
            "GET /api/echo?a=1 ".to_owned(),
            format!("refused {:?}", Some(refusal)),
        ]
    );
}

#[tokio::test]
async fn a_broken_body_is_no_body() {
    let sent = b"POST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n";
    let refusal = HeadError::BodyFraming("a chunk is longer than its size");
    assert_eq!(answers(&[&sent[..], GOOD].concat()).await, [format!("broken {:?}", Some(refusal))]);
}

#[tokio::test]
async fn a_peer_that_goes_on_sending_reads_its_answer() {
    let flood = vec![b'a'; 100 * PIPE_BYTES];
    let found = answers(&[b"GET / HTTP/3\r\n", &flood[..]].concat()).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("refused"), "{found:?}");
}

#[tokio::test]
async fn a_head_with_all_the_fields_allowed_is_served() {
    let head =
        format!("GET / HTTP/1.1\r\nHost: a\r\n{}Connection: close\r\n\r\n", "A:b\r\n".repeat(FIELDS_MAX - 2));
    assert_eq!(answers(head.as_bytes()).await, ["GET / "]);
}
