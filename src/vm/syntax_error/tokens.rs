//! The tokens of a source text as reference Lua reads them, each with its own text.
//!
//! The parser's lexer gives values, so that a message could not show what the author wrote: `1..2`
//! became `0.2` there, and `"b"` lost its quotes.

use piccolo::compiler::lexer::{Lexer, Token as ParserToken};

use super::Problem;
use crate::vm::rewrite::NoText;

/// Longest token text shown in a message, in characters.
const MAX_NEAR_CHARS: usize = 60;

const END_OF_FILE: &str = "<eof>";

/// Words that are no names. `goto` is one since Lua 5.2, and is one for the parser.
const KEYWORDS: &[&str] = &[
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local",
    "nil", "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// Symbols of more than one character, longer ones first.
const SYMBOLS: &[&str] = &["...", "..", "==", "~=", "<=", ">=", "//", "<<", ">>", "::"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    EndOfFile,
    Name,
    Number,
    Text,
    /// A keyword, a symbol, or a character that begins nothing: its text says which.
    Fixed,
}

/// A token and its text in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Token<'s> {
    pub(super) kind: Kind,
    text: &'s [u8],
}

impl<'s> Token<'s> {
    pub(super) const END: Self = Self { kind: Kind::EndOfFile, text: b"" };

    /// The keyword or symbol it is; empty for others.
    pub(super) fn fixed(&self) -> &'s str {
        let text = if self.kind == Kind::Fixed { self.text } else { b"" };
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// The name it is; empty for others.
    pub(super) fn name(&self) -> &'s str {
        let text = if self.kind == Kind::Name { self.text } else { b"" };
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// How messages show it.
    pub(super) fn shown(&self) -> String {
        match self.kind {
            Kind::EndOfFile => END_OF_FILE.to_owned(),
            _ => shown(self.text),
        }
    }
}

/// Text of the source for a message: one line, not too long, and nothing in it that can't be seen.
fn shown(text: &[u8]) -> String {
    if let [byte] = text
        && !byte.is_ascii_graphic()
    {
        return format!("char({byte})");
    }
    let text = String::from_utf8_lossy(text);
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    let end = line.char_indices().nth(MAX_NEAR_CHARS).map_or(line.len(), |(end, _)| end);
    let kept = line.get(..end).unwrap_or_default();
    let mut shown = String::new();
    for character in kept.chars() {
        // What escapes as `\u{…}` has no form of its own on a screen.
        if character.is_ascii() || character.escape_debug().count() == 1 {
            shown.push(character);
        } else {
            shown += &format!("U+{:04X}", u32::from(character));
        }
    }
    if kept.len() < text.len() {
        shown += "...";
    }
    shown
}

/// Whether names have this byte, and not as their first alone.
pub(super) fn is_of_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Reads tokens one after the other.
pub(super) struct Tokens<'s> {
    source: &'s [u8],
    at: usize,
    /// The line read up to, from 1: where reference Lua says an error is.
    pub(super) line: u64,
    /// The backslashes before characters that need none.
    needless: Vec<usize>,
}

impl<'s> Tokens<'s> {
    pub(super) fn of(source: &'s [u8]) -> Self {
        Self { source, at: 0, line: 1, needless: Vec::new() }
    }

    /// Where in the source one of its names begins.
    pub(super) fn start_of(&self, name: &str) -> usize {
        name.as_ptr().addr().saturating_sub(self.source.as_ptr().addr())
    }

