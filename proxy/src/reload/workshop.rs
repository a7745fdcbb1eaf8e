//! The one thread that compiles newer policies, with less of a claim to the processor than requests have.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use claviger_policy::Policy;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use super::compiler::{Compiler, Unloadable};

/// A tenth of what a worker gets where there is not enough for both, and all where there is.
const NICENESS: i32 = 10;

/// A compiler and its thread.
pub(super) struct Workshop {
    compiler: Arc<Compiler>,
    /// The engine compiles functions side by side on the pool that it is called on: this one has a single thread.
    thread: ThreadPool,
}

impl Workshop {
    pub(super) fn open(compiler: Compiler) -> io::Result<Self> {
        let thread = ThreadPoolBuilder::new()
            .num_threads(1)
            .thread_name(|_| "policy".to_owned())
            .start_handler(|_| step_back())
            .panic_handler(|_| tracing::error!("compiling a policy broke"))
            .build()
            .map_err(io::Error::other)?;
        Ok(Self { compiler: Arc::new(compiler), thread })
    }

    /// Reads and compiles on the thread, one after the other.
    pub(super) async fn compile(
        &self,
        read: impl FnOnce() -> io::Result<Bytes> + Send + 'static,
        known: Vec<Arc<Policy>>,
    ) -> Result<Arc<Policy>, Unloadable> {
        let (tell, told) = oneshot::channel();
        let compiler = Arc::clone(&self.compiler);
        self.thread.spawn(move || {
            let policy = read().map_err(Unloadable::from).and_then(|bytes| compiler.compile(&bytes, &known));
            // whoever asked may be gone
            let _ = tell.send(policy);
        });
        told.await.unwrap_or(Err(Unloadable::Broken))
    }
}

/// Linux keeps a priority for each thread; without the right to change it the thread works as any other.
fn step_back() {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "policies are compiled at the priority of requests");
    }
}
