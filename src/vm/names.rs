//! Which names a program can look up, so that a fresh VM registers only those natives.
//!
//! A VM is built for every invocation, and registering a native costs about 40 ns: a program that
//! names three functions must not pay for a hundred. What a program can reach is a question about
//! its syntax tree, with one rule for doubt: when it can't be known, everything is registered.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    CallSuffix, Chunk, Expression, FieldSuffix, ForStatement, HeadExpression, PrimaryExpression,
    SimpleExpression, Statement, SuffixPart,
};

use crate::vm::program::Text;
use crate::vm::rewrite::{self, Defined, Visitor, walk_chunk};

/// Names, of which many are asked for and few are there: a fresh VM asks for every native.
///
/// What has another [`sketch`] than all that are there is told without the set's hash, which is made to withstand
/// names chosen by strangers and took a tenth of a small invocation.
#[derive(Debug, Default)]
struct NameSet {
    names: HashSet<Text>,
    /// Which sketches there are.
    sketches: [u64; 4],
}

impl NameSet {
    fn insert(&mut self, name: Text) {
        let (word, bit) = sketch(&name);
        if let Some(sketches) = self.sketches.get_mut(word) {
            *sketches |= bit;
        }
        self.names.insert(name);
    }

    fn contains(&self, name: &[u8]) -> bool {
        let (word, bit) = sketch(name);
        self.sketches.get(word).is_some_and(|sketches| sketches & bit != 0) && self.names.contains(name)
    }
}

/// One of 256 places by length and ends, as a word and a bit in it.
fn sketch(name: &[u8]) -> (usize, u64) {
    let (first, last) = (name.first().copied().unwrap_or(0), name.last().copied().unwrap_or(0));
    let mixed = first.wrapping_mul(31) ^ last.wrapping_mul(57) ^ (name.len() as u8).wrapping_mul(101);
    (usize::from(mixed >> 6), 1 << (mixed & 63))
}

/// The names of one program.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Every variable, field, method and literal string.
    mentioned: NameSet,
    /// Variables used as a value, so that their fields may be reached under other names.
    whole: NameSet,
    /// Variables that are assigned to, or whose fields are.
    assigned: HashSet<Text>,
    /// Variables whose value is used, in whatever way.
    used: HashSet<Text>,
    /// How often each variable is assigned to.
    defined: HashMap<Text, usize>,
    /// Variables of which a field is used as a value, as in `local p = goop.peer`, or assigned to, as in
    /// `goop.peer.id = 1`. What is only read from (`goop.peer.id`) or called (`goop.commands()`) is not.
    parts: HashSet<Text>,
    /// A native that a global variable holds, or a table there, is used for more than to be called.
    taken: bool,
    /// Fields that are given values by name.
    fields: HashSet<Text>,
    /// Variables and fields that are given functions where these are written.
    given_functions: HashSet<Text>,
    /// Variables and fields that are given anything else.
    given_others: HashSet<Text>,
    /// Calls of what gives an iterator, other than for a loop over it.
    iterators: isize,
    /// Some table is indexed with a computed key; a string's methods can be reached so.
    computed_index: bool,
    /// `error` is used in another way than with a message alone or with a level of 0 or 1.
    error_level: bool,
    /// The table of globals itself is reachable.
    all: bool,
}

impl Names {
    pub(crate) fn of(chunk: &Chunk<Text>) -> Self {
        let mut names = Self::default();
        let Ok(()) = walk_chunk(&mut names, chunk);
        names.all = [&b"_G"[..], b"getfenv"].iter().any(|name| names.mentioned.contains(name));
        names
    }

    /// Whether `name` stands anywhere in the program.
    pub(crate) fn mentions(&self, name: &[u8]) -> bool {
        self.mentioned.contains(name)
    }

    /// Whether the global `name` can be reached.
    pub(crate) fn reaches_global(&self, name: &str) -> bool {
        self.all || self.mentioned.contains(name.as_bytes())
    }

    /// Whether the table of globals itself can be reached.
    pub(crate) fn reaches_globals(&self) -> bool {
        self.all
    }

    /// Whether `field` of the global table `library` can be reached.
    pub(crate) fn reaches_field(&self, library: &str, field: &str) -> bool {
        self.all || self.mentioned.contains(field.as_bytes()) || self.whole.contains(library.as_bytes())
    }

    /// Whether the global `name` keeps the value it has in a fresh VM.
    pub(crate) fn keeps_global(&self, name: &[u8]) -> bool {
        !self.all && !self.assigned.contains(name)
    }

    /// Whether the global table `name` also keeps its fields.
    pub(crate) fn keeps_table(&self, name: &[u8]) -> bool {
        self.keeps_global(name) && !self.whole.contains(name)
    }

    /// Whether the program defines `name` once, as a function, and does nothing else with it.
    pub(crate) fn only_defines(&self, name: &[u8]) -> bool {
        !self.all && !self.used.contains(name) && self.defined.get(name) == Some(&1)
    }

    /// Whether the program may raise errors at the place of a caller.
    pub(crate) fn raises_with_level(&self) -> bool {
        self.all || self.error_level || self.assigned.contains(&b"error"[..])
    }

    /// Whether the program can get hold of the table `library`, or of a table that is its field, as a
    /// value: without that, it can only read from them.
    pub(crate) fn holds_tables_of(&self, library: &str) -> bool {
        let library = library.as_bytes();
        self.all || self.whole.contains(library) || self.parts.contains(library)
    }

