//! Evaluations by `opa_eval`, with JSON in and text out: for modules that do not take what the host builds.

use super::question::{Document, Question};
use super::{Instance, aligned, host, memory};
use crate::error::EvalError;
use crate::native::{Builder, Constants, Fault, Scratch};

/// The result in OPA's own notation, which tells sets; 0 would be JSON, with sets in no order.
const FORMAT_NOTATION: i32 = 1;
const ROOM_BYTES: usize = 64 * 1024;
/// More than any document within the bounds is built in.
const ROOM_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Instance {
    /// Puts the result set into the instance's text.
    pub(super) fn ask_in_json(
        &mut self,
        question: &Question,
        document: &impl Document,
    ) -> Result<(), EvalError> {
        let limits = self.store.data().limits;
        weigh(document, &mut self.scratch, limits)?;
        document.spell(&mut self.text, limits.input_bytes_max)?;
        let too_large = || EvalError::InputTooLarge { bytes_max: limits.input_bytes_max };
        let length = u32::try_from(self.text.len()).map_err(|_| too_large())?;
        let heap = self.heap_start.checked_add(length).and_then(aligned).ok_or_else(too_large)?;
        memory::write(self.memory, &mut self.store, self.heap_start, &self.text)?;
        self.arm(limits.eval_time_max);
        let [data, input, length, heap] =
            [self.data_address, self.heap_start, length, heap].map(u32::cast_signed);
        let arguments = (0, question.entrypoint, data, input, length, heap, FORMAT_NOTATION);
        let address =
            self.pulse.during(|| self.abi.eval.call(&mut self.store, arguments)).map_err(host::stopped)?;
        let bytes_max = limits.result_bytes_max;
        let text = memory::text(self.memory.data(&self.store), address.cast_unsigned(), bytes_max)
            .map_err(|fault| fault.of_result(bytes_max))?;
        self.text.clear();
        self.text.extend_from_slice(text);
        Ok(())
    }
}

/// The bounds are those of what would be built, so it is built here, and thrown away.
fn weigh(
    document: &impl Document,
    scratch: &mut Scratch,
    limits: crate::limits::Limits,
) -> Result<(), EvalError> {
    let mut room_bytes = ROOM_BYTES;
    loop {
        let mut room = vec![0; room_bytes];
        let mut builder = Builder::new(&mut room, 8, Constants::at(0), scratch, limits.input());
        match document.put(&mut builder) {
            Ok(_) => return Ok(()),
            Err(Fault::Refused(error)) => return Err(error),
            Err(Fault::Full) if room_bytes < ROOM_BYTES_MAX => room_bytes *= 2,
            Err(Fault::Full) => {
                return Err(EvalError::InputTooLarge { bytes_max: limits.input_bytes_max });
            }
        }
    }
}