    pub(super) fn next(&mut self) -> Result<Token<'s>, Problem> {
        self.skip_space()?;
        let start = self.at;
        let Some(first) = self.peek(0) else { return Ok(Token::END) };
        let kind = match first {
            b'"' | b'\'' => {
                self.short_string(first)?;
                Kind::Text
            }
            b'[' if self.peek(1) == Some(b'=') || self.peek(1) == Some(b'[') => {
                if !self.long_bracket("string")? {
                    return Err(self.problem_near("invalid long string delimiter", start));
                }
                Kind::Text
            }
            b'0'..=b'9' => self.number()?,
            b'.' if self.peek(1).is_some_and(|digit| digit.is_ascii_digit()) => self.number()?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                self.skip_while(is_of_name);
                let is_keyword = KEYWORDS.iter().any(|word| word.as_bytes() == self.since(start));
                if is_keyword { Kind::Fixed } else { Kind::Name }
            }
            _ => {
                let rest = self.since_to(start, start + 4);
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes()));
                self.at += symbol.map_or_else(|| character_length(rest), |symbol| symbol.len());
                Kind::Fixed
            }
        };
        Ok(Token { kind, text: self.since(start) })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.source.get(self.at + ahead).copied()
    }

    fn since(&self, start: usize) -> &'s [u8] {
        self.since_to(start, self.at)
    }

    fn since_to(&self, start: usize, end: usize) -> &'s [u8] {
        self.source.get(start..end.min(self.source.len())).unwrap_or_default()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&wanted) {
            self.at += 1;
        }
    }

    /// Skips a line end, which may be of two different characters.
    fn line_end(&mut self) {
        let first = self.peek(0);
        self.at += 1;
        if matches!(self.peek(0), Some(b'\n' | b'\r')) && self.peek(0) != first {
            self.at += 1;
        }
        self.line += 1;
    }

    fn skip_space(&mut self) -> Result<(), Problem> {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | 0x0B | 0x0C) => self.at += 1,
                Some(b'\n' | b'\r') => self.line_end(),
                Some(b'-') if self.peek(1) == Some(b'-') => {
                    self.at += 2;
                    if self.peek(0) != Some(b'[') || !self.long_bracket("comment")? {
                        self.skip_while(|byte| !matches!(byte, b'\n' | b'\r'));
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Reads `[[…]]` or `[=[…]=]`; false if none begins here.
    fn long_bracket(&mut self, what: &str) -> Result<bool, Problem> {
        self.at += 1;
        let start = self.at;
        self.skip_while(|byte| byte == b'=');
        let level = self.at - start;
        if self.peek(0) != Some(b'[') {
            return Ok(false);
        }
        let closing = [b"]".as_slice(), &b"=".repeat(level), b"]"].concat();
        loop {
            match self.peek(0) {
                None => return Err(self.problem(&format!("unfinished long {what}"), END_OF_FILE)),
                Some(b'\n' | b'\r') => self.line_end(),
                Some(b']') if self.since_to(self.at, self.at + closing.len()) == closing => {
                    self.at += closing.len();
                    return Ok(true);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn short_string(&mut self, quote: u8) -> Result<(), Problem> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return Err(self.problem("unfinished string", END_OF_FILE)),
                Some(b'\n' | b'\r') => return Err(self.problem_near("unfinished string", start)),
                Some(b'\\') => self.escape(start)?,
                Some(byte) => {
                    self.at += 1;
                    if byte == quote {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Problem> {
        let backslash = self.at;
        self.at += 1;
        let Some(letter) = self.peek(0) else { return Ok(()) };
        if matches!(letter, b'\n' | b'\r') {
            self.line_end();
            return Ok(());
        }
        self.at += 1;
        match letter {
            b'0'..=b'9' => {
                self.digits(2, |byte| byte.is_ascii_digit());
                let value =
                    self.since(backslash + 1).iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0'));
                if value > 255 {
                    self.at = backslash;
                    return Err(self.problem_near("escape sequence too large", start));
                }
            }
            b'x' => {
                if self.digits(2, |byte| byte.is_ascii_hexdigit()) < 2 {
                    return Err(self.problem_near("hexadecimal digit expected", start));
                }
            }
            b'u' => self.code_point(start)?,
            b'z' => loop {
                match self.peek(0) {
                    Some(b'\n' | b'\r') => self.line_end(),
                    Some(b' ' | b'\t' | 0x0B | 0x0C) => self.at += 1,
                    _ => break,
                }
            },
            b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\' | b'"' | b'\'' => {}
            // As in the reference, they stand for themselves.
            _ => self.needless.push(backslash),
        }
        Ok(())
    }

    fn code_point(&mut self, start: usize) -> Result<(), Problem> {
        if self.peek(0) != Some(b'{') {
            return Err(self.problem_near("missing '{' in \\u{xxxx}", start));
        }
        self.at += 1;
        let first = self.at;
        self.skip_while(|byte| byte.is_ascii_hexdigit());
        let digits = std::str::from_utf8(self.since(first)).unwrap_or_default();
        if digits.is_empty() {
            return Err(self.problem_near("hexadecimal digit expected", start));
        }
        if u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).is_none() {
            return Err(self.problem_near("UTF-8 value too large", start));
        }
        if self.peek(0) != Some(b'}') {
            return Err(self.problem_near("missing '}' in \\u{xxxx}", start));
        }
        self.at += 1;
        Ok(())
    }

    /// Skips at most so many digits, and says how many there were.
    fn digits(&mut self, most: usize, is_digit: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.at - start < most && self.peek(0).is_some_and(&is_digit) {
            self.at += 1;
        }
        self.at - start
    }

    /// Reads all that clings to a numeral, as reference Lua does, and only then asks whether it is one. A dot does so
    /// up to the first letter; behind `0x` the parser also takes one, as in `0xA.8`, but not two.
    fn number(&mut self) -> Result<Kind, Problem> {
        let start = self.at;
        let is_hex = matches!(self.since_to(start, start + 2), b"0x" | b"0X");
        let exponent: &[u8] = if is_hex { b"pP" } else { b"eE" };
        // Noted as they come: a numeral may be all of the source.
        let (mut last, mut had_letter, mut had_exponent) = (0, false, false);
        while let Some(byte) = self.peek(0) {
            match byte {
                b'+' | b'-' if exponent.contains(&last) => {}
                b'.' if is_hex && (self.peek(1) == Some(b'.') || had_exponent) => break,
                b'.' if !is_hex && had_letter => break,
                b'.' | b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {}
                _ => break,
            }
            last = byte;
            had_letter |= byte.is_ascii_alphabetic();
            had_exponent |= exponent.contains(&byte);
            self.at += 1;
        }
        if is_one_number(self.since(start)) {
            Ok(Kind::Number)
        } else {
            Err(self.problem_near("malformed number", start))
        }
    }

    fn problem(&self, message: &str, near: &str) -> Problem {
        Problem { message: format!("{message} near '{near}'"), line: self.line }
    }

    /// A problem near what was read since `start`.
    fn problem_near(&self, message: &str, start: usize) -> Problem {
        self.problem(message, &shown(self.since(start)))
    }
}

/// The source as the parser takes it, with a space between each hexadecimal numeral and `..` behind it, which would be a
/// fraction, and without the backslash before characters that need none; nothing when there is no such place.
pub(super) fn mended(source: &[u8]) -> Option<Vec<u8>> {
    let mut tokens = Tokens::of(source);
    let mut mended = Vec::new();
    let mut copied = 0;
    while let Ok(token) = tokens.next()
        && token.kind != Kind::EndOfFile
    {
        let is_hex = token.kind == Kind::Number && matches!(token.text, [b'0', b'x' | b'X', ..]);
        if is_hex && tokens.peek(0) == Some(b'.') {
            mended.extend_from_slice(source.get(copied..tokens.at)?);
            mended.push(b' ');
            copied = tokens.at;
        }
        for backslash in tokens.needless.drain(..) {
            mended.extend_from_slice(source.get(copied..backslash)?);
            copied = backslash + 1;
        }
    }
    (copied > 0).then(|| [&mended, source.get(copied..).unwrap_or_default()].concat())
}

/// Whether the parser reads `text` as one number.
fn is_one_number(text: &[u8]) -> bool {
    let mut lexer = Lexer::new(text, NoText);
    matches!(lexer.read_token(), Ok(Some(ParserToken::Integer(_) | ParserToken::Float(_))))
        && matches!(lexer.read_token(), Ok(None))
}

/// The length in bytes of the character that `text` begins with; 1 where it is no UTF-8.
fn character_length(text: &[u8]) -> usize {
    let valid = text.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    valid.map_or(1, char::len_utf8)
}
