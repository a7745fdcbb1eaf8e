//! The server's half of HTTP/1.1, just enough to record exact bytes; independent of the product's code.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncRead, AsyncReadExt};

const HEAD_BYTES_MAX: usize = 1 << 20;
const CHUNK_BYTES: usize = 64 << 10;
/// How much of a body is kept; the rest is only counted.
const BODY_BYTES_KEPT: usize = 64 << 10;

/// One request as it stood on the wire.
#[derive(Clone, Debug)]
pub struct Request {
    /// The head, byte for byte.
    pub head: Vec<u8>,
    /// As in the request line.
    pub method: String,
    /// As in the request line.
    pub target: String,
    /// Names and values as sent, in order.
    pub headers: Vec<(String, String)>,
    /// The body's first bytes.
    pub body: Vec<u8>,
    /// The whole body's length.
    pub body_bytes: u64,
}

impl Request {
    /// All values of a header, whatever the case of its name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let wanted = |(own, _): &&(String, String)| own.eq_ignore_ascii_case(name);
        self.headers.iter().filter(wanted).map(|(_, value)| value.as_str()).collect()
    }

    /// The only value of a header; none when it is absent or doubled.
    pub fn header(&self, name: &str) -> Option<&str> {
        match self.all(name)[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    fn take(&mut self, piece: &[u8]) {
        let room = BODY_BYTES_KEPT.saturating_sub(self.body.len()).min(piece.len());
        self.body.extend_from_slice(&piece[..room]);
        self.body_bytes += piece.len() as u64;
    }
}

/// Reads requests from one connection.
pub struct Reader<S> {
    stream: S,
    buffer: Vec<u8>,
    /// Every byte read so far.
    pub bytes: u64,
}

impl<S: AsyncRead + Unpin> Reader<S> {
    /// A reader at the start of a connection.
    pub fn new(stream: S) -> Reader<S> {
        Reader { stream, buffer: Vec::new(), bytes: 0 }
    }

    /// The connection, to write an answer on.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// The next head, without its body; none at the end of the connection.
    pub async fn head(&mut self) -> Result<Option<Request>> {
        let end = loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            let hopeless = self.buffer.first().is_some_and(|first| !first.is_ascii_uppercase());
            if hopeless || self.buffer.len() > HEAD_BYTES_MAX {
                return Err(Error::new(ErrorKind::InvalidData, "no head"));
            }
            if !self.fill().await? {
                return Ok(None);
            }
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        parse(head).map(Some)
    }

    /// Reads the body that the head announces.
    pub async fn body(&mut self, request: &mut Request) -> Result<()> {
        if request.all("transfer-encoding").iter().any(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks(request).await;
        }
        let announced = request.header("content-length").map_or(Ok(0), str::parse);
        let left = announced.map_err(|_| Error::new(ErrorKind::InvalidData, "content-length"))?;
        self.exactly(left, request).await
    }

    async fn chunks(&mut self, request: &mut Request) -> Result<()> {
        loop {
            let line = self.line().await?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16)
                .map_err(|_| Error::new(ErrorKind::InvalidData, "chunk size"))?;
            self.exactly(size, request).await?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(());
            }
            self.line().await?;
        }
    }

    async fn line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill_or_fail().await?;
        }
    }

    async fn exactly(&mut self, mut left: u64, request: &mut Request) -> Result<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.fill_or_fail().await?;
            }
            let piece = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            request.take(&self.buffer[..piece]);
            self.buffer.drain(..piece);
            left -= piece as u64;
        }
        Ok(())
    }

    async fn fill_or_fail(&mut self) -> Result<()> {
        if self.fill().await? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    async fn fill(&mut self) -> Result<bool> {
        self.buffer.reserve(CHUNK_BYTES);
        let read = self.stream.read_buf(&mut self.buffer).await?;
        self.bytes += read as u64;
        Ok(read > 0)
    }
}

fn parse(head: Vec<u8>) -> Result<Request> {
    let mut headers = [httparse::EMPTY_HEADER; 256];
    let mut parsed = httparse::Request::new(&mut headers);
    parsed.parse(&head).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    let (method, target) = (text(parsed.method), text(parsed.path));
    let pair = |header: &httparse::Header<'_>| {
        (header.name.to_owned(), String::from_utf8_lossy(header.value).into_owned())
    };
    let headers = parsed.headers.iter().map(pair).collect();
    Ok(Request { head, method, target, headers, body: Vec::new(), body_bytes: 0 })
}
