//! Which names a program can look up, so that a fresh VM registers only those natives.
//!
//! A VM is built for every invocation, and registering a native costs about 40 ns: a program that
//! names three functions must not pay for a hundred. What a program can reach is a question about
//! its syntax tree, with one rule for doubt: when it can't be known, everything is registered.

use std::collections::HashSet;
use std::convert::Infallible;

use piccolo::compiler::parser::{CallSuffix, Chunk, FieldSuffix, SuffixPart};

use crate::vm::program::Text;
use crate::vm::rewrite::{Visitor, walk_chunk};

/// The names of one program.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Every variable, field, method and literal string.
    mentioned: HashSet<Text>,
    /// Variables used as a value, so that their fields may be reached under other names.
    whole: HashSet<Text>,
    /// Variables of which a field is used as a value, as in `local p = goop.peer`, or assigned to, as in
    /// `goop.peer.id = 1`. What is only read from (`goop.peer.id`) or called (`goop.commands()`) is not.
    parts: HashSet<Text>,
    /// Some table is indexed with a computed key; a string's methods can be reached so.
    computed_index: bool,
    /// The table of globals itself is reachable.
    all: bool,
}

impl Names {
    pub(crate) fn of(chunk: &Chunk<Text>) -> Self {
        let mut names = Self::default();
        let Ok(()) = walk_chunk(&mut names, chunk);
        names.all = [&b"_G"[..], b"_ENV", b"getfenv"].iter().any(|name| names.mentioned.contains(*name));
        names
    }

    /// Whether the program has this name or literal text anywhere.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.mentioned.contains(text.as_bytes())
    }

    /// Whether the global `name` can be reached.
    pub(crate) fn reaches_global(&self, name: &str) -> bool {
        self.all || self.mentioned.contains(name.as_bytes())
    }

    /// Whether `field` of the global table `library` can be reached.
    pub(crate) fn reaches_field(&self, library: &str, field: &str) -> bool {
        self.all || self.whole.contains(library.as_bytes()) || self.mentioned.contains(field.as_bytes())
    }

    /// Whether the program can get hold of the table `library`, or of a table that is its field, as a
    /// value: without that, it can only read from them.
    pub(crate) fn holds_tables_of(&self, library: &str) -> bool {
        let library = library.as_bytes();
        self.all || self.whole.contains(library) || self.parts.contains(library)
    }

    /// Whether `("…")[key]` may ask for a method by a computed name.
    pub(crate) fn computes_index(&self) -> bool {
        self.all || self.computed_index
    }
}

impl Visitor for Names {
    type Error = Infallible;

    fn text(&mut self, text: &Text) {
        self.mentioned.insert(text.clone());
    }

    fn variable(&mut self, name: &Text, suffixes: &[&SuffixPart<Text>], call: Option<&CallSuffix<Text>>) {
        let by_constant = match suffixes.first() {
            Some(SuffixPart::Field(FieldSuffix::Named(_))) => true,
            Some(SuffixPart::Call(CallSuffix::Method(..))) => true,
            // A literal key is among the mentioned texts; a computed one may be anything.
            Some(SuffixPart::Field(FieldSuffix::Indexed(_))) => false,
            Some(SuffixPart::Call(CallSuffix::Function(_))) | None => false,
        };
        if !by_constant {
            self.whole.insert(name.clone());
        }
        let gone_into = match (suffixes, call) {
            ([SuffixPart::Field(_), SuffixPart::Field(_), ..], _) => true,
            ([SuffixPart::Field(_), SuffixPart::Call(CallSuffix::Function(_)), ..], _) => true,
            ([SuffixPart::Field(_)], Some(CallSuffix::Function(_))) => true,
            // Used as a value; a method is handed the table before the colon.
            _ => false,
        };
        if !gone_into {
            self.parts.insert(name.clone());
        }
    }

    fn computed_index(&mut self) {
        self.computed_index = true;
    }
}
