//! Reading a template's `schema.sql`: which statements it holds, and their text with the host's
//! columns put in.
//!
//! A template may come from a stranger, and deployed ones were written by hand, with the system
//! columns or without. So the file is parsed (sqlparser, SQLite dialect), only CREATE TABLE, CREATE
//! INDEX and INSERT … VALUES pass, and what is missing is spliced into the author's own text.
//! Printing the parsed tree instead was rejected: it rewrites string literals that hold backslashes
//! and drops what the parser does not know of SQLite.

use std::cell::Cell;

use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateTable, DataType, Insert, ObjectName, SetExpr, Statement, TableConstraint,
    TableObject,
};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::definition::missing_system_columns;
use super::{NameError, TableName};

/// The longest `schema.sql`, in bytes.
pub const MAX_SCHEMA_BYTES: usize = 1024 * 1024;

/// How many tokens one item of a list may have, not counting what its brackets hold. The parser makes
/// a chain of operators a tree as deep as the chain is long, and ends it by recursion, which takes
/// the stack of the whole process; SQLite itself refuses more than 1000.
const MAX_ITEM_TOKENS: usize = 2000;

/// How many brackets may stand inside each other. The parser reads some calls in two ways, one after
/// the other, so each bracket can double its time.
const MAX_BRACKETS: usize = 12;

/// Why a `schema.sql` can't be applied. Nothing of it has been, then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The file is too long.
    #[error("schema.sql is {found} bytes long, the limit is {MAX_SCHEMA_BYTES}")]
    TooLong {
        /// Its length in bytes.
        found: usize,
    },
    /// A statement can't be read, is not allowed, or failed.
    #[error("schema.sql:{line}: {problem}")]
    Statement {
        /// The line where the statement starts, or where reading it failed; from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The database failed, not the file.
    #[error("{message}")]
    Database {
        /// The store's own words.
        message: String,
    },
}

/// One statement, ready to run.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) line: u64,
    pub(super) table: TableName,
    pub(super) sql: String,
    pub(super) kind: StepKind,
}

#[derive(Debug)]
pub(super) enum StepKind {
    CreateTable {
        columns: Vec<String>,
    },
    CreateIndex {
        if_not_exists: bool,
    },
    /// `stamped`: the text holds `?1` for the owner.
    Insert {
        stamped: bool,
    },
}

/// The tables that a `schema.sql` would make, in its order, without making them.
///
/// # Errors
/// As [`Database::apply_schema`](super::Database::apply_schema), for what can be told from the text.
pub fn tables_in_schema(source: &str) -> Result<Vec<TableName>, SchemaError> {
    let steps = read(source)?.into_iter();
    Ok(steps
        .filter(|step| matches!(step.kind, StepKind::CreateTable { .. }))
        .map(|step| step.table)
        .collect())
}

/// Reads the whole file.
pub(super) fn read(source: &str) -> Result<Vec<Step>, SchemaError> {
    if source.len() > MAX_SCHEMA_BYTES {
        return Err(SchemaError::TooLong { found: source.len() });
    }
    if let Some(before) = source.split_once('\0').map(|(before, _)| before) {
        let line = 1 + before.matches('\n').count() as u64;
        return Err(problem(line, "a NUL character"));
    }
    let tokens = Tokenizer::new(&SQLiteDialect {}, source)
        .tokenize_with_location()
        .map_err(|error| problem(error.location.line, error.message))?;
    let lines = LineStarts::of(source);
    let mut steps = Vec::new();
    for part in tokens.split(|token| token.token == Token::SemiColon) {
        let part: Vec<TokenWithSpan> = part
            .iter()
            .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
            .cloned()
            .collect();
        if !part.is_empty() {
            let text = PartText { source, lines: &lines, tokens: &part };
            steps.push(read_statement(&text, &steps)?);
        }
    }
    Ok(steps)
}

fn problem(line: u64, problem: impl Into<String>) -> SchemaError {
    SchemaError::Statement { line, problem: problem.into() }
}

