//! Reads the page: its examples, its tables.

use std::fs;
use std::path::Path;

/// A fenced block of the page.
pub(super) struct Block {
    /// The line it begins at, for messages.
    pub(super) line: usize,
    /// What stands behind the opening fence: `lua`, or `lua not run: REASON`.
    pub(super) info: String,
    pub(super) text: String,
}

/// A row of a table, with the line it stands at.
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

pub(super) fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lua.md")).unwrap()
}

/// All fenced blocks, in order.
pub(super) fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(page().lines()) {
        match text.strip_prefix("```") {
            Some(info) if !inside => {
                blocks.push(Block { line, info: info.to_owned(), text: String::new() });
                inside = true;
            }
            Some(_) => inside = false,
            None if inside => {
                let block = blocks.last_mut().unwrap();
                block.text.push_str(text);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!inside, "the last block of the page is not closed");
    blocks
}

/// The examples that run: those marked `lua` and nothing else.
pub(super) fn examples() -> Vec<Block> {
    let examples: Vec<Block> = blocks().into_iter().filter(|block| block.info == "lua").collect();
    assert!(!examples.is_empty());
    examples
}

/// The rows of the tables below the heading `## HEADING`, without the tables' heads.
pub(super) fn rows(heading: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(page().lines()) {
        if let Some(title) = text.strip_prefix("## ") {
            inside = title == heading;
        }
        if inside && text.starts_with("|---") {
            rows.pop();
        } else if inside && text.starts_with('|') {
            rows.push(Row { line, cells: cells(text) });
        }
    }
    assert!(!rows.is_empty(), "the page has no tables below {heading}");
    rows
}

/// The cells of `| a | b |`; a `\|` is part of its cell.
fn cells(row: &str) -> Vec<String> {
    let protected = row.replace("\\|", "\0");
    let inner = protected.trim().trim_matches('|');
    inner.split('|').map(|cell| cell.trim_matches(' ').replace('\0', "|")).collect()
}

/// What stands between the back quotes of a cell that is all code; `⏎` is a line end.
pub(super) fn code(cell: &str) -> Option<String> {
    Some(cell.strip_prefix('`')?.strip_suffix('`')?.replace('⏎', "\n"))
}
