//! What the process gives up before it reads a secret.

use rustix::fs::Mode;
use rustix::process::{DumpableBehavior, Resource, Rlimit};

/// New files are private, no core is written, no other process of the user may look inside, and no program that we
/// start gains privileges. What the kernel refuses is logged: the sidecar still mediates.
pub fn harden() {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let no_core = Rlimit { current: Some(0), maximum: Some(0) };
    let layers = [
        ("core files", rustix::process::setrlimit(Resource::Core, no_core)),
        ("dumps", rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)),
        ("privileges", rustix::thread::set_no_new_privs(true)),
    ];
    for (layer, result) in layers {
        if let Err(error) = result {
            tracing::warn!(layer, %error, "a protection of the process could not be set");
        }
    }
}

/// Lets the process have as many open files as the system grants: each connection needs one and may need a second to
/// its upstream, and the usual bound is there for the sake of programs that can only wait for a thousand.
pub fn raise_descriptors() {
    let Rlimit { maximum, .. } = rustix::process::getrlimit(Resource::Nofile);
    if let Err(error) = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the bound on open files could not be raised");
    }
}

/// How many workers the CPUs that we may use can feed.
pub fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A panic tells where it was, and nothing of what it was about: its message may hold what it stumbled over.
pub fn mute_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        tracing::error!(place, "a thread panicked");
    }));
}
