//! Passes over a program's syntax tree, between the parser and the code generator.
//!
//! The VM's compiler and interpreter are not ours and are not safe for strangers' programs as
//! they stand. The syntax tree is where that is mended without a fork: programs of a dangerous
//! shape are refused ([`check_shape`]), operators that the interpreter can't bound are turned into
//! calls of natives that can, and the program is made to keep a mark of where it is ([`rewrite`]).
//!
//! [`rewrite`]: fn@rewrite

mod build;
mod chunk;
mod definitions;
mod edit;
mod elseif;
mod environment;
mod functions;
mod library;
mod locals;
mod look;
mod marks;
mod operations;
mod operators;
mod repeat;
mod resolve;
mod returns;
mod shape;
mod targets;
mod types;
mod walk;

pub(crate) use chunk::rewrite;
pub(crate) use definitions::defines_global_function;
pub(crate) use elseif::NoText;
pub(crate) use locals::{Type, script_name};
pub(crate) use look::call;
pub(crate) use operators::HiddenNative;
pub(crate) use shape::check_shape;
pub(crate) use walk::{Defined, Visitor, walk_chunk};
