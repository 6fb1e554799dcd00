//! Finds the global functions a program defines, in the tree and not by searching the text: a
//! comment or a string that says `function call(` defines nothing.

use piccolo::compiler::parser::{
    AssignmentStatement, AssignmentTarget, Block, CallSuffix, Chunk, Expression, FieldSuffix,
    FunctionCallStatement, PrimaryExpression, SimpleExpression, Statement, SuffixedExpression,
};

use super::look;
use crate::vm::program::Text;

/// Whether the main chunk assigns the global `name`, in a function statement or an assignment,
/// at the top or inside a block, but not where a local variable of that name is in scope. `_G.name`
/// and `rawset(_G, "name", …)` are the same global.
///
/// What is assigned is in general only known when the program runs; the engine checks it there. A
/// number, text or table is no function on the face of it and does not count.
pub(crate) fn defines_global_function(chunk: &Chunk<Text>, name: &[u8]) -> bool {
    block_defines(&chunk.block, name)
}

fn block_defines(block: &Block<Text>, name: &[u8]) -> bool {
    for statement in &block.statements {
        let found = match &statement.inner {
            Statement::LocalStatement(s) if s.names.iter().any(|(local, _)| &**local == name) => {
                return false;
            }
            Statement::LocalFunction(s) if &*s.name == name => return false,
            Statement::Function(s) if s.method.is_none() => match s.fields.as_slice() {
                [] => &*s.name == name,
                [field] => is_globals_name(&s.name) && &**field == name,
                _ => false,
            },
            Statement::Assignment(s) => assigns(s, name),
            Statement::FunctionCall(s) => sets_raw(s, name),
            other => look::blocks_inside(other).into_iter().any(|inner| block_defines(inner, name)),
        };
        if found {
            return true;
        }
    }
    false
}

fn is_global(target: &AssignmentTarget<Text>, name: &[u8]) -> bool {
    match target {
        AssignmentTarget::Name(target) => &**target == name,
        AssignmentTarget::Field(table, FieldSuffix::Named(field)) => is_globals(table) && &**field == name,
        AssignmentTarget::Field(table, FieldSuffix::Indexed(field)) => {
            is_globals(table) && is_text(field, name)
        }
    }
}

fn assigns(statement: &AssignmentStatement<Text>, name: &[u8]) -> bool {
    let targets = statement.targets.iter().enumerate();
    targets.filter(|(_, target)| is_global(target, name)).any(|(index, _)| {
        // One that has no value of its own is given nil, or what the last call returns besides.
        let value = statement.values.get(index).or(statement.values.last());
        value.is_some_and(may_be_function)
    })
}

/// `rawset(_G, "name", value)`
fn sets_raw(statement: &FunctionCallStatement<Text>, name: &[u8]) -> bool {
    let is_rawset = matches!(&statement.head.primary, PrimaryExpression::Name(f) if &**f == b"rawset");
    let CallSuffix::Function(arguments) = &statement.call else { return false };
    let [table, field, value] = arguments.as_slice() else { return false };
    let of_globals = look::suffixed(table).is_some_and(is_globals);
    let of_name = is_rawset && statement.head.suffixes.is_empty() && of_globals && is_text(field, name);
    of_name && may_be_function(value)
}

fn is_globals(table: &SuffixedExpression<Text>) -> bool {
    let named = matches!(&table.primary, PrimaryExpression::Name(name) if is_globals_name(name));
    named && table.suffixes.is_empty()
}

fn is_globals_name(name: &[u8]) -> bool {
    name == b"_G"
}

fn is_text(expression: &Expression<Text>, wanted: &[u8]) -> bool {
    look::text(expression).is_some_and(|text| &**text == wanted)
}

fn may_be_function(value: &Expression<Text>) -> bool {
    !look::is_constant(value) && !matches!(look::simple(value), Some(SimpleExpression::TableConstructor(_)))
}

#[cfg(test)]
mod tests {
    use crate::vm::{Entries, Program};

    #[test]
    fn entries_are_found_in_the_tree() {
        for (source, handle, call) in [
            ("function handle(args) end", true, false),
            ("handle = function() end call = handle", true, true),
            ("_G.call = print", false, true),
            ("_G['call'] = print", false, true),
            ("function _G.handle() end", true, false),
            ("rawset(_G, 'handle', print)", true, false),
            ("t['call'] = print t.handle = print rawset(t, 'call', print)", false, false),
            ("handle = 5 call = 'x'", false, false),
            ("handle, call = {}, print", false, true),
            ("handle, call = f()", true, true),
            ("handle = nil function handle() end", true, false),
            ("if os then function call() end end", false, true),
            ("-- function handle() end", false, false),
            ("local s = [[function call() end]]", false, false),
            ("local function handle() end", false, false),
            ("local handle function handle() end", false, false),
            ("function m.handle() end function m:call() end", false, false),
            ("function f() function handle() end end", false, false),
        ] {
            let program = Program::compile("s.lua", source.as_bytes()).unwrap();
            assert_eq!(program.entries(), Entries { handle, call }, "{source}");
        }
    }
}
