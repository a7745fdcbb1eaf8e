//! A thread that advances the engine's epoch about every millisecond while policies run, and sleeps when none does.
//!
//! An evaluation touches only its own [`Pulse`], so threads do not contend; the ticker looks at all of them once a tick.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::{self, Thread};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(1);
/// Enough that a steadily busy sidecar never pays for a wake-up, short enough that an idle one sleeps.
const QUIET_TICKS_MAX: u32 = 100;

/// The handle on the ticker's thread.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

struct Shared {
    parked: AtomicBool,
    beats: Mutex<Vec<Weak<Beat>>>,
}

/// On a cache line of its own: one thread writes it at each evaluation.
#[repr(align(128))]
struct Beat {
    /// Odd while an evaluation runs.
    turn: AtomicU64,
    /// The turn that the ticker saw last; only the ticker touches it.
    seen: AtomicU64,
}

/// One evaluator's sign of life.
pub(crate) struct Pulse {
    beat: Arc<Beat>,
    shared: Arc<Shared>,
    thread: Thread,
}

impl Ticker {
    pub(super) fn start(engine: wasmtime::Engine) -> io::Result<Ticker> {
        let shared = Arc::new(Shared { parked: AtomicBool::new(false), beats: Mutex::default() });
        let turning = Arc::clone(&shared);
        let spawned =
            thread::Builder::new().name("policy-ticker".to_owned()).spawn(move || turning.turn(&engine))?;
        Ok(Ticker { shared, thread: spawned.thread().clone() })
    }

    /// A pulse for an evaluator; it leaves the ticker's list when it is dropped.
    pub(crate) fn enrol(&self) -> Pulse {
        let beat = Arc::new(Beat { turn: AtomicU64::new(0), seen: AtomicU64::new(0) });
        self.shared.beats.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&beat));
        Pulse { beat, shared: Arc::clone(&self.shared), thread: self.thread.clone() }
    }
}

impl Pulse {
    /// Runs `work` with the ticker awake.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        // Either this thread sees the ticker parked, or the ticker sees this turn before it parks: both orders are
        // sequentially consistent.
        self.beat.turn.fetch_add(1, Ordering::SeqCst);
        let _running = Running(&self.beat);
        if self.shared.parked.load(Ordering::SeqCst) {
            self.shared.parked.store(false, Ordering::SeqCst);
            self.thread.unpark();
        }
        work()
    }
}

struct Running<'a>(&'a Beat);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.turn.fetch_add(1, Ordering::Release);
    }
}

impl Shared {
    fn turn(&self, engine: &wasmtime::Engine) {
        let mut quiet_ticks = 0;
        loop {
            thread::sleep(TICK);
            engine.increment_epoch();
            quiet_ticks = if self.someone_moved() { 0 } else { quiet_ticks + 1 };
            if quiet_ticks == QUIET_TICKS_MAX {
                self.park();
                quiet_ticks = 0;
            }
        }
    }

    fn park(&self) {
        self.parked.store(true, Ordering::SeqCst);
        if self.someone_moved() {
            self.parked.store(false, Ordering::SeqCst);
        }
        while self.parked.load(Ordering::SeqCst) {
            thread::park();
        }
    }

    /// Whether an evaluation runs now or has run since the last look.
    fn someone_moved(&self) -> bool {
        let mut moved = false;
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).retain(|beat| {
            let Some(beat) = beat.upgrade() else { return false };
            let turn = beat.turn.load(Ordering::SeqCst);
            moved |= turn % 2 == 1 || beat.seen.swap(turn, Ordering::Relaxed) != turn;
            true
        });
        moved
    }
}
