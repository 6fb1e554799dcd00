//! Puts the pieces of rewriting together: the script's chunk becomes a function inside ours.
//!
//! ```text
//! local \0line, \0track lines, \0concat, … = ...
//! \0track lines(function() return \0line end)
//! return (function(...) SCRIPT end)()
//! ```
//!
//! The last line is a tail call, so our chunk is gone when the script starts and its variables
//! are the closed upvalues of the script's functions: the line can be read at any time, also
//! while the VM is running. The script's own `...` is empty, as it is for any program that is
//! given no arguments.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    Block, CallSuffix, Chunk, Expression, FunctionCallStatement, FunctionDefinition, HeadExpression,
    LineAnnotated, LocalAttributes, LocalStatement, PrimaryExpression, ReturnStatement, SimpleExpression,
    Statement, SuffixPart, SuffixedExpression,
};

use super::lines::{line_variable, track_lines};
use super::operators::{HiddenNative, bind_operators, simple};
use crate::vm::names::Names;
use crate::vm::program::Text;

/// Rewrites the whole program. Returns the natives that the new chunk takes as its arguments,
/// behind the initial value of the line.
pub(crate) fn rewrite(chunk: &mut Chunk<Text>, names: &Names) -> Vec<HiddenNative> {
    // In full, or put together from its parts.
    let own_modulo = names.mentions("__mod") || names.mentions("mod");
    let mut natives = bind_operators(chunk, own_modulo);
    track_lines(chunk);
    natives.insert(0, HiddenNative::TrackLines);
    let closed_on = chunk.block.closed_on;
    let script = std::mem::replace(&mut chunk.block, empty(closed_on));
    let names = std::iter::once(line_variable()).chain(natives.iter().map(|native| native.variable()));
    let bind = Statement::LocalStatement(LocalStatement {
        names: names.map(|name| (name, LocalAttributes::NONE)).collect(),
        values: vec![simple(SimpleExpression::VarArgs)],
    });
    let read_line = Block {
        return_statement: Some(annotated(ReturnStatement { returns: vec![name(line_variable())] })),
        ..empty(closed_on)
    };
    let track = Statement::FunctionCall(FunctionCallStatement {
        head: SuffixedExpression {
            primary: PrimaryExpression::Name(HiddenNative::TrackLines.variable()),
            suffixes: Vec::new(),
        },
        call: CallSuffix::Function(vec![function(read_line)]),
    });
    let run = SuffixedExpression {
        primary: PrimaryExpression::GroupedExpression(function(script)),
        suffixes: vec![SuffixPart::Call(CallSuffix::Function(Vec::new()))],
    };
    let returns = vec![simple(SimpleExpression::Suffixed(run))];
    chunk.block = Block {
        statements: vec![annotated(bind), annotated(track)],
        return_statement: Some(annotated(ReturnStatement { returns })),
        closed_on,
    };
    natives
}

fn empty(closed_on: LineNumber) -> Block<Text> {
    Block { statements: Vec::new(), return_statement: None, closed_on }
}

fn annotated<T>(inner: T) -> LineAnnotated<T> {
    LineAnnotated::new(LineNumber(0), inner)
}

fn name(name: Text) -> Expression<Text> {
    let primary = PrimaryExpression::Name(name);
    simple(SimpleExpression::Suffixed(SuffixedExpression { primary, suffixes: Vec::new() }))
}

fn function(body: Block<Text>) -> Expression<Text> {
    let definition = FunctionDefinition { parameters: Vec::new(), has_varargs: true, body };
    Expression {
        head: Box::new(HeadExpression::Simple(SimpleExpression::Function(definition))),
        tail: Vec::new(),
    }
}
