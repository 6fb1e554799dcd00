//! The parser's errors in reference Lua's words: `'=' expected near 'x'`.
//!
//! The parser reports tokens as Rust debug text (`Name("x")`); authors know the messages of
//! `lua5.1`, search the web for them and find answers. So they are translated here.

use piccolo::compiler::interning::BasicInterner;
use piccolo::compiler::lexer::{LexError, Lexer, Token};
use piccolo::compiler::{LineNumber, ParseError, ParseErrorKind};

use crate::vm::error::{LoadError, Position};
use crate::vm::rewrite::NoText;

/// Longest token text shown in a message, in characters.
const MAX_NEAR_CHARS: usize = 60;

const END_OF_FILE: &str = "<eof>";

/// Translates `error`, which the parser gave for `source`.
pub(crate) fn from_parser(script: &str, source: &[u8], error: &ParseError) -> LoadError {
    let mut line = error.line_number;
    let message = match &error.kind {
        ParseErrorKind::Unexpected { unexpected, expected } => {
            unexpected_token(source, line, unexpected, expected)
        }
        ParseErrorKind::EndOfStream { expected: Some(expected) } => {
            let expected = expectation(expected);
            let closing = opened_at(source, line, &expected, None);
            format!("{expected} expected{closing} near '{END_OF_FILE}'")
        }
        ParseErrorKind::EndOfStream { expected: None } => match surplus_block_end(source) {
            Some((token, at)) => {
                line = at;
                format!("'{END_OF_FILE}' expected near '{token}'")
            }
            None => match surplus_statement(source) {
                Some((token, at)) => {
                    line = at;
                    format!("'{END_OF_FILE}' expected near '{token}'")
                }
                None => format!("unexpected symbol near '{END_OF_FILE}'"),
            },
        },
        ParseErrorKind::AssignToExpression => "unexpected symbol near '='".to_owned(),
        ParseErrorKind::ExpressionNotStatement => {
            let near = token_after_expression(source, line).unwrap_or_else(|| END_OF_FILE.to_owned());
            format!("'=' expected near '{near}'")
        }
        ParseErrorKind::RecursionLimit => "chunk has too many syntax levels".to_owned(),
        ParseErrorKind::LexError(error) => lexical(source, error),
        ParseErrorKind::InvalidAttribute(name) => format!("unknown attribute '{}'", shortened(name)),
    };
    LoadError::Syntax { at: Position { script: script.to_owned(), line: line.0 + 1 }, message }
}

fn unexpected_token(source: &[u8], line: LineNumber, unexpected: &str, expected: &str) -> String {
    let near = token_text(unexpected);
    match expected {
        "expression" | "expression suffix" | "primary expression" | "grouped expression or name" => {
            format!("unexpected symbol near '{near}'")
        }
        _ => {
            let expected = expectation(expected);
            let closing = opened_at(source, line, &expected, Some(&near));
            format!("{expected} expected{closing} near '{near}'")
        }
    }
}

