//! The interpreter, the engine and the package itself, from outside; runs with any set of features.
//!
//! - `child`: a process of its own for each hostile script
//! - `comparators`: comparators that are followed sort like those that are called
//! - `convert`: requests into a data function and results out of it
//! - `embed`: the example for embedders does what it says
//! - `engine`: commands, data functions, hot reload and the goop API, without a node
//! - `fixtures`: sample data is what its README says
//! - `fuel`: what each native charges, against a table
//! - `harness`: scripts give what their headers expect, here and in the reference interpreter
//! - `hazards`: whatever a hostile script tries, it is stopped and the next one runs
//! - `layering`: imports point downward, and the interpreter reaches nothing outside itself
//! - `limits`: every limit from both sides
//! - `measure`: runs one script and measures it
//! - `memory_ends`: a memory limit at every place
//! - `lua_reference`: `docs/lua.md` says what is: its examples, functions, differences and numbers
//! - `no_c`: the core needs no C compiler
//! - `spec_scripts`: the specification's own scripts compile as they are
//! - `stopped`: runs scripts that must be stopped, for the other modules
//! - `traceback`: the functions that an error went through

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy.toml covers only functions marked #[test], not their helpers"
)]

mod child;
mod comparators;
mod convert;
mod embed;
mod engine;
mod fixtures;
mod fuel;
mod harness;
mod hazards;
mod layering;
mod limits;
mod lua_reference;
mod measure;
mod memory_ends;
mod no_c;
mod spec_scripts;
mod stopped;
mod traceback;
