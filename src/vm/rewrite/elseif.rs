//! Gives each `elseif` its line: `if a … elseif b … end` becomes `if a … else if b … end end`.
//!
//! The tree has lines for statements alone, so the conditions of a long chain would all be
//! reported at its `if`. The lines come from the tokens, which are matched with the tree by the
//! line of the `if` and the length of its chain.

use std::collections::HashMap;

use piccolo::compiler::LineNumber;
use piccolo::compiler::StringInterner;
use piccolo::compiler::lexer::{Lexer, Token};
use piccolo::compiler::parser::{Block, Chunk, IfStatement, Statement};

use super::build::{at, empty_block};
use super::edit::blocks_inside;
use super::functions::each_function;
use crate::vm::program::Text;

/// Longer chains stay as they are: each link is a level of nesting.
const MAX_LINKS: usize = 40;

/// The lines of the links of each chain, by the line of its `if`, in the order of the source.
type Chains = HashMap<LineNumber, Vec<Vec<LineNumber>>>;

/// Splits all chains of the program that was parsed from `source`.
pub(super) fn split_chains(chunk: &mut Chunk<Text>, source: &[u8]) {
    let mut chains = chains(source);
    if !chains.is_empty() {
        split_body(&mut chunk.block, &mut chains);
    }
}

fn chains(source: &[u8]) -> Chains {
    let mut lexer = Lexer::new(source, NoText);
    let mut chains = Chains::new();
    // What is open: an `if` with its links, or something else.
    let mut open: Vec<Option<(LineNumber, Vec<LineNumber>)>> = Vec::new();
    while lexer.skip_whitespace().is_ok() {
        let line = lexer.line_number();
        let Ok(Some(token)) = lexer.read_token() else { break };
        match token {
            Token::If => open.push(Some((line, Vec::new()))),
            Token::Function | Token::Do | Token::Repeat => open.push(None),
            Token::ElseIf => {
                if let Some(Some((_, links))) = open.last_mut() {
                    links.push(line);
                }
            }
            Token::End | Token::Until => {
                if let Some(Some((line, links))) = open.pop()
                    && (1..=MAX_LINKS).contains(&links.len())
                {
                    chains.entry(line).or_default().push(links);
                }
            }
            _ => {}
        }
    }
    chains
}

fn split_body(body: &mut Block<Text>, chains: &mut Chains) {
    split_block(body, chains);
    each_function(body, &mut |definition, _| split_body(&mut definition.body, chains));
}

fn split_block(block: &mut Block<Text>, chains: &mut Chains) {
    for statement in &mut block.statements {
        blocks_inside(&mut statement.inner, |block| split_block(block, chains));
        if let Statement::If(s) = &mut statement.inner
            && let Some(links) = take(chains, statement.line_number, s.else_if_parts.len())
        {
            split(s, &links);
        }
    }
}

fn take(chains: &mut Chains, line: LineNumber, length: usize) -> Option<Vec<LineNumber>> {
    let on_line = chains.get_mut(&line)?;
    let at = on_line.iter().position(|links| links.len() == length)?;
    Some(on_line.remove(at))
}

/// Puts each link into an `else` of what stands before it, from the last on.
fn split(statement: &mut IfStatement<Text>, links: &[LineNumber]) {
    let parts = std::mem::take(&mut statement.else_if_parts);
    for (if_part, line) in parts.into_iter().zip(links).rev() {
        let else_part = statement.else_part.take();
        let inner = IfStatement { if_part, else_if_parts: Vec::new(), else_part };
        let mut block = empty_block(*line);
        block.statements.push(at(*line, Statement::If(inner)));
        statement.else_part = Some(block);
    }
}

/// For lexing when only the kinds of the tokens matter.
pub(crate) struct NoText;

impl StringInterner for NoText {
    type String = [u8; 0];

    fn intern(&mut self, _: &[u8]) -> Self::String {
        []
    }
}
