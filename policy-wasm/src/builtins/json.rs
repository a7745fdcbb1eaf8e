//! x
use super::Family;
pub(super) const FAMILY: Family = &[];
