//! Puts the pieces of rewriting together: the script's chunk becomes a function inside ours.
//!
//! ```text
//! local \0mark, \0track mark, \0concat, … = ...
//! \0track mark(function() return \0mark end)
//! return (function(...) SCRIPT end)()
//! ```
//!
//! The last line is a tail call, so our chunk is gone when the script starts and its variables
//! are the closed upvalues of the script's functions: the mark can be read at any time, also
//! while the VM is running. The script's own `...` is empty, as it is for any program that is
//! given no arguments.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    CallSuffix, Chunk, Expression, FunctionCallStatement, FunctionDefinition, PrimaryExpression,
    SimpleExpression, Statement, SuffixedExpression,
};

use super::build::{at, call, empty_block, local_statement, returning, simple, suffixed, variable};
use super::elseif::split_chains;
use super::environment::{ENVIRONMENT, free_environment};
use super::library::Facts;
use super::marks::{mark_variable, set_marks};
use super::operators::{HiddenNative, bind_operators};
use super::repeat::keep_lines;
use super::resolve::name_locals;
use super::targets::keep_targets;
use crate::vm::names::Names;
use crate::vm::places::Places;
use crate::vm::program::Text;

/// Our own statements are on the first line.
const LINE: LineNumber = LineNumber(0);

/// Rewrites the whole program, which was parsed from `source`. Returns the natives that the new chunk takes as its arguments,
/// behind the initial mark, and what the marks mean. A `traced` program knows its callers.
pub(crate) fn rewrite(
    chunk: &mut Chunk<Text>,
    (script, source): (&str, &[u8]),
    names: &Names,
    traced: bool,
) -> (Vec<HiddenNative>, Places) {
    let facts = Facts::of(names, traced);
    split_chains(chunk, source);
    name_locals(chunk, &facts);
    keep_targets(chunk);
    let mut natives = bind_operators(chunk, &facts);
    let places = set_marks(chunk, (script, source), &facts, &mut natives);
    keep_lines(chunk);
    if names.mentions(ENVIRONMENT) {
        free_environment(chunk);
    }
    natives.insert(0, HiddenNative::TrackMark);
    let closed_on = chunk.block.closed_on;
    let script = std::mem::replace(&mut chunk.block, empty_block(closed_on));
    let names: Vec<Text> =
        std::iter::once(mark_variable()).chain(natives.iter().map(|native| native.variable())).collect();
    let bind = local_statement(&names, vec![simple(SimpleExpression::VarArgs)]);
    let mut read_mark = empty_block(closed_on);
    read_mark.return_statement = Some(at(LINE, returning(vec![variable(&mark_variable())])));
    let track = Statement::FunctionCall(FunctionCallStatement {
        head: suffixed(&HiddenNative::TrackMark.variable()),
        call: CallSuffix::Function(vec![function(read_mark)]),
    });
    let run = SuffixedExpression {
        primary: PrimaryExpression::GroupedExpression(function(script)),
        suffixes: Vec::new(),
    };
    chunk.block.statements = vec![at(LINE, bind), at(LINE, track)];
    chunk.block.return_statement = Some(at(LINE, returning(vec![call(run, Vec::new())])));
    (natives, places)
}

fn function(body: piccolo::compiler::parser::Block<Text>) -> Expression<Text> {
    let definition = FunctionDefinition { parameters: Vec::new(), has_varargs: true, body };
    simple(SimpleExpression::Function(definition))
}
