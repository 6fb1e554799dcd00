//! Makes programs carry a mark of where they are, for the errors of the VM's own operations.
//!
//! Natives see the line of their caller, but when the VM itself fails (an index of nil, a call of
//! nil, arithmetic on text) it says what and not where, and the frame is gone before anyone could
//! look. So the program keeps a hidden variable, the mark, whose format [`crate::vm::places`]
//! tells. A function that is one region sets it once, on entry:
//!
//! ```text
//! local callers mark = mark
//! mark = REGION            -- or callers mark << BITS | REGION
//! …
//! mark = callers mark      -- before each return
//! ```
//!
//! To keep the callers' regions doubles the price, so it is done for programs that ask for them
//! (`error(message, 2)`) and for those whose traceback somebody wants to see.
//!
//! A function that has operations of one kind on several lines sets it where the region changes.
//! What runs in the VM's own loops (`for`, `while`) is a region of its own where it can be, so
//! that nothing is set in each round.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    BinaryOperator, Block, Chunk, Expression, ForStatement, LineAnnotated, SimpleExpression, Statement,
};

use super::build::{assign, at, empty_block, grouped, local_statement, simple, variable};
use super::functions::each_function;
use super::library::Facts;
use super::locals::local;
use super::operations::Collector;
use super::operators::HiddenNative;
use super::returns::{put_back, put_back_before_returns, stay_for_natives};
use super::walk::{Visitor, walk_chunk};
use crate::vm::lines::Lines;
use crate::vm::places::{FunctionPlace, Operation, Places, Region, named};
use crate::vm::program::Text;

/// The chunk's variable that holds the mark.
pub(super) const MARK: &[u8] = b"\0mark";
/// A function's copy of its caller's mark.
pub(super) const CALLERS_MARK: &[u8] = b"\0callers mark";
/// The caller's mark, moved up to make room for a region.
const BASE: &[u8] = b"\0base";

/// What a traceback calls the code outside all functions.
const MAIN: &str = "main chunk";

/// The name of the variable that holds the mark, to be declared around the chunk.
pub(super) fn mark_variable() -> Text {
    MARK.into()
}

/// Rewrites the chunk, which was parsed from `source`, so that it sets the mark. Natives that it needs are added to `natives`.
pub(super) fn set_marks(
    chunk: &mut Chunk<Text>,
    (script, source): (&str, &[u8]),
    facts: &Facts<'_>,
    natives: &mut Vec<HiddenNative>,
) -> Places {
    let survey = Survey::of(chunk);
    let bits = survey.bits();
    let function = Function { place: place(MAIN.to_owned(), &chunk.block), has_caller: false };
    let mut marker = Marker { script, facts, bits, depth: 0, function, regions: Vec::new(), natives };
    marker.functions_in(&mut chunk.block);
    marker.body(&mut chunk.block, MAIN.to_owned(), false, None);
    let regions = marker.regions;
    let (methods, lines) = (survey.only_methods(), Lines::of(source));
    Places { script: script.to_owned(), bits, regions, methods, lines }
}

/// What is to be known of the program as a whole.
#[derive(Default)]
struct Survey {
    /// No fewer than the regions that will be made: before every statement, and for what a loop
    /// does between two rounds.
    most_regions: usize,
    line: u64,
    /// The lines and names of calls.
    methods: HashSet<(u64, Text)>,
    functions: HashSet<(u64, Text)>,
}

impl Survey {
    fn of(chunk: &Chunk<Text>) -> Self {
        let mut survey = Self::default();
        let Ok(()) = walk_chunk(&mut survey, chunk);
        survey
    }

    /// The bits that the number of a region takes.
    fn bits(&self) -> u32 {
        usize::BITS - self.most_regions.leading_zeros()
    }

    fn only_methods(self) -> HashSet<(u64, Text)> {
        &self.methods - &self.functions
    }
}

impl Visitor for Survey {
    type Error = Infallible;

