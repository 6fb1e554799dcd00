//! Source texts made of tokens, many of them repeated: what lies near the limits of a program's shape.
//!
//! Bytes rarely form a keyword, and a mutation of one byte never makes a thousand brackets. Here one byte is
//! a token, and one byte repeats what went before.

use crate::choices::Choices;

/// The longest source made, in bytes: somewhat more than may be loaded.
const MAX_BYTES: usize = 66_000;

const TOKENS: &[&str] = &[
    "\n",
    "x",
    "1",
    "(",
    ")",
    "=",
    ",",
    "local ",
    "{",
    "}",
    "function ",
    "end ",
    "if ",
    "then ",
    "else ",
    "elseif ",
    "return ",
    "do ",
    "while ",
    "for ",
    "in ",
    "repeat ",
    "until ",
    "break ",
    "goto a ",
    "::a::",
    "nil",
    "true",
    "not ",
    "and ",
    "or ",
    "..",
    "...",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "#",
    "//",
    "&",
    "|",
    "~",
    "<<",
    ">>",
    "==",
    "~=",
    "<",
    "<=",
    ".",
    ":",
    "[",
    "]",
    "'s'",
    "\"t\"",
    "[[u]]",
    "--c\n",
    "--[[d]]",
    ";",
    " ",
    "0x1p4",
    "1e999",
    "9223372036854775807",
    "f()",
    "a.b",
    "a[1]",
    "a:m()",
    "function(...) ",
    "function f(a, b) ",
    "local function g() ",
    "local y <const> = ",
    "local z <close> = ",
    "pcall",
    "..x",
    "=1",
    "y",
    "a",
    "_ENV",
    "\\",
    "'\\u{10FFFF}'",
    "'\\x41\\065\\z  b'",
    "[==[",
    "]==]",
    "'",
    "\"",
    "\0",
    "\r",
    "\u{e9}",
    "@",
    "$",
    "!",
    "?",
    "handle",
    "call",
    "self",
];

/// The source that `data` stands for.
pub fn source(data: &[u8]) -> String {
    let mut choices = Choices::new(data);
    let mut source = String::new();
    let mut starts = vec![0];
    while !choices.is_empty() && source.len() < MAX_BYTES {
        match choices.byte() {
            255 => repeat(&mut source, &starts, &mut choices),
            token => source.push_str(TOKENS[usize::from(token) % TOKENS.len()]),
        }
        starts.push(source.len());
    }
    source
}

/// Repeats the last few tokens up to thousands of times; a name in them is another one each time if so chosen.
fn repeat(source: &mut String, starts: &[usize], choices: &mut Choices<'_>) {
    let back = 1 + choices.below(12);
    let from = starts[starts.len().saturating_sub(back + 1)];
    let piece = source[from..].to_owned();
    let times = [2, 10, 50, 98, 100, 102, 199, 201, 255, 300, 1000, 5000][choices.below(12)];
    let numbered = choices.chance(64);
    for number in 0..times {
        if source.len() + piece.len() > MAX_BYTES {
            return;
        }
        source.push_str(&piece);
        if numbered {
            source.push_str(&format!("{number} "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_repeated() {
        // `x`, `=`, `1`, and ten times `+` `x`.
        let at = |token| TOKENS.iter().position(|known| *known == token).unwrap() as u8;
        let data = [at("x"), at("="), at("1"), at("+"), at("x"), 255, 1, 1, 255];
        assert_eq!(source(&data), format!("x=1{}", "+x".repeat(11)));
    }
}
