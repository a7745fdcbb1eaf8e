//! What a store knows beside the module: limits, deadline, builtins.

use std::sync::Arc;

use wasmtime::{ResourceLimiter, Trap};

use super::abi::Border;
use super::deadline::Deadline;
use crate::builtins::{Dispatch, Scope};
use crate::error::EvalError;
use crate::limits::Limits;
use crate::native::Constants;
use crate::patterns::Patterns;
use crate::trace::Trace;

const TABLES_MAX: usize = 4;
const TABLE_ELEMENTS_MAX: usize = 64 * 1024;

/// The state behind the imports.
pub(crate) struct Host {
    pub(super) limits: Limits,
    pub(super) deadline: Deadline,
    pub(super) border: Option<Arc<Border>>,
    pub(super) builtins: Arc<Dispatch>,
    pub(super) scope: Scope,
    pub(super) patterns: Patterns,
    /// There where values cross as they stand in memory.
    pub(super) constants: Option<Constants>,
}

impl Host {
    pub(super) fn new(limits: Limits, builtins: Arc<Dispatch>) -> Host {
        Host {
            limits,
            deadline: Deadline::new(),
            border: None,
            builtins,
            scope: Scope::default(),
            patterns: Patterns::default(),
            constants: None,
        }
    }

    /// The trace is the caller's; the scope borrows it for one evaluation.
    pub(super) fn begin(&mut self, now_ns: i64, trace: &mut Trace) {
        self.scope.begin(now_ns);
        std::mem::swap(&mut self.scope.trace, trace);
    }

    pub(super) fn end(&mut self, trace: &mut Trace) {
        std::mem::swap(&mut self.scope.trace, trace);
    }
}

/// Memory over the bound is an error at once: OPA's allocator does not look whether it got what it asked for.
impl ResourceLimiter for Host {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let bytes_max = self.limits.memory_bytes_max;
        if desired > bytes_max {
            return Err(EvalError::OutOfMemory { bytes_max }.into());
        }
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        Err(EvalError::OutOfMemory { bytes_max: self.limits.memory_bytes_max }.into())
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }

    /// The policy, and the module that its memory's snapshot is the content of.
    fn instances(&self) -> usize {
        2
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        1
    }
}

/// The engine's error as our own: what the host raised comes back whole, everything else is a trap.
pub(super) fn stopped(error: wasmtime::Error) -> EvalError {
    match error.downcast::<EvalError>() {
        Ok(raised) => raised,
        Err(other) => EvalError::Trapped {
            cause: other.downcast_ref::<Trap>().map_or_else(|| other.to_string(), Trap::to_string),
        },
    }
}
