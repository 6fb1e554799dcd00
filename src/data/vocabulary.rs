//! What a stranger's `where` may say: functions, operators, types and literals, each as SQLite spells it.
//!
//! Lists of what is allowed, since nobody knows all that SQLite has; what is not here is refused.

use sqlparser::ast::{BinaryOperator, DataType, ObjectName, UnaryOperator};

use super::filter::FilterError;
use crate::store::SqlValue;

/// The functions a filter may call: pure, and cheap for any argument. With their argument counts.
const FUNCTIONS: [(&str, usize, usize); 24] = [
    ("abs", 1, 1),
    ("coalesce", 2, 20),
    ("date", 1, 6),
    ("datetime", 1, 6),
    ("hex", 1, 1),
    ("ifnull", 2, 2),
    ("iif", 3, 3),
    ("instr", 2, 2),
    ("julianday", 1, 6),
    ("length", 1, 1),
    ("lower", 1, 1),
    ("ltrim", 1, 2),
    ("max", 2, 20),
    ("min", 2, 20),
    ("nullif", 2, 2),
    ("replace", 3, 3),
    ("round", 1, 2),
    ("rtrim", 1, 2),
    ("strftime", 1, 7),
    ("substr", 2, 3),
    ("time", 1, 6),
    ("trim", 1, 2),
    ("unixepoch", 1, 6),
    ("upper", 1, 1),
];

/// The function of this name that takes so many arguments.
pub(super) fn function(name: &str, args: usize) -> Option<&'static str> {
    let fits = |(known, least, most): &&(&str, usize, usize)| {
        known.eq_ignore_ascii_case(name) && (*least..=*most).contains(&args)
    };
    FUNCTIONS.iter().find(fits).map(|(known, ..)| *known)
}

/// A number as SQLite keeps it.
pub(super) fn number(digits: &str) -> Result<SqlValue, FilterError> {
    if let Ok(integer) = digits.parse() {
        return Ok(SqlValue::Integer(integer));
    }
    match digits.parse::<f64>() {
        Ok(real) if real.is_finite() => Ok(SqlValue::Real(real)),
        _ => Err(FilterError::NotAllowed("a number of this form")),
    }
}

/// The bytes of `x'…'`.
pub(super) fn blob(digits: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(digits.len() / 2);
    let mut digits = digits.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok());
    while let Some(high) = digits.next() {
        bytes.push(high? << 4 | digits.next()??);
    }
    Some(bytes)
}

/// How texts may be compared.
pub(super) fn collation(name: &ObjectName) -> Result<&'static str, FilterError> {
    let name = match name.0.as_slice() {
        [part] => part.as_ident().map(|ident| ident.value.as_str()).unwrap_or_default(),
        _ => "",
    };
    let known = ["NOCASE", "BINARY", "RTRIM"].into_iter().find(|known| known.eq_ignore_ascii_case(name));
    known.ok_or(FilterError::NotAllowed("this collation"))
}

/// SQLite takes any word for a type and knows five.
pub(super) fn cast_type(data_type: &DataType) -> Result<&'static str, FilterError> {
    Ok(match data_type {
        DataType::Integer(None) | DataType::Int(None) | DataType::BigInt(None) => "INTEGER",
        DataType::Text | DataType::Varchar(None) => "TEXT",
        DataType::Real | DataType::Double(_) | DataType::Float(_) => "REAL",
        DataType::Numeric(_) | DataType::Decimal(_) => "NUMERIC",
        DataType::Blob(None) => "BLOB",
        _ => return Err(FilterError::NotAllowed("a CAST to this type")),
    })
}

/// What may stand between two values.
pub(super) fn binary(operator: &BinaryOperator) -> Result<&'static str, FilterError> {
    Ok(match operator {
        BinaryOperator::Plus => "+",
        BinaryOperator::Minus => "-",
        BinaryOperator::Multiply => "*",
        BinaryOperator::Divide => "/",
        BinaryOperator::Modulo => "%",
        BinaryOperator::StringConcat => "||",
        BinaryOperator::Gt => ">",
        BinaryOperator::Lt => "<",
        BinaryOperator::GtEq => ">=",
        BinaryOperator::LtEq => "<=",
        BinaryOperator::Eq => "=",
        BinaryOperator::NotEq => "<>",
        BinaryOperator::And => "AND",
        BinaryOperator::Or => "OR",
        BinaryOperator::BitwiseAnd => "&",
        BinaryOperator::BitwiseOr => "|",
        BinaryOperator::PGBitwiseShiftLeft => "<<",
        BinaryOperator::PGBitwiseShiftRight => ">>",
        _ => return Err(FilterError::NotAllowed("this operator")),
    })
}

/// What may stand before a value.
pub(super) fn unary(operator: &UnaryOperator) -> Result<&'static str, FilterError> {
    Ok(match operator {
        UnaryOperator::Plus => "+",
        UnaryOperator::Minus => "-",
        UnaryOperator::Not => "NOT ",
        UnaryOperator::BitwiseNot => "~",
        _ => return Err(FilterError::NotAllowed("this operator")),
    })
}
