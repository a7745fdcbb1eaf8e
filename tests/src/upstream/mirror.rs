//! An upstream that hands its caller's credential back, in every form and through every way that HTTP/1.1 has.
//!
//! | path | where the credential is |
//! |---|---|
//! | `/mirror/reason` | in the status line's reason |
//! | `/mirror/headers` | in names and values of headers |
//! | `/mirror/hints` | in the head of an informational answer |
//! | `/mirror/body` | in a body of known length |
//! | `/mirror/chunks` | in a body of one-byte chunks, and in its trailers |
//! | `/mirror/gzip` | in a body that is encoded although it was not to be |
//! | `/mirror/truncated` | the same, but the encoded content breaks off |
//! | `/mirror/part` | in a part of a body that was asked for whole |
//! | `/mirror/unknown` | in a body that is said to be encoded in a way that nobody knows |
//! | `/mirror/events` | in an event that is followed by no other as long as the client stays |

use std::io::{Result, Write};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::http1::Request;

/// Every form of a secret, one in each line of some JSON.
pub(super) fn every_form(secret: &str) -> String {
    let each = |format: fn(u8) -> String| secret.bytes().map(format).collect::<String>();
    let mut forms = vec![
        secret.to_owned(),
        format!("Bearer {secret}"),
        hex::encode(secret),
        hex::encode_upper(secret),
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| if byte % 3 == 0 { format!("%{byte:02X}") } else { char::from(byte).to_string() }),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("\\u{byte:04X}")),
        each(|byte| if byte % 2 == 0 { format!("\\u{byte:04x}") } else { char::from(byte).to_string() }),
    ];
    for before in ["", "a", "ab", "robot:", "Bearer "] {
        forms.push(STANDARD.encode(format!("{before}{secret}")));
        forms.push(URL_SAFE.encode(format!("{before}{secret} and more")));
        forms.push(STANDARD.encode(format!("{before}{secret}")).replace('/', "\\/").replace('=', "%3D"));
    }
    forms.iter().map(|form| format!("{{\"form\":\"{form}\"}}\n")).collect()
}

/// Answers with what the path asks for; whether the connection goes on.
pub(super) async fn answer(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &Request,
    how: &str,
) -> Result<bool> {
    let authorization = request.header("authorization").unwrap_or_default();
    let secret = authorization.rsplit(' ').next().unwrap_or_default();
    let body = every_form(secret);
    match how {
        "reason" => send(client, &format!("200 it was {secret}"), "", b"fine").await?,
        "headers" => {
            let hex = hex::encode(secret);
            let values: String = body.lines().map(|line| format!("X-Echo: {line}\r\n")).collect();
            let names = format!("X-{secret}: 1\r\nX-{hex}-b: 2\r\nX-{}: 3\r\n", secret.to_uppercase());
            send(client, "200 OK", &(values + &names), b"fine").await?;
        }
        "hints" => {
            let hints = format!("HTTP/1.1 103 {secret}\r\nLink: </{secret}>\r\n\r\n");
            client.write_all(hints.as_bytes()).await?;
            send(client, "200 OK", "", b"fine").await?;
        }
        "body" => send(client, "200 OK", "Accept-Ranges: bytes\r\n", body.as_bytes()).await?,
        "chunks" => {
            client
                .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Echo\r\n\r\n")
                .await?;
            for byte in body.bytes() {
                client.write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n']).await?;
            }
            client.write_all(format!("0\r\nX-Echo: {secret}\r\n\r\n").as_bytes()).await?;
        }
        "gzip" => send(client, "200 OK", "Content-Encoding: gzip\r\n", &gzip(&body)?).await?,
        "truncated" => {
            let whole = gzip(&body)?;
            send(client, "200 OK", "Content-Encoding: gzip\r\n", &whole[..whole.len() - 9]).await?;
        }
        "part" => {
            send(client, "206 Partial Content", "Content-Range: bytes 0-1/9\r\n", &body.as_bytes()[..2])
                .await?
        }
        "unknown" => send(client, "200 OK", "Content-Encoding: compress\r\n", body.as_bytes()).await?,
        _ => {
            let event = format!("data: {{\"token\":\"{secret}\"}}\n\n");
            let head =
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
            client.write_all(format!("{head}{:x}\r\n{event}\r\n", event.len()).as_bytes()).await?;
            client.flush().await?;
            // until the client leaves
            client.read_u8().await?;
        }
    }
    Ok(how != "events")
}

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

async fn send(
    client: &mut (impl AsyncWrite + Unpin),
    status: &str,
    headers: &str,
    body: &[u8],
) -> Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    client.write_all(&[head.as_bytes(), body].concat()).await
}
