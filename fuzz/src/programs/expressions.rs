//! Expressions.

use super::literals::{DATES, FORMATS, NUMBERS, ORDERS, PATTERNS, REPLACEMENTS, STRINGS};
use super::natives::{Argument, GOOP, METHODS, NATIVES, Native};
use super::statements::Writer;

const BINARY: &[&str] = &[
    "+", "-", "*", "/", "%", "..", "^", "//", "==", "~=", "<", "<=", ">", ">=", "and", "or", "&", "|", "~",
    "<<", ">>",
];
const UNARY: &[&str] = &["-", "not ", "#", "~"];

/// The names of fields, known metamethods among them.
pub(super) const FIELDS: &[&str] = &[
    "x",
    "n",
    "self",
    "__index",
    "__newindex",
    "__call",
    "__concat",
    "__add",
    "__mod",
    "__eq",
    "__lt",
    "__le",
    "__len",
    "__tostring",
    "__unm",
    "__metatable",
    "__pairs",
    "__mode",
    "__gc",
    "__close",
    "__name",
    "year",
    "month",
    "day",
    "hour",
];

/// How often an argument is not what it should be, in 256.
const WRONG: u8 = 24;

impl Writer<'_> {
    /// Any expression.
    pub(super) fn expression(&mut self) {
        if !self.spend() {
            self.put("1");
            return;
        }
        self.deeper(|writer| match writer.choices.below(16) {
            0 => writer.variable(),
            1 => writer.literal(NUMBERS),
            2 => writer.literal(STRINGS),
            3..=5 => writer.native_call(),
            6 | 7 => writer.binary(),
            8 => writer.unary(),
            9 => writer.table(),
            10 => writer.function(),
            11 => writer.method_call(),
            12 => writer.index(),
            13 => writer.call(),
            14 => writer.concat_chain(),
            _ => writer.simple(),
        });
    }

    fn literal(&mut self, from: &[&str]) {
        let text = *self.choices.pick(from);
        self.put(text);
    }

    fn simple(&mut self) {
        let mut words = vec!["nil", "true", "false", "{}", "_G", "''", "string", "_VERSION"];
        if self.varargs {
            words.extend(["...", "(...)", "{ ... }", "select('#', ...)"]);
        }
        if self.goop {
            words.extend(["goop", "goop.peer", "goop.self.id"]);
        }
        let word = *self.choices.pick(&words);
        self.put(word);
    }

    /// A variable that can be seen from here.
    pub(super) fn variable(&mut self) {
        let name = if self.variables.is_empty() {
            "missing".to_owned()
        } else {
            let last = self.variables.len().min(256);
            let back = self.choices.below(last);
            self.variables[self.variables.len() - 1 - back].clone()
        };
        self.put(&name);
    }

    fn binary(&mut self) {
        self.put("(");
        self.expression();
        let operator = *self.choices.pick(BINARY);
        self.put(" ");
        self.put(operator);
        self.put(" ");
        self.expression();
        self.put(")");
    }

    fn unary(&mut self) {
        let operator = *self.choices.pick(UNARY);
        self.put("(");
        self.put(operator);
        self.expression();
        self.put(")");
    }

    fn concat_chain(&mut self) {
        self.put("(");
        self.expression();
        for _ in 0..=self.choices.below(6) {
            self.put(" .. ");
            self.expression();
        }
        self.put(")");
    }

    fn table(&mut self) {
        self.put("{");
        for _ in 0..self.choices.below(5) {
            match self.choices.below(4) {
                0 => self.expression(),
                1 => {
                    let field = *self.choices.pick(FIELDS);
                    self.put(field);
                    self.put(" = ");
                    self.expression();
                }
                2 => {
                    self.put("[");
                    self.expression();
                    self.put("] = ");
                    self.expression();
                }
                _ => self.native_call(),
            }
            self.put(", ");
        }
        self.put("}");
    }

    /// A function with a body of its own.
    pub(super) fn function(&mut self) {
        self.put("function(");
        self.function_body(&["a", "b"]);
    }

    fn index(&mut self) {
        self.put("(");
        self.expression();
        self.put(")");
        self.key();
    }

    /// `.x` or `[…]`.
    pub(super) fn key(&mut self) {
        if self.choices.chance(128) {
            let field = *self.choices.pick(FIELDS);
            self.put(".");
            self.put(field);
        } else {
            self.put("[");
            self.expression();
            self.put("]");
        }
    }

    /// A call of any value.
    pub(super) fn call(&mut self) {
        self.put("(");
        self.variable();
        self.put(")(");
        self.values();
        self.put(")");
    }

    fn method_call(&mut self) {
        let (name, arguments) = *self.choices.pick(METHODS);
        self.put("(");
        self.argument(Argument::String);
        self.put("):");
        self.put(name);
        self.put("(");
        self.arguments(arguments);
        self.put(")");
    }

    /// A call of a function of the library, with arguments of the kind it wants.
    pub(super) fn native_call(&mut self) {
        let all: &[Native] = if self.goop && self.choices.chance(128) { GOOP } else { NATIVES };
        let (name, arguments) = *self.choices.pick(all);
        self.put(name);
        self.put("(");
        self.arguments(arguments);
        self.put(")");
    }

    fn arguments(&mut self, arguments: &[Argument]) {
        // Sometimes too few.
        let count = if self.choices.chance(WRONG) {
            self.choices.below(arguments.len() + 1)
        } else {
            arguments.len()
        };
        for (position, argument) in arguments.iter().take(count).enumerate() {
            if position > 0 {
                self.put(", ");
            }
            if self.choices.chance(WRONG) { self.expression() } else { self.argument(*argument) }
        }
    }

    fn argument(&mut self, argument: Argument) {
        match argument {
            Argument::Any => self.expression(),
            Argument::Number if self.choices.chance(200) => self.literal(NUMBERS),
            Argument::String if self.choices.chance(180) => self.literal(STRINGS),
            Argument::Number | Argument::String | Argument::Table => self.expression(),
            Argument::Pattern => self.literal(PATTERNS),
            Argument::Format => self.literal(FORMATS),
            Argument::Date => self.literal(DATES),
            Argument::Replacement => self.literal(REPLACEMENTS),
            Argument::Order if self.choices.chance(128) => self.literal(ORDERS),
            Argument::Order => {
                self.put("function(a, b) return ");
                self.expression();
                self.put(" end");
            }
            Argument::Function if self.choices.chance(128) => self.function(),
            Argument::Function => {
                let (name, _) = *self.choices.pick(NATIVES);
                self.put(name);
            }
            Argument::Many => self.values(),
        }
    }

    /// Some values, perhaps thousands.
    pub(super) fn values(&mut self) {
        match self.choices.below(8) {
            0 | 1 => self.expression(),
            2 | 3 => {
                self.expression();
                self.put(", ");
                self.expression();
            }
            4 => self.put("unpack({ 1, 2, 3 })"),
            5 => self.put("unpack({}, 1, 7000)"),
            6 if self.varargs => self.put("..., ..."),
            _ => self.put("nil"),
        }
    }
}
