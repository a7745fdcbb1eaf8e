//! `print` and `trace` go into the decision's trace, never to standard output.

use super::{Family, Outcome, Scope, operand};
use crate::value::Value;

pub(super) const FAMILY: Family = &[("internal.print", print), ("print", print), ("trace", trace)];

const LINES_MAX: usize = 16;

/// The compiler wraps each operand into a set, empty where the operand is undefined; several values make several lines.
fn print(scope: &mut Scope, operands: &[Value]) -> Outcome {
    let mut lines = vec![String::new()];
    for operand in operand::array(operands, 0)? {
        let shown: Vec<String> = match operand.as_set() {
            Some(values) if values.is_empty() => vec!["<undefined>".to_owned()],
            Some(values) => values.iter().map(Value::to_plain).collect(),
            None => vec![operand.to_plain()],
        };
        let longer = |line: &String| {
            let space = if line.is_empty() { "" } else { " " };
            shown.iter().map(|value| format!("{line}{space}{value}")).collect::<Vec<_>>()
        };
        lines = lines.iter().flat_map(longer).take(LINES_MAX).collect();
    }
    lines.into_iter().for_each(|line| scope.trace.note(line));
    Ok(true.into())
}

fn trace(scope: &mut Scope, operands: &[Value]) -> Outcome {
    scope.trace.note(operand::string(operands, 0)?);
    Ok(true.into())
}
