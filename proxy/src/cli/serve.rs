//! `claviger serve`: the sidecar itself.

use std::io;
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use super::{ConfigArgs, fail, load};
use crate::process;
use crate::run::{self, End, Signals};
use crate::snapshot::Purpose;

/// Threads of the control plane: issuers, health and metrics, signals.
const CONTROL_THREADS: usize = 1;

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    process::mute_panics();
    process::harden();
    process::raise_descriptors();
    let (control, signals) = match control() {
        Ok(ready) => ready,
        Err(error) => return fail(1, &format!("the process cannot start: {error}")),
    };
    let snapshot = match load(args, Purpose::Serve) {
        Ok(snapshot) => snapshot,
        Err(code) => return code,
    };
    let ended = control.block_on(run::serve(snapshot, signals));
    // a name that is still being resolved has a thread that nobody can stop: it is not waited for
    control.shutdown_background();
    match ended {
        Ok(End::Drained) => ExitCode::SUCCESS,
        Ok(End::Cut) => ExitCode::FAILURE,
        Err(error) => fail(1, &error.to_string()),
    }
}

/// The control runtime, and the signals, which are taken over before the configuration is read: that takes its time.
fn control() -> io::Result<(Runtime, Signals)> {
    let control = Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build()?;
    let inside = control.enter();
    let signals = Signals::new()?;
    drop(inside);
    Ok((control, signals))
}
