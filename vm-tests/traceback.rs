//! The traceback of an uncaught error: the script's functions it went through, with their lines.

use std::time::Duration;

use goop2::vm::{Entry, Limits, Machine, Program, RunError};

const SCRIPT: &str = "local function grade(answer)
    local points = answer.points
    return points + 1
end

local function each(list)
    local total = 0
    for i = 1, #list do
        total = total + grade(list[i])
    end
    return total
end

function handle(args)
    local list = { { points = 1 }, {} }
    local sorted = pcall(each, { 1 })
    return each(list)
end
";

fn failure(program: &Program) -> RunError {
    let limits = Limits { time: Duration::from_secs(3), memory_bytes: 10 * 1024 * 1024 };
    let mut machine = Machine::new(program, Entry::Handle(String::new()), limits, |_| {}).unwrap();
    machine.run(|_| unreachable!("nothing here waits")).unwrap_err()
}

fn shown(error: &RunError) -> Vec<String> {
    error.traceback().iter().map(ToString::to_string).collect()
}

#[test]
fn a_traced_program_tells_every_function_that_is_not_left_by_a_tail_call() {
    let error = failure(&Program::compile_traced("quiz.lua", SCRIPT.as_bytes()).unwrap());
    let message = "quiz.lua:3: attempt to perform arithmetic on a nil value (local 'points')";
    assert_eq!(error.to_string(), message);
    assert_eq!(shown(&error), ["quiz.lua:3: in function 'grade'", "quiz.lua:9: in function 'each'"]);

    let kept = SCRIPT.replace("return each(list)", "local all = each(list)\n    return all");
    let error = failure(&Program::compile_traced("quiz.lua", kept.as_bytes()).unwrap());
    assert_eq!(
        shown(&error),
        [
            "quiz.lua:3: in function 'grade'",
            "quiz.lua:9: in function 'each'",
            "quiz.lua:17: in function 'handle'"
        ]
    );
}

#[test]
fn other_programs_tell_the_innermost_function() {
    let error = failure(&Program::compile("quiz.lua", SCRIPT.as_bytes()).unwrap());
    assert_eq!(shown(&error), ["quiz.lua:3: in function 'grade'"]);
}

#[test]
fn an_error_that_is_raised_again_is_traced_from_there() {
    let script = "local function inner() error('deep') end
local function outer()
    local ok, message = pcall(inner)
    error(message, 0)
end
function handle()
    local x = outer()
    return x
end";
    let error = failure(&Program::compile_traced("again.lua", script.as_bytes()).unwrap());
    assert_eq!(error.to_string(), "again.lua:1: deep");
    assert_eq!(shown(&error), ["again.lua:4: in function 'outer'", "again.lua:7: in function 'handle'"]);
}

#[test]
fn the_chain_of_callers_ends_where_the_mark_is_full_and_not_wrongly() {
    let script = "local function down(n)
    local t = {}
    if n == 0 then return t.a.b end
    local result = down(n - 1)
    return result
end
function handle()
    local r = down(500)
    return r
end";
    let error = failure(&Program::compile_traced("deep.lua", script.as_bytes()).unwrap());
    let traceback = shown(&error);
    assert_eq!(traceback[0], "deep.lua:3: in function 'down'");
    assert!(traceback.len() > 4, "{traceback:?}");
    assert!(traceback[1..].iter().all(|frame| frame == "deep.lua:4: in function 'down'"), "{traceback:?}");
}

#[test]
fn a_long_name_is_not_told_to_its_end() {
    let name = "x".repeat(30_000);
    let source = format!("function {name}() error('e') end function handle() {name}() end");
    let error = failure(&Program::compile("quiz.lua", source.as_bytes()).unwrap());
    assert_eq!(shown(&error), [format!("quiz.lua:1: in function '{}...'", "x".repeat(80))]);
}
