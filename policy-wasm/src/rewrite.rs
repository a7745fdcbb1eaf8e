//! OPA's modules, changed so that their state after the start can be taken once and given to every instance.
//!
//! The code stays as it is, byte for byte. What changes is round it: the start function becomes an export that the host
//! calls, the data segments go to the host, and every global that can change is exported. So the machine code depends
//! neither on the policy's data nor on the snapshot, and is compiled once for all of them.

mod code;

use std::ops::Range;

use wasm_encoder::{ExportKind, ExportSection, RawSection};
use wasmparser::{
    BinaryReaderError, Data, DataKind, DataSectionReader, Export, ExportSectionReader, ExternalKind,
    GlobalType, Operator, Parser, Payload, TypeRef, ValType,
};

pub(crate) use code::leaves_tables_alone;

/// What the host exports from a module begins with this; OPA's names never do.
const OURS: &str = "claviger:";
const START: &str = "claviger:start";
const GLOBAL: &str = "claviger:global:";

/// A module without a start of its own, and what it expects in its memory.
pub(crate) struct Rewritten {
    /// The module.
    pub(crate) wasm: Vec<u8>,
    /// What the data segments hold, in their order.
    pub(crate) segments: Vec<Segment>,
}

/// A part of the memory that the module does not compute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) address: u32,
    pub(crate) bytes: Vec<u8>,
}

/// The export that the host calls in place of the start function.
pub(crate) fn start_export() -> &'static str {
    START
}

/// Whether an export is a global that [`rewritten`] exported.
pub(crate) fn is_state(export: &str) -> bool {
    export.starts_with(GLOBAL)
}

/// The module rewritten, or `None` where it has anything that OPA's modules do not have: then it is to be used as it is.
pub(crate) fn rewritten(wasm: &[u8]) -> Option<Rewritten> {
    let outline = Outline::read(wasm).ok()??;
    let segments = segments(outline.data.clone()?)?;
    Some(Rewritten { wasm: outline.write(wasm)?, segments })
}

/// A module's sections, as far as they matter here.
#[derive(Default)]
struct Outline<'a> {
    /// Those that stay, in order.
    kept: Vec<(u8, Range<usize>)>,
    exports: Vec<Export<'a>>,
    /// The numbers of globals that can change.
    mutable: Vec<u32>,
    start: Option<u32>,
    data: Option<DataSectionReader<'a>>,
}

const EXPORT_SECTION: u8 = 7;

impl<'a> Outline<'a> {
    /// `None` where the module is not of OPA's shape.
    fn read(wasm: &'a [u8]) -> Result<Option<Outline<'a>>, BinaryReaderError> {
        let mut outline = Outline::default();
        for payload in Parser::new(0).parse_all(wasm) {
            if !outline.take(payload?)? {
                return Ok(None);
            }
        }
        Ok(Some(outline))
    }

    /// Whether the section is one that is known.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what is not known is not rewritten")]
    fn take(&mut self, payload: Payload<'a>) -> Result<bool, BinaryReaderError> {
        let section = payload.as_section();
        match payload {
            Payload::Version { .. }
            | Payload::End(_)
            | Payload::CustomSection(_)
            | Payload::CodeSectionEntry(_) => return Ok(true),
            Payload::StartSection { func, .. } => {
                self.start = Some(func);
                return Ok(true);
            }
            Payload::DataSection(data) => {
                self.data = Some(data);
                return Ok(true);
            }
            Payload::ExportSection(exports) => self.exports = known_exports(exports)?,
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if !matches!(import?.ty, TypeRef::Func(_) | TypeRef::Memory(_)) {
                        return Ok(false);
                    }
                }
            }
            Payload::GlobalSection(globals) => {
                for (index, global) in (0..).zip(globals) {
                    match global?.ty {
                        GlobalType { mutable: false, .. } => {}
                        GlobalType { content_type: ValType::I32 | ValType::I64, shared: false, .. } => {
                            self.mutable.push(index);
                        }
                        _ => return Ok(false),
                    }
                }
            }
            Payload::TypeSection(_)
            | Payload::FunctionSection(_)
            | Payload::TableSection(_)
            | Payload::ElementSection(_)
            | Payload::CodeSectionStart { .. } => {}
            _ => return Ok(false),
        }
        self.kept.extend(section);
        Ok(true)
    }

    fn write(&self, wasm: &[u8]) -> Option<Vec<u8>> {
        let taken = self.exports.iter().any(|export| export.name.starts_with(OURS));
        if taken || self.exports.is_empty() {
            return None;
        }
        let exports = self.all_exports()?;
        let mut module = wasm_encoder::Module::new();
        for (id, range) in &self.kept {
            match *id {
                EXPORT_SECTION => module.section(&exports),
                id => module.section(&RawSection { id, data: wasm.get(range.clone())? }),
            };
        }
        Some(module.finish())
    }

    fn all_exports(&self) -> Option<ExportSection> {
        let mut section = ExportSection::new();
        for export in &self.exports {
            section.export(export.name, kind_of(export.kind)?, export.index);
        }
        for &global in &self.mutable {
            section.export(&format!("{GLOBAL}{global}"), ExportKind::Global, global);
        }
        if let Some(start) = self.start {
            section.export(START, ExportKind::Func, start);
        }
        Some(section)
    }
}

fn known_exports(exports: ExportSectionReader<'_>) -> Result<Vec<Export<'_>>, BinaryReaderError> {
    exports.into_iter().collect()
}

fn kind_of(kind: ExternalKind) -> Option<ExportKind> {
    match kind {
        ExternalKind::Func => Some(ExportKind::Func),
        ExternalKind::Table => Some(ExportKind::Table),
        ExternalKind::Memory => Some(ExportKind::Memory),
        ExternalKind::Global => Some(ExportKind::Global),
        ExternalKind::Tag | ExternalKind::FuncExact => None,
    }
}

/// Only segments that are written at the start, to places that the module itself states.
fn segments(data: DataSectionReader<'_>) -> Option<Vec<Segment>> {
    data.into_iter().map(|segment| constant(&segment.ok()?)).collect()
}

fn constant(segment: &Data<'_>) -> Option<Segment> {
    let DataKind::Active { memory_index: 0, offset_expr } = &segment.kind else { return None };
    let mut operators = offset_expr.get_operators_reader();
    let Ok(Operator::I32Const { value }) = operators.read() else { return None };
    let Ok(Operator::End) = operators.read() else { return None };
    Some(Segment { address: value.cast_unsigned(), bytes: segment.data.to_vec() })
}

#[cfg(test)]
mod tests;
