//! What OPA's modules import: abort, print and the dispatch of builtins.

use wasmtime::{Caller, Engine, Linker};

use super::Host;
use super::abi::Border;
use super::memory::{self, Fault};
use crate::builtins::Fault as BuiltinFault;
use crate::error::EvalError;
use crate::native::{self, Budget, Flaw, Sets};
use crate::redirect::MATCH_ID;
use crate::value::Value;

const MESSAGE_BYTES_MAX: usize = 1024;
/// The text of one argument or result of a builtin.
const VALUE_TEXT_BYTES_MAX: usize = 1024 * 1024;
/// The same as it stands in memory.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;
const VALUE_DEPTH_MAX: usize = 128;
/// Tells the module that the call is undefined.
const UNDEFINED: i32 = 0;

/// All imports but the memory, which belongs to a store.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("env", "opa_abort", abort)?;
    linker.func_wrap("env", "opa_println", println)?;
    linker.func_wrap("env", "opa_builtin0", |caller: Caller<'_, Host>, id: i32, _: i32| {
        call(caller, id, &[])
    })?;
    linker.func_wrap("env", "opa_builtin1", |caller: Caller<'_, Host>, id: i32, _: i32, a: i32| {
        call(caller, id, &[a])
    })?;
    linker.func_wrap(
        "env",
        "opa_builtin2",
        |caller: Caller<'_, Host>, id: i32, _: i32, a: i32, b: i32| match id {
            MATCH_ID => Ok(find(caller, a, b)),
            _ => call(caller, id, &[a, b]),
        },
    )?;
    linker.func_wrap(
        "env",
        "opa_builtin3",
        |caller: Caller<'_, Host>, id: i32, _: i32, a: i32, b: i32, c: i32| call(caller, id, &[a, b, c]),
    )?;
    linker.func_wrap(
        "env",
        "opa_builtin4",
        |caller: Caller<'_, Host>, id: i32, _: i32, a: i32, b: i32, c: i32, d: i32| {
            call(caller, id, &[a, b, c, d])
        },
    )?;
    Ok(linker)
}

fn abort(caller: Caller<'_, Host>, address: i32) -> wasmtime::Result<()> {
    Err(EvalError::Aborted { message: message(&caller, address)? }.into())
}

fn println(mut caller: Caller<'_, Host>, address: i32) -> wasmtime::Result<()> {
    let line = message(&caller, address)?;
    caller.data_mut().scope.trace.note(line);
    Ok(())
}

