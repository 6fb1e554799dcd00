//! A value as SQLite knows values, without naming the SQLite library to the layers above.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// One value of a row, or of a query's parameters.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// A 64-bit integer.
    Integer(i64),
    /// A 64-bit floating point number.
    Real(f64),
    /// Text. Bytes in a database that are not UTF-8 are read with U+FFFD in their place.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl SqlValue {
    /// How many bytes the value holds.
    pub fn len_bytes(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Integer(_) | Self::Real(_) => 8,
            Self::Text(text) => text.len(),
            Self::Blob(bytes) => bytes.len(),
        }
    }

    pub(super) fn from_sqlite(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(number) => Self::Integer(number),
            ValueRef::Real(number) => Self::Real(number),
            ValueRef::Text(bytes) => Self::Text(String::from_utf8_lossy(bytes).into_owned()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// How many bytes `value` takes when it is written as JSON. It is asked before the value is copied
/// out of SQLite, so that a result over its limit is refused without being built.
pub(super) fn json_bytes(value: ValueRef<'_>) -> usize {
    /// The longest number in JSON, e.g. `-2.2250738585072014e-308`.
    const NUMBER: usize = 24;
    match value {
        ValueRef::Null => 4,
        ValueRef::Integer(_) | ValueRef::Real(_) => NUMBER,
        ValueRef::Text(bytes) => 2 + bytes.iter().map(|byte| json_byte_width(*byte)).sum::<usize>(),
        ValueRef::Blob(bytes) => 2 + bytes.len().div_ceil(3) * 4,
    }
}

fn json_byte_width(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    }
}
