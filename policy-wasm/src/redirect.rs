//! A module's own matching of regular expressions asks the host first. The module is changed in one place: the body of
//! `opa_regex_match` begins with a call of a builtin that every module imports, under a number that OPA gives to none.
//! Where the host has no answer, the function goes on as it was.

use std::ops::Range;

use wasmparser::{
    CustomSectionReader, FuncType, FunctionBody, KnownCustom, Name, Parser, Payload, TypeRef, ValType,
};

/// The number under which the host is asked.
pub(crate) const MATCH_ID: i32 = -1;

const FUNCTION: &str = "opa_regex_match";
const IMPORT: (&str, &str) = ("env", "opa_builtin2");
const HEADER_BYTES: usize = 8;
const CODE_SECTION: u8 = 10;

/// The module with the call, or `None` where it has no such function or is built otherwise than OPA builds.
pub(crate) fn redirect(wasm: &[u8]) -> Option<Vec<u8>> {
    let layout = Layout::of(wasm)?;
    let (import, target) = (layout.import?, layout.target?);
    let fits = layout.takes_words(import, 4) && layout.takes_words(target, 2);
    let place = target.checked_sub(layout.imported).filter(|_| fits)?;
    let asking = asking(layout.bodies.get(place)?, u32::try_from(import).ok()?)?;
    Some(layout.with_body(wasm, place, &asking))
}

/// Where in a module the parts are.
#[derive(Default)]
struct Layout<'w> {
    types: Vec<FuncType>,
    /// The types of all functions; those that are imported come first.
    signatures: Vec<u32>,
    imported: usize,
    /// The number of the function that asks the host.
    import: Option<usize>,
    /// The number of the function that is to ask.
    target: Option<usize>,
    /// The code section with its head.
    code: Range<usize>,
    bodies: Vec<FunctionBody<'w>>,
}

impl<'w> Layout<'w> {
    fn of(wasm: &'w [u8]) -> Option<Layout<'w>> {
        let (mut layout, mut end) = (Layout::default(), HEADER_BYTES);
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload.ok()?;
            let section = payload.as_section();
            if let Payload::CodeSectionStart { range, .. } = &payload {
                layout.code = end..range.end;
            }
            layout.read(payload)?;
            end = section.map_or(end, |(_, range)| range.end);
        }
        Some(layout)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "what stands in other sections stays as it is")]
    fn read(&mut self, payload: Payload<'w>) -> Option<()> {
        match payload {
            Payload::TypeSection(section) => {
                self.types = section.into_iter_err_on_gc_types().collect::<Result<_, _>>().ok()?;
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.ok()?;
                    let TypeRef::Func(signature) = import.ty else { continue };
                    if (import.module, import.name) == IMPORT {
                        self.import = Some(self.signatures.len());
                    }
                    self.signatures.push(signature);
                }
                self.imported = self.signatures.len();
            }
            Payload::FunctionSection(section) => {
                self.signatures.extend(section.into_iter().collect::<Result<Vec<_>, _>>().ok()?);
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => self.target = self.target.or(named(&section)),
            _ => {}
        }
        Some(())
    }

    /// Whether the function takes so many 32-bit words and gives one.
    fn takes_words(&self, function: usize, count: usize) -> bool {
        let signature = self.signatures.get(function).and_then(|&number| self.types.get(number as usize));
        signature.is_some_and(|signature| {
            let words =
                signature.params().iter().chain(signature.results()).all(|kind| *kind == ValType::I32);
            words && signature.params().len() == count && signature.results().len() == 1
        })
    }

    /// The module with another body in one place.
    fn with_body(&self, wasm: &[u8], place: usize, body: &[u8]) -> Vec<u8> {
        let mut code = Vec::with_capacity(self.code.len() + body.len());
        leb(&mut code, self.bodies.len());
        for (at, old) in self.bodies.iter().enumerate() {
            let bytes = if at == place { body } else { old.as_bytes() };
            leb(&mut code, bytes.len());
            code.extend_from_slice(bytes);
        }
        let mut module = wasm[..self.code.start].to_vec();
        module.push(CODE_SECTION);
        leb(&mut module, code.len());
        module.extend_from_slice(&code);
        module.extend_from_slice(&wasm[self.code.end..]);
        module
    }
}

/// The number of the function that bears the name, if this section names functions.
fn named(section: &CustomSectionReader<'_>) -> Option<usize> {
    let KnownCustom::Name(names) = section.as_known() else { return None };
    for names in names {
        if let Name::Function(functions) = names.ok()? {
            let found = functions.into_iter().filter_map(Result::ok).find(|naming| naming.name == FUNCTION);
            return found.map(|naming| naming.index as usize);
        }
    }
    None
}

/// The body with the question before it. The answer needs a local, which comes after those that are there.
fn asking(body: &FunctionBody<'_>, import: u32) -> Option<Vec<u8>> {
    const PARAMETERS: u32 = 2;
    let mut locals = body.get_locals_reader().ok()?;
    let groups = locals.get_count();
    let answer = (0..groups).try_fold(PARAMETERS, |sum, _| sum.checked_add(locals.read().ok()?.0))?;
    let (declared, code) = body.as_bytes().split_at(locals.original_position() - body.range().start);
    let mut asking = Vec::with_capacity(body.range().len() + 64);
    leb(&mut asking, groups as usize + 1);
    asking.extend_from_slice(&declared[leb_bytes(declared)?..]);
    asking.extend_from_slice(&[1, op::I32]);
    asking.extend_from_slice(&[op::I32_CONST, MATCH_ID_LEB, op::I32_CONST, 0]);
    asking.extend_from_slice(&[op::LOCAL_GET, 0, op::LOCAL_GET, 1]);
    with_index(&mut asking, op::CALL, import);
    with_index(&mut asking, op::LOCAL_TEE, answer);
    asking.extend_from_slice(&[op::IF, op::NO_VALUE]);
    with_index(&mut asking, op::LOCAL_GET, answer);
    asking.extend_from_slice(&[op::RETURN, op::END]);
    asking.extend_from_slice(code);
    Some(asking)
}

/// [`MATCH_ID`] as a signed LEB128.
const MATCH_ID_LEB: u8 = 0x7f;

/// The few instructions that are needed.
mod op {
    pub(super) const IF: u8 = 0x04;
    pub(super) const END: u8 = 0x0b;
    pub(super) const RETURN: u8 = 0x0f;
    pub(super) const CALL: u8 = 0x10;
    pub(super) const LOCAL_GET: u8 = 0x20;
    pub(super) const LOCAL_TEE: u8 = 0x22;
    pub(super) const I32_CONST: u8 = 0x41;
    pub(super) const NO_VALUE: u8 = 0x40;
    pub(super) const I32: u8 = 0x7f;
}

fn with_index(code: &mut Vec<u8>, instruction: u8, index: u32) {
    code.push(instruction);
    leb(code, index as usize);
}

/// Appends an unsigned LEB128.
fn leb(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// How many bytes the LEB128 at the beginning has.
fn leb_bytes(bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| byte & 0x80 == 0).map(|last| last + 1)
}

#[cfg(test)]
mod tests;
