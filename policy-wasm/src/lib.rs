//! Evaluates Rego policies compiled to WebAssembly by OPA.
