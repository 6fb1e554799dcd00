//! `docs/lua.md` says what is.
//!
//! - `page`: the examples and tables on the page
//! - `ran`: one program, here and in the reference interpreter
//! - `examples`: each gives what it says
//! - `functions`: those listed are those that scripts find
//! - `differences`: from Lua 5.1, each is one
//! - `numbers`: the limits are those of the code

mod differences;
mod examples;
mod functions;
mod numbers;
mod page;
mod ran;
