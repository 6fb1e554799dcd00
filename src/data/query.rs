//! `query`: rows of one table, confined to what the caller may see.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::answer::rows_as_json;
use super::filter::{Filter, FilterError};
use super::request::QueryRequest;
use crate::peer_id::PeerId;
use crate::store::{
    ColumnName, Database, MAX_QUERY_ROWS, QueryError, QueryLimits, SqlValue, StoreError, TableName,
};

/// How many rows are returned when the request does not say.
const DEFAULT_ROWS: u64 = 100;

/// How long a visitor's query may run.
const TIME_LIMIT: Duration = Duration::from_secs(2);

/// Why a `query` gave no rows. The text is the answer's `error`.
#[derive(Debug, thiserror::Error)]
pub(super) enum QueryFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("table {table} has no column {column}")]
    NoColumn { table: TableName, column: ColumnName },
}

/// What of a table a query is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum View<'a> {
    /// All of it: for the owner.
    Everything,
    /// Every row, with the e-mail of none but the visitor: to sign a guestbook is not to publish
    /// one's address to whoever reads it later. Deployed peers give it out; a page that shows it
    /// finds null.
    AllRows { visitor: &'a PeerId },
    /// The visitor's own rows.
    OwnRows { visitor: &'a PeerId },
}

/// Runs `request` on what `view` allows.
pub(super) fn run(database: &Database, request: QueryRequest, view: View<'_>) -> Result<Value, QueryFailure> {
    let table = request.table;
    let existing: Vec<String> = database.describe(&table)?.into_iter().map(|column| column.name).collect();
    let selected = select_list(&table, &request.columns, &existing)?;
    let mut condition = None;
    let mut parameters = Vec::new();
    match request.filter {
        Some(text) => {
            let filter = Filter::parse(&text, &existing, request.args)?;
            condition = Some(filter.sql);
            parameters = filter.parameters;
        }
        None if !request.args.is_empty() => {
            return Err(FilterError::Args { expected: 0, found: request.args.len() }.into());
        }
        None => {}
    }
    let mut source = format!("\"{table}\"");
    match view {
        View::Everything => {}
        View::AllRows { visitor } => {
            parameters.push(SqlValue::Text(visitor.as_str().to_owned()));
            // Below the filter, not only in the answer: a filter that knows the address tells of it.
            source = without_emails(&table, &existing, parameters.len());
        }
        View::OwnRows { visitor } => {
            parameters.push(SqlValue::Text(visitor.as_str().to_owned()));
            let own = format!("\"_owner\" = ?{}", parameters.len());
            // SQLite takes the terms of an AND in any order, so beside this condition alone a filter
            // would be computed for the rows of others too, and tell of them by failing or by taking
            // its time. CASE computes it for a row only once that row is known to be the peer's.
            condition = Some(match condition {
                Some(filter) => format!("{own} AND CASE WHEN {own} THEN {filter} ELSE 0 END"),
                None => own,
            });
        }
    }
    let mut sql = format!("SELECT {selected} FROM {source}");
    if let Some(condition) = condition {
        sql.push_str(" WHERE ");
        sql.push_str(&condition);
    }
    let limit = request.limit.unwrap_or(DEFAULT_ROWS).min(MAX_QUERY_ROWS as u64);
    // Both are whole numbers that the request reader checked to fit SQLite's integers.
    sql.push_str(&format!(" ORDER BY \"_id\" LIMIT {limit} OFFSET {}", request.offset));
    let limits = QueryLimits::until(Instant::now() + TIME_LIMIT);
    Ok(rows_as_json(database.reader().query(&sql, &parameters, &limits)?))
}

/// The table with an `_owner_email` only in the rows of the peer that is parameter `visitor`.
fn without_emails(table: &TableName, columns: &[String], visitor: usize) -> String {
    let column = |name: &String| {
        let quoted = format!("\"{}\"", name.replace('"', "\"\""));
        if name.eq_ignore_ascii_case("_owner_email") {
            format!("CASE WHEN \"_owner\" = ?{visitor} THEN {quoted} END AS {quoted}")
        } else {
            quoted
        }
    };
    let columns: Vec<_> = columns.iter().map(column).collect();
    format!("(SELECT {} FROM \"{table}\")", columns.join(", "))
}

fn select_list(
    table: &TableName,
    wanted: &[ColumnName],
    existing: &[String],
) -> Result<String, QueryFailure> {
    if wanted.is_empty() {
        return Ok("*".to_owned());
    }
    let mut list = Vec::with_capacity(wanted.len());
    for column in wanted {
        // An unknown name in double quotes would be a string to SQLite, so it is looked up here.
        if !existing.iter().any(|name| name.eq_ignore_ascii_case(column.as_str())) {
            return Err(QueryFailure::NoColumn { table: table.clone(), column: column.clone() });
        }
        list.push(format!("\"{column}\""));
    }
    Ok(list.join(", "))
}