    fn enter_block(&mut self, _: &Block<Text>) -> Result<(), Infallible> {
        self.most_regions += 2;
        Ok(())
    }

    fn statement(&mut self, _: &Statement<Text>, _: LineNumber) -> Result<(), Infallible> {
        self.most_regions += 2;
        Ok(())
    }

    fn line(&mut self, line: LineNumber) {
        self.line = line.0.saturating_add(1);
    }

    fn call(&mut self, name: &Text, is_method: bool) {
        let calls = if is_method { &mut self.methods } else { &mut self.functions };
        calls.insert((self.line, name.clone()));
    }
}

struct Marker<'a> {
    script: &'a str,
    facts: &'a Facts<'a>,
    bits: u32,
    /// How many functions are around the code.
    depth: u8,
    function: Function,
    regions: Vec<Region>,
    natives: &'a mut Vec<HiddenNative>,
}

/// The function being rewritten.
struct Function {
    place: Arc<FunctionPlace>,
    has_caller: bool,
}

fn place(name: String, body: &Block<Text>) -> Arc<FunctionPlace> {
    let first = body.statements.first().map(|statement| statement.line_number);
    let first = first.or(body.return_statement.as_ref().map(|statement| statement.line_number));
    let first = first.unwrap_or(body.closed_on).0.saturating_add(1);
    Arc::new(FunctionPlace { name, lines: first..=body.closed_on.0.saturating_add(1) })
}

/// The number of a region in [`Places`], counted from 1.
type RegionNumber = usize;

