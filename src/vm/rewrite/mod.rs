//! Passes over a program's syntax tree, between the parser and the code generator.
//!
//! The VM's compiler and interpreter are not ours and are not safe for strangers' programs as
//! they stand. The syntax tree is where that is mended without a fork: programs of a dangerous
//! shape are refused ([`check_shape`]), and operators that the interpreter can't bound are turned
//! into calls of natives that can ([`bind_operators`]).

mod definitions;
mod operators;
mod shape;
mod walk;

pub(crate) use definitions::defines_global_function;
pub(crate) use operators::{HiddenNative, bind_operators};
pub(crate) use shape::check_shape;
pub(crate) use walk::{Visitor, walk_chunk};
