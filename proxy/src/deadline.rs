//! Deadlines that a worker's ticker looks after, so that no request arms a timer of its own.
//!
//! Most deadlines are set and taken back again within a millisecond. Here that is a place in a list; only what is still
//! there when the worker ticks is looked at. The price is grain: a deadline passes up to two ticks late, never early.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How often a worker ticks; also keeps one timer of the runtime armed, so that requests arm none.
pub const TICK: Duration = Duration::from_millis(250);
/// A shorter limit than this would suffer from the grain, and gets a timer of the runtime.
const COARSE_FROM: Duration = Duration::from_secs(5);

/// Places that are kept although nobody waits.
const KEPT_MAX: usize = 1024;

/// A deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed;

/// All deadlines of one worker.
#[derive(Default)]
pub struct Deadlines {
    /// How often the worker has ticked.
    now: Cell<u64>,
    entries: RefCell<Entries>,
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    free: Vec<usize>,
}

/// Somebody who waits.
struct Entry {
    /// The tick at which it is over.
    due: u64,
    /// `None` where the place is free, or its owner was woken already.
    waker: Option<Waker>,
}

/// Ends when its deadline passes; taken back when dropped.
pub struct Wait {
    deadlines: Rc<Deadlines>,
    due: u64,
    place: Option<usize>,
}

impl Deadlines {
    /// None yet.
    pub fn new() -> Rc<Self> {
        Rc::default()
    }

    /// A tick has passed: whoever's deadline has too is woken.
    pub fn tick(&self) {
        let now = self.now.get() + 1;
        self.now.set(now);
        self.wake(|entry| entry.due <= now);
    }

    /// Wakes everybody, to look again at what they wait for.
    pub fn stir(&self) {
        self.wake(|_| true);
    }

    fn wake(&self, wanted: impl Fn(&Entry) -> bool) {
        let mut entries = self.entries.borrow_mut();
        let woken = entries.list.iter_mut().filter(|entry| wanted(entry));
        // a waker only puts its task in the run queue: nothing comes back here
        woken.filter_map(|entry| entry.waker.take()).for_each(Waker::wake);
    }

    /// Ends after `limit`.
    pub fn wait(self: &Rc<Self>, limit: Duration) -> Wait {
        let ticks = limit.as_nanos().div_ceil(TICK.as_nanos());
        // one more, for the tick that is under way
        let due = self.now.get().saturating_add(u64::try_from(ticks).unwrap_or(u64::MAX)).saturating_add(1);
        Wait { deadlines: Rc::clone(self), due, place: None }
    }

    /// What `work` comes to, unless that takes longer than `limit`. It is pinned by the caller, so that it is nowhere
    /// held twice.
    pub async fn within<T>(
        self: &Rc<Self>,
        limit: Duration,
        mut work: impl Future<Output = T> + Unpin,
    ) -> Result<T, Passed> {
        if limit < COARSE_FROM {
            return tokio::time::timeout(limit, work).await.map_err(|_elapsed| Passed);
        }
        let mut wait = self.wait(limit);
        poll_fn(|cx| match Pin::new(&mut work).poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => Pin::new(&mut wait).poll(cx).map(|()| Err(Passed)),
        })
        .await
    }
}

impl Entries {
    fn add(&mut self, entry: Entry) -> usize {
        match self.free.pop() {
            Some(place) => {
                self.list[place] = entry;
                place
            }
            None => {
                self.list.push(entry);
                self.list.len() - 1
            }
        }
    }

    /// Frees a place, and the memory of many once nobody is left.
    fn remove(&mut self, place: usize) -> Option<Waker> {
        let waker = self.list[place].waker.take();
        self.free.push(place);
        if self.free.len() == self.list.len() && self.list.len() > KEPT_MAX {
            *self = Self::default();
        }
        waker
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let wait = self.get_mut();
        if wait.due <= wait.deadlines.now.get() {
            return Poll::Ready(());
        }
        let mut entries = wait.deadlines.entries.borrow_mut();
        match wait.place.map(|place| &mut entries.list[place].waker) {
            Some(Some(waker)) => waker.clone_from(cx.waker()),
            Some(empty) => *empty = Some(cx.waker().clone()),
            None => {
                wait.place = Some(entries.add(Entry { due: wait.due, waker: Some(cx.waker().clone()) }));
            }
        }
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            let waker = self.deadlines.entries.borrow_mut().remove(place);
            // not before the list is free again: nobody knows what a waker takes with it
            drop(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Calls(AtomicUsize);

    impl Wake for Calls {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_deadline_passes_after_its_limit_and_wakes_once() {
        let check = |limit: Duration, ticks: u64| {
            let (deadlines, calls) = (Deadlines::new(), Arc::new(Calls::default()));
            (0..7).for_each(|_| deadlines.tick());
            let waker = Waker::from(Arc::clone(&calls));
            let mut wait = deadlines.wait(limit);
            for tick in 0..ticks {
                assert!(
                    Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_pending(),
                    "{limit:?} {tick}"
                );
                assert_eq!(calls.0.load(Ordering::Relaxed), 0);
                deadlines.tick();
            }
            assert_eq!(calls.0.load(Ordering::Relaxed), 1, "{limit:?}");
            deadlines.tick();
            assert_eq!(calls.0.load(Ordering::Relaxed), 1, "{limit:?}");
            assert!(Pin::new(&mut wait).poll(&mut Context::from_waker(&waker)).is_ready(), "{limit:?}");
        };
        check(TICK, 2);
        check(TICK + Duration::from_nanos(1), 3);
        check(Duration::from_secs(30), 121);
    }

    #[test]
    fn work_that_is_done_leaves_no_trace_and_other_work_is_cut() {
        let (deadlines, calls) = (Deadlines::new(), Arc::new(Calls::default()));
        let waker = Waker::from(Arc::clone(&calls));
        let cx = &mut Context::from_waker(&waker);
        let mut done = pin!(deadlines.within(COARSE_FROM, ready(7)));
        assert_eq!(done.as_mut().poll(cx), Poll::Ready(Ok(7)));
        {
            let mut endless = pin!(deadlines.within(COARSE_FROM, pending::<()>()));
            let mut other = pin!(deadlines.within(Duration::MAX, pending::<()>()));
            for _ in 0..21 {
                assert!(endless.as_mut().poll(cx).is_pending() && other.as_mut().poll(cx).is_pending());
                deadlines.tick();
            }
            assert_eq!(endless.as_mut().poll(cx), Poll::Ready(Err(Passed)));
            deadlines.stir();
            assert!(other.as_mut().poll(cx).is_pending(), "it was woken for nothing");
        }
        assert_eq!(calls.0.load(Ordering::Relaxed), 2);
        let entries = deadlines.entries.borrow();
        assert!(entries.free.len() == entries.list.len() && entries.list.len() == 2, "nobody waits");
    }

    #[tokio::test]
    async fn a_short_limit_needs_no_tick() {
        let deadlines = Deadlines::new();
        assert_eq!(deadlines.within(Duration::from_millis(1), pending::<()>()).await, Err(Passed));
    }
}
