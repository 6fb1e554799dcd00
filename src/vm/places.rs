//! Where in its script a program is, and what its operations work on, for messages.
//!
//! A running program carries a **mark**: an integer whose lowest bits number the *region* it is
//! in, a part of one function in which no two lines hold an operation of the same kind, or one that calls. The bits
//! above are the region its caller was in, and so on, for as many callers as 64 bits hold. When
//! an operation fails, its kind and the region give the line, and mostly the variable.
//!
//! The alternative, to write down the line before each statement, names no variables and costs
//! an assignment a line where a whole function can do with one.

use std::collections::HashSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use piccolo::MetaMethod;

use crate::vm::lines::{Lines, Names};
use crate::vm::program::Text;
use crate::vm::rewrite::Type;

/// What kind of operation failed. The VM tells as much of each of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An operator, a field's access or a call, by its metamethod.
    Operator(MetaMethod),
    /// A key that no table can have.
    Key,
    /// The bounds of a numeric `for`.
    Loop,
}

/// One operation that may fail.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Operation {
    pub(crate) kind: Kind,
    /// The line, counted from 1.
    pub(crate) line: u64,
    pub(crate) operands: Vec<Operand>,
    /// Whether it may call a function of the script that asks for its line.
    pub(crate) calls: bool,
}

/// What an operation works on.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Operand {
    /// The type of all its values, where it is known.
    pub(crate) holds: Option<Type>,
    pub(crate) name: Option<Variable>,
}

/// How the script names an operand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// `local`, `upvalue`, `global`, `field` or `method`.
    pub(crate) what: &'static str,
    pub(crate) name: Text,
}

/// The function that a region is a part of.
#[derive(Debug, Clone)]
pub(crate) struct FunctionPlace {
    /// What it is called in a traceback.
    pub(crate) name: String,
    /// Its lines.
    pub(crate) lines: RangeInclusive<u64>,
}

impl FunctionPlace {
    /// The name without what it is a field of; nothing for one without a name.
    fn own_name(&self) -> Option<&str> {
        let path = self.name.strip_prefix("function '")?.strip_suffix('\'')?;
        path.rsplit('.').next()
    }
}

/// A part of a function in which the kind of an operation gives its line.
#[derive(Debug)]
pub(crate) struct Region {
    /// Shared: a function may have a region for each of ten thousand lines.
    pub(crate) function: Arc<FunctionPlace>,
    operations: Vec<Operation>,
    /// The line of each kind there is.
    lines: Vec<(Kind, u64)>,
    /// The line of those that call, of whatever kind.
    calls: Option<u64>,
}

impl Region {
    /// A region of these operations, unless two lines have operations of one kind.
    pub(crate) fn of(function: &Arc<FunctionPlace>, operations: Vec<Operation>) -> Option<Self> {
        let mut region =
            Self { function: function.clone(), operations: Vec::new(), lines: Vec::new(), calls: None };
        region.add(operations).then_some(region)
    }

    /// Adds operations, if all of them can still be told apart. Returns whether they were added.
    pub(crate) fn add(&mut self, operations: Vec<Operation>) -> bool {
        let (lines, calls) = (self.lines.len(), self.calls);
        if operations.iter().all(|new| self.note_line(new)) {
            self.operations.extend(operations);
            return true;
        }
        self.lines.truncate(lines);
        self.calls = calls;
        false
    }

    /// Notes the line of an operation, unless another has to be told apart from it.
    fn note_line(&mut self, new: &Operation) -> bool {
        if new.calls && *self.calls.get_or_insert(new.line) != new.line {
            return false;
        }
        match self.lines.iter().find(|(kind, _)| *kind == new.kind) {
            Some((_, line)) => *line == new.line,
            None => {
                self.lines.push((new.kind, new.line));
                true
            }
        }
    }
}

/// All regions of a program.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) script: String,
    /// The width of one region's number in a mark.
    pub(crate) bits: u32,
    /// Region `n` of a mark is at `n - 1`; 0 is nowhere.
    pub(crate) regions: Vec<Region>,
    /// The lines and names of methods that are called, and not functions of the name.
    pub(crate) methods: HashSet<(u64, Text)>,
    /// What is on which line of a statement of several.
    pub(crate) lines: Lines,
}

/// Names that are listed when it is not known which of several variables is meant.
const MAX_NAMES: usize = 3;
/// The longest name that is put into a message, in bytes.
const MAX_NAME_BYTES: usize = 80;

impl Places {
    /// Whether `name` is called as a method on this line: its object is then no argument that the
    /// script would count.
    pub(crate) fn is_method(&self, line: u64, name: &str) -> bool {
        self.methods.contains(&(line, name.as_bytes().into()))
    }