impl Marker<'_> {
    /// Rewrites all functions in the block, and those inside them.
    fn functions_in(&mut self, block: &mut Block<Text>) {
        each_function(block, &mut |definition, found| {
            self.depth = self.depth.saturating_add(1);
            self.functions_in(&mut definition.body);
            let name = match found.name {
                Some(name) => named("function", &name),
                None => format!("function <{}:{}>", self.script, found.line.0 + 1),
            };
            self.body(&mut definition.body, name, true, found.variable);
            self.depth = self.depth.saturating_sub(1);
        });
    }

    /// Rewrites the body of a function, or the chunk, which has no caller to put back.
    fn body(&mut self, body: &mut Block<Text>, name: String, has_caller: bool, own: Option<Text>) {
        // Calls of itself alone can't fail.
        let own = own.filter(|own| local(own).is_some_and(|local| local.gives.is_some()));
        let mut others =
            Collector::new(self.facts, self.depth, body.closed_on).without_calls_of(own.as_ref());
        others.block(body);
        if others.operations.is_empty() {
            stay_for_natives(body, self.facts, self.natives);
            return;
        }
        drop(others);
        self.function = Function { place: place(name, body), has_caller };
        let line = body.statements.first().map_or(body.closed_on, |statement| statement.line_number);
        let mut entry = Vec::new();
        let all = self.operations(body.closed_on, |collector| collector.block(body));
        let whole = self.region(&all);
        // A body may have twenty thousand, and all that is made of it comes beside them.
        drop(all);
        if let Some(region) = whole {
            if has_caller {
                entry.push(at(line, keep(CALLERS_MARK, variable(MARK))));
            }
            entry.push(at(line, self.set_first(region)));
        } else {
            self.block(body, None);
            if has_caller {
                entry.push(at(line, keep(CALLERS_MARK, variable(MARK))));
                if self.keeps_callers() {
                    entry.push(at(line, keep(BASE, self.base())));
                }
            }
        }
        if has_caller {
            put_back_before_returns(body, self.facts, self.natives);
            push_last(body, body.closed_on, put_back());
        } else {
            stay_for_natives(body, self.facts, self.natives);
        }
        body.statements.splice(0..0, entry);
    }

    fn operations(&self, line: LineNumber, collect: impl FnOnce(&mut Collector<'_>)) -> Vec<Operation> {
        let mut collector = Collector::new(self.facts, self.depth, line);
        collect(&mut collector);
        collector.operations
    }

    /// A new region, if it can hold all of these operations.
    fn region(&mut self, operations: &[Operation]) -> Option<RegionNumber> {
        let region = Region::of(&self.function.place, operations.to_vec())?;
        self.regions.push(region);
        Some(self.regions.len())
    }

    // ---- setting the mark -----------------------------------------------------------------

    /// Whether the function's mark holds the regions of its callers too.
    fn keeps_callers(&self) -> bool {
        self.function.has_caller && self.facts.callers
    }

    /// `callers mark << BITS`
    fn base(&self) -> Expression<Text> {
        let mut base = variable(CALLERS_MARK);
        base.tail.push((BinaryOperator::ShiftLeft, integer(i64::from(self.bits))));
        base
    }

    /// Sets the mark in a function that does so once.
    fn set_first(&self, region: RegionNumber) -> Statement<Text> {
        let base = if self.keeps_callers() { Some(grouped(self.base())) } else { None };
        assign(MARK, with_region(base, region))
    }

    fn set(&self, region: RegionNumber) -> Statement<Text> {
        let base = if self.keeps_callers() { Some(variable(BASE)) } else { None };
        assign(MARK, with_region(base, region))
    }

    /// Makes the mark hold a region with these operations: the one it is `known` to hold, if that
    /// can take them in, or else a new one, set by a statement added to `before`.
    fn place(
        &mut self,
        operations: Vec<Operation>,
        line: LineNumber,
        known: Option<RegionNumber>,
        before: &mut Vec<LineAnnotated<Statement<Text>>>,
    ) -> Option<RegionNumber> {
        if operations.is_empty() || self.take_in(known, &operations) {
            return known;
        }
        let number = self.region(&operations)?;
        before.push(at(line, self.set(number)));
        Some(number)
    }

    fn take_in(&mut self, known: Option<RegionNumber>, operations: &[Operation]) -> bool {
        let region = known.and_then(|number| self.regions.get_mut(number - 1));
        region.is_some_and(|region| region.add(operations.to_vec()))
    }

    // ---- following the flow ---------------------------------------------------------------

    /// Rewrites a block. `known` is the region that the mark holds on entry, if it is certain.
    /// Returns the one that it holds at the end.
    fn block(&mut self, block: &mut Block<Text>, mut known: Option<RegionNumber>) -> Option<RegionNumber> {
        let mut marked = Vec::with_capacity(block.statements.len());
        for mut statement in std::mem::take(&mut block.statements) {
            let line = statement.line_number;
            known = self.statement(&mut statement.inner, line, known, &mut marked);
            marked.push(statement);
        }
        if let Some(statement) = &block.return_statement {
            let line = statement.line_number;
            let returned = self.operations(line, |collector| collector.expressions(&statement.inner.returns));
            known = self.place(returned, line, known, &mut marked);
        }
        block.statements = marked;
        known
    }

    fn statement(
        &mut self,
        statement: &mut Statement<Text>,
        line: LineNumber,
        known: Option<RegionNumber>,
        before: &mut Vec<LineAnnotated<Statement<Text>>>,
    ) -> Option<RegionNumber> {
        if is_loop(statement) {
            let whole = self.operations(line, |collector| collector.whole(statement));
            // The loop's first rounds and its last must find the same region.
            if whole.is_empty() || self.take_in(known, &whole) {
                return known;
            }
            if let Some(number) = self.region(&whole) {
                before.push(at(line, self.set(number)));
                return Some(number);
            }
        }
        let own = self.operations(line, |collector| collector.own(statement));
        let has_own = !own.is_empty();
        let known = self.place(own, line, known, before);
        let between = if has_own { known } else { None };
        match statement {
            Statement::If(s) => {
                let has_else = s.else_part.is_some();
                let conditional = std::iter::once(&mut s.if_part).chain(&mut s.else_if_parts);
                let blocks = conditional.map(|(_, block)| block).chain(&mut s.else_part);
                let ends: Vec<_> = blocks.filter_map(|block| self.end_of(block, known)).collect();
                merged(ends, (!has_else).then_some(known))
            }
            Statement::Do(block) => self.block(block, known),
            Statement::While(s) => self.loop_body(&mut s.block, between),
            Statement::For(ForStatement::Numeric { body, .. }) => self.loop_body(body, None),
            // The iterator is called again after each round.
            Statement::For(ForStatement::Generic { body, .. }) => self.loop_body(body, between),
            Statement::Repeat(s) => {
                let until = s.body.closed_on;
                let condition = self.operations(until, |collector| {
                    collector.expression(&s.until);
                });
                let end = self.block(&mut s.body, None);
                let mut after = Vec::new();
                self.place(condition, until, end, &mut after);
                // Behind a label it can't stand: the condition sees the body's variables, so they
                // can't be enclosed.
                if !ends_in_label(&s.body) && s.body.return_statement.is_none() {
                    s.body.statements.append(&mut after);
                }
                None
            }
            // A `goto` may come here from anywhere.
            Statement::Label(_) => None,
            _ => known,
        }
    }

    /// Rewrites a block of an `if`. Returns the region at its end, unless that is not reached.
    fn end_of(
        &mut self,
        block: &mut Block<Text>,
        known: Option<RegionNumber>,
    ) -> Option<Option<RegionNumber>> {
        let end = self.block(block, known);
        let left = match block.statements.last().map(|last| &last.inner) {
            Some(Statement::Break | Statement::Goto(_)) => true,
            _ => block.return_statement.is_some(),
        };
        (!left).then_some(end)
    }

    /// Rewrites a loop's body. What is evaluated between two rounds is in the region `between`.
    fn loop_body(&mut self, body: &mut Block<Text>, between: Option<RegionNumber>) -> Option<RegionNumber> {
        let end = self.block(body, None);
        if let Some(number) = between
            && end != Some(number)
        {
            push_last(body, body.closed_on, self.set(number));
        }
        None
    }
}

