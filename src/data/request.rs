//! The request line as a typed value.
//!
//! Fields are read one by one and not derived, because the wire has aliases (`name` and `table`),
//! fields whose type depends on the operation (`column`), and because an error has to name the
//! field for the author of the page that sent it.

use serde_json::{Map, Value};

use crate::store::{ColumnDefinition, ColumnName, DefaultValue, Policy, SqlValue, TableName};
use crate::vm::json_tree_bytes;

/// The most columns in one request.
const MAX_COLUMNS: usize = 200;

/// The most `args` of a `where`.
const MAX_ARGS: usize = 200;

/// One request.
#[derive(Debug, PartialEq)]
pub(super) enum Request {
    Tables,
    Describe { table: TableName },
    Query(QueryRequest),
    Insert { table: TableName, row: Vec<(ColumnName, SqlValue)> },
    Update { table: TableName, id: i64, row: Vec<(ColumnName, SqlValue)> },
    Delete { table: TableName, id: i64 },
    Schema(SchemaRequest),
    LuaCall { function: String, params: Value },
    LuaList,
}

/// What a `query` asks for.
#[derive(Debug, PartialEq)]
pub(super) struct QueryRequest {
    pub(super) table: TableName,
    /// Empty: all columns.
    pub(super) columns: Vec<ColumnName>,
    pub(super) filter: Option<String>,
    pub(super) args: Vec<SqlValue>,
    pub(super) limit: Option<u64>,
    pub(super) offset: u64,
}

/// A change to the tables themselves: for the owner only.
#[derive(Debug, PartialEq)]
pub(super) enum SchemaRequest {
    CreateTable { table: TableName, columns: Vec<ColumnDefinition>, policy: Policy },
    AddColumn { table: TableName, column: ColumnDefinition },
    DropColumn { table: TableName, column: ColumnName },
    RenameTable { old: TableName, new: TableName },
    DeleteTable { table: TableName },
}

/// What a request may take in memory when it is parsed, in bytes. A line of a megabyte could take
/// a hundred, and many wait at once.
const MAX_TREE_BYTES: usize = 4 * 1024 * 1024;

