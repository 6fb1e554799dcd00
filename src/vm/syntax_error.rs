//! Syntax errors in reference Lua's words: `'}' expected (to close '{' at line 1) near '<eof>'`.
//!
//! Authors know the messages of `lua5.1`, search the web for them and find answers. The parser's own
//! say less: not what a bracket was to close, and not the tokens as they stand in the source. To mend
//! them one by one meant to guess from a message where the parser had been. So a source that it refuses
//! is read once more, by the reference's [grammar], which only finds the first mistake.

mod grammar;
mod tokens;

use piccolo::compiler::{ParseError, ParseErrorKind};

pub(crate) use self::grammar::{NameAt, Spot};
use crate::vm::error::{LoadError, Position};

/// Something wrong with a source text.
struct Problem {
    message: String,
    /// From 1.
    line: u64,
}

/// The operations of a program and their lines.
pub(crate) fn operations(source: &[u8]) -> Vec<Spot> {
    grammar::spots(source)
}

/// `source` as the parser can read it, if there may be a program in it that the parser refused for the way it is
/// written. Lines stay the same.
pub(crate) fn mended(source: &[u8]) -> Option<Vec<u8>> {
    tokens::mended(source)
}

/// The error for `source`, which the parser refused with `error`.
pub(crate) fn from_parser(script: &str, source: &[u8], error: &ParseError) -> LoadError {
    // The parser refuses a few things that the grammar has, such as a comment `--[=`.
    let problem = grammar::first_problem(source).unwrap_or_else(|| {
        let message = match &error.kind {
            ParseErrorKind::RecursionLimit => "chunk has too many syntax levels".to_owned(),
            ParseErrorKind::LexError(error) => error.to_string(),
            _ => "syntax error".to_owned(),
        };
        Problem { message, line: error.line_number.0 + 1 }
    });
    problem.into_error(script)
}

/// The same for a program that the shape check refused with `error`: a `break` or `...` in the wrong
/// place is an error of syntax for the reference.
pub(crate) fn from_shape(script: &str, source: &[u8], error: LoadError) -> LoadError {
    match (&error, grammar::first_problem(source)) {
        (LoadError::Syntax { .. }, Some(problem)) => problem.into_error(script),
        _ => error,
    }
}

impl Problem {
    fn into_error(self, script: &str) -> LoadError {
        let Self { message, line } = self;
        LoadError::Syntax { at: Position { script: script.to_owned(), line }, message }
    }
}

#[cfg(test)]
mod tests {
    use piccolo::compiler::interning::BasicInterner;

    use crate::vm::Program;

