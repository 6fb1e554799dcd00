//! The grammar as reference Lua 5.1 walks it, only to say where a program leaves it, and where in one that does not
//! its operations are.
//!
//! What each function expects, in which order and in which words, is that of the functions of the
//! same purpose in the reference's `lparser.c`. What the parser takes besides (`goto`, `//`,
//! constants, a `break` in the middle) is taken here too, so that it is never called the mistake.

mod expressions;
mod operations;

use self::operations::Operand;
pub(crate) use self::operations::{NameAt, Spot};
use super::Problem;
use super::tokens::{Kind, Token, Tokens};

/// Levels of blocks and expressions, as in the reference. It bounds the native stack.
const MAX_LEVELS: usize = 200;

type Step<T = ()> = Result<T, Problem>;

/// The first thing that is wrong with `source`; nothing when it is a program.
pub(super) fn first_problem(source: &[u8]) -> Option<Problem> {
    Parser::of(source).chunk().err()
}

/// The operations of a program and their lines.
pub(super) fn spots(source: &[u8]) -> Vec<Spot> {
    let mut parser = Parser::of(source);
    // A program has no problem.
    let _ = parser.chunk();
    parser.spots
}

struct Parser<'s> {
    tokens: Tokens<'s>,
    token: Token<'s>,
    ahead: Option<Token<'s>>,
    levels: usize,
    /// The functions around here, outermost first.
    functions: Vec<Function>,
    /// The line of the token before this one.
    last_line: u64,
    /// The line on which the statement begins.
    statement: u64,
    operand: Operand<'s>,
    spots: Vec<Spot>,
}

struct Function {
    varargs: bool,
    loops: usize,
}

/// What an expression is that begins with a name or a parenthesis.
#[derive(PartialEq)]
enum Prefix {
    Variable,
    Call,
    Other,
}

impl<'s> Parser<'s> {
    fn of(source: &'s [u8]) -> Self {
        Self {
            tokens: Tokens::of(source),
            token: Token::END,
            ahead: None,
            levels: 0,
            functions: vec![Function { varargs: true, loops: 0 }],
            last_line: 1,
            statement: 1,
            operand: Operand::default(),
            spots: Vec::new(),
        }
    }

    fn chunk(&mut self) -> Step {
        self.next()?;
        self.block()?;
        if self.token.kind == Kind::EndOfFile { Ok(()) } else { Err(self.expected("<eof>")) }
    }

    // ---- Tokens

    fn next(&mut self) -> Step {
        self.last_line = self.line();
        self.token = match self.ahead.take() {
            Some(token) => token,
            None => self.tokens.next()?,
        };
        Ok(())
    }

