//! The workload's side: HTTP/1.1 over TCP or a unix socket, with the answer's exact bytes.

use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(60);
const CHUNK_BYTES: usize = 64 << 10;

/// One answer, whole.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The head, byte for byte.
    pub head: Vec<u8>,
    /// Names and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body, without its framing.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The `code` of a refusal.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// One connection of a workload.
pub struct Connection {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// To a port of 127.0.0.1.
    pub fn tcp(port: u16) -> Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream: Box::new(stream), buffer: Vec::new() })
    }

    /// To a unix socket.
    pub fn unix(path: &Path) -> Result<Connection> {
        let stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Connection { stream: Box::new(stream), buffer: Vec::new() })
    }

    /// Sends bytes as they are.
    pub fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes)
    }

    /// One request and its answer.
    pub fn request(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response> {
        self.send(&head(method, target, headers, body.len() as u64))?;
        self.send(body)?;
        self.response(method)
    }

    /// The next answer, to a request with this method.
    pub fn response(&mut self, method: &str) -> Result<Response> {
        let mut response = self.response_head()?;
        if method != "HEAD" && response.status != 204 && response.status >= 200 {
            let mut body = Vec::new();
            self.body(&response, |piece| body.extend_from_slice(piece))?;
            response.body = body;
        }
        Ok(response)
    }

    /// The next answer's head; its body is still to be read with [`Connection::body`].
    pub fn response_head(&mut self) -> Result<Response> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                let head: Vec<u8> = self.buffer.drain(..end + 4).collect();
                return parse(head);
            }
            self.fill_or_fail()?;
        }
    }

    /// Reads a body piece by piece without keeping it.
    pub fn body(&mut self, response: &Response, mut see: impl FnMut(&[u8])) -> Result<()> {
        if response.header("transfer-encoding").is_some() {
            return self.chunks(see);
        }
        let Some(length) = response.header("content-length") else { return self.rest(see) };
        let left = length.parse().map_err(|_| Error::new(ErrorKind::InvalidData, "content-length"))?;
        self.exactly(left, &mut see)
    }

    /// The first bytes of a chunked body, as soon as they are there.
    pub fn first_bytes(&mut self, response: &Response, bytes: usize) -> Result<Vec<u8>> {
        assert!(response.header("transfer-encoding").is_some(), "this body is not chunked");
        let mut first = Vec::new();
        while first.len() < bytes {
            let size = u64::from_str_radix(self.line()?.trim(), 16)
                .map_err(|_| Error::new(ErrorKind::InvalidData, "chunk"))?;
            self.exactly(size, &mut |piece: &[u8]| first.extend_from_slice(piece))?;
            self.line()?;
        }
        Ok(first)
    }

    fn chunks(&mut self, mut see: impl FnMut(&[u8])) -> Result<()> {
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size =
                u64::from_str_radix(digits, 16).map_err(|_| Error::new(ErrorKind::InvalidData, "chunk"))?;
            self.exactly(size, &mut see)?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(());
            }
            self.line()?;
        }
    }

    fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill_or_fail()?;
        }
    }

    fn rest(&mut self, mut see: impl FnMut(&[u8])) -> Result<()> {
        loop {
            see(&std::mem::take(&mut self.buffer));
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, mut left: u64, see: &mut impl FnMut(&[u8])) -> Result<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill_or_fail()?;
            }
            let piece = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            see(&self.buffer[..piece]);
            self.buffer.drain(..piece);
            left -= piece as u64;
        }
        Ok(())
    }

    fn fill_or_fail(&mut self) -> Result<()> {
        if self.fill()? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn fill(&mut self) -> Result<bool> {
        let start = self.buffer.len();
        self.buffer.resize(start + CHUNK_BYTES, 0);
        let read = self.stream.read(&mut self.buffer[start..]);
        self.buffer.truncate(start + read.as_ref().copied().unwrap_or(0));
        Ok(read? > 0)
    }
}

/// A request head with a body of so many bytes.
pub fn head(method: &str, target: &str, headers: &[(&str, &str)], body_bytes: u64) -> Vec<u8> {
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    if body_bytes > 0 || matches!(method, "POST" | "PUT" | "PATCH") {
        head += &format!("Content-Length: {body_bytes}\r\n");
    }
    (head + "\r\n").into_bytes()
}

fn parse(head: Vec<u8>) -> Result<Response> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Response::new(&mut headers);
    parsed.parse(&head).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
    let status = parsed.code.unwrap_or_default();
    let pair = |header: &httparse::Header<'_>| {
        (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
    };
    let headers = parsed.headers.iter().map(pair).collect();
    Ok(Response { status, head, headers, body: Vec::new() })
}
