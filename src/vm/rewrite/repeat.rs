//! Gives the statements in the body of a `repeat` their lines.
//!
//! The VM's compiler notes the line of each statement of a block, but not in the body of a `repeat`, so that what
//! failed in a native there, `error` above all, was on the line of the `repeat`. At the end of a block it does note one:
//! an empty `do end` before each statement, which ends on the line of that, is no instruction and sets its line.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{Chunk, LineAnnotated, RepeatStatement, Statement};

use super::build::{at, empty_block};
use super::edit::{Edit, edit_statement};
use crate::vm::program::Text;

/// Rewrites the chunk, to which no statement may be added later.
pub(super) fn keep_lines(chunk: &mut Chunk<Text>) {
    LineKeeper.block(&mut chunk.block);
}

struct LineKeeper;

impl Edit for LineKeeper {
    fn statement(&mut self, statement: &mut Statement<Text>, _: LineNumber) {
        edit_statement(self, statement);
        if let Statement::Repeat(repeat) = statement {
            set_lines(repeat);
        }
    }
}

fn set_lines(repeat: &mut RepeatStatement<Text>) {
    let body = &mut repeat.body;
    // The condition, or what is returned, follows.
    let last = body.return_statement.as_ref().map_or(body.closed_on, |statement| statement.line_number);
    let statements = std::mem::take(&mut body.statements);
    body.statements = statements.into_iter().flat_map(|inner| [line(inner.line_number), inner]).collect();
    body.statements.push(line(last));
}

fn line(number: LineNumber) -> LineAnnotated<Statement<Text>> {
    at(number, Statement::Do(empty_block(number)))
}
