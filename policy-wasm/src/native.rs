//! OPA's values as OPA's runtime lays them out in a module's memory, written and read without JSON in between.
//!
//! OPA does not promise this layout. Before a module serves, it is [tried](trial) whether what is built here is what the
//! module itself would have built; where it is not, the policy is spoken to in JSON.

mod builder;
mod bulk;
mod document;
mod hash;
mod layout;
mod reader;
mod text;
pub(crate) mod trial;
mod words;

pub(crate) use builder::{Builder, Fault, Scratch};
pub(crate) use bulk::{bytes_of, put};
pub(crate) use document::write as put_document;
pub(crate) use layout::{CONTEXT_BYTES, Constants, context};
pub(crate) use reader::{Budget, Flaw, Sets, read, sole_result, string};
pub(crate) use text::write as put_text;
pub(crate) use words::Words;

#[cfg(test)]
mod tests;
