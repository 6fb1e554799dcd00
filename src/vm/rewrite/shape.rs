//! Refuses programs whose shape the code generator can't be trusted with.
//!
//! Tried on the VM as published: 3,000 links in one operator or suffix chain overflow the native
//! stack, 254 locals followed by a concatenation make the register allocator allocate for ever,
//! 251 arguments make it panic. The limits below lie well under each of these and at or above
//! reference Lua's own.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{Block, Chunk, FunctionDefinition, PrimaryExpression, Statement};

use super::walk::{Visitor, walk_chunk};
use crate::vm::error::{LoadError, Position};
use crate::vm::program::Text;

/// Local variables of one function that are in scope at once, as in reference Lua 5.1.
const MAX_LOCALS: usize = 200;
/// Links in one chain of operators (`a + b + c`) or suffixes (`a.b.c`, `f()()`) and in those around it: the code
/// generator goes down all of them at once.
const MAX_CHAIN: usize = 1_000;
/// Levels of nested blocks and expressions, as in reference Lua 5.1. The body of a function is a block. The parser, which
/// counts otherwise, refuses a few programs before.
const MAX_NESTING: usize = 200;
/// Values in one list: arguments, returns, targets.
const MAX_VALUES: usize = 250;
/// Functions written directly in one function: the code generator numbers them with one byte.
const MAX_FUNCTIONS: usize = 256;
/// Registers of one function: its locals in scope and the lists that are being computed. The
/// code generator has 256 and panics for want of one; the rest is for what it needs besides.
const MAX_REGISTERS: usize = 251;

/// Checks the whole tree.
///
/// # Errors
/// The first place that is over a limit.
pub(crate) fn check_shape(script: &str, chunk: &Chunk<Text>) -> Result<(), LoadError> {
    let main = Function { varargs: true, ..Function::default() };
    let mut shape = Shape {
        script,
        line: LineNumber(0),
        nesting: 0,
        links: 0,
        functions: vec![main],
        blocks: Vec::new(),
    };
    walk_chunk(&mut shape, chunk)
}

struct Shape<'a> {
    script: &'a str,
    /// The line of the statement being looked at.
    line: LineNumber,
    nesting: usize,
    /// Links of the chains around here.
    links: usize,
    /// The functions around here, outermost first.
    functions: Vec<Function>,
    /// Locals in scope when each block around here was entered.
    blocks: Vec<usize>,
}

/// What is known of a function while inside it.
#[derive(Default)]
struct Function {
    /// Local variables in scope.
    locals: usize,
    /// Values in the lists around here.
    pending: usize,
    /// Functions in it so far, without those within them.
    functions: usize,
    /// Loops around here.
    loops: usize,
    /// Whether it takes `...`.
    varargs: bool,
}

impl Shape<'_> {
    fn at(&self) -> Position {
        Position { script: self.script.to_owned(), line: self.line.0 + 1 }
    }

    fn syntax(&self, message: &str) -> LoadError {
        LoadError::Syntax { at: self.at(), message: message.to_owned() }
    }

    fn at_most(&self, what: &'static str, found: usize, limit: usize) -> Result<(), LoadError> {
        if found <= limit {
            return Ok(());
        }
        Err(LoadError::Shape { at: self.at(), what, found, limit })
    }

    fn nest(&mut self) -> Result<(), LoadError> {
        self.nesting += 1;
        self.at_most("levels of nesting", self.nesting, MAX_NESTING)
    }

    fn take_registers(&mut self, count: usize) -> Result<(), LoadError> {
        self.function().pending += count;
        let registers = self.function().locals + self.function().pending;
        self.at_most(
            "local variables and values that wait, in lists, tables and operators",
            registers,
            MAX_REGISTERS,
        )
    }

    fn function(&mut self) -> &mut Function {
        if self.functions.is_empty() {
            self.functions.push(Function::default());
        }
        let last = self.functions.len() - 1;
        &mut self.functions[last]
    }
}

