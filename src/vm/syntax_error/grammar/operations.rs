//! Notes where in a statement of several lines each operation stands, as reference Lua would number it.
//!
//! The parser's tree has the line of a statement and nothing below that, so that an error in a table
//! of twenty lines is at its first. The [grammar](super) sees every token, and writes down the line at
//! which the reference's code generator would make the instruction: of a call where its arguments
//! begin, of an operator where its last operand ends.

use piccolo::MetaMethod;

use super::Parser;
use crate::vm::places::Kind;
use crate::vm::syntax_error::tokens::is_of_name;

/// An operation and its line. It is small: a program may have thirty thousand, and they are looked for when a script
/// has failed that may hold all the memory it is allowed.
#[derive(Debug)]
pub(crate) struct Spot {
    /// The line on which its statement begins.
    pub(crate) statement: u32,
    pub(crate) line: u32,
    pub(crate) kind: Kind,
    /// The names of the variables or fields that are its operands.
    pub(crate) names: [NameAt; 2],
}

/// Where a name begins in the source, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameAt(u32);

impl NameAt {
    const NONE: Self = Self(u32::MAX);

    pub(crate) fn is_none(self) -> bool {
        self.0 == Self::NONE.0
    }

    /// Whether it is this name, in the source that it was found in.
    pub(crate) fn is(self, source: &[u8], name: &[u8]) -> bool {
        let rest = usize::try_from(self.0).ok().and_then(|start| source.get(start..)?.strip_prefix(name));
        rest.is_some_and(|rest| !rest.first().is_some_and(|byte| is_of_name(*byte)))
    }
}

/// What was read last of an expression.
#[derive(Default, Clone, Copy)]
pub(super) struct Operand<'s> {
    /// The name of the variable or field that it is.
    pub(super) name: Option<&'s str>,
    /// The number of the operation that takes it out of a table.
    pub(super) index: Option<usize>,
    /// The key under which it is there.
    pub(super) key: Key<'s>,
}

/// What stands between `[` and `]`.
#[derive(Default, Clone, Copy)]
pub(super) enum Key<'s> {
    /// A literal, or a name behind a dot: always a key that a table can have.
    #[default]
    Literal,
    /// What only the run knows, with the name of the variable or field that it is.
    Computed(Option<&'s str>),
}

impl<'s> Parser<'s> {
    fn note(&mut self, method: MetaMethod, names: [Option<&str>; 2], line: u64) {
        self.note_kind(Kind::Operator(method), names, line);
    }

    fn note_kind(&mut self, kind: Kind, names: [Option<&str>; 2], line: u64) {
        let names = names.map(|name| {
            let start = name.and_then(|name| u32::try_from(self.tokens.start_of(name)).ok());
            start.map_or(NameAt::NONE, NameAt)
        });
        self.spots.push(Spot { statement: short(self.statement), line: short(line), kind, names });
    }

    /// A value that has been read is stored under the value of `key`.
    pub(super) fn note_key(&mut self, key: Key<'_>) {
        if let Key::Computed(name) = key {
            self.note_kind(Kind::Key, [name, None], self.last_line);
        }
    }

    /// The header of a numeric `for` has been read, up to its `do`.
    pub(super) fn note_bounds(&mut self) {
        self.note_kind(Kind::Loop, [None, None], self.last_line);
    }

    /// What is called `base` was indexed with the `key` read last, which is `name` if it is one.
    pub(super) fn note_index(&mut self, base: Option<&str>, name: Option<&'s str>, key: Key<'s>) {
        self.operand = Operand { name, index: Some(self.spots.len()), key };
        self.note(MetaMethod::Index, [base, None], self.last_line);
    }

    /// What is called `callee` was called with arguments that begin at `line`.
    pub(super) fn note_call(&mut self, callee: Option<&str>, line: u64) {
        self.operand = Operand::default();
        self.note(MetaMethod::Call, [callee, None], line);
    }

    /// An operator was read: only now would the operand before it be taken out of its table.
    pub(super) fn note_operand_end(&mut self) {
        let line = self.last_line;
        if let Some(spot) = self.operand.index.and_then(|index| self.spots.get_mut(index)) {
            spot.line = short(line);
        }
    }

    /// These stood before the operand read last.
    pub(super) fn note_signs(&mut self, signs: &[&str]) {
        // Several of one kind are told apart by nothing.
        for (sign, method) in [("-", MetaMethod::Unm), ("#", MetaMethod::Len), ("~", MetaMethod::BNot)] {
            if signs.contains(&sign) {
                self.note(method, [self.operand.name, None], self.last_line);
            }
        }
        if !signs.is_empty() {
            self.operand = Operand::default();
        }
    }

    /// The operand read last stands right of `operator`, and what is called `left` at its left. All `..` of one
    /// `chain` are one operation, which is where the last of them ends.
    pub(super) fn note_binary(&mut self, operator: &str, left: Option<&str>, chain: &mut Vec<usize>) {
        let right = self.operand.name;
        let names = if operator.starts_with('>') { [right, left] } else { [left, right] };
        if let Some(method) = binary_method(operator) {
            self.note(method, names, self.last_line);
        }
        match operator {
            ".." => chain.push(self.spots.len() - 1),
            "and" | "or" | "<" | ">" | "<=" | ">=" | "==" | "~=" => self.note_chain_end(chain),
            _ => {}
        }
    }

    /// No more `..` belong to `chain`.
    pub(super) fn note_chain_end(&mut self, chain: &mut Vec<usize>) {
        let Some(last) = chain.last().map(|last| self.spots[*last].line) else { return };
        for at in chain.drain(..) {
            self.spots[at].line = last;
        }
    }

    /// The target read last is assigned to, with values that have been read.
    pub(super) fn note_assignment(&mut self, target: Operand<'_>) {
        let line = self.last_line;
        if let Some(spot) = target.index.and_then(|index| self.spots.get_mut(index)) {
            spot.kind = Kind::Operator(MetaMethod::NewIndex);
            spot.line = short(line);
            self.note_key(target.key);
        }
    }
}

/// A line, of which a source of 64 KB has no more than that.
fn short(line: u64) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

fn binary_method(operator: &str) -> Option<MetaMethod> {
    Some(match operator {
        "+" => MetaMethod::Add,
        "-" => MetaMethod::Sub,
        "*" => MetaMethod::Mul,
        "/" => MetaMethod::Div,
        "%" => MetaMethod::Mod,
        "^" => MetaMethod::Pow,
        "//" => MetaMethod::IDiv,
        ".." => MetaMethod::Concat,
        "<" | ">" => MetaMethod::Lt,
        "<=" | ">=" => MetaMethod::Le,
        "&" => MetaMethod::BAnd,
        "|" => MetaMethod::BOr,
        "~" => MetaMethod::BXor,
        "<<" => MetaMethod::Shl,
        ">>" => MetaMethod::Shr,
        _ => return None,
    })
}
