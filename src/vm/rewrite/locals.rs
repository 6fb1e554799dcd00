//! Names of local variables that tell what is known of them.
//!
//! The syntax tree knows variables by name only: whether `x` is a local or a global, of this
//! function or of one around it, and what it can hold, has to be found out by every pass anew.
//! So one pass finds it out, and writes it into the name: `x` becomes `\x01` `n` `-` `DEPTH` `x`.
//! Nothing that runs sees the names of locals, and no script can write such a name. A table from
//! occurrences to facts would need identities that the tree does not have.

use crate::vm::program::Text;

/// The first byte of the name of a local.
const MARK: u8 = 1;

/// What all values are that a variable or an expression ever has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Number,
    String,
    Table,
    Function,
}

impl Type {
    /// Its name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::String => "string",
            Self::Table => "table",
            Self::Function => "function",
        }
    }

    fn letter(self) -> u8 {
        match self {
            Self::Number => b'n',
            Self::String => b's',
            Self::Table => b't',
            Self::Function => b'f',
        }
    }

    fn of_letter(letter: u8) -> Option<Self> {
        [Self::Number, Self::String, Self::Table, Self::Function]
            .into_iter()
            .find(|found| found.letter() == letter)
    }
}

/// A local variable, as its name tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Local<'a> {
    /// The type of all its values, where it is certain.
    pub(super) holds: Option<Type>,
    /// What calls of it give first, if it is a function that is never replaced by another.
    pub(super) gives: Option<Option<Type>>,
    /// How many functions are around its declaration; 0 is the main chunk.
    pub(super) depth: u8,
    /// What its author calls it.
    pub(super) name: &'a [u8],
}

impl Local<'_> {
    /// The name to be used in the tree.
    pub(super) fn text(self) -> Text {
        let letter = |known: Option<Type>| known.map_or(b'u', Type::letter);
        let gives = self.gives.map_or(b'-', letter);
        let mut text = vec![MARK, letter(self.holds), gives, self.depth];
        text.extend_from_slice(self.name);
        text.into()
    }
}

/// What the name of a variable tells, if it is a local's.
pub(super) fn local(text: &[u8]) -> Option<Local<'_>> {
    match text {
        [MARK, letter, gives, depth, name @ ..] => {
            let gives = (*gives != b'-').then(|| Type::of_letter(*gives));
            Some(Local { holds: Type::of_letter(*letter), gives, depth: *depth, name })
        }
        _ => None,
    }
}

/// What the script's author calls the variable, be it a local or another.
pub(crate) fn script_name(text: &[u8]) -> &[u8] {
    local(text).map_or(text, |local| local.name)
}
