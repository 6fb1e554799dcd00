//! Statements and blocks.

use super::literals::NUMBERS;
use super::treasures::TREASURES;
use crate::choices::Choices;

/// The most nodes of one program. More of them find nothing that these do not.
const MAX_NODES: u32 = 250;

/// The deepest nesting: generated programs are to run, not to be refused for their shape.
const MAX_DEPTH: u32 = 24;

/// A program under way.
pub(super) struct Writer<'a> {
    pub(super) choices: Choices<'a>,
    pub(super) goop: bool,
    /// Whether `...` can be used here.
    pub(super) varargs: bool,
    /// The variables that can be seen from here.
    pub(super) variables: Vec<String>,
    out: String,
    nodes: u32,
    depth: u32,
    /// Loops around here, inside the same function.
    loops: u32,
    names: u32,
}

impl<'a> Writer<'a> {
    pub(super) fn new(choices: Choices<'a>, goop: bool) -> Self {
        Self {
            choices,
            goop,
            varargs: true,
            variables: Vec::new(),
            out: String::new(),
            nodes: MAX_NODES,
            depth: 0,
            loops: 0,
            names: 0,
        }
    }

    /// A program that is its main chunk.
    pub(super) fn chunk(&mut self) -> String {
        self.treasures();
        self.block();
        std::mem::take(&mut self.out)
    }

    /// A program with the entry point `name`.
    pub(super) fn entry(&mut self, name: &str) -> String {
        self.treasures();
        self.put(&format!("function {name}("));
        self.function_body(&["args"]);
        std::mem::take(&mut self.out)
    }

    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Whether there is room for another node.
    pub(super) fn spend(&mut self) -> bool {
        let may = self.nodes > 0 && self.depth < MAX_DEPTH && !self.choices.is_empty();
        self.nodes = self.nodes.saturating_sub(1);
        may
    }

