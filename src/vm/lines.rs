//! The lines of operations inside statements of several lines.
//!
//! Compiled code and regions have the lines of statements. What is below that is read from the source
//! again, once, when the first error asks for it: programs that do not fail pay nothing but the memory
//! of their text.

use std::sync::OnceLock;

use piccolo::MetaMethod;

use crate::vm::large_stack::on_large_stack;
use crate::vm::places::Kind;
use crate::vm::syntax_error::{self, NameAt, Spot};

/// More operations than that are not told apart by their names: a statement may have thousands, and they are looked
/// through in one step of the VM.
const MAX_NAMED: usize = 8;

/// The names of an operation's operands, where they have any.
pub(crate) type Names<'a> = [Option<&'a [u8]>; 2];

/// Finds lines in one program.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    source: Box<[u8]>,
    /// The operations of statements of several lines, in the order of the first of these.
    spots: OnceLock<Vec<Spot>>,
}

impl Lines {
    pub(crate) fn of(source: &[u8]) -> Self {
        Self { source: source.into(), spots: OnceLock::new() }
    }

    /// Reads the source. Whoever runs the program may have a small stack, and deeply nested source takes a large one.
    fn read(&self) -> Vec<Spot> {
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
        let spots = self.of_statement(statement);
        let spots = || spots.iter().filter(|spot| spot.kind == kind);
        let operands: Vec<Names<'_>> = operands.take(MAX_NAMED + 1).collect();
        let are_told_apart = |names: &Names<'_>| names.iter().any(Option::is_some) || has_exact_names(kind);
        let are_named = operands.len() <= MAX_NAMED && operands.iter().all(are_told_apart);
        let named = spots().filter(|spot| operands.iter().any(|names| self.has_names(spot, names)));
        let first_named = if are_named { named.map(|spot| spot.line).min() } else { None };
        let line = first_named.or_else(|| {
            let mut lines = spots().map(|spot| spot.line);
            let first = lines.next()?;
            lines.all(|line| line == first).then_some(first)
        });
        line.map(u64::from)
    }

    /// The operations of the statement that begins at line `statement`, when it has several lines.
    fn of_statement(&self, statement: u64) -> &[Spot] {
        let spots = self.spots.get_or_init(|| self.read());
        let start = spots.partition_point(|spot| u64::from(spot.statement) < statement);
        let end = spots.partition_point(|spot| u64::from(spot.statement) <= statement);
        spots.get(start..end).unwrap_or_default()
    }

    /// Whether the operation's operands have these names. One that has no name may be anything, where the grammar may
    /// call it something.
    fn has_names(&self, spot: &Spot, names: &Names<'_>) -> bool {
        let may_be_anything = !has_exact_names(spot.kind);
        let is_meant = |(found, wanted): (&NameAt, &Option<&[u8]>)| match wanted {
            Some(wanted) => found.is(&self.source, wanted),
            None => may_be_anything || found.is_none(),
        };
        spot.names.iter().zip(names).all(is_meant)
    }
}

fn of_several_lines(source: &[u8]) -> Vec<Spot> {
    /// Where no statement begins.
    const NO_LINE: u32 = 0;
    let mut spots = syntax_error::operations(source);
    // All of it in place: a map of lists took as much again, at a time when there may be little.
    spots.sort_unstable_by_key(|spot| spot.statement);
    for statement in spots.chunk_by_mut(|a, b| a.statement == b.statement) {
        if statement.iter().all(|spot| spot.line == spot.statement) {
            statement.iter_mut().for_each(|spot| spot.statement = NO_LINE);
        }
    }
    spots.retain(|spot| spot.statement != NO_LINE);
    spots.shrink_to_fit();
    spots
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
