//! Which of SQLite's functions a query may call, and how many of them.
//!
//! SQLite looks at its progress handler when a program jumps back or gives a row, never inside a
//! function and not between two functions of one row. So a query's overrun is what the functions
//! of one row can cost: only functions known to be linear are allowed, of so many arguments and so
//! many uses. A list of refused functions was rejected: the next version of SQLite adds some.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most calls of functions in one query, as [`FunctionCount`] counts them.
pub(super) const MAX_FUNCTION_USES: usize = 64;

/// The most arguments of one function.
pub(super) const MAX_FUNCTION_ARGUMENTS: i32 = 24;

/// Functions that go through a JSON text once for each path among their arguments, and what one
/// use counts for: with every bound used up at once, a row of them takes some seconds.
const MANY_PATHS: &[&str] = &[
    "json_extract",
    "json_insert",
    "json_remove",
    "json_replace",
    "json_set",
    "json_array_insert",
    "jsonb_extract",
    "jsonb_insert",
    "jsonb_remove",
    "jsonb_replace",
    "jsonb_set",
    "jsonb_array_insert",
];
const MANY_PATHS_COUNT_AS: usize = 4;

/// In SQLite's order: plain functions, numbers, dates, aggregates and windows, JSON. Not here, and
/// why: `load_extension`, `fts3_tokenizer`, `edit`, `sqlite_log` reach outside; `json_patch` takes
/// quadratic time; what belongs to FTS and R*Tree has no tables here.
const ALLOWED: &[&str] = &[
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "format",
    "glob",
    "hex",
    "if",
    "ifnull",
    "iif",
    "instr",
    "length",
    "like",
    "likelihood",
    "likely",
    "lower",
    "ltrim",
    "max",
    "min",
    "nullif",
    "octet_length",
    "printf",
    "quote",
    "random",
    "randomblob",
    "replace",
    "rtrim",
    "soundex",
    "sqlite_version",
    "substr",
    "substring",
    "trim",
    "typeof",
    "unhex",
    "unicode",
    "unistr",
    "unistr_quote",
    "unlikely",
    "upper",
    "zeroblob",
    //
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "ceil",
    "ceiling",
    "cos",
    "cosh",
    "degrees",
    "exp",
    "floor",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "pi",
    "pow",
    "power",
    "radians",
    "round",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
    //
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "julianday",
    "strftime",
    "time",
    "timediff",
    "unixepoch",
    //
    "avg",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "group_concat",
    "lag",
    "last_value",
    "lead",
    "nth_value",
    "ntile",
    "percent_rank",
    "rank",
    "row_number",
    "string_agg",
    "sum",
    "total",
    //
    "->",
    "->>",
    "json",
    "json_array",
    "json_array_insert",
    "json_array_length",
    "json_error_position",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_pretty",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_type",
    "json_valid",
    "jsonb",
    "jsonb_array",
    "jsonb_array_insert",
    "jsonb_extract",
    "jsonb_group_array",
    "jsonb_group_object",
    "jsonb_insert",
    "jsonb_object",
    "jsonb_remove",
    "jsonb_replace",
    "jsonb_set",
];

/// Counts the functions of the statement that is being prepared on a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct FunctionCount(Arc<AtomicUsize>);

impl FunctionCount {
    /// Begins a new statement.
    pub(super) fn start(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether one more use, of the function `name`, is allowed.
    pub(super) fn admit(&self, name: &str) -> bool {
        let uses = if is_in(MANY_PATHS, name) { MANY_PATHS_COUNT_AS } else { 1 };
        is_in(ALLOWED, name) && self.0.fetch_add(uses, Ordering::Relaxed) + uses <= MAX_FUNCTION_USES
    }

    /// Whether the statement has too many.
    pub(super) fn exceeded(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_FUNCTION_USES
    }
}

fn is_in(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
