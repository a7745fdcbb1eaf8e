//! The echo upstream of the docker-compose demo: it prints each request's head, so that the injected credential can be
//! seen where it belongs, and nowhere else.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use claviger_tests::Upstream;

const POLL: Duration = Duration::from_millis(100);

fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8000);
    let upstream = Upstream::at(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    let mut printed = 0;
    loop {
        for request in upstream.requests().iter().skip(printed) {
            std::io::stdout().write_all(&request.head)?;
            printed += 1;
        }
        std::io::stdout().flush()?;
        std::thread::sleep(POLL);
    }
}
