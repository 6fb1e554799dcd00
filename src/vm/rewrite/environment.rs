//! Makes `_ENV` an ordinary name, as it is in Lua 5.1.
//!
//! The VM's compiler takes global variables for fields of the variable `_ENV`, as later versions of Lua do, so that
//! `_ENV = nil` left a script without any. The global variable of that name is the field `_ENV` of that table: this
//! pass writes it so, and in no other variable. Locals have [names](super::locals) of their own by then.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, Chunk, FieldSuffix, PrimaryExpression, Statement, SuffixPart, SuffixedExpression,
};

use super::build::suffixed;
use super::edit::{Edit, edit_statement, edit_suffixed, edit_target};
use crate::vm::program::Text;

/// The variable that the compiler finds global variables in.
pub(super) const ENVIRONMENT: &[u8] = b"_ENV";

/// Rewrites the chunk. Whoever looks at it later would take the variable for a field.
pub(super) fn free_environment(chunk: &mut Chunk<Text>) {
    Freer.block(&mut chunk.block);
}

struct Freer;

impl Edit for Freer {
    fn statement(&mut self, statement: &mut Statement<Text>, _: LineNumber) {
        if let Statement::Function(s) = statement
            && &*s.name == ENVIRONMENT
        {
            s.fields.insert(0, ENVIRONMENT.into());
        }
        edit_statement(self, statement);
    }

    fn target(&mut self, target: &mut AssignmentTarget<Text>) {
        match target {
            AssignmentTarget::Name(name) if &**name == ENVIRONMENT => {
                let field = FieldSuffix::Named(ENVIRONMENT.into());
                *target = AssignmentTarget::Field(suffixed(ENVIRONMENT), field);
            }
            target => edit_target(self, target),
        }
    }

    fn suffixed(&mut self, expression: &mut SuffixedExpression<Text>) {
        edit_suffixed(self, expression);
        if matches!(&expression.primary, PrimaryExpression::Name(name) if &**name == ENVIRONMENT) {
            expression.suffixes.insert(0, SuffixPart::Field(FieldSuffix::Named(ENVIRONMENT.into())));
        }
    }
}
