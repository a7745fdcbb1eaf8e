//! Threads that only look: with less of a claim to the processor than requests have.

use std::io;
use std::thread::{Builder, JoinHandle};

/// A tenth of what a worker gets where there is not enough for both, and all where there is.
const NICENESS: i32 = 10;

/// Runs `work` on a thread of that name.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(move || {
        // Linux keeps a priority for each thread; without the right to change it the thread works as any other
        if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
            tracing::debug!(%error, "an observer works at the priority of requests");
        }
        work();
    })
}