fn read_statement(text: &PartText<'_>, before: &[Step]) -> Result<Step, SchemaError> {
    let line = text.line();
    refuse_other_kinds(text)?;
    refuse_costly_text(text)?;
    let mut parser = Parser::new(&SQLiteDialect {}).with_tokens_with_locations(text.tokens.to_vec());
    let mut statements = parser.parse_statements().map_err(|error| problem(line, error.to_string()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::CreateTable(create)), true) => read_create_table(text, &create),
        (Some(Statement::CreateIndex(create)), true) => {
            let table = table_name(&create.table_name, line)?;
            creation(before, &table, line)?;
            let kind = StepKind::CreateIndex { if_not_exists: create.if_not_exists };
            Ok(Step { line, table, sql: text.with_edits(Vec::new()), kind })
        }
        (Some(Statement::Insert(insert)), true) => read_insert(text, &insert, before),
        _ => Err(not_allowed(text)),
    }
}

/// Refuses by the first words what the grammar would refuse later with a message about something
/// else: the statements inside a trigger's body end with semicolons too.
fn refuse_other_kinds(text: &PartText<'_>) -> Result<(), SchemaError> {
    let mut words = text.keywords();
    let allowed = match words.next() {
        Some(Keyword::INSERT | Keyword::REPLACE) => true,
        Some(Keyword::CREATE) => match words.next() {
            Some(Keyword::TABLE | Keyword::INDEX) => true,
            Some(Keyword::UNIQUE) => words.next() == Some(Keyword::INDEX),
            _ => false,
        },
        _ => false,
    };
    if allowed { Ok(()) } else { Err(not_allowed(text)) }
}

/// Refuses what would take the parser more than a moment or its stack.
fn refuse_costly_text(text: &PartText<'_>) -> Result<(), SchemaError> {
    let mut count = 0usize;
    // The counts of the items around, one for each bracket that is open.
    let mut around = Vec::new();
    for token in text.tokens {
        match token.token {
            Token::LParen => around.push(std::mem::take(&mut count)),
            Token::RParen => count = around.pop().unwrap_or(count),
            Token::Comma => count = 0,
            _ => count += 1,
        }
        if around.len() > MAX_BRACKETS {
            let message = format!("brackets nest at most {MAX_BRACKETS} deep");
            return Err(problem(token.span.start.line, message));
        }
        if count > MAX_ITEM_TOKENS {
            let message = format!("an expression has at most {MAX_ITEM_TOKENS} parts");
            return Err(problem(token.span.start.line, message));
        }
    }
    Ok(())
}

fn not_allowed(text: &PartText<'_>) -> SchemaError {
    let found: Vec<String> = text.tokens.iter().take(2).map(|token| token.token.to_string()).collect();
    let found: String = found.join(" ").chars().take(40).collect();
    problem(text.line(), format!("only CREATE TABLE, CREATE INDEX and INSERT are allowed, found {found}"))
}

fn table_name(name: &ObjectName, line: u64) -> Result<TableName, SchemaError> {
    let [part] = name.0.as_slice() else {
        return Err(problem(line, format!("a table name has one part, found {name}")));
    };
    let ident = part.as_ident().map(|ident| ident.value.as_str()).unwrap_or_default();
    TableName::parse(ident).map_err(|error: NameError| problem(line, error.to_string()))
}

/// The columns of a table that this file makes. Others are not this file's to fill or index.
fn creation<'a>(before: &'a [Step], table: &TableName, line: u64) -> Result<&'a [String], SchemaError> {
    before
        .iter()
        .find_map(|step| match &step.kind {
            StepKind::CreateTable { columns } if step.table.as_str().eq_ignore_ascii_case(table.as_str()) => {
                Some(columns.as_slice())
            }
            _ => None,
        })
        .ok_or_else(|| problem(line, format!("table {table} is not created above in this file")))
}

