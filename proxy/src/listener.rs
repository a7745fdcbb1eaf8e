//! Where requests come in.

pub mod screen;
