//! An HTTP server that answers as a test tells it to, for what no real issuer can be made to say.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server on a port of its own; its thread ends with the test process.
pub(super) struct FakeServer {
    pub(super) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl FakeServer {
    /// Answers each request with the bytes that `answer` makes of it.
    pub(super) fn new(answer: impl Fn(&Seen) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // a client that hangs up is part of the tests
                let _ = exchange(stream, &answer, &log);
            }
        });
        Self { url, seen }
    }

    /// Answers each request with one status and body.
    pub(super) fn always(status: u16, body: &str) -> Self {
        let bytes = response(status, body);
        Self::new(move |_| bytes.clone())
    }

    /// Everything that came in so far.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("not poisoned").clone()
    }
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(header, _)| header == name);
        values.next().map(|(_, value)| value.as_str())
    }

    /// The fields of a form, decoded.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// A whole response.
pub(super) fn response(status: u16, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Answer\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

fn exchange(
    mut stream: TcpStream,
    answer: &impl Fn(&Seen) -> Vec<u8>,
    log: &Mutex<Vec<Seen>>,
) -> std::io::Result<()> {
    let seen = read(&mut BufReader::new(&stream))?;
    let bytes = answer(&seen);
    log.lock().expect("not poisoned").push(seen);
    stream.write_all(&bytes)
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Seen> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end() {
            "" => break,
            text => lines.push(text.to_owned()),
        }
    }
    let mut start = lines.first().map(String::as_str).unwrap_or_default().split(' ').map(str::to_owned);
    let headers: Vec<_> = lines.iter().skip(1).filter_map(|line| line.split_once(": ")).collect();
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.to_lowercase(), (*value).to_owned())).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().expect("a number"))];
    reader.read_exact(&mut body)?;
    let (method, target) = (start.next().unwrap_or_default(), start.next().unwrap_or_default());
    Ok(Seen { method, target, headers, body: String::from_utf8(body).expect("text") })
}
