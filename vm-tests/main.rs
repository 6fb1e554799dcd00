//! The interpreter, the engine and the package itself, from outside; runs with any set of features.
//!
//! - `engine`: commands, data functions, hot reload and the goop API, without a node
//! - `fixtures`: sample data is what its README says
//! - `harness`: scripts give what their headers expect, here and in the reference interpreter
//! - `layering`: imports point downward, and the interpreter reaches nothing outside itself
//! - `no_c`: the core needs no C compiler

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy.toml covers only functions marked #[test], not their helpers"
)]

mod engine;
mod fixtures;
mod harness;
mod layering;
mod no_c;
