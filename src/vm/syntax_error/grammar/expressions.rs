//! What expressions are made of.

use super::operations::{Key, Operand};
use super::{Function, Parser, Prefix, Step};
use crate::vm::syntax_error::tokens::Kind;

impl<'s> Parser<'s> {
    pub(super) fn expressions(&mut self) -> Step {
        self.expression()?;
        while self.take(",")? {
            self.expression()?;
        }
        Ok(())
    }

    pub(super) fn expression(&mut self) -> Step {
        self.nested(|parser| {
            let mut chain = Vec::new();
            let mut operator = None;
            loop {
                let left = parser.operand.name;
                let signs = parser.signs()?;
                parser.operand()?;
                parser.note_signs(&signs);
                if let Some(operator) = operator {
                    parser.note_binary(operator, left, &mut chain);
                }
                if !parser.at_binary_operator() {
                    parser.note_chain_end(&mut chain);
                    return Ok(());
                }
                operator = Some(parser.token.fixed());
                parser.next()?;
                parser.note_operand_end();
            }
        })
    }

    /// The operators before an operand.
    fn signs(&mut self) -> Step<Vec<&'s str>> {
        let mut signs = Vec::new();
        while matches!(self.token.fixed(), "not" | "-" | "#" | "~") {
            signs.push(self.token.fixed());
            self.next()?;
        }
        Ok(signs)
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
        self.operand = Operand::default();
        match (self.token.kind, self.token.fixed()) {
            (Kind::Number | Kind::Text, _) | (_, "nil" | "true" | "false") => self.next(),
            (_, "...") => match self.functions.last() {
                Some(Function { varargs: true, .. }) => self.next(),
                _ => Err(self.problem("cannot use '...' outside a vararg function")),
            },
            (_, "{") => {
                self.constructor()?;
                self.operand = Operand::default();
                Ok(())
            }
            (_, "function") => {
                self.next()?;
                let line = self.line();
                self.function_body(line)?;
                self.operand = Operand::default();
                Ok(())
            }
            _ => self.prefix_expression().map(drop),
        }
    }

    pub(super) fn prefix_expression(&mut self) -> Step<Prefix> {
        let mut prefix = if self.token.kind == Kind::Name {
            self.operand = Operand { name: Some(self.token.name()), ..Operand::default() };
            self.next()?;
            Prefix::Variable
        } else if self.at("(") {
            let line = self.line();
            self.next()?;
            self.expression()?;
            self.close(")", "(", line)?;
            self.operand = Operand::default();
            Prefix::Other
        } else {
            return Err(self.problem("unexpected symbol"));
        };
        loop {
            let name = self.operand.name;
            prefix = match (self.token.kind, self.token.fixed()) {
                (_, ".") => {
                    self.next()?;
                    let key = self.need_name()?;
                    self.note_index(name, Some(key), Key::Literal);
                    Prefix::Variable
                }
                (_, "[") => {
                    let key = self.index()?;
                    self.note_index(name, None, key);
                    Prefix::Variable
                }
                (_, ":") => {
                    self.next()?;
                    let method = self.need_name()?;
                    self.note_index(name, Some(method), Key::Literal);
                    self.arguments(Some(method))?;
                    Prefix::Call
                }
                (Kind::Text, _) | (_, "(" | "{") => {
                    self.arguments(name)?;
                    Prefix::Call
                }
                _ => return Ok(prefix),
            };
        }
    }

    fn index(&mut self) -> Step<Key<'s>> {
        self.next()?;
        let is_literal = matches!(self.token.kind, Kind::Number | Kind::Text);
        self.expression()?;
        let key = if is_literal { Key::Literal } else { Key::Computed(self.operand.name) };
        self.need("]")?;
        Ok(key)
    }

    /// The arguments of a call of what is called `callee`.
    fn arguments(&mut self, callee: Option<&'s str>) -> Step {
        let line = self.line();
        match (self.token.kind, self.token.fixed()) {
            (Kind::Text, _) => self.next()?,
            (_, "{") => self.constructor()?,
            (_, "(") => {
                self.next()?;
                if !self.at(")") {
                    self.expressions()?;
                }
                self.close(")", "(", line)?;
            }
            _ => return Err(self.problem("function arguments expected")),
        }
        self.note_call(callee, line);
        Ok(())
    }

    fn constructor(&mut self) -> Step {
        let line = self.line();
        self.next()?;
        while !self.at("}") {
            let mut key = Key::Literal;
            if self.at("[") {
                key = self.index()?;
                self.need("=")?;
            } else if self.token.kind == Kind::Name && self.look_ahead()?.fixed() == "=" {
                self.next()?;
                self.next()?;
            }
            self.expression()?;
            self.note_key(key);
            if !self.take(",")? && !self.take(";")? {
                break;
            }
        }
        self.close("}", "{", line)
    }
}