    /// The region that the program is in, and those of its callers, innermost first.
    fn chain(&self, mark: i64) -> impl Iterator<Item = &Region> {
        let mut rest = mark.cast_unsigned();
        let mask = (1_u64 << self.bits) - 1;
        std::iter::from_fn(move || {
            let number = usize::try_from(rest & mask).ok()?;
            rest >>= self.bits;
            self.regions.get(number.checked_sub(1)?)
        })
    }

    /// The line of an operation that failed with operands of these types.
    pub(crate) fn line_of(&self, mark: i64, kind: Kind, found: &[&str]) -> Option<u64> {
        let region = self.chain(mark).next()?;
        match self.exact_line(candidates(region, kind, found)) {
            // An operation that was taken to be safe: the region's own place is near.
            None => region.operations.first().map(|operation| operation.line),
            line => line,
        }
    }

    /// The line of one of these operations, which are of one kind and one statement.
    fn exact_line<'a>(&self, operations: impl Iterator<Item = &'a Operation>) -> Option<u64> {
        let mut operations = operations.peekable();
        let first = *operations.peek()?;
        let line = self.lines.line(first.line, first.kind, operations.map(names_of));
        Some(line.unwrap_or(first.line))
    }

    /// The line on which the native `name` is called in the statement that begins at line `statement`.
    pub(crate) fn native_line(&self, statement: u64, name: &str) -> u64 {
        let (method, names) = match name {
            ".." => (MetaMethod::Concat, [None, None]),
            "%" => (MetaMethod::Mod, [None, None]),
            "<=" | ">=" => (MetaMethod::Le, [None, None]),
            name => (MetaMethod::Call, [Some(name.as_bytes()), None]),
        };
        self.lines.line(statement, Kind::Operator(method), std::iter::once(names)).unwrap_or(statement)
    }

    /// ` (field 'answer')`: what operand number `at` of the operation that failed is called, or
    /// nothing when the script gives it no name.
    pub(crate) fn name_of(&self, mark: i64, kind: Kind, found: &[&str], at: usize) -> String {
        let Some(region) = self.chain(mark).next() else { return String::new() };
        let mut names: Vec<&Variable> = Vec::new();
        for operation in candidates(region, kind, found) {
            match operation.operands.get(at).and_then(|operand| operand.name.as_ref()) {
                Some(name) if names.contains(&name) => {}
                // A line may hold thousands, which would be compared with each other in one instruction.
                Some(name) if names.len() < MAX_NAMES => names.push(name),
                _ => return String::new(),
            }
        }
        if names.is_empty() {
            return String::new();
        }
        let names: Vec<String> = names.into_iter().map(shown).collect();
        format!(" ({})", names.join(" or "))
    }

    /// Whether it is a table that is called where the program is, and no nil. The types of global variables' values
    /// are asked of `type_of_global`.
    pub(crate) fn calls_table(&self, mark: i64, type_of_global: impl Fn(&[u8]) -> &'static str) -> bool {
        let type_of = |operand: &Operand| match (operand.holds, &operand.name) {
            (Some(holds), _) => Some(holds.name()),
            (None, Some(Variable { what: "global", name })) => Some(type_of_global(name)),
            _ => None,
        };
        let mut found = false;
        for callee in
            self.chain(mark).next().into_iter().flat_map(calls).filter_map(|call| call.operands.first())
        {
            match type_of(callee) {
                Some("table") => found = true,
                Some("nil") | None => return false,
                Some(_) => {}
            }
        }
        found
    }

    /// The line in the function that is `level` calls up, by the call it is in.
    pub(crate) fn caller_line(&self, mark: i64, level: usize) -> Option<u64> {
        let mut chain = self.chain(mark);
        let called = level.checked_sub(1).and_then(|below| chain.nth(below));
        chain.next().and_then(|region| self.line_of_call(region, called))
    }

    /// The line on which the statement begins that the program is in, by the call in it.
    pub(crate) fn statement_of_call(&self, mark: i64) -> Option<u64> {
        let region = self.chain(mark).next()?;
        calls(region).next().or(region.operations.first()).map(|operation| operation.line)
    }

    /// The line of the call in a region. The function of the region `called` may tell by its name which it is.
    fn line_of_call(&self, region: &Region, called: Option<&Region>) -> Option<u64> {
        let calling = || region.operations.iter().filter(|operation| operation.calls);
        let of_kind = |kind| calling().filter(move |operation| operation.kind == kind);
        let name = called.and_then(|called| called.function.own_name());
        let is_named = move |operation: &&Operation| name.is_some_and(|name| calls_by_name(operation, name));
        let line = match calling().find(is_named) {
            Some(named) => self.exact_line(of_kind(named.kind).filter(is_named)),
            // A metamethod's caller is an operation of another kind.
            None => {
                self.exact_line(calls(region)).or_else(|| self.exact_line(of_kind(calling().next()?.kind)))
            }
        };
        line.or(region.operations.first().map(|operation| operation.line))
    }

    /// The functions that the program is in, innermost first, with the lines they are at. The
    /// first is at `innermost`, if that is known and in the function: an error may be raised again
    /// with the line where it was raised first.
    pub(crate) fn traceback(&self, mark: i64, innermost: Option<u64>) -> Vec<(String, u64)> {
        let mut first = innermost;
        let mut called = None;
        self.chain(mark)
            .filter_map(|region| {
                let inside = first.take().filter(|line| region.function.lines.contains(line));
                let called = called.replace(region);
                let line = inside.or_else(|| self.line_of_call(region, called))?;
                Some((region.function.name.clone(), line))
            })
            .collect()
    }
}

