//! A stranger's `where`, turned into an expression that can only filter.
//!
//! The text is parsed as one SQL expression, walked with a list of what is allowed, and written
//! anew: names are the table's own column names, operators and functions come from a list of what is
//! harmless (`vocabulary`), and every literal becomes a bound parameter. Nothing of the stranger's text reaches
//! SQLite, so no comment, bracket or quote in it can end the condition that confines them to their
//! rows. Two simpler ways were rejected: putting the text in brackets after a check (the check and
//! SQLite read it differently), and printing the parsed tree with the parser's own `Display` (it
//! does not escape every literal the way SQLite reads it).

use sqlparser::ast::{
    CaseWhen, CastKind, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    TrimWhereField, Value,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::dialect::{FilterDialect, has_ilike, respelled};
use super::vocabulary;
use crate::store::SqlValue;

/// The longest `where` in bytes.
const MAX_FILTER_BYTES: usize = 4096;

/// How many operators may stand inside each other. A chain of ORs counts one for each.
const MAX_DEPTH: usize = 200;

/// How deep the parser follows brackets.
const PARSER_DEPTH: usize = 40;

/// How many brackets may stand inside each other. The parser reads some calls in two ways, one after
/// the other, so each bracket can double its time: without this, 400 bytes take it for ever.
const MAX_BRACKETS: usize = 12;

/// Why a `where` is refused. The text is the answer's `error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FilterError {
    #[error("field where is {found} bytes long, the limit is {MAX_FILTER_BYTES}")]
    TooLong { found: usize },
    #[error("field where is not one SQL expression: {0}")]
    Syntax(String),
    #[error("field where has no column {0:?}")]
    UnknownColumn(String),
    #[error("field where may not call {0:?} with {1} arguments")]
    Function(String, usize),
    #[error("field where may not hold {0}")]
    NotAllowed(&'static str),
    #[error("field where nests more than {MAX_DEPTH} operators: use IN (…) for long lists")]
    TooDeep,
    #[error("field where nests more than {MAX_BRACKETS} brackets")]
    TooManyBrackets,
    #[error("field where has {expected} placeholders, found {found} args")]
    Args { expected: usize, found: usize },
}

/// A checked filter.
#[derive(Debug, PartialEq)]
pub(super) struct Filter {
    /// An SQL expression whose only values are `?1`, `?2`, ….
    pub(super) sql: String,
    /// The values of the placeholders.
    pub(super) parameters: Vec<SqlValue>,
}

impl Filter {
    /// Checks `text` against the `columns` of the table and the `args` for its `?`.
    pub(super) fn parse(text: &str, columns: &[String], args: Vec<SqlValue>) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(FilterError::TooLong { found: text.len() });
        }
        let syntax = |error: sqlparser::parser::ParserError| FilterError::Syntax(error.to_string());
        let dialect = FilterDialect::default();
        let tokens =
            Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|error| syntax(error.into()))?;
        if deepest_bracket(tokens.iter().map(|token| &token.token)) > MAX_BRACKETS {
            return Err(FilterError::TooManyBrackets);
        }
        if has_ilike(&tokens) {
            return Err(FilterError::NotAllowed("ILIKE"));
        }
        let mut parser = Parser::new(&dialect)
            .with_recursion_limit(PARSER_DEPTH)
            .with_tokens_with_locations(respelled(text, tokens));
        let tree = parser.parse_expr().map_err(syntax)?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let found: String = rest.token.to_string().chars().take(40).collect();
            return Err(FilterError::Syntax(format!("found {found} after its end")));
        }
        let given = args.len();
        let mut writer = Writer {
            columns,
            args: args.into_iter(),
            placeholders: 0,
            sql: String::new(),
            parameters: Vec::new(),
        };
        writer.expression(&tree, 0)?;
        if writer.placeholders != given {
            return Err(FilterError::Args { expected: writer.placeholders, found: given });
        }
        Ok(Self { sql: writer.sql, parameters: writer.parameters })
    }
}

fn deepest_bracket<'t>(tokens: impl Iterator<Item = &'t Token>) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    for token in tokens {
        match token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// Writes the allowed part of a tree. Placeholders are met in the order of the text.
struct Writer<'a> {
    columns: &'a [String],
    args: std::vec::IntoIter<SqlValue>,
    placeholders: usize,
    sql: String,
    parameters: Vec<SqlValue>,
}