    #[test]
    fn messages_are_those_of_reference_lua() {
        for (source, expected) in [
            ("x 5", "s.lua:1: '=' expected near '5'"),
            ("x 5 y", "s.lua:1: '=' expected near '5'"),
            ("y = a b 5", "s.lua:1: '=' expected near '5'"),
            ("function f() x.y z end", "s.lua:1: '=' expected near 'z'"),
            ("if a then\nelse x[1] 7 end", "s.lua:2: '=' expected near '7'"),
            ("x\nlocal y", "s.lua:2: '=' expected near 'local'"),
            ("x\ny", "s.lua:2: '=' expected near 'y'"),
            ("x", "s.lua:1: '=' expected near '<eof>'"),
            ("local = 1", "s.lua:1: '<name>' expected near '='"),
            ("if x then", "s.lua:1: 'end' expected near '<eof>'"),
            ("x = 1\nend", "s.lua:2: '<eof>' expected near 'end'"),
            ("x = ", "s.lua:1: unexpected symbol near '<eof>'"),
            ("x = )", "s.lua:1: unexpected symbol near ')'"),
            ("return 1 print(2)", "s.lua:1: '<eof>' expected near 'print'"),
            ("break", "s.lua:1: no loop to break near '<eof>'"),
            ("function f() return ... end", "s.lua:1: cannot use '...' outside a vararg function near '...'"),
            ("x = 'abc\ny = 2", "s.lua:1: unfinished string near ''abc'"),
            ("\n\nfor i = 1 do end", "s.lua:3: ',' expected near 'do'"),
            ("x = @", "s.lua:1: unexpected symbol near '@'"),
            ("x = {\n1,\n2\n", "s.lua:4: '}' expected (to close '{' at line 1) near '<eof>'"),
            ("f(\n1,\ng(2)\nx = 1", "s.lua:4: ')' expected (to close '(' at line 1) near 'x'"),
            ("print('it's')", "s.lua:1: ')' expected near 's'"),
            ("x:y", "s.lua:1: function arguments expected near '<eof>'"),
            ("function f(", "s.lua:1: <name> or '...' expected near '<eof>'"),
            ("function f(x,) end", "s.lua:1: <name> or '...' expected near ')'"),
            ("x = 0xg", "s.lua:1: malformed number near '0xg'"),
            ("x = 1e", "s.lua:1: malformed number near '1e'"),
            ("x = 1..2", "s.lua:1: malformed number near '1..2'"),
            ("x = 0xA..", "s.lua:1: unexpected symbol near '<eof>'"),
            ("x = 1e5..2 y", "s.lua:1: '=' expected near '<eof>'"),
            ("x = 1.2.3", "s.lua:1: malformed number near '1.2.3'"),
            ("x = \"a\" \"b\"", "s.lua:1: unexpected symbol near '\"b\"'"),
            ("x = [[a]] [[x]]", "s.lua:1: unexpected symbol near '[[x]]'"),
            ("x = 1 [[x\ny]]", "s.lua:2: unexpected symbol near '[[x...'"),
            ("(a)", "s.lua:1: syntax error near '<eof>'"),
            ("x = [=", "s.lua:1: invalid long string delimiter near '[='"),
            ("x = “a”", "s.lua:1: unexpected symbol near '“'"),
            ("x =\u{a0}1", "s.lua:1: unexpected symbol near 'U+00A0'"),
            ("x = \0", "s.lua:1: unexpected symbol near 'char(0)'"),
            ("x = '\\400'", "s.lua:1: escape sequence too large near '''"),
            ("x = 1 '\\q'", "s.lua:1: unexpected symbol near ''\\q''"),
            ("x = '\\xg'", "s.lua:1: hexadecimal digit expected near ''\\x'"),
            ("local a <const> = 1 // 2 & 3; ; goto done ::done:: x", "s.lua:1: '=' expected near '<eof>'"),
            ("local a <constant> = 1", "s.lua:1: unknown attribute 'constant'"),
            ("while 1 do break x = ; end", "s.lua:1: unexpected symbol near ';'"),
        ] {
            let error = Program::compile("s.lua", source.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{source:?}");
        }
    }

    /// The parser and the grammar must refuse the same, or a message would be about nothing.
    #[test]
    fn the_grammar_refuses_what_the_parser_refuses() {
        const PIECES: &[&str] = &[
            "x",
            "y.z",
            "f()",
            "1",
            "'s'",
            "[[l]]",
            "nil",
            "...",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
            "=",
            ",",
            ";",
            "::",
            ":",
            ".",
            "..",
            "+",
            "-",
            "~",
            "//",
            "<",
            "==",
            "not",
            "and",
            "if",
            "then",
            "else",
            "elseif",
            "end",
            "while",
            "do",
            "for",
            "in",
            "repeat",
            "until",
            "function",
            "local",
            "return",
            "break",
            "goto",
            "\n",
            "{ 1, a = 2 }",
            "function f(a, ...)",
            "local a <const> = 1",
            "if x then",
            "for i = 1, 2 do",
        ];
        let mut seed = 1_u64;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % below
        };
        let mut refused = 0;
        for _ in 0..20_000 {
            let length = 1 + random(8);
            let source: Vec<&str> = (0..length).map(|_| PIECES[random(PIECES.len())]).collect();
            let source = source.join(" ");
            let parsed = piccolo::compiler::parse_chunk(source.as_bytes(), BasicInterner::default());
            let problem = super::grammar::first_problem(source.as_bytes());
            if parsed.is_err() {
                refused += 1;
                assert!(problem.is_some(), "only the parser refuses {source:?}");
            } else if let Some(problem) = problem {
                let message = problem.message;
                let of_shape = message.starts_with("no loop to break") || message.starts_with("cannot use");
                assert!(of_shape, "only the grammar refuses {source:?}: {message}");
            }
        }
        assert!((5_000..19_900).contains(&refused), "{refused}");
    }
}