impl Visitor for Shape<'_> {
    type Error = LoadError;

    fn enter_block(&mut self, _: &Block<Text>) -> Result<(), LoadError> {
        let locals = self.function().locals;
        self.blocks.push(locals);
        self.nest()
    }

    fn leave_block(&mut self) {
        self.nesting -= 1;
        if let Some(locals) = self.blocks.pop() {
            self.function().locals = locals;
        }
    }

    fn enter_function(
        &mut self,
        definition: &FunctionDefinition<Text>,
        is_method: bool,
    ) -> Result<(), LoadError> {
        self.function().functions += 1;
        let found = self.function().functions;
        self.at_most("functions directly in one function", found, MAX_FUNCTIONS)?;
        self.functions.push(Function { varargs: definition.has_varargs, ..Function::default() });
        self.declare(definition.parameters.len() + usize::from(is_method))
    }

    fn leave_function(&mut self) {
        self.functions.pop();
    }

    fn statement(&mut self, statement: &Statement<Text>, line: LineNumber) -> Result<(), LoadError> {
        self.line = line;
        match statement {
            Statement::Break if self.function().loops == 0 => {
                Err(self.syntax("no loop to break near 'break'"))
            }
            _ => Ok(()),
        }
    }

    fn enter_loop(&mut self) {
        self.function().loops += 1;
    }

    fn leave_loop(&mut self) {
        self.function().loops -= 1;
    }

    fn varargs(&mut self) -> Result<(), LoadError> {
        if self.function().varargs {
            return Ok(());
        }
        Err(self.syntax("cannot use '...' outside a vararg function near '...'"))
    }

    fn declare(&mut self, count: usize) -> Result<(), LoadError> {
        self.function().locals += count;
        let found = self.function().locals;
        self.at_most("local variables in one function", found, MAX_LOCALS)
    }

    fn enter_expression(&mut self) -> Result<(), LoadError> {
        self.nest()
    }

    fn chain(&mut self, operators: usize) -> Result<(), LoadError> {
        self.links += operators;
        self.at_most("operators in one chain and those around it", self.links, MAX_CHAIN)
    }

    fn leave_chain(&mut self, links: usize) {
        self.links -= links;
    }

    fn leave_expression(&mut self) {
        self.nesting -= 1;
    }

    fn suffixed(&mut self, _: &PrimaryExpression<Text>, suffixes: usize) -> Result<(), LoadError> {
        self.links += suffixes;
        self.at_most("fields and calls in one chain and those around it", self.links, MAX_CHAIN)
    }

    fn values(&mut self, what: &'static str, count: usize) -> Result<(), LoadError> {
        self.at_most(what, count, MAX_VALUES)?;
        // One more for what the list is for, a function to call or a table.
        self.take_registers(count + 1)
    }

    fn keep(&mut self, count: usize) -> Result<(), LoadError> {
        self.take_registers(count)
    }

    fn leave_kept(&mut self, count: usize) {
        self.function().pending -= count;
    }

    fn leave_values(&mut self, count: usize) {
        self.function().pending -= count + 1;
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
        assert_eq!(
            refusal(&chain),
            "s.lua:2: operators in one chain and those around it: found 1001, the limit is 1000"
        );
        let behind = format!("local x = 'a' .. 1{}", "+1".repeat(1_001));
        assert_eq!(
            refusal(&behind),
            "s.lua:1: operators in one chain and those around it: found 1002, the limit is 1000"
        );
        let suffixes = format!("x = a{}", ".b".repeat(1_001));
        assert_eq!(
            refusal(&suffixes),
            "s.lua:1: fields and calls in one chain and those around it: found 1001, the limit is 1000"
        );
        let locals: String = (0..201).map(|i| format!("local a{i}\n")).collect();
        assert_eq!(
            refusal(&locals),
            "s.lua:201: local variables in one function: found 201, the limit is 200"
        );
        let arguments = format!("f({}1)", "1,".repeat(250));
        assert_eq!(refusal(&arguments), "s.lua:1: arguments in a call: found 251, the limit is 250");
        let both = format!("{}f({}1)", "local a ".repeat(100), "1,".repeat(150));
        let found = "found 252, the limit is 251";
        assert_eq!(
            refusal(&both),
            format!("s.lua:1: local variables and values that wait, in lists, tables and operators: {found}")
        );
        let chain = format!("{}x = a{}", "local a ".repeat(180), " .. a".repeat(80));
        assert!(
            refusal(&chain).contains("local variables and values that wait, in lists, tables and operators")
        );
        let tables = format!("{}x = {}{}", "local a ".repeat(199), "{a, {a, ".repeat(20), "}}".repeat(20));
        assert!(
            refusal(&tables).contains("local variables and values that wait, in lists, tables and operators")
        );
        let functions = "f(function() end)\n".repeat(257);
        let found = "found 257, the limit is 256";
        assert_eq!(refusal(&functions), format!("s.lua:257: functions directly in one function: {found}"));
        let nesting = format!("x = {}1{}", "{ f = function() return ".repeat(67), " end }".repeat(67));
        assert!(refusal(&nesting).contains("levels of nesting: found 201, the limit is 200"));
    }

    #[test]
    fn locals_of_closed_blocks_and_other_functions_do_not_count() {
        let block: String = "do local a, b, c end\n".repeat(100);
        let functions: String = "local function f() local a, b, c end\n".repeat(50);
        let source = format!("{block}{functions}");
        assert!(Program::compile("s.lua", source.as_bytes()).is_ok());
    }

    #[test]
    fn a_chain_of_operators_that_become_calls_compiles_or_is_refused() {
        for operator in ["%", "<=", ">="] {
            for count in (1..=260).step_by(7) {
                let chain = format!(" {operator} a").repeat(count);
                let source =
                    format!("local mt = {{ __lt = f }} setmetatable(a, mt)\nlocal b, c\nx = a{chain}");
                match Program::compile("s.lua", source.as_bytes()) {
                    Ok(_) => {}
                    Err(LoadError::Shape { .. }) if count > 100 => {}
                    Err(error) => panic!("{count} of {operator}: {error}"),
                }
            }
        }
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
            format!("x = a{}", " .. a".repeat(190)),
            format!("{}x = a{}", "local a ".repeat(170), " .. a".repeat(70)),
            format!("x = {{{}}}", "1,".repeat(20_000)),
            "function f() return a.b + g(c) end\n".repeat(256),
            format!("x = {}1{}", "(".repeat(196), ")".repeat(196)),
            format!("x = {}1{}", "{".repeat(120), "}".repeat(120)),
            format!("x = {}1{}", "f(".repeat(120), ")".repeat(120)),
            format!("x = {}1{}", "{ f = function() return ".repeat(66), " end }".repeat(66)),
            format!("{}{}", "function f() ".repeat(197), " end".repeat(197)),
            format!("{}{}", "if a.b then ".repeat(197), " end".repeat(197)),
            format!("{}{}", "while a.b do ".repeat(197), " end".repeat(197)),
            format!("{}{}", "repeat ".repeat(197), " until a.b".repeat(197)),
            format!("if a then {} end", "elseif b then ".repeat(3_000)),
            // With what the mark takes besides.
            format!("function g()\nlocal x = a.b\nlocal y = a.b\nreturn f({}h()) end", "1,".repeat(244)),
            format!("function g()\nlocal x = a.b\nlocal y = a.b\nreturn f:m({}h()) end", "1,".repeat(244)),
            format!("function g()\nlocal x = a.b\nlocal y = a.b\nreturn {}h() end", "1,".repeat(244)),
            format!(
                "function g()\nlocal x = a.b\nlocal y = a.b\n{}return f(a.b, a.c, a.d) end",
                "local a ".repeat(195)
            ),
            format!(
                "function g()\nlocal x = a.b\nlocal y = a.b\n{}return {}h() end",
                "local a ".repeat(194),
                "1,".repeat(48)
            ),
        ] {
            let result = Program::compile("s.lua", source.as_bytes());
            let start = source.get(..30).unwrap_or(&source);
            assert!(result.is_ok(), "{start}: {}", result.unwrap_err());
        }
    }
}