impl Writer<'_> {
    fn expression(&mut self, tree: &Expr, depth: usize) -> Result<(), FilterError> {
        if depth > MAX_DEPTH {
            return Err(FilterError::TooDeep);
        }
        let depth = depth + 1;
        match tree {
            Expr::Identifier(ident) => self.column(ident),
            Expr::Value(value) => self.literal(&value.value),
            Expr::Nested(inner) => self.expression(inner, depth),
            Expr::BinaryOp { left, op, right } => self.infix(left, vocabulary::binary(op)?, right, depth),
            Expr::IsDistinctFrom(left, right) => self.infix(left, "IS NOT", right, depth),
            Expr::IsNotDistinctFrom(left, right) => self.infix(left, "IS", right, depth),
            Expr::UnaryOp { op, expr } => self.wrapped(vocabulary::unary(op)?, expr, "", depth),
            Expr::IsNull(expr) => self.wrapped("", expr, " IS NULL", depth),
            Expr::IsNotNull(expr) => self.wrapped("", expr, " IS NOT NULL", depth),
            Expr::IsTrue(expr) => self.wrapped("", expr, " IS TRUE", depth),
            Expr::IsNotTrue(expr) => self.wrapped("", expr, " IS NOT TRUE", depth),
            Expr::IsFalse(expr) => self.wrapped("", expr, " IS FALSE", depth),
            Expr::IsNotFalse(expr) => self.wrapped("", expr, " IS NOT FALSE", depth),
            Expr::Between { expr, negated, low, high } => {
                self.infix_open(expr, if *negated { "NOT BETWEEN" } else { "BETWEEN" }, low, depth)?;
                self.sql.push_str(" AND ");
                self.expression(high, depth)?;
                self.close()
            }
            Expr::InList { expr, list, negated } => {
                self.sql.push('(');
                self.expression(expr, depth)?;
                self.sql.push_str(if *negated { " NOT IN (" } else { " IN (" });
                self.list(list.iter(), depth)?;
                self.sql.push(')');
                self.close()
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char } => {
                self.infix_open(expr, if *negated { "NOT LIKE" } else { "LIKE" }, pattern, depth)?;
                if let Some(escape) = escape_char {
                    self.sql.push_str(" ESCAPE ");
                    self.expression(escape, depth)?;
                }
                self.close()
            }
            // So GLOB is spelled to the parser.
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                self.infix(expr, if *negated { "NOT GLOB" } else { "GLOB" }, pattern, depth)
            }
            Expr::Collate { expr, collation } => {
                self.sql.push('(');
                self.expression(expr, depth)?;
                self.sql.push_str(" COLLATE ");
                self.sql.push_str(vocabulary::collation(collation)?);
                self.close()
            }
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None } => {
                self.sql.push_str("CAST(");
                self.expression(expr, depth)?;
                self.sql.push_str(" AS ");
                self.sql.push_str(vocabulary::cast_type(data_type)?);
                self.close()
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref(), depth)
            }
            other => self.call(other, depth),
        }
    }

    fn case(
        &mut self,
        operand: Option<&Expr>,
        conditions: &[CaseWhen],
        otherwise: Option<&Expr>,
        depth: usize,
    ) -> Result<(), FilterError> {
        self.sql.push_str("(CASE");
        if let Some(operand) = operand {
            self.sql.push(' ');
            self.expression(operand, depth)?;
        }
        for CaseWhen { condition, result } in conditions {
            self.sql.push_str(" WHEN ");
            self.expression(condition, depth)?;
            self.sql.push_str(" THEN ");
            self.expression(result, depth)?;
        }
        if let Some(otherwise) = otherwise {
            self.sql.push_str(" ELSE ");
            self.expression(otherwise, depth)?;
        }
        self.sql.push_str(" END");
        self.close()
    }

    /// The calls, some of which the parser knows by special syntax.
    fn call(&mut self, tree: &Expr, depth: usize) -> Result<(), FilterError> {
        match tree {
            Expr::Function(function) => self.function(function, depth),
            Expr::Substring { expr, substring_from: Some(from), substring_for, .. } => {
                let args = [Some(expr.as_ref()), Some(from.as_ref()), substring_for.as_deref()];
                self.invoke("substr", &args.into_iter().flatten().collect::<Vec<_>>(), depth)
            }
            Expr::Trim { trim_where, trim_what: None, expr, trim_characters } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let more = trim_characters.iter().flatten();
                self.invoke(name, &std::iter::once(expr.as_ref()).chain(more).collect::<Vec<_>>(), depth)
            }
            Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => {
                Err(FilterError::NotAllowed("a subquery"))
            }
            Expr::CompoundIdentifier(_) => Err(FilterError::NotAllowed("a column of a named table")),
            _ => Err(FilterError::NotAllowed("this kind of expression")),
        }
    }

    fn function(&mut self, function: &Function, depth: usize) -> Result<(), FilterError> {
        let [name] = function.name.0.as_slice() else {
            return Err(FilterError::NotAllowed("a function name with dots"));
        };
        let name = name.as_ident().map(|ident| ident.value.as_str()).unwrap_or_default();
        let plain = function.over.is_none()
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.within_group.is_empty()
            && !function.uses_odbc_syntax
            && matches!(function.parameters, FunctionArguments::None);
        let FunctionArguments::List(list) = &function.args else {
            return Err(FilterError::Function(name.chars().take(40).collect(), 0));
        };
        if !plain || list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
            return Err(FilterError::NotAllowed("an aggregate or window function"));
        }
        let args: Option<Vec<&Expr>> = list
            .args
            .iter()
            .map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect();
        let args = args.ok_or(FilterError::NotAllowed("a function of * or of named arguments"))?;
        self.invoke(name, &args, depth)
    }

    fn invoke(&mut self, name: &str, args: &[&Expr], depth: usize) -> Result<(), FilterError> {
        let Some(known) = vocabulary::function(name, args.len()) else {
            return Err(FilterError::Function(name.chars().take(40).collect(), args.len()));
        };
        self.sql.push_str(known);
        self.sql.push('(');
        self.list(args.iter().copied(), depth)?;
        self.close()
    }

    fn column(&mut self, ident: &Ident) -> Result<(), FilterError> {
        match self.columns.iter().find(|column| column.eq_ignore_ascii_case(&ident.value)) {
            Some(column) => {
                self.sql.push('"');
                self.sql.push_str(&column.replace('"', "\"\""));
                self.sql.push('"');
                Ok(())
            }
            None => Err(FilterError::UnknownColumn(ident.value.chars().take(40).collect())),
        }
    }

    fn literal(&mut self, value: &Value) -> Result<(), FilterError> {
        let value = match value {
            Value::Null => SqlValue::Null,
            Value::Boolean(flag) => SqlValue::Integer(i64::from(*flag)),
            Value::SingleQuotedString(text) => SqlValue::Text(text.clone()),
            Value::Number(digits, false) => vocabulary::number(digits)?,
            Value::HexStringLiteral(digits) => SqlValue::Blob(
                vocabulary::blob(digits).ok_or(FilterError::NotAllowed("a blob of this form"))?,
            ),
            Value::Placeholder(mark) if mark == "?" => {
                self.placeholders += 1;
                // A missing one is reported with the counts when the whole text is read.
                self.args.next().unwrap_or(SqlValue::Null)
            }
            Value::Placeholder(_) => return Err(FilterError::NotAllowed("a placeholder other than ?")),
            _ => return Err(FilterError::NotAllowed("this kind of literal")),
        };
        self.parameters.push(value);
        self.sql.push_str(&format!("?{}", self.parameters.len()));
        Ok(())
    }

    fn infix(&mut self, left: &Expr, operator: &str, right: &Expr, depth: usize) -> Result<(), FilterError> {
        self.infix_open(left, operator, right, depth)?;
        self.close()
    }

    fn infix_open(
        &mut self,
        left: &Expr,
        operator: &str,
        right: &Expr,
        depth: usize,
    ) -> Result<(), FilterError> {
        self.sql.push('(');
        self.expression(left, depth)?;
        self.sql.push(' ');
        self.sql.push_str(operator);
        self.sql.push(' ');
        self.expression(right, depth)
    }

    fn wrapped(&mut self, before: &str, inner: &Expr, after: &str, depth: usize) -> Result<(), FilterError> {
        self.sql.push('(');
        self.sql.push_str(before);
        self.expression(inner, depth)?;
        self.sql.push_str(after);
        self.close()
    }

    fn list<'e>(&mut self, items: impl Iterator<Item = &'e Expr>, depth: usize) -> Result<(), FilterError> {
        for (position, item) in items.enumerate() {
            if position > 0 {
                self.sql.push_str(", ");
            }
            self.expression(item, depth)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), FilterError> {
        self.sql.push(')');
        Ok(())
    }
}
