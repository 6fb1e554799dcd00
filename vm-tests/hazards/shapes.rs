//! Programs that are dangerous before they run: to the parser and to the code generator.

use super::check::{check_all, chunk};

/// Chains of a thousand links of which each begins with the one before.
fn in_itself(innermost: &str, link: &str, levels: usize) -> String {
    let chain = (0..levels).fold(innermost.to_owned(), |inner, _| format!("({inner}{})", link.repeat(1_000)));
    format!("return {chain}")
}

#[test]
fn programs_of_a_dangerous_shape_are_refused_or_run() {
    let repeat = |unit: &str, count: usize| unit.repeat(count);
    let locals = |count: usize| (0..count).map(|i| format!("local a{i} = {i}\n")).collect::<String>();
    let rows: Vec<(&str, &str, String)> = vec![
        ("a chain of operators", "refused", format!("local a = 1 return a{}", repeat("+a", 20_000))),
        ("a chain of fields", "refused", format!("return a{}", repeat(".b", 20_000))),
        ("a chain of indexes", "refused", format!("return a{}", repeat("[1]", 15_000))),
        ("a chain of calls", "refused", format!("return a{}", repeat("()", 20_000))),
        ("a chain of methods", "refused", format!("return a{}", repeat(":b()", 10_000))),
        ("a chain of concatenations", "refused|syntax", format!("return 'a'{}", repeat("..'a'", 10_000))),
        ("a chain of powers", "refused|syntax", format!("return 2{}", repeat("^2", 20_000))),
        ("a chain of comparisons", "refused", format!("return 1{}", repeat("==1", 15_000))),
        ("a chain of and", "refused", format!("return 1{}", repeat(" and 1", 10_000))),
        ("unary operators", "refused|syntax", format!("return {}1", repeat("not ", 15_000))),
        ("unary minus", "refused|syntax", format!("return {}1", repeat("- ", 30_000))),
        ("parentheses", "refused|syntax", format!("return {}1{}", repeat("(", 30_000), repeat(")", 30_000))),
        ("braces", "refused|syntax", format!("return {}{}", repeat("{", 30_000), repeat("}", 30_000))),
        ("brackets", "refused|syntax", format!("return a{}1{}", repeat("[a", 15_000), repeat("]", 15_000))),
        (
            "nested calls",
            "refused|syntax",
            format!("return {}1{}", repeat("f(", 20_000), repeat(")", 20_000)),
        ),
        (
            "nested functions",
            "refused|syntax",
            format!("{}{}", repeat("function f() ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested function expressions",
            "refused|syntax",
            format!("return {}1{}", repeat("function() return ", 2_500), repeat(" end", 2_500)),
        ),
        ("nested blocks", "refused|syntax", format!("{}{}", repeat("do ", 9_000), repeat("end ", 9_000))),
        ("nested ifs", "refused|syntax", format!("{}{}", repeat("if a then ", 4_000), repeat("end ", 4_000))),
        (
            "nested else",
            "refused|syntax",
            format!("{}{}", repeat("if a then else ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested loops",
            "refused|syntax",
            format!("{}{}", repeat("while a do ", 4_000), repeat("end ", 4_000)),
        ),
        (
            "nested for",
            "refused|syntax",
            format!("{}{}", repeat("for i=1,1 do ", 3_000), repeat("end ", 3_000)),
        ),
        (
            "nested repeat",
            "refused|syntax",
            format!("{}{}", repeat("repeat ", 4_000), repeat("until a ", 4_000)),
        ),
        ("200 locals, then a concatenation", "reply", locals(195) + "local s = a0 .. a1 .. a2"),
        ("254 locals, then a concatenation", "refused", locals(254) + "local s = a0 .. a1 .. a2"),
        ("252 locals, then a loop", "refused", locals(252) + "for i = 1, 2 do end"),
        ("locals in one statement", "refused", format!("local {}x", repeat("x,", 30_000))),
        ("parameters", "refused", format!("function f({}y) end", repeat("x,", 30_000))),
        ("251 arguments", "refused", format!("print({}1)", repeat("1,", 250))),
        ("200 locals and 250 arguments", "refused", format!("{}print({}1)", locals(190), repeat("1,", 249))),
        (
            "190 locals and nested calls",
            "refused",
            format!(
                "local function f(...) return 1 end {}return {}1{}",
                locals(190),
                repeat("f(1,", 60),
                repeat(")", 60)
            ),
        ),
        (
            "190 locals and a deep expression",
            "reply|refused",
            format!("{}return {}1{}", locals(190), repeat("(a1+", 60), repeat(")", 60)),
        ),
        (
            "190 locals and a constructor",
            "reply|refused",
            format!("{}return {{{}}}", locals(190), repeat("a1,", 10_000)),
        ),
        ("many returned values", "refused", format!("return {}1", repeat("1,", 30_000))),
        ("many targets", "refused", format!("{}a = 1", repeat("a,", 30_000))),
        // The table and the key of each are kept until the values are there.
        ("60 targets that are kept", "reply", format!("t = {{}} {}t[1] = 1", repeat("t[t],", 59))),
        (
            "180 locals and 60 targets that are kept",
            "refused",
            format!("{}a1, {}t[1] = 1", locals(180), repeat("t[t],", 59)),
        ),
        (
            "180 locals and 20 targets that are kept",
            "reply",
            format!("{}t = {{}} a1, {}t[1] = 1", locals(180), repeat("t[t],", 19)),
        ),
        ("many names in a for", "refused", format!("for {}a in b do end", repeat("a,", 20_000))),
        ("many constants", "reply|refused|syntax", (0..5_000).map(|i| format!("a={i}.5\n")).collect()),
        ("many strings", "reply|refused|syntax", (0..5_000).map(|i| format!("a='{i}'\n")).collect()),
        ("many functions", "reply|refused|syntax", repeat("f=function()end\n", 4_000)),
        (
            "many upvalues",
            "refused|reply",
            format!(
                "{} return function() return {}a0 end",
                locals(190),
                (0..190).map(|i| format!("a{i},")).collect::<String>()
            ),
        ),
        (
            "upvalues of many levels",
            "refused|reply|syntax",
            format!("local a {}return a{}", repeat("return function() ", 90), repeat(" end", 90)),
        ),
        (
            "many elseif",
            "reply|refused|runtime",
            format!("if a then {} end", repeat("elseif b then ", 4_500)),
        ),
        ("a chain of many % by what is no literal", "reply", format!("local x = 7 return x{}", repeat("%\n-x", 240))),
        ("a chain of too many %", "refused", format!("local x = 7 return x{}", repeat("%x", 300))),
        ("a numeral of thousands of dots", "syntax", format!("x = a{}", repeat(".11.", 12_000))),
        ("many gotos", "reply|refused|syntax", format!("{} ::l::", repeat("goto l ", 9_000))),
        (
            "a goto out of a for",
            "reply",
            "for i = 1, 3 do for _, v in ipairs({ 1 }) do if i == 2 then goto out end end end ::out:: assert(true)".to_owned(),
        ),
        ("many labels", "reply|refused|syntax", (0..7_000).map(|i| format!("::a{i}::")).collect()),
        (
            "gotos to many labels",
            "reply|refused|syntax|timeout",
            (0..2_500).map(|i| format!("goto b{i} ::b{i}::\n")).collect(),
        ),
        (
            "many breaks",
            "reply|refused|syntax|timeout",
            format!("while true do {} end", repeat("if a then break end ", 3_000)),
        ),
        ("a constructor of many fields", "reply|refused", format!("return {{{}}}", repeat("a=1,", 15_000))),
        ("a constructor of many entries", "reply|refused", format!("return {{{}}}", repeat("1,", 30_000))),
        ("a long name", "reply|refused|syntax", format!("{} = 1", repeat("x", 60_000))),
        // Each line is a place of its own, and each place knows its function.
        (
            "a long name of a function of many lines",
            "reply",
            format!("local function {}() {} end", repeat("x", 20_000), repeat("f()\n", 3_000)),
        ),
        ("a long string", "reply", format!("a = '{}'", repeat("x", 60_000))),
        ("a long number", "reply|syntax", format!("a = {}", repeat("9", 60_000))),
        ("a long hexadecimal number", "reply|syntax", format!("a = 0x{}", repeat("f", 60_000))),
        (
            "a number with a huge exponent",
            "reply|syntax",
            "a = 1e999999999999 b = 0x1p999999999999 c = 1e-999999999999".to_owned(),
        ),
        ("a long bracket", "syntax", format!("a = [{}", repeat("=", 60_000))),
        ("many long brackets", "syntax|reply|refused", format!("a = [==[{}", repeat("]=", 30_000))),
        ("many comments", "reply", repeat("--[[]]", 10_000)),
        ("many line ends", "reply", repeat("\n", 65_000)),
        ("only semicolons", "reply|syntax", repeat(";", 65_000)),
        (
            "a chain in an argument in a chain",
            "refused|syntax",
            format!("return {}", repeat("a.b.c(d.e.f(", 5_000)),
        ),
        ("chains of operators in chains", "refused", in_itself("a", "+a", 30)),
        ("chains of calls in chains", "refused", in_itself("a", "()", 30)),
        ("chains of fields in chains", "refused", in_itself("a", ".b", 30)),
        (
            "chains of fields in the arguments of chains",
            "refused|runtime",
            (0..30).fold("return a".to_owned(), |inner, _| format!("{inner}{}(a", repeat(".b", 900))) + &repeat(")", 30),
        ),
        (
            "90 levels of everything",
            "reply|refused|runtime|syntax",
            format!("{}x = {}1{}{}", repeat("do ", 40), repeat("(", 40), repeat(")", 40), repeat(" end", 40)),
        ),
    ];
    check_all(
        rows.into_iter()
            .map(|(name, ends, source)| {
                assert!(source.len() <= 64 * 1024, "{name}: refused for its size alone");
                chunk(name, ends, source)
            })
            .collect(),
    );
}
