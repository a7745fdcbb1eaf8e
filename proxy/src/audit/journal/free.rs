//! Which slots are free: a stack without a lock, so that the slots used last, whose memory is warm, are used again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const NONE: u32 = u32::MAX;

/// A stack of numbers. Any thread may take one or put one back.
pub(super) struct FreeList {
    /// The top in the low half; the high half counts changes, so that a top that went and came back is told apart.
    top: AtomicU64,
    /// For each number on the stack, the one below it.
    below: Box<[AtomicU32]>,
}

impl FreeList {
    /// All numbers below `count`, the lowest on top.
    pub(super) fn full(count: usize) -> Self {
        let count = u32::try_from(count).expect("slots are counted in thousands");
        let below =
            (0..count).map(|number| AtomicU32::new(if number + 1 < count { number + 1 } else { NONE }));
        Self { top: AtomicU64::new(if count == 0 { NONE.into() } else { 0 }), below: below.collect() }
    }

    /// Takes the number put back last.
    pub(super) fn take(&self) -> Option<u32> {
        let mut top = self.top.load(Ordering::Acquire);
        loop {
            let number = low_half(top);
            let below = self.below.get(number as usize)?.load(Ordering::Relaxed);
            match self.top.compare_exchange_weak(
                top,
                changed(top, below),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(number),
                Err(now) => top = now,
            }
        }
    }

    /// Puts back a number that was taken.
    pub(super) fn put(&self, number: u32) {
        let mut top = self.top.load(Ordering::Relaxed);
        loop {
            self.below[number as usize].store(low_half(top), Ordering::Relaxed);
            match self.top.compare_exchange_weak(
                top,
                changed(top, number),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => top = now,
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
fn low_half(top: u64) -> u32 {
    top as u32
}

fn changed(top: u64, number: u32) -> u64 {
    ((top >> 32).wrapping_add(1) << 32) | u64::from(number)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_was_put_back_last_is_taken_first() {
        let list = FreeList::full(3);
        assert_eq!([list.take(), list.take(), list.take(), list.take()], [Some(0), Some(1), Some(2), None]);
        list.put(1);
        list.put(2);
        assert_eq!([list.take(), list.take(), list.take()], [Some(2), Some(1), None]);
        assert_eq!(FreeList::full(0).take(), None);
    }

    #[test]
    fn no_number_is_given_to_two_at_once() {
        let list = FreeList::full(8);
        let held = Mutex::new(HashSet::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let Some(number) = list.take() else { continue };
                        assert!(held.lock().expect("no panic").insert(number), "{number} was given twice");
                        held.lock().expect("no panic").remove(&number);
                        list.put(number);
                    }
                });
            }
        });
        assert_eq!(std::iter::from_fn(|| list.take()).collect::<HashSet<_>>().len(), 8, "none is lost");
    }
}
