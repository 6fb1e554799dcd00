//! SQLite's text functions, rewritten so that one call cannot outlast a query's deadline.
//!
//! SQLite looks at its progress handler between instructions, never inside a function, and several
//! of its functions take time quadratic in their arguments: `instr`, `replace`, `trim(x, y)`,
//! `unhex(x, y)`, LIKE and GLOB on two long texts run for minutes in one instruction. These replacements are linear,
//! or look at the clock themselves. Refusing the functions was rejected: honest scripts use them.

use std::borrow::Cow;

use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};

use super::clock::QueryClock;
use super::wildcard::{Pattern, Style};

/// The longest LIKE or GLOB pattern in bytes.
const MAX_PATTERN_BYTES: usize = 256;

/// The most distinct characters that `trim(x, y)` removes.
const MAX_TRIM_CHARS: usize = 256;

/// The largest text that `replace` makes, in bytes; SQLite's own limit for a value here.
const MAX_REPLACED_BYTES: usize = super::readonly::MAX_VALUE_BYTES as usize;

/// What a function says that looked at the clock and stopped; SQLite has no code for it.
pub(super) const OUT_OF_TIME: &str = "the query ran out of time";

/// Puts the bounded functions in place of SQLite's on `connection`.
pub(super) fn bound_builtin_functions(connection: &Connection, clock: &QueryClock) -> Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("instr", 2, flags, clocked(clock, instr))?;
    connection.create_scalar_function("replace", 3, flags, clocked(clock, replace))?;
    connection.create_scalar_function("trim", 2, flags, clocked(clock, |c, _| trim(c, true, true)))?;
    connection.create_scalar_function("ltrim", 2, flags, clocked(clock, |c, _| trim(c, true, false)))?;
    connection.create_scalar_function("rtrim", 2, flags, clocked(clock, |c, _| trim(c, false, true)))?;
    // SQLite's compares each character of the one text with each of the other.
    connection.create_scalar_function("unhex", 2, flags, |_| {
        Err::<Value, _>(failure("unhex takes one argument here"))
    })?;
    connection.create_scalar_function("like", 2, flags, clocked(clock, like))?;
    connection.create_scalar_function("like", 3, flags, clocked(clock, like))?;
    connection.create_scalar_function("glob", 2, flags, clocked(clock, glob))
}

fn clocked<F>(clock: &QueryClock, function: F) -> impl Fn(&mut Context<'_>) -> Result<Value> + Send + 'static
where
    F: Fn(&Context<'_>, &QueryClock) -> Result<Value> + Send + 'static,
{
    let clock = clock.clone();
    move |context| {
        if clock.stopped() {
            return Err(out_of_time());
        }
        // As in SQLite, an unknown argument makes an unknown result.
        if (0..context.len()).any(|position| matches!(context.get_raw(position), ValueRef::Null)) {
            return Ok(Value::Null);
        }
        function(context, &clock)
    }
}

fn out_of_time() -> Error {
    failure(OUT_OF_TIME)
}

fn failure(message: &str) -> Error {
    Error::UserFunctionError(message.into())
}

/// A value as text, as SQLite converts it.
fn text<'a>(context: &'a Context<'_>, position: usize) -> Cow<'a, str> {
    match context.get_raw(position) {
        ValueRef::Null => Cow::Borrowed(""),
        ValueRef::Integer(number) => Cow::Owned(number.to_string()),
        ValueRef::Real(number) => Cow::Owned(real_as_text(number)),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes),
    }
}

/// The shortest text that reads back as `number`, with SQLite's exponents: `1.0e+20`.
fn real_as_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Inf" } else { "-Inf" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{number:?}");
    }
    if (1e16..1e17).contains(&size) {
        return format!("{number:.1}");
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let point = if digits.contains('.') { "" } else { ".0" };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    format!("{digits}{point}e{exponent:+03}")
}

fn instr(context: &Context<'_>, _: &QueryClock) -> Result<Value> {
    if let (ValueRef::Blob(hay), ValueRef::Blob(needle)) = (context.get_raw(0), context.get_raw(1)) {
        let found = memmem::find(hay, needle).map_or(0, |offset| offset + 1);
        return Ok(Value::Integer(i64::try_from(found).unwrap_or(i64::MAX)));
    }
    let hay = text(context, 0);
    let needle = text(context, 1);
    let found = memmem::find(hay.as_bytes(), needle.as_bytes())
        .and_then(|offset| hay.get(..offset))
        .map_or(0, |before| before.chars().count() + 1);
    Ok(Value::Integer(i64::try_from(found).unwrap_or(i64::MAX)))
}

fn replace(context: &Context<'_>, _: &QueryClock) -> Result<Value> {
    let hay = text(context, 0);
    let from = text(context, 1);
    let to = text(context, 2);
    if from.is_empty() {
        return Ok(Value::Text(hay.into_owned()));
    }
    let count = memmem::find_iter(hay.as_bytes(), from.as_bytes()).count();
    // Asked before the text is built: many short matches and a long replacement multiply.
    let size = (hay.len() - count * from.len()).saturating_add(count.saturating_mul(to.len()));
    if size > MAX_REPLACED_BYTES {
        return Err(failure("string or blob too big"));
    }
    Ok(Value::Text(hay.replace(from.as_ref(), &to)))
}

fn trim(context: &Context<'_>, start: bool, end: bool) -> Result<Value> {
    let mut rest = text(context, 0);
    let mut set: Vec<char> = text(context, 1).chars().take(MAX_TRIM_CHARS + 1).collect();
    if set.len() > MAX_TRIM_CHARS {
        return Err(failure("trim removes at most 256 different characters"));
    }
    set.sort_unstable();
    let removes = |c: char| set.binary_search(&c).is_ok();
    if start {
        rest = Cow::Owned(rest.trim_start_matches(removes).to_owned());
    }
    if end {
        rest = Cow::Owned(rest.trim_end_matches(removes).to_owned());
    }
    Ok(Value::Text(rest.into_owned()))
}

/// `like(pattern, text[, escape])`: what SQLite calls for `text LIKE pattern ESCAPE escape`.
fn like(context: &Context<'_>, clock: &QueryClock) -> Result<Value> {
    let escape = if context.len() == 3 {
        let escape = text(context, 2);
        let mut chars = escape.chars();
        match (chars.next(), chars.next()) {
            (Some(escape), None) => Some(escape),
            _ => return Err(failure("ESCAPE expression must be a single character")),
        }
    } else {
        None
    };
    matches(context, clock, Style::Like { escape })
}

fn glob(context: &Context<'_>, clock: &QueryClock) -> Result<Value> {
    matches(context, clock, Style::Glob)
}

fn matches(context: &Context<'_>, clock: &QueryClock, style: Style) -> Result<Value> {
    let pattern = text(context, 0);
    if pattern.len() > MAX_PATTERN_BYTES {
        return Err(failure("LIKE or GLOB pattern too complex"));
    }
    let found = Pattern::parse(&pattern, style).matches(&text(context, 1), || clock.stopped());
    found.map(|found| Value::Integer(i64::from(found))).ok_or_else(out_of_time)
}
