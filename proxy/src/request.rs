//! The canonical request: the one view that policy and wire both see.

pub mod authority;
pub mod headers;
pub mod path;
pub mod query;
