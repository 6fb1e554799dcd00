//! Evaluates the targets of a multiple assignment before anything is assigned, as reference Lua does.
//!
//! The VM's compiler evaluates the table and the key of `t[k]` when it comes to store the value, so that in
//! `i, a[i] = i + 1, 20` or `list.next, prev, list = prev, list, list.next` they are those of after the first
//! stores. Where that can make a difference they are kept in variables of their own:
//!
//! ```text
//! do
//!     local table 1, key 1, … = a, i, …
//!     i, table 1[key 1] = i + 1, 20
//! end
//! ```
//!
//! A local variable that is no target itself is left where it is: the reference, too, looks at it when it stores.
//! The variables are counted in [`super::shape`].

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentStatement, AssignmentTarget, Chunk, Expression, FieldSuffix, FunctionDefinition,
    HeadExpression, PrimaryExpression, SimpleExpression, Statement, SuffixPart, SuffixedExpression,
};

use super::build::{at, empty_block, local_statement, simple, suffixed, variable};
use super::edit::{Edit, edit_statement};
use super::locals::local;
use super::look;
use crate::vm::places::Variable;
use crate::vm::program::Text;

/// The first bytes of the names of these variables; a number and what the script calls the value follow.
const KEPT: &[u8] = b"\0target ";

/// The kinds of names, by the letter that stands for them.
const KINDS: [(u8, &str); 4] = [(b'l', "local"), (b'u', "upvalue"), (b'g', "global"), (b'f', "field")];

/// Rewrites the chunk, whose locals are [named](super::locals) by what is known of them.
pub(super) fn keep_targets(chunk: &mut Chunk<Text>) {
    Keeper { depth: 0 }.block(&mut chunk.block);
}

/// What the script calls the value of a variable that this pass made.
pub(super) fn kept_name(name: &Text) -> Option<Variable> {
    let (_, described) = split_once(name.strip_prefix(KEPT)?, b' ')?;
    let (letter, name) = described.split_first()?;
    let (_, what) = KINDS.into_iter().find(|(kind, _)| kind == letter)?;
    Some(Variable { what, name: name.into() })
}

fn split_once(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == separator)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

struct Keeper {
    /// How many functions are around the code.
    depth: u8,
}

impl Edit for Keeper {
    fn function(&mut self, definition: &mut FunctionDefinition<Text>) {
        self.depth = self.depth.saturating_add(1);
        self.block(&mut definition.body);
        self.depth = self.depth.saturating_sub(1);
    }

    fn statement(&mut self, statement: &mut Statement<Text>, line: LineNumber) {
        edit_statement(self, statement);
        let Statement::Assignment(assignment) = statement else { return };
        if assignment.targets.len() < 2 {
            return;
        }
        let (names, values) = self.keep(assignment);
        if names.is_empty() {
            return;
        }
        let assignment = std::mem::replace(statement, Statement::Break);
        let mut block = empty_block(line);
        block.statements = vec![at(line, local_statement(&names, values)), at(line, assignment)];
        *statement = Statement::Do(block);
    }
}

impl Keeper {
    /// Puts variables in the places of tables and keys. Returns their names and values, in the order of the source.
    fn keep(&self, assignment: &mut AssignmentStatement<Text>) -> (Vec<Text>, Vec<Expression<Text>>) {
        let assigned: Vec<Text> = assignment
            .targets
            .iter()
            .filter_map(|target| match target {
                AssignmentTarget::Name(name) => Some(name.clone()),
                AssignmentTarget::Field(..) => None,
            })
            .collect();
        let (mut names, mut values) = (Vec::new(), Vec::new());
        let mut keep = |value: Expression<Text>, called: Option<(u8, Text)>| {
            let mut name = [KEPT, format!("{} ", names.len()).as_bytes()].concat();
            if let Some((letter, text)) = called {
                name.push(letter);
                name.extend_from_slice(&text);
            }
            let name: Text = name.into();
            names.push(name.clone());
            values.push(value);
            name
        };
        for target in &mut assignment.targets {
            let AssignmentTarget::Field(table, field) = target else { continue };
            if !self.stays(table, &assigned) {
                let called = self.called(table);
                let kept = std::mem::replace(table, suffixed(b""));
                *table = suffixed(&keep(simple(SimpleExpression::Suffixed(kept)), called));
            }
            if let FieldSuffix::Indexed(key) = field
                && !self.key_stays(key, &assigned)
            {
                let kept = std::mem::replace(key, variable(b""));
                *key = variable(&keep(kept, None));
            }
        }
        (names, values)
    }

    /// Whether the expression is a local variable of this function that is not assigned to here.
    fn stays(&self, expression: &SuffixedExpression<Text>, assigned: &[Text]) -> bool {
        let PrimaryExpression::Name(name) = &expression.primary else { return false };
        let is_own = local(name).is_some_and(|local| local.depth == self.depth);
        is_own && expression.suffixes.is_empty() && !assigned.contains(name)
    }

    fn key_stays(&self, key: &Expression<Text>, assigned: &[Text]) -> bool {
        let HeadExpression::Simple(head) = &*key.head else { return false };
        key.tail.is_empty()
            && match head {
                SimpleExpression::Suffixed(suffixed) => self.stays(suffixed, assigned),
                SimpleExpression::Function(_)
                | SimpleExpression::TableConstructor(_)
                | SimpleExpression::VarArgs => false,
                _ => true,
            }
    }

    /// What a message calls the value of the expression.
    fn called(&self, expression: &SuffixedExpression<Text>) -> Option<(u8, Text)> {
        match (&expression.primary, expression.suffixes.last()) {
            (PrimaryExpression::Name(name), None) => Some(match local(name) {
                Some(local) if local.depth == self.depth => (b'l', local.name.into()),
                Some(local) => (b'u', local.name.into()),
                None => (b'g', name.clone()),
            }),
            (_, Some(SuffixPart::Field(FieldSuffix::Named(name)))) => Some((b'f', name.clone())),
            (_, Some(SuffixPart::Field(FieldSuffix::Indexed(key)))) => {
                Some((b'f', look::text(key).cloned().unwrap_or_else(|| Text::from(&b"?"[..]))))
            }
            _ => None,
        }
    }
}