/// Why a line is not a request. The text is the answer's `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum RequestError {
    #[error("the request is not JSON: {0}")]
    NotJson(String),
    #[error("the request holds too many values: {found} bytes to read them, the limit is {MAX_TREE_BYTES}")]
    TooMuch { found: usize },
    #[error("the request is not a JSON object")]
    NotObject,
    #[error("unknown op {0:?}")]
    UnknownOp(String),
    #[error("field {0} is missing")]
    Missing(&'static str),
    #[error("field {field}: expected {expected}, found {found}")]
    Type { field: String, expected: &'static str, found: String },
    #[error("field {field}: {problem}")]
    Value { field: String, problem: String },
}

impl Request {
    /// Whether it changes rows.
    pub(super) fn is_write(&self) -> bool {
        matches!(self, Self::Insert { .. } | Self::Update { .. } | Self::Delete { .. })
    }

    /// Reads one line. Its length is the caller's to bound; its depth is bounded by the JSON
    /// reader (128).
    pub(super) fn parse(line: &[u8]) -> Result<Self, RequestError> {
        let found = json_tree_bytes(line);
        if found > MAX_TREE_BYTES {
            return Err(RequestError::TooMuch { found });
        }
        let value: Value =
            serde_json::from_slice(line).map_err(|error| RequestError::NotJson(error.to_string()))?;
        let Value::Object(object) = value else { return Err(RequestError::NotObject) };
        let mut fields = Fields(object);
        Ok(match fields.text("op")?.as_str() {
            "tables" => Self::Tables,
            "describe" => Self::Describe { table: fields.table()? },
            "query" => Self::Query(QueryRequest {
                table: fields.table()?,
                columns: fields.columns()?,
                filter: fields.optional_text("where")?.filter(|text| !text.trim().is_empty()),
                args: fields.args()?,
                limit: fields.count("limit")?.filter(|limit| *limit > 0),
                offset: fields.count("offset")?.unwrap_or(0),
            }),
            "insert" => Self::Insert { table: fields.table()?, row: fields.row()? },
            "update" => Self::Update { table: fields.table()?, id: fields.id()?, row: fields.row()? },
            "delete" => Self::Delete { table: fields.table()?, id: fields.id()? },
            "create-table" => Self::Schema(SchemaRequest::CreateTable {
                table: fields.table()?,
                columns: fields.column_definitions()?,
                policy: fields.policy()?,
            }),
            "add-column" => Self::Schema(SchemaRequest::AddColumn {
                table: fields.table()?,
                column: fields.new_column()?,
            }),
            "drop-column" => Self::Schema(SchemaRequest::DropColumn {
                table: fields.table()?,
                column: name("column", ColumnName::parse(&fields.text("column")?))?,
            }),
            "rename-table" => Self::Schema(SchemaRequest::RenameTable {
                old: name("old_name", TableName::parse(&fields.text("old_name")?))?,
                new: name("new_name", TableName::parse(&fields.text("new_name")?))?,
            }),
            "delete-table" => Self::Schema(SchemaRequest::DeleteTable { table: fields.table()? }),
            "lua-call" => Self::LuaCall {
                function: fields.text("function")?,
                params: fields.take("params").unwrap_or_else(|| Value::Object(Map::new())),
            },
            "lua-list" => Self::LuaList,
            other => return Err(RequestError::UnknownOp(other.chars().take(40).collect())),
        })
    }
}

/// The request's fields. `null` counts as absent, as in the deployed peers' answers.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    fn optional_text(&mut self, field: &'static str) -> Result<Option<String>, RequestError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(wrong_type(field, "a string", &other)),
        }
    }

    fn text(&mut self, field: &'static str) -> Result<String, RequestError> {
        self.optional_text(field)?.ok_or(RequestError::Missing(field))
    }

    fn table(&mut self) -> Result<TableName, RequestError> {
        let (field, text) = match self.optional_text("table")? {
            Some(text) => ("table", text),
            None => ("name", self.optional_text("name")?.ok_or(RequestError::Missing("table"))?),
        };
        name(field, TableName::parse(&text))
    }

    fn list(&mut self, field: &'static str, most: usize) -> Result<Vec<Value>, RequestError> {
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) if items.len() > most => {
                let problem = format!("at most {most} entries, found {}", items.len());
                Err(RequestError::Value { field: field.to_owned(), problem })
            }
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(wrong_type(field, "an array", &other)),
        }
    }

    fn columns(&mut self) -> Result<Vec<ColumnName>, RequestError> {
        let columns = self.list("columns", MAX_COLUMNS)?;
        if matches!(columns.as_slice(), [Value::String(all)] if all == "*") {
            return Ok(Vec::new());
        }
        let parse = |column: &Value| match column {
            Value::String(text) => name("columns", ColumnName::parse(text)),
            other => Err(wrong_type("columns", "strings", other)),
        };
        columns.iter().map(parse).collect()
    }

    fn args(&mut self) -> Result<Vec<SqlValue>, RequestError> {
        let args = self.list("args", MAX_ARGS)?;
        args.into_iter()
            .enumerate()
            .map(|(position, value)| sql_value(&format!("args[{position}]"), value))
            .collect()
    }

    fn row(&mut self) -> Result<Vec<(ColumnName, SqlValue)>, RequestError> {
        let row = match self.take("data") {
            None => return Err(RequestError::Missing("data")),
            Some(Value::Object(row)) => row,
            Some(other) => return Err(wrong_type("data", "an object", &other)),
        };
        if row.len() > MAX_COLUMNS {
            let problem = format!("at most {MAX_COLUMNS} columns, found {}", row.len());
            return Err(RequestError::Value { field: "data".to_owned(), problem });
        }
        let mut found: Vec<(ColumnName, SqlValue)> = Vec::with_capacity(row.len());
        for (column, value) in row {
            let value = sql_value(&format!("data.{}", shown(&column)), value)?;
            let column = name("data", ColumnName::parse(&column))?;
            // One column to SQLite, which would keep either value.
            if found.iter().any(|(known, _)| known.as_str().eq_ignore_ascii_case(column.as_str())) {
                let problem = format!("column {column} is there twice");
                return Err(RequestError::Value { field: "data".to_owned(), problem });
            }
            found.push((column, value));
        }
        Ok(found)
    }

    fn id(&mut self) -> Result<i64, RequestError> {
        let value = self.take("id").ok_or(RequestError::Missing("id"))?;
        value.as_i64().ok_or_else(|| wrong_type("id", "an integer", &value))
    }

    fn count(&mut self, field: &'static str) -> Result<Option<u64>, RequestError> {
        match self.take(field) {
            None => Ok(None),
            Some(value) => match value.as_u64() {
                Some(count) if i64::try_from(count).is_ok() => Ok(Some(count)),
                _ => Err(wrong_type(field, "a whole number from 0", &value)),
            },
        }
    }

    fn policy(&mut self) -> Result<Policy, RequestError> {
        let text = match self.optional_text("insert_policy")? {
            Some(text) => Some(text),
            None => self.optional_text("policy")?,
        };
        Ok(text.map_or(Policy::Owner, |text| Policy::from_name(&text)))
    }

    fn column_definitions(&mut self) -> Result<Vec<ColumnDefinition>, RequestError> {
        let definitions = self.list("column_defs", MAX_COLUMNS)?;
        definitions.into_iter().map(|value| column_definition("column_defs", value)).collect()
    }

    /// The column of `add-column`: an object in `column`, a name in `column` (which is TEXT then),
    /// or the only entry of `column_defs`.
    fn new_column(&mut self) -> Result<ColumnDefinition, RequestError> {
        match self.take("column") {
            Some(Value::String(text)) => Ok(ColumnDefinition {
                name: name("column", ColumnName::parse_user(&text))?,
                column_type: self.optional_text("type")?.unwrap_or_else(|| "TEXT".to_owned()),
                not_null: false,
                default: None,
            }),
            Some(value) => column_definition("column", value),
            None => {
                let mut definitions = self.column_definitions()?;
                match (definitions.pop(), definitions.is_empty()) {
                    (Some(only), true) => Ok(only),
                    _ => Err(RequestError::Missing("column")),
                }
            }
        }
    }
}