    pub(super) fn deeper(&mut self, write: impl FnOnce(&mut Self)) {
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    fn treasures(&mut self) {
        for _ in 0..self.choices.below(4) {
            let (name, statements) = *self.choices.pick(TREASURES);
            self.put(statements);
            self.put("\n");
            self.variables.push(name.to_owned());
        }
    }

    fn new_name(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// Statements with a scope of their own.
    fn block(&mut self) {
        let outer = self.variables.len();
        // 200 local variables a function are the limit, and the rewrite has some of its own.
        while self.spend() && self.variables.len() < 120 {
            // Most statements raise an error sooner or later, and those behind them are to run too.
            if self.choices.chance(110) {
                self.deeper(Self::caught_statement);
            } else {
                self.deeper(Self::statement);
            }
            self.put("\n");
            if self.choices.chance(60) {
                break;
            }
        }
        self.variables.truncate(outer);
    }

    /// Parameters, body and `end` of a function, after its `(`.
    pub(super) fn function_body(&mut self, parameters: &[&str]) {
        let outer = (self.variables.len(), self.loops, self.varargs);
        self.varargs = self.choices.chance(100);
        self.loops = 0;
        self.put(&parameters.join(", "));
        self.put(if self.varargs { ", ...) " } else { ") " });
        self.variables.extend(parameters.iter().map(|name| (*name).to_owned()));
        self.block();
        if !self.choices.is_empty() {
            self.put(" return ");
            self.values();
        }
        self.put(" end");
        self.variables.truncate(outer.0);
        (self.loops, self.varargs) = (outer.1, outer.2);
    }

    fn caught_statement(&mut self) {
        let outer = (self.variables.len(), self.loops, self.varargs);
        (self.loops, self.varargs) = (0, false);
        self.put("pcall(function() ");
        self.statement();
        self.put(" end)");
        self.variables.truncate(outer.0);
        (self.loops, self.varargs) = (outer.1, outer.2);
    }

    fn statement(&mut self) {
        match self.choices.below(22) {
            0..=2 => self.local(),
            3 | 4 => self.assignment(),
            5 | 6 => self.statement_call(),
            7 => self.if_else(),
            8 | 9 => self.numeric_for(),
            10 => self.generic_for(),
            11 => self.while_loop(),
            12 => self.repeat_loop(),
            13 => self.local_function(),
            14 => self.protected(),
            15 => self.metatable(),
            16 => self.jump(),
            17 if self.loops > 0 => self.put("if math.random(2) == 1 then break end"),
            18 => self.wrapped("do ", "end"),
            19 => self.gather("local all = {} for i = 1, 200 do all[#all + 1] = ", " end"),
            20 => self.gather("local all = '' for i = 1, 50 do all = all .. tostring(", ") end"),
            _ => {
                self.put("local _ = ");
                self.expression();
            }
        }
    }

    fn local(&mut self) {
        let (first, second) = (self.new_name(), self.new_name());
        self.put(&format!("local {first}, {second} = "));
        self.values();
        self.variables.extend([second, first]);
    }

    fn assignment(&mut self) {
        match self.choices.below(3) {
            0 => self.variable(),
            1 => {
                self.variable();
                self.key();
            }
            _ => self.put("shared"),
        }
        self.put(" = ");
        self.expression();
    }

    fn statement_call(&mut self) {
        // A call that stands alone must not begin with a bracket: it would go on the line before.
        self.put("; ");
        if self.choices.chance(180) { self.native_call() } else { self.call() }
    }

    fn if_else(&mut self) {
        self.put("if ");
        self.expression();
        self.put(" then ");
        self.block();
        if self.choices.chance(128) {
            self.put("else ");
            self.block();
        }
        self.put("end");
    }

    fn in_loop(&mut self, variables: &[&str]) {
        let outer = self.variables.len();
        self.variables.extend(variables.iter().map(|name| (*name).to_owned()));
        self.loops += 1;
        self.block();
        self.loops -= 1;
        self.variables.truncate(outer);
    }

    fn numeric_for(&mut self) {
        let number = |writer: &mut Self| *writer.choices.pick(NUMBERS);
        let (from, to) = match self.choices.below(4) {
            0 => ("1", "5"),
            1 => ("1", "300"),
            _ => (number(self), number(self)),
        };
        self.put(&format!("for i = {from}, {to}"));
        if self.choices.chance(100) {
            let step = number(self);
            self.put(", ");
            self.put(step);
        }
        self.put(" do ");
        self.in_loop(&["i"]);
        self.put("end");
    }

    fn generic_for(&mut self) {
        self.put("for k, v in ");
        match self.choices.below(5) {
            0 => self.wrapped_expression("pairs(", ")"),
            1 => self.wrapped_expression("ipairs(", ")"),
            2 => self.wrapped_expression("string.gmatch(tostring(", "), '.-')"),
            3 => self.wrapped_expression("next, ", ""),
            _ => self.values(),
        }
        self.put(" do ");
        self.in_loop(&["k", "v"]);
        self.put("end");
    }

    fn wrapped_expression(&mut self, before: &str, after: &str) {
        self.put(before);
        self.expression();
        self.put(after);
    }

    fn while_loop(&mut self) {
        self.wrapped_expression("while ", " do ");
        self.in_loop(&[]);
        self.put("end");
    }

    fn repeat_loop(&mut self) {
        self.put("repeat ");
        self.in_loop(&[]);
        self.wrapped_expression("until ", "");
    }

    fn local_function(&mut self) {
        let name = self.new_name();
        self.variables.push(name.clone());
        self.put(&format!("local function {name}("));
        self.function_body(&["a"]);
    }

    fn protected(&mut self) {
        let name = self.new_name();
        let (before, after) = match self.choices.below(4) {
            0 => ("pcall(", ")"),
            1 => ("pcall(pcall, pcall, ", ")"),
            2 => ("xpcall(", ", tostring)"),
            _ => ("xpcall(", ", function(e) return e.x end)"),
        };
        self.put(&format!("local _, {name} = {before}"));
        self.function();
        self.put(after);
        self.variables.push(name);
    }

    /// A loop that keeps what it makes.
    fn gather(&mut self, before: &str, after: &str) {
        self.wrapped_expression(before, after);
        self.variables.push("all".to_owned());
    }

    fn metatable(&mut self) {
        self.put("setmetatable(");
        self.variable();
        self.put(", { ");
        let field = *self.choices.pick(super::expressions::FIELDS);
        self.put(field);
        self.put(" = ");
        if self.choices.chance(160) {
            self.function()
        } else {
            self.expression()
        }
        self.put(" })");
    }

    fn jump(&mut self) {
        let label = self.new_name();
        if self.choices.chance(128) {
            self.put(&format!("do goto {label} "));
            self.block();
            self.put(&format!("::{label}:: end"));
        } else {
            self.put(&format!("do local times = 0 ::{label}:: times = times + 1 "));
            self.block();
            self.put(&format!("if times < 9 then goto {label} end end"));
        }
    }

    fn wrapped(&mut self, before: &str, after: &str) {
        self.put(before);
        self.block();
        self.put(after);
    }
}
