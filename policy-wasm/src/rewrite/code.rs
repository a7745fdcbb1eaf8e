//! What a module's code may do so that memory and globals are all of its state.

use wasmparser::{BinaryReaderError, Operator, Parser, Payload};

/// Whether no function changes a table or drops a segment: a snapshot could not show that.
pub(crate) fn leaves_tables_alone(wasm: &[u8]) -> bool {
    tables_are_left_alone(wasm).unwrap_or(false)
}

fn tables_are_left_alone(wasm: &[u8]) -> Result<bool, BinaryReaderError> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::CodeSectionEntry(body) = payload? {
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                if hides_state(&operators.read()?) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn hides_state(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::TableSet { .. }
            | Operator::TableGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::ElemDrop { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
    )
}
