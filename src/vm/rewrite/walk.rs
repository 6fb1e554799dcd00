//! One traversal of the syntax tree for the passes that only look.
//!
//! The recursion is bounded by the parser, which refuses more than 200 levels of nested
//! statements and expressions; long operator and suffix chains are lists here, not nesting.

use piccolo::compiler::LineNumber;
use piccolo::compiler::parser::{
    AssignmentTarget, BinaryOperator, Block, CallSuffix, Chunk, ConstructorField, Expression, FieldSuffix,
    ForStatement, FunctionDefinition, HeadExpression, PrimaryExpression, RecordKey, SimpleExpression,
    Statement, SuffixPart, SuffixedExpression,
};

use super::look;
use crate::vm::program::Text;

/// What a name is defined as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Defined {
    /// A field, and not a variable.
    pub(crate) is_field: bool,
    /// Its value is a function that is written there.
    pub(crate) is_function: bool,
}

/// What a pass wants to see. Each `enter_*` may refuse the program with an error.
pub(crate) trait Visitor {
    /// Why the program is refused; `Infallible` for passes that only collect.
    type Error;

    fn enter_block(&mut self, _block: &Block<Text>) -> Result<(), Self::Error> {
        Ok(())
    }
    fn leave_block(&mut self) {}
    fn enter_function(
        &mut self,
        _definition: &FunctionDefinition<Text>,
        _is_method: bool,
    ) -> Result<(), Self::Error> {
        Ok(())
    }
    fn leave_function(&mut self) {}
    fn statement(&mut self, _statement: &Statement<Text>, _line: LineNumber) -> Result<(), Self::Error> {
        Ok(())
    }
    /// Names that the statement brings into the scope of the current block.
    fn declare(&mut self, _count: usize) -> Result<(), Self::Error> {
        Ok(())
    }
    fn enter_expression(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
    /// A chain of operators of one level.
    fn chain(&mut self, _operators: usize) -> Result<(), Self::Error> {
        Ok(())
    }
    /// A chain of so many operators, fields and calls is over.
    fn leave_chain(&mut self, _links: usize) {}
    fn leave_expression(&mut self) {}
    fn suffixed(&mut self, _primary: &PrimaryExpression<Text>, _suffixes: usize) -> Result<(), Self::Error> {
        Ok(())
    }
    /// A name or text by which something may be looked up: a variable, a field, a literal.
    fn text(&mut self, _text: &Text) {}
    /// A list of values: arguments, returns, the values of an assignment.
    fn values(&mut self, _what: &'static str, _count: usize) -> Result<(), Self::Error> {
        Ok(())
    }
    /// So many values wait besides.
    fn keep(&mut self, _count: usize) -> Result<(), Self::Error> {
        Ok(())
    }
    fn leave_kept(&mut self, _count: usize) {}
    /// The list is over.
    fn leave_values(&mut self, _count: usize) {}
    /// `...` is used.
    fn varargs(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
    fn enter_loop(&mut self) {}
    fn leave_loop(&mut self) {}
    /// A variable's value is used, followed by `suffixes` and, where the whole is a statement, `call`. A
    /// last field that is assigned to is not among them.
    fn variable(&mut self, _name: &Text, _suffixes: &[&SuffixPart<Text>], _call: Option<&CallSuffix<Text>>) {}
    /// A variable is assigned to, or a field of its value is.
    fn assigned(&mut self, _name: &Text) {}
    /// A variable or a field of this name is given a value, be it nil.
    fn defined(&mut self, _name: &Text, _as_what: Defined) {}
    /// The line of what follows.
    fn line(&mut self, _line: LineNumber) {}
    /// Something of this name is called, as a method or as a function.
    fn call(&mut self, _name: &Text, _is_method: bool) {}
    /// A table is indexed with a key that only the run knows.
    fn computed_index(&mut self) {}
}

/// Walks the whole program.
pub(crate) fn walk_chunk<V: Visitor>(visitor: &mut V, chunk: &Chunk<Text>) -> Result<(), V::Error> {
    walk_block(visitor, &chunk.block)
}

fn walk_block<V: Visitor>(v: &mut V, block: &Block<Text>) -> Result<(), V::Error> {
    v.enter_block(block)?;
    walk_block_inside(v, block)?;
    v.leave_block();
    Ok(())
}

fn walk_block_inside<V: Visitor>(v: &mut V, block: &Block<Text>) -> Result<(), V::Error> {
    for statement in &block.statements {
        v.line(statement.line_number);
        v.statement(&statement.inner, statement.line_number)?;
        walk_statement(v, &statement.inner)?;
    }
    match &block.return_statement {
        Some(statement) => {
            v.line(statement.line_number);
            walk_values(v, "values returned", &statement.returns)
        }
        None => Ok(()),
    }
}

fn walk_statement<V: Visitor>(v: &mut V, statement: &Statement<Text>) -> Result<(), V::Error> {
    match statement {
        Statement::If(s) => {
            for (condition, block) in std::iter::once(&s.if_part).chain(&s.else_if_parts) {
                walk_expression(v, condition)?;
                walk_block(v, block)?;
            }
            s.else_part.iter().try_for_each(|block| walk_block(v, block))
        }
        Statement::While(s) => {
            walk_expression(v, &s.condition)?;
            v.enter_loop();
            walk_block(v, &s.block)?;
            v.leave_loop();
            Ok(())
        }
        Statement::Do(block) => walk_block(v, block),
        Statement::For(s) => walk_for(v, s),
        Statement::Repeat(s) => {
            // The condition sees the locals of the body.
            v.enter_block(&s.body)?;
            v.enter_loop();
            walk_block_inside(v, &s.body)?;
            v.leave_loop();
            walk_expression(v, &s.until)?;
            v.leave_block();
            Ok(())
        }
        Statement::Function(s) => {
            v.text(&s.name);
            v.assigned(&s.name);
            s.fields.iter().chain(&s.method).for_each(|name| v.text(name));
            let field = s.method.as_ref().or(s.fields.last());
            v.defined(field.unwrap_or(&s.name), Defined { is_field: field.is_some(), is_function: true });
            if field.is_some() {
                // `function a.b.c()` assigns to a field of whatever table that is.
                v.variable(&s.name, &[], None);
            }
            walk_function(v, &s.definition, s.method.is_some())
        }
        Statement::LocalFunction(s) => {
            v.declare(1)?;
            walk_function(v, &s.definition, false)
        }
        Statement::LocalStatement(s) => {
            walk_values(v, "values in an assignment", &s.values)?;
            v.declare(s.names.len())
        }
        Statement::FunctionCall(s) => {
            let suffixes: Vec<_> = s.head.suffixes.iter().collect();
            walk_suffixes(v, &s.head.primary, &suffixes, Some(&s.call))
        }
        Statement::Assignment(s) => {
            // The table and the key of each may be kept until the values are there.
            let fields = s.targets.iter().filter(|target| matches!(target, AssignmentTarget::Field(..)));
            let kept = if s.targets.len() > 1 { 2 * fields.count() } else { 0 };
            v.values("targets in an assignment", s.targets.len())?;
            v.keep(kept)?;
            for (at, target) in s.targets.iter().enumerate() {
                walk_target(v, target, s.values.get(at))?;
            }
            walk_values(v, "values in an assignment", &s.values)?;
            v.leave_kept(kept);
            v.leave_values(s.targets.len());
            Ok(())
        }
        Statement::Label(_) | Statement::Goto(_) | Statement::Break => Ok(()),
    }
}

fn walk_for<V: Visitor>(v: &mut V, statement: &ForStatement<Text>) -> Result<(), V::Error> {
    let (declared, body) = match statement {
        ForStatement::Numeric { initial, limit, step, body, .. } => {
            [Some(initial), Some(limit), step.as_ref()]
                .into_iter()
                .flatten()
                .try_for_each(|expression| walk_expression(v, expression))?;
            (1, body)
        }
        ForStatement::Generic { names, arguments, body } => {
            walk_values(v, "values in a for statement", arguments)?;
            (names.len(), body)
        }
    };
    /// The loop's own state: index, limit, step, or iterator, state, control.
    const HIDDEN_LOOP_VARIABLES: usize = 3;
    v.enter_block(body)?;
    v.declare(declared + HIDDEN_LOOP_VARIABLES)?;
    v.enter_loop();
    walk_block_inside(v, body)?;
    v.leave_loop();
    v.leave_block();
    Ok(())
}

fn walk_target<V: Visitor>(
    v: &mut V,
    target: &AssignmentTarget<Text>,
    value: Option<&Expression<Text>>,
) -> Result<(), V::Error> {
    let is_function = value.is_some_and(look::is_function);
    match target {
        AssignmentTarget::Name(name) => {
            v.text(name);
            v.assigned(name);
            v.defined(name, Defined { is_field: false, is_function });
            Ok(())
        }
        AssignmentTarget::Field(table, field) => {
            if let PrimaryExpression::Name(name) = &table.primary {
                v.assigned(name);
            }
            walk_suffixed(v, table)?;
            if let FieldSuffix::Named(name) = field {
                v.defined(name, Defined { is_field: true, is_function });
            }
            walk_field(v, field)
        }
    }
}

fn walk_function<V: Visitor>(
    v: &mut V,
    definition: &FunctionDefinition<Text>,
    is_method: bool,
) -> Result<(), V::Error> {
    v.enter_function(definition, is_method)?;
    walk_block(v, &definition.body)?;
    v.leave_function();
    Ok(())
}

fn walk_values<V: Visitor>(
    v: &mut V,
    what: &'static str,
    values: &[Expression<Text>],
) -> Result<(), V::Error> {
    v.values(what, values.len())?;
    values.iter().try_for_each(|value| walk_expression(v, value))?;
    v.leave_values(values.len());
    Ok(())
}

fn walk_expression<V: Visitor>(v: &mut V, expression: &Expression<Text>) -> Result<(), V::Error> {
    v.enter_expression()?;
    walk_operands(v, expression)?;
    v.leave_expression();
    Ok(())
}

fn walk_operands<V: Visitor>(v: &mut V, expression: &Expression<Text>) -> Result<(), V::Error> {
    v.chain(expression.tail.len())?;
    // These may become calls with their left side as the first argument: all functions of a chain of them wait for its
    // head.
    let may_be_call = |operator: &BinaryOperator| {
        let calls = [BinaryOperator::Mod, BinaryOperator::LessEqual, BinaryOperator::GreaterEqual];
        usize::from(calls.contains(operator))
    };
    v.keep(expression.tail.iter().map(|(operator, _)| may_be_call(operator)).sum())?;
    match &*expression.head {
        HeadExpression::Simple(simple) => walk_simple(v, simple)?,
        HeadExpression::UnaryOperator(_, operand) => walk_expression(v, operand)?,
    }
    for (operator, right) in &expression.tail {
        // The left side waits for the right one.
        v.keep(1)?;
        if *operator == BinaryOperator::Concat {
            // `..` leans to the right: what follows is the rest of one chain, no deeper level.
            walk_operands(v, right)?;
        } else {
            walk_expression(v, right)?;
        }
        v.leave_kept(1 + may_be_call(operator));
    }
    v.leave_chain(expression.tail.len());
    Ok(())
}

fn walk_simple<V: Visitor>(v: &mut V, simple: &SimpleExpression<Text>) -> Result<(), V::Error> {
    match simple {
        SimpleExpression::String(text) => v.text(text),
        SimpleExpression::TableConstructor(table) => {
            let listed = table.fields.iter().filter(|field| matches!(field, ConstructorField::Array(_)));
            let kept = kept_for_table(listed.count());
            v.keep(kept)?;
            for field in &table.fields {
                walk_constructor_field(v, field)?;
            }
            v.leave_kept(kept);
        }
        SimpleExpression::Function(definition) => walk_function(v, definition, false)?,
        SimpleExpression::Suffixed(suffixed) => walk_suffixed(v, suffixed)?,
        SimpleExpression::Float(_)
        | SimpleExpression::Integer(_)
        | SimpleExpression::Nil
        | SimpleExpression::True
        | SimpleExpression::False => {}
        SimpleExpression::VarArgs => v.varargs()?,
    }
    Ok(())
}

/// How many values wait while the last of a table's `listed` values is computed: the table, the place in its list,
/// and those that are put into it together.
fn kept_for_table(listed: usize) -> usize {
    const PUT_TOGETHER: usize = 32;
    2 + if listed > PUT_TOGETHER { PUT_TOGETHER } else { listed.saturating_sub(1) }
}

fn walk_constructor_field<V: Visitor>(v: &mut V, field: &ConstructorField<Text>) -> Result<(), V::Error> {
    match field {
        ConstructorField::Array(value) => walk_expression(v, value),
        ConstructorField::Record(RecordKey::Named(name), value) => {
            v.text(name);
            v.defined(name, Defined { is_field: true, is_function: look::is_function(value) });
            walk_expression(v, value)
        }
        ConstructorField::Record(RecordKey::Indexed(key), value) => {
            walk_expression(v, key)?;
            walk_expression(v, value)
        }
    }
}

fn walk_suffixed<V: Visitor>(v: &mut V, expression: &SuffixedExpression<Text>) -> Result<(), V::Error> {
    let suffixes: Vec<_> = expression.suffixes.iter().collect();
    walk_suffixes(v, &expression.primary, &suffixes, None)
}

fn walk_suffixes<V: Visitor>(
    v: &mut V,
    primary: &PrimaryExpression<Text>,
    suffixes: &[&SuffixPart<Text>],
    call: Option<&CallSuffix<Text>>,
) -> Result<(), V::Error> {
    v.suffixed(primary, suffixes.len())?;
    match primary {
        PrimaryExpression::Name(name) => {
            v.text(name);
            v.variable(name, suffixes, call);
        }
        PrimaryExpression::GroupedExpression(inner) => walk_expression(v, inner)?,
    }
    let mut callee = match primary {
        PrimaryExpression::Name(name) => Some(name),
        PrimaryExpression::GroupedExpression(_) => None,
    };
    for suffix in suffixes {
        match suffix {
            SuffixPart::Field(field) => {
                walk_field(v, field)?;
                callee = match field {
                    FieldSuffix::Named(name) => Some(name),
                    FieldSuffix::Indexed(key) => look::text(key),
                };
            }
            SuffixPart::Call(call) => walk_call(v, callee.take(), call)?,
        }
    }
    call.map_or(Ok(()), |call| walk_call(v, callee, call))?;
    v.leave_chain(suffixes.len());
    Ok(())
}

fn walk_call<V: Visitor>(v: &mut V, callee: Option<&Text>, call: &CallSuffix<Text>) -> Result<(), V::Error> {
    let arguments = match call {
        CallSuffix::Function(arguments) => {
            callee.into_iter().for_each(|name| v.call(name, false));
            arguments
        }
        CallSuffix::Method(name, arguments) => {
            v.text(name);
            v.call(name, true);
            arguments
        }
    };
    walk_values(v, "arguments in a call", arguments)
}

fn walk_field<V: Visitor>(v: &mut V, field: &FieldSuffix<Text>) -> Result<(), V::Error> {
    match field {
        FieldSuffix::Named(name) => {
            v.text(name);
            Ok(())
        }
        FieldSuffix::Indexed(key) => {
            if look::text(key).is_none() {
                v.computed_index();
            }
            v.keep(1)?;
            walk_expression(v, key)?;
            v.leave_kept(1);
            Ok(())
        }
    }
}
