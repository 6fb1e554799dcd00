//! What the code generator refuses, in words that say which label, variable or function it is about.
//!
//! It tells a kind and a line, and of a `goto` not even that. So the tree is searched for what was
//! meant, once there is something to search for: a program that compiles pays nothing.

use std::convert::Infallible;

use piccolo::compiler::parser::{Block, Chunk, FunctionDefinition, Statement};
use piccolo::compiler::{CompileError, CompileErrorKind, LineNumber};

use super::error::{LoadError, Position};
use super::program::Text;
use super::rewrite::{Visitor, script_name, walk_chunk};

/// Variables of the functions around it that a function can use. The code generator has room for 256, some of which
/// the rewriting takes.
const MAX_UPVALUES: usize = 250;

/// The error for a program that was refused with `error`; `chunk` is what was compiled.
pub(crate) fn load_error(script: &str, chunk: &Chunk<Text>, error: &CompileError) -> LoadError {
    let mut search = Search { at: counted(error.line_number), ..Search::default() };
    let Ok(()) = walk_chunk(&mut search, chunk);
    let (line, message) = search.tell(&error.kind);
    LoadError::Syntax { at: Position { script: script.to_owned(), line }, message }
}

/// A line's number, counted from 1.
fn counted(line: LineNumber) -> u64 {
    line.0.saturating_add(1)
}

/// A name and the line it stands on.
type Named = (Text, u64);

/// Everything that an error may be about.
#[derive(Default)]
struct Search {
    /// The line that the code generator tells.
    at: u64,
    /// The line being looked at.
    line: u64,
    blocks: Vec<Labels>,
    /// How many blocks are around each function around here.
    functions: Vec<usize>,
    /// The first `goto` whose label is nowhere around it.
    lost: Option<Named>,
    /// The label on the line.
    label: Option<Text>,
    constants: Vec<Text>,
    /// The constant that the line assigns to.
    assigned: Option<Text>,
    /// The first line of the innermost function that the line is in.
    function: Option<u64>,
}

/// The labels of a block, and the jumps that are in it or in blocks inside it.
#[derive(Default)]
struct Labels {
    labels: Vec<Text>,
    jumps: Vec<Named>,
}

impl Search {
    fn tell(self, kind: &CompileErrorKind) -> (u64, String) {
        let named = |name: Option<&Text>| name.map(|name| format!(" '{}'", shown(name))).unwrap_or_default();
        let message = match kind {
            CompileErrorKind::GotoInvalid => {
                let (label, line) = self.lost.unzip();
                let message = format!("no visible label{} for goto", named(label.as_ref()));
                return (line.unwrap_or(self.at), message);
            }
            CompileErrorKind::DuplicateLabel => {
                format!("label{} already defined", named(self.label.as_ref()))
            }
            CompileErrorKind::JumpLocal => {
                format!(
                    "a goto to label{} jumps into the scope of a local variable",
                    named(self.label.as_ref())
                )
            }
            CompileErrorKind::AssignToConst => {
                format!("attempt to assign to const variable{}", named(self.assigned.as_ref()))
            }
            CompileErrorKind::UpValues => {
                let function = self.function.map(|line| format!("function at line {line}"));
                let function = function.unwrap_or_else(|| "function".to_owned());
                format!("{function} has more than {MAX_UPVALUES} upvalues")
            }
            CompileErrorKind::Registers => "function or expression too complex".to_owned(),
            CompileErrorKind::Constants => "constant table overflow".to_owned(),
            CompileErrorKind::JumpOverflow => "control structure too long".to_owned(),
            CompileErrorKind::CloseUnsupported | CompileErrorKind::MultipleClose => {
                "attribute 'close' is not supported".to_owned()
            }
            // The shape check refuses them before.
            CompileErrorKind::FixedParameters | CompileErrorKind::Functions => kind.to_string(),
        };
        (self.at, message)
    }
}

fn shown(name: &Text) -> String {
    String::from_utf8_lossy(script_name(name)).into_owned()
}

impl Visitor for Search {
    type Error = Infallible;

