//! `claviger serve`: the sidecar itself.

use std::process::ExitCode;

use super::{ConfigArgs, fail, load};
use crate::process;
use crate::run::{self, End};

/// Threads of the control plane: issuers, health and metrics, signals.
const CONTROL_THREADS: usize = 1;

pub(super) fn run(args: &ConfigArgs) -> ExitCode {
    process::harden();
    let snapshot = match load(args) {
        Ok(snapshot) => snapshot,
        Err(code) => return code,
    };
    let control = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(CONTROL_THREADS)
        .thread_name("control")
        .enable_all()
        .build();
    let control = match control {
        Ok(control) => control,
        Err(error) => return fail(1, &format!("no threads: {error}")),
    };
    match control.block_on(run::serve(snapshot)) {
        Ok(End::Drained) => ExitCode::SUCCESS,
        Ok(End::Cut) => ExitCode::FAILURE,
        Err(error) => fail(1, &error.to_string()),
    }
}
