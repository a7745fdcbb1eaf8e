//! Evaluations whose input the host builds in the module's memory: no JSON, and no call but the evaluation itself.

use std::time::Duration;

use wasmtime::{Memory, Store};

use super::abi::HostAbi;
use super::question::{Document, Question};
use super::{Instance, host, memory};
use crate::engine::Pulse;
use crate::error::EvalError;
use crate::native::{self, Builder, CONTEXT_BYTES, Constants, Fault, Scratch, Words};

const PAGE_BYTES: usize = 64 * 1024;

/// What stands in an instance's memory for all its evaluations, below the heap that each of them begins with.
pub(super) struct Ground {
    abi: HostAbi,
    start: u32,
    constants: Constants,
    context: u32,
    words: Words,
}

impl Ground {
    const BYTES: usize = Constants::BYTES + CONTEXT_BYTES + Words::ROOM_BYTES;

    /// Lays the ground, in memory that the module's own allocator gives.
    pub(super) fn lay(
        abi: HostAbi,
        malloc: &wasmtime::TypedFunc<i32, i32>,
        memory: Memory,
        store: &mut Store<super::Host>,
    ) -> Result<Ground, EvalError> {
        const ROOM_BYTES: i32 = Ground::BYTES as i32 + super::HEAP_ALIGNMENT_BYTES as i32;
        let room = malloc.call(&mut *store, ROOM_BYTES).map_err(host::stopped)?;
        let start =
            super::aligned(room.cast_unsigned()).ok_or_else(|| memory::Fault::OutOfBounds.breach())?;
        let mut bytes = vec![0; Ground::BYTES];
        bytes[..Constants::BYTES].copy_from_slice(&Constants::bytes());
        memory::write(memory, &mut *store, start, &bytes)?;
        Ok(Ground::at(abi, start))
    }

    /// The ground that was laid at this address.
    pub(super) fn at(abi: HostAbi, start: u32) -> Ground {
        let context = start.saturating_add(Constants::BYTES as u32);
        let words = context.saturating_add(CONTEXT_BYTES as u32);
        Ground { abi, start, constants: Constants::at(start), context, words: Words::at(words) }
    }

    /// Values that always stand in memory.
    pub(super) fn constants(&self) -> Constants {
        self.constants
    }

    /// Where it was laid.
    pub(super) fn start(&self) -> u32 {
        self.start
    }

    /// Writes the document at `start`; gives its address and the end of it.
    pub(super) fn build(
        &mut self,
        document: &impl Document,
        start: u32,
        memory: Memory,
        store: &mut Store<super::Host>,
        scratch: &mut Scratch,
    ) -> Result<(u32, u32), EvalError> {
        loop {
            let bounds = store.data().limits.input();
            let bytes = memory.data_mut(&mut *store);
            let room = bytes.len().saturating_sub(start as usize);
            let builder = Builder::new(bytes, start, self.constants, scratch, bounds);
            let mut builder = builder.with_words(&mut self.words);
            match document.put(&mut builder) {
                Ok(input) => return Ok((input, builder.end())),
                Err(Fault::Refused(error)) => return Err(error),
                Err(Fault::Full) => grow(memory, store, room)?,
            }
        }
    }

    /// Evaluates and gives the address of the result set.
    pub(super) fn evaluate(
        &self,
        question: &Question,
        (input, heap): (u32, u32),
        data: u32,
        (memory, store, pulse): (Memory, &mut Store<super::Host>, &Pulse),
    ) -> Result<u32, EvalError> {
        let context = native::context(input, data, question.entrypoint);
        memory::write(memory, &mut *store, self.context, &context)?;
        let done = pulse.during(|| {
            self.abi.heap_ptr_set.call(&mut *store, heap.cast_signed())?;
            self.abi.eval.call(&mut *store, self.context.cast_signed())
        });
        match done.map_err(host::stopped)? {
            0 => Ok(memory::word(memory.data(&*store), self.context.saturating_add(8))?),
            _ => Err(EvalError::Trapped { cause: "the evaluation failed".to_owned() }),
        }
    }

    pub(super) fn abi(&self) -> &HostAbi {
        &self.abi
    }
}

/// Doubles the room for input, as far as the bound allows.
fn grow(memory: Memory, store: &mut Store<super::Host>, room: usize) -> Result<(), EvalError> {
    let bytes_max = store.data().limits.memory_bytes_max;
    let left = bytes_max.saturating_sub(memory.data_size(&*store)) / PAGE_BYTES;
    let pages = room.div_ceil(PAGE_BYTES).max(1).min(left);
    if pages == 0 {
        return Err(EvalError::OutOfMemory { bytes_max });
    }
    memory.grow(store, pages as u64).map(drop).map_err(host::stopped)
}

impl Instance {
    /// The document goes into memory, the entrypoint is evaluated, and the result stays there.
    pub(super) fn ask_by_memory(
        &mut self,
        question: &Question,
        document: &impl Document,
    ) -> Result<Option<u32>, EvalError> {
        let Some(ground) = &mut self.ground else { return Ok(None) };
        let built =
            ground.build(document, self.heap_start, self.memory, &mut self.store, &mut self.scratch)?;
        let time_max: Duration = self.store.data().limits.eval_time_max;
        self.store.data_mut().deadline.arm(time_max);
        self.store.set_epoch_deadline(1);
        let place = (self.memory, &mut self.store, &self.pulse);
        ground.evaluate(question, built, self.data_address, place).map(Some)
    }
}
