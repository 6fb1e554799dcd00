//! The lines of operations inside statements of several lines.
//!
//! Compiled code and regions have the lines of statements. What is below that is read from the source
//! again, once, when the first error asks for it: programs that do not fail pay nothing but the memory
//! of their text.

use std::collections::HashMap;
use std::sync::OnceLock;

use piccolo::MetaMethod;

use crate::vm::large_stack::on_large_stack;
use crate::vm::places::Kind;
use crate::vm::syntax_error::{self, Spot};

/// More operations than that are not told apart by their names: a statement may have thousands, and they are looked
/// through in one step of the VM.
const MAX_NAMED: usize = 8;

/// The names of an operation's operands, where they have any.
pub(crate) type Names<'a> = [Option<&'a [u8]>; 2];

/// Finds lines in one program.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    source: Box<[u8]>,
    /// The operations of statements of several lines, by the first of these.
    spots: OnceLock<HashMap<u64, Vec<Spot>>>,
}

impl Lines {
    pub(crate) fn of(source: &[u8]) -> Self {
        Self { source: source.into(), spots: OnceLock::new() }
    }

    /// Reads the source. Whoever runs the program may have a small stack, and deeply nested source takes a large one.
    fn read(&self) -> HashMap<u64, Vec<Spot>> {
        on_large_stack(|| of_several_lines(&self.source)).unwrap_or_default()
    }

    /// The line of an operation of the statement that begins at line `statement`: of the first with one of these
    /// `operands`, or if they have no names, of all of its kind when these are on one line.
    pub(crate) fn line<'a>(
        &self,
        statement: u64,
        kind: Kind,
        operands: impl Iterator<Item = Names<'a>>,
    ) -> Option<u64> {
        let spots = self.spots.get_or_init(|| self.read()).get(&statement)?;
        let spots = || spots.iter().filter(|spot| spot.kind == kind);
        let operands: Vec<Names<'_>> = operands.take(MAX_NAMED + 1).collect();
        let are_told_apart = |names: &Names<'_>| names.iter().any(Option::is_some) || has_exact_names(kind);
        let are_named = operands.len() <= MAX_NAMED && operands.iter().all(are_told_apart);
        let named = spots().filter(|spot| operands.iter().any(|names| has_names(spot, names)));
        let first_named = if are_named { named.map(|spot| spot.line).min() } else { None };
        first_named.or_else(|| {
            let mut lines = spots().map(|spot| spot.line);
            let first = lines.next()?;
            lines.all(|line| line == first).then_some(first)
        })
    }
}

fn of_several_lines(source: &[u8]) -> HashMap<u64, Vec<Spot>> {
    let mut statements: HashMap<u64, Vec<Spot>> = HashMap::new();
    for spot in syntax_error::operations(source) {
        statements.entry(spot.statement).or_default().push(spot);
    }
    statements.retain(|statement, spots| spots.iter().any(|spot| spot.line != *statement));
    statements
}

/// Whether the operation's operands have these names. One that has no name may be anything, where the grammar may call
/// it something.
fn has_names(spot: &Spot, names: &Names<'_>) -> bool {
    let may_be_anything = !has_exact_names(spot.kind);
    let mut both = spot.names.iter().zip(names);
    both.all(|(found, wanted)| (wanted.is_none() && may_be_anything) || found.as_deref() == *wanted)
}

/// Whether the grammar gives the operand of such an operation no other name than the tree does. An operator's may be what
/// a longer operand ends in.
fn has_exact_names(kind: Kind) -> bool {
    matches!(kind, Kind::Operator(MetaMethod::Call | MetaMethod::Index | MetaMethod::NewIndex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_source_is_read_for_a_program_on_a_small_stack() {
        const STACK_BYTES: usize = 256 * 1024;
        for (open, close) in [
            ("(", ")"),
            ("{", "}"),
            ("f(", ")"),
            ("a[", "]"),
            ("not ", ""),
            ("function() return ", " end"),
            ("{ f = function() return ", " end }"),
        ] {
            let source = format!("x =\n{}a.b{}", open.repeat(250), close.repeat(250));
            let looked_up = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
                let lines = Lines::of(source.as_bytes());
                lines.line(1, Kind::Operator(MetaMethod::Index), std::iter::empty())
            });
            looked_up.unwrap().join().unwrap();
        }
    }
}