fn candidates<'a>(region: &'a Region, kind: Kind, found: &[&str]) -> impl Iterator<Item = &'a Operation> {
    region.operations.iter().filter(move |operation| {
        let possible = |(operand, found): (&Operand, &&str)| match operand.holds {
            None => true,
            // The VM calls a table without `__call` nil.
            Some(Type::Table) if kind == Kind::Operator(MetaMethod::Call) => {
                matches!(*found, "nil" | "table")
            }
            Some(holds) => holds.name() == *found,
        };
        operation.kind == kind && operation.operands.iter().zip(found).all(possible)
    })
}

/// Whether the operation calls what has this name, be it the metamethod of an operator.
fn calls_by_name(operation: &Operation, name: &str) -> bool {
    match operation.kind {
        Kind::Operator(MetaMethod::Call) => {
            let Some(callee) = operation.operands.first() else { return false };
            match &callee.name {
                _ if name == MetaMethod::Call.name() => callee.holds == Some(Type::Table),
                Some(callee) => &*callee.name == name.as_bytes(),
                None => false,
            }
        }
        Kind::Operator(MetaMethod::Le) if name == MetaMethod::Lt.name() => true,
        Kind::Operator(method) => method.name() == name,
        Kind::Key | Kind::Loop => false,
    }
}

fn calls(region: &Region) -> impl Iterator<Item = &Operation> {
    let call = Kind::Operator(MetaMethod::Call);
    region.operations.iter().filter(move |operation| operation.kind == call)
}

/// What the source calls the operands. A key that only the run knows has no name there.
fn names_of(operation: &Operation) -> Names<'_> {
    let name = |at: usize| {
        let name = operation.operands.get(at)?.name.as_ref()?;
        (&*name.name != b"?").then_some(&*name.name)
    };
    // A chain of `..` is one operation, and has no two operands.
    if operation.operands.len() > 2 { [None, None] } else { [name(0), name(1)] }
}

fn shown(variable: &Variable) -> String {
    named(variable.what, &String::from_utf8_lossy(&variable.name))
}

/// `field 'answer'`, with the beginning of a name that is long.
pub(crate) fn named(what: &str, name: &str) -> String {
    match name.char_indices().find(|(at, char)| at + char.len_utf8() > MAX_NAME_BYTES) {
        Some((end, _)) => format!("{what} '{}...'", name.get(..end).unwrap_or_default()),
        None => format!("{what} '{name}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(names: impl Iterator<Item = String>) -> Places {
        let index = Kind::Operator(MetaMethod::Index);
        let operation = |name: String| {
            let name = Some(Variable { what: "field", name: name.into_bytes().into() });
            Operation { kind: index, line: 1, operands: vec![Operand { holds: None, name }], calls: false }
        };
        let function = Arc::new(FunctionPlace { name: "main chunk".to_owned(), lines: 1..=1 });
        let region = Region::of(&function, names.map(operation).collect()).unwrap();
        let (methods, lines) = (HashSet::new(), Lines::default());
        Places { script: "s.lua".to_owned(), bits: 8, regions: vec![region], methods, lines }
    }

    fn name(names: impl Iterator<Item = String>) -> String {
        places(names).name_of(1, Kind::Operator(MetaMethod::Index), &["nil"], 0)
    }

    #[test]
    fn what_may_be_meant_is_listed_once_unless_it_is_too_much() {
        let names = |names: &'static [&str]| name(names.iter().map(|name| (*name).to_owned()));
        assert_eq!(names(&["a", "a"]), " (field 'a')");
        assert_eq!(names(&["a", "b", "a", "c"]), " (field 'a' or field 'b' or field 'c')");
        assert_eq!(names(&["a", "b", "c", "d"]), "");
        assert_eq!(names(&[]), "");
    }

    /// Every name of a line was once compared with every other: with four thousand, an error took a tenth of
    /// a second inside one instruction. With half a million this would not end.
    #[test]
    fn the_names_of_a_long_line_are_not_compared_with_each_other() {
        assert_eq!(name((0..500_000).map(|i| format!("x{i}"))), "");
    }
}
