//! x
use super::{Family, operand};
pub(super) const FAMILY: Family = &[("sprintf", |_, o| Ok(crate::value::Value::from(format!("{} {}", operand::string(o,0)?, operand::any(o,1)?))))];
