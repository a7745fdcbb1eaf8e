//! Waiting for facts that follow by a moment, and ports that nobody else takes.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// Asks until there is an answer; fails with `what` when there is none within `limit`.
pub fn eventually_within<T>(limit: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Asks for ten seconds until there is an answer.
pub fn eventually<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    eventually_within(Duration::from_secs(10), what, ask)
}

/// Waits for ten seconds until something is true.
pub fn until(what: &str, mut ask: impl FnMut() -> bool) {
    eventually(what, || ask().then_some(()));
}

/// A port of 127.0.0.1 below the ephemeral range, so that no outgoing connection takes it before its owner binds; the
/// one above it stays free too (OpenBao takes that for its cluster address).
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    for _ in 0..4_000 {
        let step = NEXT.fetch_add(2, Ordering::Relaxed);
        let start = u16::try_from(std::process::id() % 5_000).expect("less than 5,000") * 2;
        let port = 20_000 + (start + step) % 12_000;
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if free(port) && free(port + 1) {
            return port;
        }
    }
    panic!("no free port between 20000 and 32000");
}