/// A longer message is cut: it is for people.
fn message(caller: &Caller<'_, Host>, address: i32) -> wasmtime::Result<String> {
    let border = caller.data().border.as_deref().ok_or_else(too_early)?;
    let memory = border.memory.data(caller);
    let bytes = match memory::text(memory, address.cast_unsigned(), MESSAGE_BYTES_MAX) {
        Ok(text) => text,
        Err(Fault::TooLong) => &memory[address.cast_unsigned() as usize..][..MESSAGE_BYTES_MAX],
        Err(Fault::OutOfBounds) => return Err(Fault::OutOfBounds.breach().into()),
    };
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// Whether a pattern is found in a text, as a value of the module's, or nothing where it has to find out itself.
fn find(mut caller: Caller<'_, Host>, pattern: i32, text: i32) -> i32 {
    let host = caller.data();
    let Some((memory, constants)) = host.border.as_ref().map(|border| border.memory).zip(host.constants)
    else {
        return UNDEFINED;
    };
    let (memory, host) = memory.data_and_store_mut(&mut caller);
    let operand = |address: i32| native::string(memory, address.cast_unsigned(), VALUE_TEXT_BYTES_MAX);
    let Some((pattern, text)) = operand(pattern).zip(operand(text)) else { return UNDEFINED };
    let found = host.patterns.find(pattern, text);
    found.map_or(UNDEFINED, |found| constants.boolean(found).cast_signed())
}

/// Carries the arguments out, runs the builtin and carries its value in.
fn call(mut caller: Caller<'_, Host>, id: i32, addresses: &[i32]) -> wasmtime::Result<i32> {
    let host = caller.data();
    let builtin =
        host.builtins.find(id).ok_or_else(|| trapped("the module calls a builtin it does not list"))?;
    let arguments = addresses.iter().map(|&address| carry_out(&mut caller, address));
    let arguments = arguments.collect::<wasmtime::Result<Vec<Value>>>()?;
    match (builtin.run)(&mut caller.data_mut().scope, &arguments) {
        Ok(value) => carry_in(&mut caller, &value),
        Err(BuiltinFault::Undefined(reason)) => {
            caller.data_mut().scope.trace.note(format!("{} is undefined: {reason}", builtin.name));
            Ok(UNDEFINED)
        }
        Err(BuiltinFault::Halt(reason)) => {
            Err(EvalError::Aborted { message: format!("{}: {reason}", builtin.name) }.into())
        }
    }
}

fn carry_out(caller: &mut Caller<'_, Host>, address: i32) -> wasmtime::Result<Value> {
    let border = caller.data().border.clone().ok_or_else(too_early)?;
    if border.by_memory {
        let mut budget = Budget {
            steps: VALUE_TEXT_BYTES_MAX,
            bytes: VALUE_TEXT_BYTES_MAX,
            depth: VALUE_DEPTH_MAX,
            sets: Sets::Kept,
        };
        let read = native::read(border.memory.data(&*caller), address.cast_unsigned(), &mut budget);
        return Ok(read.map_err(|flaw| match flaw {
            Flaw::Broken => Fault::OutOfBounds.breach(),
            Flaw::Malformed(what) => trapped(&format!("an argument of a builtin cannot be read: {what}")),
            Flaw::TooLarge => trapped("an argument of a builtin is too large"),
        })?);
    }
    let text = border.value_dump.call(&mut *caller, address)?;
    let text = memory::text(border.memory.data(&*caller), text.cast_unsigned(), VALUE_TEXT_BYTES_MAX)
        .map_err(Fault::breach)?;
    let text = std::str::from_utf8(text).map_err(|_| trapped("an argument of a builtin is not UTF-8"))?;
    Ok(Value::parse(text)
        .map_err(|error| trapped(&format!("an argument of a builtin cannot be read: {error}")))?)
}

fn carry_in(caller: &mut Caller<'_, Host>, value: &Value) -> wasmtime::Result<i32> {
    let border = caller.data().border.clone().ok_or_else(too_early)?;
    if border.by_memory
        && let Some(address) = build(caller, &border, value)?
    {
        return Ok(address);
    }
    let text = value.to_string();
    let length = i32::try_from(text.len()).ok().filter(|_| text.len() <= VALUE_TEXT_BYTES_MAX);
    let length = length.ok_or_else(|| trapped("the result of a builtin is too large"))?;
    let address = border.malloc.call(&mut *caller, length)?;
    memory::write(border.memory, &mut *caller, address.cast_unsigned(), text.as_bytes())?;
    match border.value_parse.call(&mut *caller, (address, length))? {
        UNDEFINED => Err(trapped("the module does not take the result of a builtin").into()),
        value => Ok(value),
    }
}

/// The value's address, or `None` where the module has to read it itself.
fn build(caller: &mut Caller<'_, Host>, border: &Border, value: &Value) -> wasmtime::Result<Option<i32>> {
    const ALIGNMENT_BYTES: usize = 8;
    let bytes = native::bytes_of(value).saturating_add(ALIGNMENT_BYTES);
    if bytes > VALUE_BYTES_MAX {
        return Err(trapped("the result of a builtin is too large").into());
    }
    let room = border.malloc.call(&mut *caller, bytes as i32)?.cast_unsigned();
    let Some(start) = room.checked_next_multiple_of(ALIGNMENT_BYTES as u32) else { return Ok(None) };
    let built = native::put(border.memory.data_mut(&mut *caller), start, value);
    Ok(built.map(u32::cast_signed))
}

fn too_early() -> EvalError {
    trapped("the start function calls the host")
}

fn trapped(cause: &str) -> EvalError {
    EvalError::Trapped { cause: cause.to_owned() }
}
