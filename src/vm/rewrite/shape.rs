//! Refuses programs whose shape the code generator can't be trusted with.
//!
//! Tried on the VM as published: 3,000 links in one operator or suffix chain overflow the native
//! stack, 254 locals followed by a concatenation make the register allocator allocate for ever,
//! 251 arguments make it panic. The limits below lie well under each of these and at or above
//! reference Lua's own.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{Block, Chunk, Expression, FunctionDefinition, PrimaryExpression, Statement};

use super::walk::{Visitor, walk_chunk};
use crate::vm::error::{LoadError, Position};
use crate::vm::program::Text;

/// Local variables of one function that are in scope at once, as in reference Lua 5.1.
const MAX_LOCALS: usize = 200;
/// Links in one chain of operators (`a + b + c`) or suffixes (`a.b.c`, `f()()`).
const MAX_CHAIN: usize = 1_000;
/// Levels of nested functions, blocks and expressions.
const MAX_NESTING: usize = 100;
/// Values in one list: arguments, returns, targets.
const MAX_VALUES: usize = 250;

/// Checks the whole tree.
///
/// # Errors
/// The first place that is over a limit.
pub(crate) fn check_shape(script: &str, chunk: &Chunk<Text>) -> Result<(), LoadError> {
    let mut shape = Shape { script, line: LineNumber(0), nesting: 0, functions: vec![0], blocks: Vec::new() };
    walk_chunk(&mut shape, chunk)
}

struct Shape<'a> {
    script: &'a str,
    /// The line of the statement being looked at.
    line: LineNumber,
    nesting: usize,
    /// Locals in scope, for each function around here, outermost first.
    functions: Vec<usize>,
    /// Locals in scope when each block around here was entered.
    blocks: Vec<usize>,
}

impl Shape<'_> {
    fn at_most(&self, what: &'static str, found: usize, limit: usize) -> Result<(), LoadError> {
        if found <= limit {
            return Ok(());
        }
        let at = Position { script: self.script.to_owned(), line: self.line.0 + 1 };
        Err(LoadError::Shape { at, what, found, limit })
    }

    fn nest(&mut self) -> Result<(), LoadError> {
        self.nesting += 1;
        self.at_most("levels of nesting", self.nesting, MAX_NESTING)
    }

    fn locals(&mut self) -> &mut usize {
        if self.functions.is_empty() {
            self.functions.push(0);
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }
}

impl Visitor for Shape<'_> {
    type Error = LoadError;

    fn enter_block(&mut self, _: &Block<Text>) -> Result<(), LoadError> {
        let locals = *self.locals();
        self.blocks.push(locals);
        self.nest()
    }

    fn leave_block(&mut self) {
        self.nesting -= 1;
        if let Some(locals) = self.blocks.pop() {
            *self.locals() = locals;
        }
    }

    fn enter_function(
        &mut self,
        definition: &FunctionDefinition<Text>,
        is_method: bool,
    ) -> Result<(), LoadError> {
        self.functions.push(0);
        self.nest()?;
        self.declare(definition.parameters.len() + usize::from(is_method))
    }

    fn leave_function(&mut self) {
        self.nesting -= 1;
        self.functions.pop();
    }

    fn statement(&mut self, _: &Statement<Text>, line: LineNumber) -> Result<(), LoadError> {
        self.line = line;
        Ok(())
    }

    fn declare(&mut self, count: usize) -> Result<(), LoadError> {
        *self.locals() += count;
        let found = *self.locals();
        self.at_most("local variables in one function", found, MAX_LOCALS)
    }

    fn enter_expression(&mut self, expression: &Expression<Text>) -> Result<(), LoadError> {
        self.nest()?;
        self.at_most("operators in one chain", expression.tail.len(), MAX_CHAIN)
    }

    fn leave_expression(&mut self) {
        self.nesting -= 1;
    }

    fn suffixed(&mut self, _: &PrimaryExpression<Text>, suffixes: usize) -> Result<(), LoadError> {
        self.at_most("fields and calls in one chain", suffixes, MAX_CHAIN)
    }

    fn values(&mut self, what: &'static str, count: usize) -> Result<(), LoadError> {
        self.at_most(what, count, MAX_VALUES)
    }
}

#[cfg(test)]
mod tests {
    use crate::vm::{LoadError, Program};

    fn refusal(source: &str) -> String {
        match Program::compile("s.lua", source.as_bytes()) {
            Err(error @ LoadError::Shape { .. }) => error.to_string(),
            other => panic!("not refused for its shape: {other:?}"),
        }
    }

    #[test]
    fn each_limit_is_named_with_the_line_and_what_was_found() {
        let chain = format!("\nlocal x = 1{}", "+1".repeat(1_001));
        assert_eq!(refusal(&chain), "s.lua:2: operators in one chain: found 1001, the limit is 1000");
        let suffixes = format!("x = a{}", ".b".repeat(1_001));
        assert_eq!(
            refusal(&suffixes),
            "s.lua:1: fields and calls in one chain: found 1001, the limit is 1000"
        );
        let locals: String = (0..201).map(|i| format!("local a{i}\n")).collect();
        assert_eq!(
            refusal(&locals),
            "s.lua:201: local variables in one function: found 201, the limit is 200"
        );
        let arguments = format!("f({}1)", "1,".repeat(250));
        assert_eq!(refusal(&arguments), "s.lua:1: arguments in a call: found 251, the limit is 250");
        let nesting = format!("x = {}1{}", "(".repeat(100), ")".repeat(100));
        assert!(refusal(&nesting).contains("levels of nesting: found 101, the limit is 100"));
    }

    #[test]
    fn locals_of_closed_blocks_and_other_functions_do_not_count() {
        let block: String = "do local a, b, c end\n".repeat(100);
        let functions: String = "local function f() local a, b, c end\n".repeat(50);
        let source = format!("{block}{functions}");
        assert!(Program::compile("s.lua", source.as_bytes()).is_ok());
    }

    #[test]
    fn the_largest_shapes_that_pass_also_compile() {
        for source in [
            format!("local x = 1{}", "+y".repeat(1_000)),
            format!("x = a{}", ".b".repeat(1_000)),
            format!("f{}", "()".repeat(1_000)),
            (0..200).map(|i| format!("local a{i} = {i}\n")).collect(),
            (0..196).map(|i| format!("local a{i}\n")).collect::<String>() + "local s = a0 .. a1 .. a2",
            (0..196).map(|i| format!("local a{i}\n")).collect::<String>() + "for i = 1, 2 do end",
            format!("f({}1)", "1,".repeat(249)),
            format!("x = {{{}}}", "1,".repeat(20_000)),
            format!("x = {}1{}", "(".repeat(45), ")".repeat(45)),
            format!("if a then {} end", "elseif b then ".repeat(3_000)),
        ] {
            let result = Program::compile("s.lua", source.as_bytes());
            let start = source.get(..30).unwrap_or(&source);
            assert!(result.is_ok(), "{start}: {}", result.unwrap_err());
        }
    }
}
