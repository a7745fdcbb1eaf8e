//! Whether values that the host builds are, to this module, what it would have built itself.

use super::memory::{self, Fault};
use super::question::{Document, Json, Serialised};
use super::{Instance, host};
use crate::error::EvalError;
use crate::native::{self, Budget, Sets, trial};
use crate::value::Value;

const TEXT_BYTES_MAX: usize = 64 * 1024;

impl Instance {
    /// Tries everything that the layout has rules for. The instance is not to be used afterwards.
    pub(crate) fn understands_built_values(&mut self) -> Result<bool, EvalError> {
        if self.ground.is_none() {
            return Ok(false);
        }
        let time_max = self.store.data().limits.eval_time_max.max(super::SETUP_TIME_MAX);
        self.store.data_mut().deadline.arm(time_max);
        self.store.set_epoch_deadline(1);
        let sample = trial::sample();
        let spelled = serde_json::to_string(&sample).unwrap_or_default();
        let mut agreed = self.context_fits()? && self.agrees_on(&Serialised(&sample), &spelled)?;
        for text in trial::documents() {
            agreed = agreed && self.agrees_on(&Json(&text), &text)?;
        }
        for value in trial::values() {
            agreed = agreed && self.agrees_on_value(&value)?;
        }
        Ok(agreed)
    }

    /// `opa_eval_ctx_t` by the module's own setters and getter.
    fn context_fits(&mut self) -> Result<bool, EvalError> {
        let Some(ground) = &self.ground else { return Ok(false) };
        let (abi, store) = (ground.abi(), &mut self.store);
        let stopped = host::stopped;
        let context = abi.context_new.call(&mut *store, ()).map_err(stopped)?;
        abi.context_set_input.call(&mut *store, (context, 0x1001)).map_err(stopped)?;
        abi.context_set_data.call(&mut *store, (context, 0x1002)).map_err(stopped)?;
        abi.context_set_entrypoint.call(&mut *store, (context, 3)).map_err(stopped)?;
        let start = context.cast_unsigned();
        let expected = native::context(0x1001, 0x1002, 3);
        let end = (start as usize).saturating_add(expected.len());
        let agreed = self.memory.data(&*store).get(start as usize..end) == Some(expected.as_slice());
        memory::write(self.memory, &mut *store, start.saturating_add(8), &0x1003_u32.to_le_bytes())?;
        let result = abi.context_get_result.call(&mut *store, context).map_err(stopped)?;
        Ok(agreed && result == 0x1003)
    }

    fn agrees_on(&mut self, document: &impl Document, text: &str) -> Result<bool, EvalError> {
        let Some(ground) = &mut self.ground else { return Ok(false) };
        let place = (self.heap_start, self.memory);
        let (built, end) = ground.build(document, place.0, place.1, &mut self.store, &mut self.scratch)?;
        let heap = super::aligned(end).ok_or_else(|| Fault::OutOfBounds.breach())?;
        let reset = ground.abi().heap_ptr_set.clone();
        reset.call(&mut self.store, heap.cast_signed()).map_err(host::stopped)?;
        let parsed = self.parse(text)?;
        self.same(built.cast_signed(), parsed)
    }

    fn agrees_on_value(&mut self, value: &Value) -> Result<bool, EvalError> {
        let text = value.to_string();
        let length = i32::try_from(native::bytes_of(value)).unwrap_or(i32::MAX).saturating_add(8);
        let room = self.abi.malloc.call(&mut self.store, length).map_err(host::stopped)?;
        let start = super::aligned(room.cast_unsigned()).ok_or_else(|| Fault::OutOfBounds.breach())?;
        let built = native::put(self.memory.data_mut(&mut self.store), start, value);
        let parsed = self.parse(&text)?;
        match built {
            Some(built) => self.same(built.cast_signed(), parsed),
            None => Ok(false),
        }
    }

    /// Both dumps walk and look up every key; and what is read back from either is what the dump says.
    fn same(&mut self, built: i32, parsed: i32) -> Result<bool, EvalError> {
        let (ours, theirs) = (self.dump(built)?, self.dump(parsed)?);
        let memory = self.memory.data(&self.store);
        let read = |address: i32| {
            let mut budget =
                Budget { steps: TEXT_BYTES_MAX, bytes: TEXT_BYTES_MAX, depth: 128, sets: Sets::Kept };
            native::read(memory, address.cast_unsigned(), &mut budget).ok()
        };
        let expected = Value::parse(&theirs).ok();
        Ok(ours == theirs && expected.is_some() && read(built) == expected && read(parsed) == expected)
    }

    fn parse(&mut self, text: &str) -> Result<i32, EvalError> {
        let length = i32::try_from(text.len()).unwrap_or(i32::MAX);
        let room = self.abi.malloc.call(&mut self.store, length).map_err(host::stopped)?;
        memory::write(self.memory, &mut self.store, room.cast_unsigned(), text.as_bytes())?;
        self.abi.value_parse.call(&mut self.store, (room, length)).map_err(host::stopped)
    }

    fn dump(&mut self, value: i32) -> Result<String, EvalError> {
        let text = self.abi.value_dump.call(&mut self.store, value).map_err(host::stopped)?;
        let text = memory::text(self.memory.data(&self.store), text.cast_unsigned(), TEXT_BYTES_MAX)
            .map_err(Fault::breach)?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }
}