fn is_loop(statement: &Statement<Text>) -> bool {
    matches!(statement, Statement::While(_) | Statement::For(_) | Statement::Repeat(_))
}

/// The region that is certain where several ways meet.
fn merged(ends: Vec<Option<RegionNumber>>, skipped: Option<Option<RegionNumber>>) -> Option<RegionNumber> {
    let mut all = ends.into_iter().chain(skipped);
    let first = all.next()?;
    if all.all(|end| end == first) { first } else { None }
}

fn ends_in_label(block: &Block<Text>) -> bool {
    block.statements.last().is_some_and(|last| matches!(last.inner, Statement::Label(_)))
}

/// Adds a statement to the end of a block, unless that is not reached. A label may stay the last
/// of its block, since a `goto` may jump over variables only to such a label.
fn push_last(block: &mut Block<Text>, line: LineNumber, statement: Statement<Text>) {
    if block.return_statement.is_some() {
        return;
    }
    if ends_in_label(block) {
        let mut inner = empty_block(block.closed_on);
        inner.statements = std::mem::take(&mut block.statements);
        block.statements.push(at(line, Statement::Do(inner)));
    }
    block.statements.push(at(line, statement));
}

fn keep(name: &[u8], value: Expression<Text>) -> Statement<Text> {
    local_statement(&[name.into()], vec![value])
}

fn integer(value: i64) -> Expression<Text> {
    simple(SimpleExpression::Integer(value))
}

/// `base | region`
fn with_region(base: Option<Expression<Text>>, region: RegionNumber) -> Expression<Text> {
    let number = integer(i64::try_from(region).unwrap_or(0));
    match base {
        Some(mut base) => {
            base.tail.push((BinaryOperator::BitOr, number));
            base
        }
        None => number,
    }
}
