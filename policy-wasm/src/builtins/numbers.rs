//! Ranges and chance.

use aws_lc_rs::rand;

use super::{Family, Fault, Outcome, Scope, operand, uuid};
use crate::value::Value;

pub(super) const FAMILY: Family = &[
    ("numbers.range_step", range_step),
    ("rand.intn", rand_intn),
    ("uuid.parse", uuid::parse),
    ("uuid.rfc4122", uuid::rfc4122),
];

const RANGE_MAX: usize = 100_000;

fn range_step(_: &mut Scope, operands: &[Value]) -> Outcome {
    let (from, to) = (operand::wide_integer(operands, 0)?, operand::wide_integer(operands, 1)?);
    let step = operand::wide_integer(operands, 2)?;
    if step <= 0 {
        return Err(Fault::Undefined("the step must be positive"));
    }
    let step = if from <= to { step } else { -step };
    let inside = |next: &i128| if from <= to { *next <= to } else { *next >= to };
    let range = std::iter::successors(Some(from), |last| last.checked_add(step)).take_while(inside);
    let values: Vec<Value> = range.take(RANGE_MAX + 1).map(|number| Value::Number(number.into())).collect();
    if values.len() > RANGE_MAX {
        Err(Fault::Halt("the range is too long"))
    } else {
        Ok(Value::Array(values))
    }
}

/// The same text and bound give the same number within an evaluation.
fn rand_intn(scope: &mut Scope, operands: &[Value]) -> Outcome {
    operand::string(operands, 0)?;
    let bound = operand::integer(operands, 1)?.unsigned_abs();
    if bound == 0 {
        return Ok(0.into());
    }
    scope.drawn_once("rand.intn", operands, || {
        let mut random = [0; 8];
        rand::fill(&mut random).map_err(|_| Fault::Undefined("there is no randomness"))?;
        let number = (u128::from(u64::from_ne_bytes(random)) * u128::from(bound)) >> u64::BITS;
        Ok(Value::from(i64::try_from(number).unwrap_or(i64::MAX)))
    })
}