/// ` (to close 'function' at line 2)`: what the missing token would have closed, when that was
/// opened on another line than `line`, where the source stops or `near` stands.
fn opened_at(source: &[u8], line: LineNumber, expected: &str, near: Option<&str>) -> String {
    let mut lexer = Lexer::new(source, BasicInterner::default());
    let mut open: Vec<(&'static str, LineNumber)> = Vec::new();
    while lexer.skip_whitespace().is_ok() {
        let at = lexer.line_number();
        let Ok(Some(token)) = lexer.read_token() else { break };
        if at >= line && near.is_some_and(|near| near == source_text(&token)) {
            break;
        }
        follow(&mut open, &token, at);
    }
    let closes = |opener: &str| match expected {
        "'end'" => !matches!(opener, "repeat" | "(" | "[" | "{"),
        "'until'" => opener == "repeat",
        "')'" => opener == "(",
        "']'" => opener == "[",
        "'}'" => opener == "{",
        _ => false,
    };
    match open.last() {
        Some((opener, at)) if closes(opener) && *at != line => {
            let opener = opener.split(' ').next().unwrap_or_default();
            format!(" (to close '{opener}' at line {})", at.0 + 1)
        }
        _ => String::new(),
    }
}

/// Keeps track of what is open behind a token.
fn follow<S>(open: &mut Vec<(&'static str, LineNumber)>, token: &Token<S>, at: LineNumber) {
    let opener = match token {
        Token::Function => "function",
        Token::If => "if",
        Token::While => "while",
        Token::For => "for",
        Token::Repeat => "repeat",
        Token::LeftParen => "(",
        Token::LeftBracket => "[",
        Token::LeftBrace => "{",
        // The `do` of a loop opens nothing of its own.
        Token::Do => match open.last_mut() {
            Some((head @ ("while" | "for"), _)) => {
                *head = if *head == "while" { "while do" } else { "for do" };
                return;
            }
            _ => "do",
        },
        Token::End | Token::Until | Token::RightParen | Token::RightBracket | Token::RightBrace => {
            open.pop();
            return;
        }
        _ => return,
    };
    open.push((opener, at));
}

fn source_text<S: AsRef<[u8]> + std::fmt::Debug>(token: &Token<S>) -> String {
    match token {
        Token::Name(name) | Token::String(name) => shortened(&String::from_utf8_lossy(name.as_ref())),
        other => token_text(&format!("{other:?}")),
    }
}

/// What was expected: a token is quoted, a description is not.
fn expectation(expected: &str) -> String {
    match expected {
        "name" => "<name>".to_owned(),
        "string" => "<string>".to_owned(),
        _ if expected.contains(' ') => expected.to_owned(),
        _ => format!("'{}'", token_text(expected)),
    }
}

/// The source form of a token's debug text.
fn token_text(debug: &str) -> String {
    let inside = |prefix: &str| debug.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    if let Some(quoted) = inside("Name(").or_else(|| inside("String(")) {
        return shortened(quoted.trim_matches('"'));
    }
    if let Some(number) = inside("Integer(").or_else(|| inside("Float(")) {
        return shortened(number);
    }
    match TOKENS.iter().find(|(name, _)| *name == debug) {
        Some((_, text)) => (*text).to_owned(),
        None => debug.to_lowercase(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_NEAR_CHARS) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The tokens whose debug text is not their keyword in another case.
const TOKENS: &[(&str, &str)] = &[
    ("Minus", "-"),
    ("Add", "+"),
    ("Mul", "*"),
    ("Div", "/"),
    ("IDiv", "//"),
    ("Pow", "^"),
    ("Mod", "%"),
    ("Len", "#"),
    ("BitNotXor", "~"),
    ("BitAnd", "&"),
    ("BitOr", "|"),
    ("ShiftRight", ">>"),
    ("ShiftLeft", "<<"),
    ("Concat", ".."),
    ("Dots", "..."),
    ("Assign", "="),
    ("LessThan", "<"),
    ("LessEqual", "<="),
    ("GreaterThan", ">"),
    ("GreaterEqual", ">="),
    ("Equal", "=="),
    ("NotEqual", "~="),
    ("Dot", "."),
    ("SemiColon", ";"),
    ("Colon", ":"),
    ("DoubleColon", "::"),
    ("Comma", ","),
    ("LeftParen", "("),
    ("RightParen", ")"),
    ("LeftBracket", "["),
    ("RightBracket", "]"),
    ("LeftBrace", "{"),
    ("RightBrace", "}"),
];

fn lexical(source: &[u8], error: &LexError) -> String {
    match error {
        LexError::UnfinishedShortString(_) => "unfinished string".to_owned(),
        LexError::UnfinishedLongString if ends_in_comment(source) => {
            format!("unfinished long comment near '{END_OF_FILE}'")
        }
        LexError::UnfinishedLongString => format!("unfinished long string near '{END_OF_FILE}'"),
        LexError::EscapeDecimalTooLarge => "escape sequence too large".to_owned(),
        LexError::UnexpectedCharacter(byte) if byte.is_ascii_graphic() => {
            format!("unexpected symbol near '{}'", char::from(*byte))
        }
        LexError::UnexpectedCharacter(byte) => {
            format!("unexpected symbol near 'char({byte})'")
        }
        other => other.to_string(),
    }
}

/// Whether what is unfinished is a comment: it is skipped, while a string is read.
fn ends_in_comment(source: &[u8]) -> bool {
    let mut lexer = Lexer::new(source, NoText);
    while lexer.skip_whitespace().is_ok() {
        if !matches!(lexer.read_token(), Ok(Some(_))) {
            return false;
        }
    }
    true
}

/// The parser says "end of stream" both when the source stops too early and when it goes on
/// after a block end that closes nothing. This finds the second: the first token that closes
/// more than was opened.
fn surplus_block_end(source: &[u8]) -> Option<(&'static str, LineNumber)> {
    let mut lexer = Lexer::new(source, NoText);
    let mut open = 0_usize;
    loop {
        lexer.skip_whitespace().ok()?;
        let line = lexer.line_number();
        let closes = match lexer.read_token().ok()?? {
            Token::Function | Token::If | Token::Do | Token::Repeat => {
                open += 1;
                continue;
            }
            Token::End => "end",
            Token::Until => "until",
            Token::Else if open == 0 => "else",
            Token::ElseIf if open == 0 => "elseif",
            _ => continue,
        };
        match open.checked_sub(1) {
            Some(fewer) => open = fewer,
            None => return Some((closes, line)),
        }
    }
}

/// Nor does the parser say what stands behind a `return` that should be the last statement. In
/// a block, where the block's end is what it expects, it does.
fn surplus_statement(source: &[u8]) -> Option<(String, LineNumber)> {
    let block = [b"do ", source, b"\nend"].concat();
    match piccolo::compiler::parse_chunk(&block, BasicInterner::default()) {
        Err(ParseError { kind: ParseErrorKind::Unexpected { unexpected, expected }, line_number })
            if expected == format!("{:?}", Token::<[u8; 0]>::End) =>
        {
            Some((token_text(&unexpected), line_number))
        }
        _ => None,
    }
}

/// The parser says on which line something follows an expression that should have been assigned
/// to, but not what. This finds it: the line's first token when what stands before the line is
/// such an expression already, or else the token after the first piece of the line that is one.
/// `None` means the end of the source.
fn token_after_expression(source: &[u8], line: LineNumber) -> Option<String> {
    let tokens = tokens_of_line(source, line)?;
    let before = usize::try_from(line.0).unwrap_or(usize::MAX).checked_sub(1);
    let line_start = before.and_then(|newlines| memchr::memchr_iter(b'\n', source).nth(newlines));
    let closes = |token: &&String| matches!(token.as_str(), "end" | "else" | "elseif" | "until" | ";");
    let start = tokens.iter().take_while(closes).count();
    let piece = |end: usize| tokens.get(start..end).unwrap_or_default().join(" ");
    let after = if ends_in_expression(source.get(..line_start.unwrap_or(0)).unwrap_or_default()) {
        0
    } else {
        (start + 1..=tokens.len()).find(|end| {
            ends_in_expression(piece(*end).as_bytes()) && ends_in_expression(piece(*end + 1).as_bytes())
        })?
    };
    tokens.get(after).map(|token| shortened(token))
}

fn ends_in_expression(source: &[u8]) -> bool {
    let parsed = piccolo::compiler::parse_chunk(source, BasicInterner::default());
    matches!(parsed, Err(ParseError { kind: ParseErrorKind::ExpressionNotStatement, .. }))
}

/// The source forms of the tokens on one line, up to as many as are worth looking at.
fn tokens_of_line(source: &[u8], wanted: LineNumber) -> Option<Vec<String>> {
    const MAX_TOKENS: usize = 64;
    let mut lexer = Lexer::new(source, BasicInterner::default());
    let mut tokens = Vec::new();
    while tokens.len() < MAX_TOKENS {
        lexer.skip_whitespace().ok()?;
        let line = lexer.line_number();
        let Some(token) = lexer.read_token().ok()? else { break };
        if line > wanted {
            break;
        }
        if line == wanted {
            tokens.push(match &token {
                // Its content does not matter here, and may hold anything.
                Token::String(_) => "''".to_owned(),
                Token::Name(name) => String::from_utf8_lossy(name).into_owned(),
                other => token_text(&format!("{other:?}")),
            });
        }
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
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
            ("local = 1", "s.lua:1: <name> expected near '='"),
            ("if x then", "s.lua:1: 'end' expected near '<eof>'"),
            ("x = 1\nend", "s.lua:2: '<eof>' expected near 'end'"),
            ("x = ", "s.lua:1: unexpected symbol near '<eof>'"),
            ("x = )", "s.lua:1: unexpected symbol near ')'"),
            ("return 1 print(2)", "s.lua:1: '<eof>' expected near 'print'"),
            ("break", "s.lua:1: no loop to close near 'break'"),
            ("function f() return ... end", "s.lua:1: cannot use '...' outside a vararg function near '...'"),
            ("x = 'abc\ny = 2", "s.lua:1: unfinished string"),
            ("\n\nfor i = 1 do end", "s.lua:3: ',' expected near 'do'"),
            ("x = @", "s.lua:1: unexpected symbol near '@'"),
        ] {
            let error = Program::compile("s.lua", source.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), expected, "{source:?}");
        }
    }
}