fn read_create_table(text: &PartText<'_>, create: &CreateTable) -> Result<Step, SchemaError> {
    let line = text.line();
    let table = table_name(&create.name, line)?;
    if create.query.is_some() || create.without_rowid || create.like.is_some() || create.clone.is_some() {
        let message = format!("table {table}: AS SELECT, LIKE and WITHOUT ROWID are not supported");
        return Err(problem(line, message));
    }
    let declared: Vec<String> = create.columns.iter().map(|column| column.name.value.clone()).collect();
    let mut system = missing_system_columns(&declared).join(", ");
    let mut edits = Vec::new();
    let declares_id = declared.iter().any(|name| name.eq_ignore_ascii_case("_id"));
    let key = if declares_id { None } else { primary_key(create) };
    let generated_id;
    match key {
        // The author's own row number: `_id` becomes another name for it.
        Some(Key::RowNumber(column)) => {
            let quoted = column.name.value.replace('"', "\"\"");
            generated_id = format!("_id INTEGER GENERATED ALWAYS AS (\"{quoted}\") VIRTUAL");
            let (_, others) = system.split_once(", ").unwrap_or_default();
            system = [generated_id.as_str(), others].join(", ");
        }
        // A key that is not a row number stays unique, and `_id` becomes the primary key.
        Some(Key::Other) => edits.extend(text.primary_key_as_unique()),
        None => {}
    }
    let Some(open) = text.tokens.iter().find(|token| token.token == Token::LParen) else {
        return Err(problem(line, format!("table {table} has no columns")));
    };
    if !system.is_empty() {
        let at = text.start(open) + 1;
        edits.push(Edit { at, remove: 0, insert: format!("{system}, ") });
    }
    let columns = create.columns.iter().filter(|column| !is_generated(column));
    let columns = columns.map(|column| column.name.value.clone()).collect();
    Ok(Step { line, table, sql: text.with_edits(edits), kind: StepKind::CreateTable { columns } })
}

enum Key<'a> {
    RowNumber(&'a ColumnDef),
    Other,
}

fn primary_key(create: &CreateTable) -> Option<Key<'_>> {
    let is_integer = |column: &&ColumnDef| matches!(column.data_type, DataType::Integer(None));
    let inline = create.columns.iter().find(|column| {
        column.options.iter().any(|option| matches!(option.option, ColumnOption::PrimaryKey(_)))
    });
    if let Some(column) = inline {
        return Some(Some(column).filter(is_integer).map_or(Key::Other, Key::RowNumber));
    }
    let constraint = create.constraints.iter().find_map(|constraint| match constraint {
        TableConstraint::PrimaryKey(key) => Some(key),
        _ => None,
    })?;
    let only = match constraint.columns.as_slice() {
        [column] => Some(column.column.to_string()),
        _ => None,
    };
    let column = create.columns.iter().find(|column| only.as_deref() == Some(&column.name.to_string()));
    Some(column.filter(is_integer).map_or(Key::Other, Key::RowNumber))
}

fn is_generated(column: &ColumnDef) -> bool {
    column
        .options
        .iter()
        .any(|option| matches!(option.option, ColumnOption::Generated { generation_expr: Some(_), .. }))
}

fn read_insert(text: &PartText<'_>, insert: &Insert, before: &[Step]) -> Result<Step, SchemaError> {
    let line = text.line();
    let TableObject::TableName(name) = &insert.table else { return Err(not_allowed(text)) };
    let table = table_name(name, line)?;
    let declared = creation(before, &table, line)?;
    let is_values = insert.source.as_ref().is_some_and(|query| {
        query.with.is_none() && matches!(&*query.body, SetExpr::Values(values) if !values.explicit_row)
    });
    if !is_values || insert.on.is_some() || insert.returning.is_some() || insert.table_alias.is_some() {
        return Err(problem(line, "an INSERT here is INSERT INTO table (columns) VALUES (…), (…)"));
    }
    let Some(values) = text.tokens.iter().position(|token| is_keyword(token, Keyword::VALUES)) else {
        return Err(not_allowed(text));
    };
    let given: Vec<String> = insert.columns.iter().map(bare_name).collect();
    let named = if given.is_empty() { declared } else { &given };
    let stamped = !named.iter().any(|name| name.eq_ignore_ascii_case("_owner"));
    let mut edits = Vec::new();
    if given.is_empty() {
        // Without a list the values mean the columns that the author declared, not ours.
        let mut list: Vec<String> =
            declared.iter().map(|name| format!("\"{}\"", name.replace('"', "\"\""))).collect();
        list.extend(stamped.then(|| "_owner".to_owned()));
        let insert = format!("({}) ", list.join(", "));
        edits.extend(text.tokens.get(values).map(|at| Edit { at: text.start(at), remove: 0, insert }));
    } else if stamped {
        edits.extend(text.before_closing(0..values, ", _owner"));
    }
    if stamped {
        edits.extend(text.before_closing(values..text.tokens.len(), ", ?1"));
    }
    Ok(Step { line, table, sql: text.with_edits(edits), kind: StepKind::Insert { stamped } })
}

fn bare_name(name: &ObjectName) -> String {
    let ident = name.0.last().and_then(|part| part.as_ident());
    ident.map(|ident| ident.value.clone()).unwrap_or_default()
}