    /// Whether the program gives a value to a field of this name, be it a method.
    pub(crate) fn defines_field(&self, name: &[u8]) -> bool {
        self.fields.contains(name)
    }

    /// Whether what is called `name`, a global variable or a field, is a function of the program as far as the
    /// names tell.
    pub(crate) fn only_functions(&self, name: &[u8]) -> bool {
        self.given_functions.contains(name) && !self.given_others.contains(name)
    }

    /// Whether a global variable or a field of this name is given a function where that is written.
    pub(crate) fn given_function(&self, name: &[u8]) -> bool {
        self.given_functions.contains(name)
    }

    /// Whether what is called `name`, a global variable or a field, is given values that are no functions where
    /// they are written, and no others.
    pub(crate) fn never_function(&self, name: &[u8]) -> bool {
        self.given_others.contains(name) && !self.given_functions.contains(name)
    }

    /// Whether the program may get hold of a native as a value.
    pub(crate) fn takes_natives(&self) -> bool {
        // The methods of strings are reached through their metatable.
        let by_metatable = self.mentioned.contains(b"getmetatable");
        self.all || self.taken || by_metatable || self.iterators > 0
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
        self.used.insert(name.clone());
        if &**name == b"error" {
            let arguments = match (suffixes, call) {
                ([SuffixPart::Call(CallSuffix::Function(arguments)), ..], _) => Some(arguments),
                ([], Some(CallSuffix::Function(arguments))) => Some(arguments),
                _ => None,
            };
            self.error_level |= !arguments.is_some_and(|arguments| have_own_level(arguments));
        }
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
        self.taken |= call.is_none() && is_taken(suffixes) && holds_natives(name);
    }

    fn assigned(&mut self, name: &Text) {
        *self.defined.entry(name.clone()).or_default() += 1;
        self.assigned.insert(name.clone());
    }

    fn defined(&mut self, name: &Text, as_what: Defined) {
        if as_what.is_field {
            self.fields.insert(name.clone());
        }
        let given = if as_what.is_function { &mut self.given_functions } else { &mut self.given_others };
        given.insert(name.clone());
    }

    fn call(&mut self, name: &Text, _: bool) {
        self.iterators += isize::from(gives_iterator(name));
    }

    fn statement(&mut self, statement: &Statement<Text>, _: LineNumber) -> Result<(), Infallible> {
        if let Statement::For(ForStatement::Generic { arguments, .. }) = statement
            && let [only] = &**arguments
            && called_last(only).is_some_and(gives_iterator)
        {
            self.iterators -= 1;
        }
        Ok(())
    }

    fn computed_index(&mut self) {
        self.computed_index = true;
    }
}

/// Whether a global variable holds a native or a table of them.
fn holds_natives(global: &[u8]) -> bool {
    matches!(global, b"goop" | b"math" | b"os" | b"string" | b"table")
        || matches!(
            global,
            b"assert"
                | b"error"
                | b"getmetatable"
                | b"ipairs"
                | b"next"
                | b"pairs"
                | b"pcall"
                | b"print"
                | b"rawequal"
                | b"rawget"
                | b"rawlen"
                | b"rawset"
                | b"select"
                | b"setmetatable"
                | b"tonumber"
                | b"tostring"
                | b"type"
                | b"unpack"
                | b"xpcall"
        )
}

/// Whether a variable with these suffixes is used for more than to be called. The numbers that a library holds
/// and what tells of peers are no functions.
fn is_taken(suffixes: &[&SuffixPart<Text>]) -> bool {
    let is_data = |name: &Text| matches!(&**name, b"pi" | b"huge" | b"peer" | b"self");
    suffixes.iter().all(|suffix| match suffix {
        SuffixPart::Field(FieldSuffix::Named(name)) => !is_data(name),
        SuffixPart::Field(FieldSuffix::Indexed(_)) => true,
        SuffixPart::Call(_) => false,
    })
}

/// Whether what is called by this name gives an iterator, which is a native.
fn gives_iterator(name: &Text) -> bool {
    matches!(&**name, b"pairs" | b"ipairs" | b"gmatch")
}

/// The name by which an expression that is a call calls something.
fn called_last(expression: &Expression<Text>) -> Option<&Text> {
    let (primary, callee, call) = rewrite::call(expression)?;
    match (primary, callee, call) {
        (_, _, CallSuffix::Method(name, _)) => Some(name),
        (_, [.., SuffixPart::Field(FieldSuffix::Named(name))], _) => Some(name),
        (PrimaryExpression::Name(name), [], _) => Some(name),
        _ => None,
    }
}

/// `(message)`, `(message, 0)`, `(message, 1)`
fn have_own_level(arguments: &[Expression<Text>]) -> bool {
    match arguments {
        [] => true,
        [message] => !gives_many(message),
        [_, level, ..] => {
            matches!(&*level.head, HeadExpression::Simple(SimpleExpression::Integer(0 | 1)))
                && level.tail.is_empty()
        }
    }
}

/// Whether the expression may give a level behind a message.
fn gives_many(expression: &Expression<Text>) -> bool {
    let is_varargs = matches!(&*expression.head, HeadExpression::Simple(SimpleExpression::VarArgs));
    is_varargs && expression.tail.is_empty() || rewrite::call(expression).is_some()
}
