//! What expressions are made of.

use super::{Function, Parser, Prefix, Step};
use crate::vm::syntax_error::tokens::Kind;

impl Parser<'_> {
    pub(super) fn expressions(&mut self) -> Step {
        self.expression()?;
        while self.take(",")? {
            self.expression()?;
        }
        Ok(())
    }

    pub(super) fn expression(&mut self) -> Step {
        self.nested(|parser| {
            loop {
                while matches!(parser.token.fixed(), "not" | "-" | "#" | "~") {
                    parser.next()?;
                }
                parser.operand()?;
                if !parser.at_binary_operator() {
                    return Ok(());
                }
                parser.next()?;
            }
        })
    }

    fn at_binary_operator(&self) -> bool {
        matches!(
            self.token.fixed(),
            "+" | "-"
                | "*"
                | "/"
                | "%"
                | "^"
                | ".."
                | "~="
                | "=="
                | "<"
                | "<="
                | ">"
                | ">="
                | "and"
                | "or"
                | "//"
                | "&"
                | "|"
                | "~"
                | "<<"
                | ">>"
        )
    }

    fn operand(&mut self) -> Step {
        match (self.token.kind, self.token.fixed()) {
            (Kind::Number | Kind::Text, _) | (_, "nil" | "true" | "false") => self.next(),
            (_, "...") => match self.functions.last() {
                Some(Function { varargs: true, .. }) => self.next(),
                _ => Err(self.problem("cannot use '...' outside a vararg function")),
            },
            (_, "{") => self.constructor(),
            (_, "function") => {
                self.next()?;
                let line = self.line();
                self.function_body(line)
            }
            _ => self.prefix_expression().map(drop),
        }
    }

    pub(super) fn prefix_expression(&mut self) -> Step<Prefix> {
        let mut prefix = if self.token.kind == Kind::Name {
            self.next()?;
            Prefix::Variable
        } else if self.at("(") {
            let line = self.line();
            self.next()?;
            self.expression()?;
            self.close(")", "(", line)?;
            Prefix::Other
        } else {
            return Err(self.problem("unexpected symbol"));
        };
        loop {
            prefix = match (self.token.kind, self.token.fixed()) {
                (_, ".") => {
                    self.next()?;
                    self.need_name()?;
                    Prefix::Variable
                }
                (_, "[") => {
                    self.index()?;
                    Prefix::Variable
                }
                (_, ":") => {
                    self.next()?;
                    self.need_name()?;
                    self.arguments()?;
                    Prefix::Call
                }
                (Kind::Text, _) | (_, "(" | "{") => {
                    self.arguments()?;
                    Prefix::Call
                }
                _ => return Ok(prefix),
            };
        }
    }

    fn index(&mut self) -> Step {
        self.next()?;
        self.expression()?;
        self.need("]")
    }

    fn arguments(&mut self) -> Step {
        let line = self.line();
        match (self.token.kind, self.token.fixed()) {
            (Kind::Text, _) => self.next(),
            (_, "{") => self.constructor(),
            (_, "(") => {
                self.next()?;
                if !self.at(")") {
                    self.expressions()?;
                }
                self.close(")", "(", line)
            }
            _ => Err(self.problem("function arguments expected")),
        }
    }

    fn constructor(&mut self) -> Step {
        let line = self.line();
        self.next()?;
        while !self.at("}") {
            if self.at("[") {
                self.index()?;
                self.need("=")?;
            } else if self.token.kind == Kind::Name && self.look_ahead()?.fixed() == "=" {
                self.next()?;
                self.next()?;
            }
            self.expression()?;
            if !self.take(",")? && !self.take(";")? {
                break;
            }
        }
        self.close("}", "{", line)
    }
}