fn column_definition(field: &'static str, value: Value) -> Result<ColumnDefinition, RequestError> {
    let Value::Object(object) = value else { return Err(wrong_type(field, "objects", &value)) };
    let mut fields = Fields(object);
    let default = match fields.take("default") {
        Some(Value::String(text)) if text.eq_ignore_ascii_case("CURRENT_TIMESTAMP") => {
            Some(DefaultValue::CurrentTimestamp)
        }
        Some(value) => Some(DefaultValue::Literal(sql_value("default", value)?)),
        None => None,
    };
    let not_null = match fields.take("not_null") {
        None => false,
        Some(Value::Bool(not_null)) => not_null,
        Some(other) => return Err(wrong_type("not_null", "a boolean", &other)),
    };
    Ok(ColumnDefinition {
        name: name(field, ColumnName::parse_user(&fields.text("name")?))?,
        column_type: fields.optional_text("type")?.unwrap_or_else(|| "TEXT".to_owned()),
        not_null,
        default,
    })
}

/// A JSON value as SQLite stores it: booleans are 1 and 0, as SQLite has none.
fn sql_value(field: &str, value: Value) -> Result<SqlValue, RequestError> {
    match value {
        Value::Null => Ok(SqlValue::Null),
        Value::Bool(flag) => Ok(SqlValue::Integer(i64::from(flag))),
        Value::String(text) => Ok(SqlValue::Text(text)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(SqlValue::Integer(integer)),
            (None, Some(real)) => Ok(SqlValue::Real(real)),
            (None, None) => Err(RequestError::Value {
                field: field.to_owned(),
                problem: format!("{number} is not a number that can be stored"),
            }),
        },
        Value::Array(_) | Value::Object(_) => {
            Err(wrong_type(field, "a string, number, boolean or null (send JSON as a string)", &value))
        }
    }
}

fn name<T>(field: &str, parsed: Result<T, crate::store::NameError>) -> Result<T, RequestError> {
    parsed.map_err(|error| RequestError::Value { field: field.to_owned(), problem: error.to_string() })
}

fn wrong_type(field: &str, expected: &'static str, found: &Value) -> RequestError {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        // A number may be of the right kind and too small.
        Value::Number(number) => &format!("the number {number}"),
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    RequestError::Type { field: field.to_owned(), expected, found: found.to_owned() }
}

/// A stranger's key, short enough for a message.
fn shown(key: &str) -> String {
    key.chars().take(64).collect()
}
