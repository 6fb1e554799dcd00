//! From source text to a program that every worker can run.
//!
//! A script passes four gates before its first instruction: size and header, the parser, the
//! shape check on the syntax tree, and the rewrite of operators that the VM can't bound. Only
//! then is it compiled, once; the result holds no arena pointers, so one compile serves every
//! worker and every call.
//!
//! Parsing and compiling recurse on native stack in proportion to nesting, and a mistake there
//! must not reach a tokio worker: they run on a thread of their own with a large stack, whose
//! panic is an ordinary result.

use std::collections::HashSet;
use std::sync::Arc;

use piccolo::compiler::parser::Chunk;
use piccolo::compiler::{self, CompiledPrototype, StringInterner};

use crate::vm::compile_error;
use crate::vm::error::LoadError;
use crate::vm::large_stack::on_large_stack;
use crate::vm::limits::MAX_SOURCE_BYTES;
use crate::vm::places::Places;
use crate::vm::rewrite::{self, HiddenNative};
use crate::vm::{names::Names, syntax_error};

/// The first byte of compiled Lua.
const BYTECODE_MARK: u8 = 0x1B;

/// The strings of a syntax tree and of a compiled program.
pub(crate) type Text = Arc<[u8]>;

/// A script that has been checked and compiled. Cheap to share between threads.
#[derive(Debug)]
pub struct Program {
    name: String,
    prototype: CompiledPrototype<Text>,
    hidden: Vec<HiddenNative>,
    places: Arc<Places>,
    names: Names,
    entries: Entries,
}

/// Which entry points a script defines as global functions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entries {
    /// `handle(args)`: the script is a chat command.
    pub handle: bool,
    /// `call(request)`: the script is a data function.
    pub call: bool,
}

impl Program {
    /// Checks and compiles `source`. `name` is the file name for error positions.
    ///
    /// # Errors
    /// When the source is too large, compiled Lua, not Lua at all, or of a shape that is refused.
    pub fn compile(name: &str, source: &[u8]) -> Result<Self, LoadError> {
        Self::compile_as(name, source, false)
    }

    /// As [`Program::compile`], for a program whose errors are to have the whole
    /// [traceback](crate::vm::RunError::traceback) and not its innermost function alone. Calls of
    /// small functions take up to a third longer.
    ///
    /// # Errors
    /// Those of [`Program::compile`].
    pub fn compile_traced(name: &str, source: &[u8]) -> Result<Self, LoadError> {
        Self::compile_as(name, source, true)
    }

    fn compile_as(name: &str, source: &[u8], traced: bool) -> Result<Self, LoadError> {
        if source.len() > MAX_SOURCE_BYTES {
            return Err(LoadError::TooLarge {
                script: name.to_owned(),
                found: source.len(),
                limit: MAX_SOURCE_BYTES,
            });
        }
        // Only now: whoever reads a file reads no more than one byte over the limit, and without these three the
        // beginning of a larger one would pass for the whole.
        let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
        if source.first() == Some(&BYTECODE_MARK) {
            return Err(LoadError::Bytecode { script: name.to_owned() });
        }
        let compiled = on_large_stack(|| compile_checked(name, without_shebang(source), traced));
        compiled.unwrap_or_else(|detail| Err(LoadError::Internal { script: name.to_owned(), detail }))
    }

    /// The file name the program was compiled under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The entry points that the syntax tree defines.
    pub fn entries(&self) -> Entries {
        self.entries
    }

    pub(crate) fn prototype(&self) -> &CompiledPrototype<Text> {
        &self.prototype
    }

    pub(crate) fn hidden(&self) -> &[HiddenNative] {
        &self.hidden
    }

    pub(crate) fn places(&self) -> &Arc<Places> {
        &self.places
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }
}

/// A first line that starts with `#` is for the shell, as in the reference interpreter. Its line
/// end stays, so that line numbers are right.
fn without_shebang(source: &[u8]) -> &[u8] {
    if source.first() != Some(&b'#') {
        return source;
    }
    let end = memchr::memchr(b'\n', source).unwrap_or(source.len());
    source.get(end..).unwrap_or_default()
}

fn compile_checked(name: &str, source: &[u8], traced: bool) -> Result<Program, LoadError> {
    let mut interner = Interner::default();
    let mended;
    let (source, parsed) = match compiler::parse_chunk(source, &mut interner) {
        Err(error) => {
            mended = syntax_error::mended(source);
            match mended.as_deref().map(|better| (better, compiler::parse_chunk(better, &mut interner))) {
                Some((better, Ok(chunk))) => (better, Ok(chunk)),
                // The message is about what the author wrote.
                _ => (source, Err(error)),
            }
        }
        parsed => (source, parsed),
    };
    let mut chunk = parsed.map_err(|error| syntax_error::from_parser(name, source, &error))?;
    rewrite::check_shape(name, &chunk).map_err(|error| syntax_error::from_shape(name, source, error))?;
    let names = Names::of(&chunk);
    let entries = find_entries(&chunk);
    let (hidden, places) = rewrite::rewrite(&mut chunk, (name, source), &names, traced);
    let prototype = compiler::compile_chunk(&chunk, &mut interner)
        .map_err(|error| compile_error::load_error(name, &chunk, &error))?;
    let places = Arc::new(places);
    Ok(Program { name: name.to_owned(), prototype, hidden, places, names, entries })
}

fn find_entries(chunk: &Chunk<Text>) -> Entries {
    let defines = |name: &[u8]| rewrite::defines_global_function(chunk, name);
    Entries { handle: defines(b"handle"), call: defines(b"call") }
}

/// Keeps one copy of each string of a program.
#[derive(Default)]
struct Interner(HashSet<Text>);

impl StringInterner for Interner {
    type String = Text;

    fn intern(&mut self, text: &[u8]) -> Text {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let new: Text = text.into();
        self.0.insert(new.clone());
        new
    }
}