    fn look_ahead(&mut self) -> Step<Token<'s>> {
        let token = self.tokens.next()?;
        self.ahead = Some(token);
        Ok(token)
    }

    fn line(&self) -> u64 {
        self.tokens.line
    }

    fn at(&self, fixed: &str) -> bool {
        self.token.fixed() == fixed
    }

    /// Takes the token if it is this one.
    fn take(&mut self, fixed: &str) -> Step<bool> {
        let found = self.at(fixed);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    fn need(&mut self, fixed: &str) -> Step {
        if self.take(fixed)? { Ok(()) } else { Err(self.expected(fixed)) }
    }

    fn need_name(&mut self) -> Step<&'s str> {
        let name = self.token.name();
        if name.is_empty() {
            return Err(self.expected("<name>"));
        }
        self.next()?;
        Ok(name)
    }

    /// Takes the token that closes what `opener` opened at `line`.
    fn close(&mut self, closer: &str, opener: &str, line: u64) -> Step {
        if self.take(closer)? {
            return Ok(());
        }
        if line == self.line() {
            return Err(self.expected(closer));
        }
        Err(self.problem(&format!("'{closer}' expected (to close '{opener}' at line {line})")))
    }

    // ---- Problems

    fn problem(&self, message: &str) -> Problem {
        Problem { message: format!("{message} near '{}'", self.token.shown()), line: self.line() }
    }

    fn expected(&self, what: &str) -> Problem {
        self.problem(&format!("'{what}' expected"))
    }

    /// Runs `inner` one level deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            let message = "chunk has too many syntax levels".to_owned();
            return Err(Problem { message, line: self.line() });
        }
        let result = inner(self)?;
        self.levels -= 1;
        Ok(result)
    }

    // ---- Statements

    fn block(&mut self) -> Step {
        self.nested(|parser| {
            while !parser.at_block_end() {
                let is_last = parser.at("return");
                parser.statement()?;
                parser.take(";")?;
                if is_last {
                    break;
                }
            }
            Ok(())
        })
    }

    fn at_block_end(&self) -> bool {
        self.token.kind == Kind::EndOfFile
            || matches!(self.token.fixed(), "else" | "elseif" | "end" | "until")
    }

    fn statement(&mut self) -> Step {
        let line = self.line();
        self.statement = line;
        match self.token.fixed() {
            "if" => self.if_statement(line),
            "while" => {
                self.next()?;
                self.expression()?;
                self.need("do")?;
                self.in_loop(Self::block)?;
                self.close("end", "while", line)
            }
            "do" => {
                self.next()?;
                self.block()?;
                self.close("end", "do", line)
            }
            "for" => self.for_statement(line),
            "repeat" => {
                self.next()?;
                self.in_loop(Self::block)?;
                self.statement = self.line();
                self.close("until", "repeat", line)?;
                self.expression()
            }
            "function" => {
                self.next()?;
                self.need_name()?;
                while self.take(".")? {
                    self.need_name()?;
                }
                if self.take(":")? {
                    self.need_name()?;
                }
                self.function_body(line)
            }
            "local" => self.local_statement(),
            "return" => {
                self.next()?;
                if self.at_block_end() || self.at(";") { Ok(()) } else { self.expressions() }
            }
            "break" => {
                self.next()?;
                match self.functions.last() {
                    Some(Function { loops: 1.., .. }) => Ok(()),
                    _ => Err(self.problem("no loop to break")),
                }
            }
            "goto" => {
                self.next()?;
                self.need_name().map(drop)
            }
            "::" => {
                self.next()?;
                self.need_name()?;
                self.need("::")
            }
            // An empty statement; whoever called takes it.
            ";" => Ok(()),
            _ => self.expression_statement(),
        }
    }

    fn in_loop(&mut self, body: impl FnOnce(&mut Self) -> Step) -> Step {
        let count = |parser: &mut Self, change: fn(&mut usize)| {
            parser.functions.last_mut().into_iter().for_each(|function| change(&mut function.loops));
        };
        count(self, |loops| *loops += 1);
        body(self)?;
        count(self, |loops| *loops -= 1);
        Ok(())
    }

    fn if_statement(&mut self, line: u64) -> Step {
        loop {
            self.statement = self.line();
            self.next()?;
            self.expression()?;
            self.need("then")?;
            self.block()?;
            if !self.at("elseif") {
                break;
            }
        }
        if self.take("else")? {
            self.block()?;
        }
        self.close("end", "if", line)
    }

    fn for_statement(&mut self, line: u64) -> Step {
        self.next()?;
        self.need_name()?;
        let is_numeric = self.at("=");
        match self.token.fixed() {
            "=" => {
                self.next()?;
                self.expression()?;
                self.need(",")?;
                self.expression()?;
                if self.take(",")? {
                    self.expression()?;
                }
            }
            "," | "in" => {
                while self.take(",")? {
                    self.need_name()?;
                }
                self.need("in")?;
                self.expressions()?;
            }
            _ => return Err(self.problem("'=' or 'in' expected")),
        }
        self.need("do")?;
        if is_numeric {
            self.note_bounds();
        }
        self.in_loop(Self::block)?;
        self.close("end", "for", line)
    }

    fn local_statement(&mut self) -> Step {
        self.next()?;
        if self.take("function")? {
            self.need_name()?;
            let line = self.line();
            return self.function_body(line);
        }
        loop {
            self.need_name()?;
            if self.at("<") && self.look_ahead()?.kind == Kind::Name {
                self.next()?;
                let attribute = self.need_name()?;
                self.need(">")?;
                if !matches!(attribute, "const" | "close") {
                    let message = format!("unknown attribute '{attribute}'");
                    return Err(Problem { message, line: self.line() });
                }
            }
            if !self.take(",")? {
                break;
            }
        }
        if self.take("=")? { self.expressions() } else { Ok(()) }
    }

    fn expression_statement(&mut self) -> Step {
        let mut prefix = self.prefix_expression()?;
        if prefix == Prefix::Call {
            return Ok(());
        }
        let mut targets = vec![self.operand];
        while prefix == Prefix::Variable && self.take(",")? {
            prefix = self.prefix_expression()?;
            targets.push(self.operand);
        }
        if prefix != Prefix::Variable {
            return Err(self.problem("syntax error"));
        }
        self.need("=")?;
        self.expressions()?;
        targets.into_iter().for_each(|target| self.note_assignment(target));
        Ok(())
    }

    fn function_body(&mut self, line: u64) -> Step {
        self.need("(")?;
        let mut varargs = false;
        if !self.at(")") {
            loop {
                if self.take("...")? {
                    varargs = true;
                } else if self.token.kind == Kind::Name {
                    self.next()?;
                } else {
                    return Err(self.problem("<name> or '...' expected"));
                }
                if varargs || !self.take(",")? {
                    break;
                }
            }
        }
        self.need(")")?;
        let statement = self.statement;
        self.functions.push(Function { varargs, loops: 0 });
        self.block()?;
        self.functions.pop();
        self.statement = statement;
        self.close("end", "function", line)
    }
}