    fn line(&mut self, line: LineNumber) {
        self.line = counted(line);
    }

    fn enter_function(&mut self, definition: &FunctionDefinition<Text>, _: bool) -> Result<(), Infallible> {
        if (self.line..=counted(definition.body.closed_on)).contains(&self.at) {
            self.function = Some(self.line);
        }
        self.functions.push(self.blocks.len());
        Ok(())
    }

    fn leave_function(&mut self) {
        self.functions.pop();
    }

    fn enter_block(&mut self, _: &Block<Text>) -> Result<(), Infallible> {
        self.blocks.push(Labels::default());
        Ok(())
    }

    fn leave_block(&mut self) {
        let Some(Labels { labels, jumps }) = self.blocks.pop() else { return };
        let mut jumps = jumps.into_iter().filter(|(label, _)| !labels.contains(label));
        let ends_function = self.blocks.len() == self.functions.last().copied().unwrap_or(0);
        match self.blocks.last_mut() {
            Some(outer) if !ends_function => outer.jumps.extend(jumps),
            _ => self.lost = self.lost.take().or_else(|| jumps.next()),
        }
    }

    fn statement(&mut self, statement: &Statement<Text>, line: LineNumber) -> Result<(), Infallible> {
        let Some(block) = self.blocks.last_mut() else { return Ok(()) };
        match statement {
            Statement::Goto(s) => block.jumps.push((s.name.clone(), counted(line))),
            Statement::Label(s) => {
                block.labels.push(s.name.clone());
                if counted(line) == self.at {
                    self.label = Some(s.name.clone());
                }
            }
            Statement::LocalStatement(s) => {
                let constants = s.names.iter().filter(|(_, attributes)| attributes.is_const());
                self.constants.extend(constants.map(|(name, _)| name.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn assigned(&mut self, name: &Text) {
        if self.line == self.at && self.constants.contains(name) {
            self.assigned = Some(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::vm::Program;

    fn refusal(source: &str) -> String {
        Program::compile("s.lua", source.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn what_the_code_generator_refuses_is_named() {
        for (source, expected) in [
            ("\ngoto nowhere", "s.lua:2: no visible label 'nowhere' for goto"),
            ("do\ngoto a\nend\ndo ::a:: end", "s.lua:2: no visible label 'a' for goto"),
            ("::a::\nfunction f()\ngoto a\nend", "s.lua:3: no visible label 'a' for goto"),
            ("goto b\n::b::\nwhile x do\ngoto c\nend", "s.lua:4: no visible label 'c' for goto"),
            (
                "do goto a\nlocal x\n::a:: print(x)\nend",
                "s.lua:3: a goto to label 'a' jumps into the scope of a local variable",
            ),
            ("::a::\n\n::a::", "s.lua:3: label 'a' already defined"),
            ("local a <const> = 1\nlocal b\na = 2", "s.lua:3: attempt to assign to const variable 'a'"),
            (
                "local a <const> = 1\nfunction f()\nb, a = 2 end",
                "s.lua:3: attempt to assign to const variable 'a'",
            ),
            ("\nlocal a <close> = 1", "s.lua:2: attribute 'close' is not supported"),
        ] {
            assert_eq!(refusal(source), expected, "{source}");
        }
    }

    #[test]
    fn a_function_with_too_many_upvalues_is_told_by_its_line() {
        let names = |letter: char, count: usize| -> Vec<String> {
            (0..count).map(|number| format!("{letter}{number}")).collect()
        };
        let source = |count: usize| {
            let (outer, inner) = (names('a', 130), names('b', count - 130));
            format!(
                "local {}\nfunction g()\nlocal {}\nfunction f()\nlocal c\nreturn {{{}}} end end",
                outer.join(","),
                inner.join(","),
                [outer, inner].concat().join(",")
            )
        };
        assert!(Program::compile("s.lua", source(250).as_bytes()).is_ok());
        assert_eq!(refusal(&source(260)), "s.lua:6: function at line 4 has more than 250 upvalues");
    }
}
