//! SQLite's expressions for the parser of filters, where its own dialect leaves some out.
//!
//! This only reads more texts, and brackets them as SQLite does. What of a tree is allowed is for
//! `filter` to say, which rebuilds it with brackets of its own, so a mistake here gives another filter
//! and never more than a filter.
//!
//! Operators that the parser does not have are spelled as ones that it has, before it reads them.
//! Rejected: adding them by `Dialect::parse_infix`, as the parser's own dialect adds `GLOB`. It is lent
//! the left side and has to copy it, and to copy two thousand additions overflows the stack.

use std::any::TypeId;

use sqlparser::ast::{Expr, UnaryOperator};
use sqlparser::dialect::{Dialect, Precedence, SQLiteDialect};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

/// `||` binds more tightly than `*`.
const CONCAT: u8 = 45;

/// `~` binds more tightly than all that has two sides.
const TILDE: u8 = 49;

/// SQLite's dialect with `<<`, `>>` and `~`, for tokens that are [`respelled`].
#[derive(Debug, Default)]
pub(super) struct FilterDialect(SQLiteDialect);

impl Dialect for FilterDialect {
    fn dialect(&self) -> TypeId {
        self.0.dialect()
    }

    fn is_delimited_identifier_start(&self, c: char) -> bool {
        self.0.is_delimited_identifier_start(c)
    }

    fn is_identifier_start(&self, c: char) -> bool {
        self.0.is_identifier_start(c)
    }

    fn is_identifier_part(&self, c: char) -> bool {
        self.0.is_identifier_part(c)
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        self.0.supports_filter_during_aggregation()
    }

    fn supports_in_empty_list(&self) -> bool {
        self.0.supports_in_empty_list()
    }

    fn supports_dollar_placeholder(&self) -> bool {
        self.0.supports_dollar_placeholder()
    }

    fn supports_notnull_operator(&self) -> bool {
        self.0.supports_notnull_operator()
    }

    fn supports_comma_separated_trim(&self) -> bool {
        self.0.supports_comma_separated_trim()
    }

    fn supports_numeric_literal_underscores(&self) -> bool {
        self.0.supports_numeric_literal_underscores()
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        match &parser.peek_token_ref().token {
            // One level in SQLite, from left to right.
            Token::Ampersand | Token::Pipe | Token::ShiftLeft | Token::ShiftRight => {
                Some(Ok(self.prec_value(Precedence::Ampersand)))
            }
            Token::StringConcat => Some(Ok(CONCAT)),
            _ => None,
        }
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        if parser.peek_token_ref().token != Token::Tilde {
            return None;
        }
        parser.next_token();
        let operand = parser.parse_subexpr(TILDE);
        Some(operand.map(|expr| Expr::UnaryOp { op: UnaryOperator::BitwiseNot, expr: Box::new(expr) }))
    }
}

fn is_keyword(token: &Token, keywords: &[Keyword]) -> bool {
    matches!(token, Token::Word(word) if keywords.contains(&word.keyword))
}

/// Whether it is this word, not in quotes. The parser has not all of them as keywords.
fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted))
}

/// Whether somebody wrote the word that stands for GLOB here, and that SQLite does not have.
pub(super) fn has_ilike(tokens: &[TokenWithSpan]) -> bool {
    tokens.iter().any(|token| is_word(&token.token, "ILIKE"))
}

/// SQLite's operators in the parser's words: `IS` and `IS NOT` between values are `IS NOT DISTINCT FROM`
/// and `IS DISTINCT FROM`, `ISNULL` is `IS NULL`, and `GLOB` is `ILIKE`, whose tree is as simple.
pub(super) fn respelled(text: &str, tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut written = Vec::with_capacity(tokens.len());
    let mut tokens =
        tokens.into_iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).peekable();
    while let Some(TokenWithSpan { token, span }) = tokens.next() {
        let mut write = |words: &[&str]| {
            written.extend(words.iter().map(|word| TokenWithSpan { token: Token::make_keyword(word), span }));
        };
        if is_word(&token, "ISNULL") {
            write(&["IS", "NULL"]);
        } else if is_word(&token, "GLOB") {
            write(&["ILIKE"]);
        } else if is_word(&token, "IS") {
            let negated = tokens.next_if(|next| is_keyword(&next.token, &[Keyword::NOT])).is_some();
            // What the parser knows itself.
            let known = [Keyword::NULL, Keyword::TRUE, Keyword::FALSE, Keyword::DISTINCT];
            let is_known = tokens.peek().is_none_or(|next| is_keyword(&next.token, &known));
            write(match (is_known, negated) {
                (true, false) => &["IS"],
                (true, true) => &["IS", "NOT"],
                (false, false) => &["IS", "NOT", "DISTINCT", "FROM"],
                (false, true) => &["IS", "DISTINCT", "FROM"],
            });
        } else {
            let token = hex_number(text, &token, span).unwrap_or(token);
            written.push(TokenWithSpan { token, span });
        }
    }
    written
}

/// `0x41`, a number, is one token with `x'41'`, a blob, to the parser; the text tells which it is.
fn hex_number(text: &str, token: &Token, span: Span) -> Option<Token> {
    let Token::HexStringLiteral(digits) = token else { return None };
    let place = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.split('\n').nth(place(span.start.line))?;
    if line.chars().nth(place(span.start.column)) != Some('0') {
        return None;
    }
    // Sixteen digits are a negative number, as in SQLite; more are no number.
    let bits = u64::from_str_radix(digits, 16).ok()?;
    Some(Token::Number(bits.cast_signed().to_string(), false))
}
