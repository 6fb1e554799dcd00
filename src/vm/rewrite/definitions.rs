//! Finds the global functions a program defines, in the tree and not by searching the text: a
//! comment or a string that says `function call(` defines nothing.

use piccolo::compiler::parser::{
    AssignmentTarget, Block, Chunk, FieldSuffix, ForStatement, PrimaryExpression, Statement,
};

use crate::vm::program::Text;

/// Whether the main chunk assigns the global `name`, in a function statement or an assignment,
/// at the top or inside a block, but not where a local variable of that name is in scope.
///
/// What is assigned is only known when the program runs; the engine checks it there.
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
            Statement::Function(s) if s.fields.is_empty() && s.method.is_none() => &*s.name == name,
            Statement::Assignment(s) => s.targets.iter().any(|target| is_global(target, name)),
            other => blocks_of(other).into_iter().any(|inner| block_defines(inner, name)),
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
        AssignmentTarget::Field(table, FieldSuffix::Named(field)) => {
            let globals = matches!(&table.primary, PrimaryExpression::Name(table) if &**table == b"_G");
            globals && table.suffixes.is_empty() && &**field == name
        }
        AssignmentTarget::Field(..) => false,
    }
}

fn blocks_of(statement: &Statement<Text>) -> Vec<&Block<Text>> {
    match statement {
        Statement::If(s) => {
            let conditional = std::iter::once(&s.if_part).chain(&s.else_if_parts).map(|(_, block)| block);
            conditional.chain(&s.else_part).collect()
        }
        Statement::While(s) => vec![&s.block],
        Statement::Do(block) => vec![block],
        Statement::For(ForStatement::Numeric { body, .. } | ForStatement::Generic { body, .. }) => vec![body],
        Statement::Repeat(s) => vec![&s.body],
        _ => Vec::new(),
    }
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
