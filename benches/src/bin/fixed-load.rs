//! A load that is the same every time, for counting instructions: `fixed-load ADDRESS PATH CONNECTIONS REQUESTS`
//! sends one request on each connection, reads all answers, and begins anew until that many were answered.
//! `fixed-load ADDRESS PATH CONNECTIONS hold` answers one on each and keeps the connections open until its input ends.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, connections, requests] = words.as_slice() else {
        return Err("fixed-load ADDRESS PATH CONNECTIONS REQUESTS|hold".into());
    };
    let connections: usize = connections.parse()?;
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\nUser-Agent: fixed-load\r\n\r\n");
    let mut open = (0..connections).map(|_| Ok(TcpStream::connect(address)?));
    let mut open = open.by_ref().collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    if requests == "hold" {
        round(&mut open, head.as_bytes())?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let requests: usize = requests.parse()?;
    for _ in 0..requests.div_ceil(connections) {
        round(&mut open, head.as_bytes())?;
    }
    Ok(())
}

/// One request and its answer on every connection.
fn round(connections: &mut [TcpStream], head: &[u8]) -> Result<(), Box<dyn Error>> {
    for connection in &mut *connections {
        connection.write_all(head)?;
    }
    connections.iter_mut().try_for_each(read_answer)
}

/// Reads one answer, which must be a 200 with a Content-Length.
fn read_answer(connection: &mut TcpStream) -> Result<(), Box<dyn Error>> {
    let mut answer = Vec::with_capacity(4096);
    let mut piece = [0; 16 << 10];
    loop {
        let read = connection.read(&mut piece)?;
        answer.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&answer);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.ok_or("no content-length")?.parse()?;
            if !head.starts_with("http/1.1 200") {
                return Err(head.into());
            }
            if body.len() == length {
                return Ok(());
            }
        }
        if read == 0 {
            return Err("the connection ended within an answer".into());
        }
    }
}