fn is_keyword(token: &TokenWithSpan, keyword: Keyword) -> bool {
    matches!(&token.token, Token::Word(word) if word.keyword == keyword && word.quote_style.is_none())
}

/// A change to the text of a statement, at a byte offset of the file.
struct Edit {
    at: usize,
    remove: usize,
    insert: String,
}

/// One statement's tokens (no white space, no semicolon; never empty) and the file they are from.
struct PartText<'a> {
    source: &'a str,
    lines: &'a LineStarts,
    tokens: &'a [TokenWithSpan],
}

impl PartText<'_> {
    fn line(&self) -> u64 {
        self.tokens.first().map_or(1, |token| token.span.start.line)
    }

    fn start(&self, token: &TokenWithSpan) -> usize {
        self.lines.offset(self.source, token.span.start.line, token.span.start.column)
    }

    fn keywords(&self) -> impl Iterator<Item = Keyword> {
        self.tokens.iter().map(|token| match &token.token {
            Token::Word(word) if word.quote_style.is_none() => word.keyword,
            _ => Keyword::NoKeyword,
        })
    }

    /// Edits that put `insert` before the closing bracket of every outermost pair in `range`.
    fn before_closing(&self, range: std::ops::Range<usize>, insert: &str) -> Vec<Edit> {
        let mut depth = 0usize;
        let mut edits = Vec::new();
        for token in self.tokens.get(range).unwrap_or_default() {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        edits.push(Edit { at: self.start(token), remove: 0, insert: insert.to_owned() });
                    }
                }
                _ => {}
            }
        }
        edits
    }

    /// Edits that turn `PRIMARY KEY [ASC|DESC] [AUTOINCREMENT]` into `UNIQUE`.
    fn primary_key_as_unique(&self) -> Vec<Edit> {
        let Some(first) = self.tokens.windows(2).position(
            |pair| matches!(pair, [a, b] if is_keyword(a, Keyword::PRIMARY) && is_keyword(b, Keyword::KEY)),
        ) else {
            return Vec::new();
        };
        let rest = self.tokens.get(first + 2..).unwrap_or_default();
        let extra = [Keyword::ASC, Keyword::DESC, Keyword::AUTOINCREMENT];
        let extras =
            rest.iter().take_while(|token| extra.iter().any(|word| is_keyword(token, *word))).count();
        let words = self.tokens.get(first..first + 2 + extras).unwrap_or_default();
        words
            .iter()
            .enumerate()
            .map(|(position, token)| Edit {
                at: self.start(token),
                remove: token.token.to_string().len(),
                insert: if position == 0 { "UNIQUE".to_owned() } else { String::new() },
            })
            .collect()
    }

    /// The statement's text with the edits made.
    fn with_edits(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|edit| edit.at);
        let mut position = self.tokens.first().map_or(0, |token| self.start(token));
        let end = self.tokens.last().map_or(position, |token| {
            self.lines.offset(self.source, token.span.end.line, token.span.end.column)
        });
        let mut text = String::new();
        for edit in edits {
            text.push_str(self.source.get(position..edit.at).unwrap_or_default());
            text.push_str(&edit.insert);
            position = edit.at + edit.remove;
        }
        text.push_str(self.source.get(position..end).unwrap_or_default());
        text
    }
}

/// Turns the parser's lines and columns (of characters, from 1) into byte offsets.
struct LineStarts {
    starts: Vec<usize>,
    /// The line, column and offset found last. Asked in the order of the text, a long line is read
    /// once and not once for each token.
    last: Cell<(usize, usize, usize)>,
}

impl LineStarts {
    fn of(source: &str) -> Self {
        let after_breaks = memchr::memchr_iter(b'\n', source.as_bytes()).map(|offset| offset + 1);
        Self { starts: std::iter::once(0).chain(after_breaks).collect(), last: Cell::new((0, 0, 0)) }
    }

    fn offset(&self, source: &str, line: u64, column: u64) -> usize {
        let line = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(start) = self.starts.get(line).copied() else { return source.len() };
        let (known_line, known_column, known_offset) = self.last.get();
        let (from, skipped) = if known_line == line && known_column <= column {
            (known_offset, known_column)
        } else {
            (start, 0)
        };
        let rest = source.get(from..).unwrap_or_default();
        let found =
            rest.char_indices().nth(column - skipped).map_or(source.len(), |(offset, _)| from + offset);
        self.last.set((line, column, found));
        found
    }
}
