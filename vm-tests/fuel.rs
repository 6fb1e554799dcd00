//! The table of fuel: what each native charges for arguments of several sizes, kept in `golden/fuel.txt`.
//!
//! A native that forgets to charge is a way to work without the clock being looked at, and nothing else would
//! show it. The table is reviewed when it changes: `UPDATE_GOLDEN=1 cargo test --test vm-tests fuel`
//! writes it anew.
//!
//! A charge is the difference of two programs that differ only in the function they call: the native, or
//! `type`, which charges a constant for any arguments. So what the VM itself takes for arguments, calls
//! and lines cancels out. Measuring inside the VM would be exact too, but bind the table to its insides.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use goop2::script::{Runner, Surroundings};
use goop2::vm::{Entry, Limits};

use crate::engine::bare_surroundings;

/// What `type` charges, which the differences leave out. If this is changed, every row moves.
const TYPE_FUEL: i64 = 4;

/// Sizes of an argument that is handled byte by byte or element by element, and of a list of values.
const SIZES: &[usize] = &[0, 1_000, 10_000, 100_000];
const VALUES: &[usize] = &[1, 100, 1_000, 7_000];

/// A native that does the same work for any argument of its type.
const ONE: &[usize] = &[0];

/// Helpers for arguments of a size: `text(n)`, `list(n)`, and so on.
const PRELUDE: &str = "
local rep, pairs, unpack, pcall, tostring = string.rep, pairs, unpack, pcall, tostring
local function text(n) return rep('x', n) end
local function list(n) local t = {} for i = 1, n do t[i] = i * 7919 % 100003 end return t end
local function keys(n) local t = {} for i = 1, n do t['k' .. i] = i end return t end
local function records(n) local t = {} for i = 1, n do t[i] = { n = i * 7919 % 100003 } end return t end
local function texts(n) local t = {} for i = 1, n do t[i] = 'x' end return t end
local function same(n) local t = {} for i = 1, n do t[i] = 1 end return t end
";

/// A row of the table.
#[derive(Clone, Copy)]
struct Row {
    /// The native, and what its arguments are about when it has several rows.
    name: &'static str,
    /// An expression for the native.
    native: &'static str,
    /// Its arguments; `n` is the size.
    arguments: &'static str,
    sizes: &'static [usize],
}

const fn row(
    name: &'static str,
    native: &'static str,
    arguments: &'static str,
    sizes: &'static [usize],
) -> Row {
    Row { name, native, arguments, sizes }
}

/// The rows of natives whose name is also the expression for them: name, arguments, sizes. What stands
/// behind a blank in a name is a remark.
const ROWS: &[(&str, &str, &[usize])] = &[
    ("assert", "true, n", ONE),
    ("getmetatable", "{}", ONE),
    ("ipairs", "{}", ONE),
    ("next, of a list", "list(n)", SIZES),
    ("next, of a table", "keys(n)", SIZES),
    ("pairs", "{}", ONE),
    ("pcall, of a call of type", "type, 1", ONE),
    ("pcall, of values", "type, 1, unpack(same(n))", VALUES),
    ("print", "text(n)", &[0, 1_000, 8_000]),
    ("print, of values", "unpack(same(n))", VALUES),
    ("rawequal", "1, 2", ONE),
    ("rawequal, of texts", "text(n), text(n)", SIZES),
    ("rawget", "list(n), n", SIZES),
    ("rawlen", "list(n)", SIZES),
    ("rawset", "list(n), 1, 2", SIZES),
    ("select", "1, unpack(same(n))", VALUES),
    ("select, of the count", "'#', unpack(same(n))", VALUES),
    ("setmetatable", "{}, {}", ONE),
    ("tonumber", "'1' .. rep('0', n)", &[0, 100, 500, 100_000]),
    ("tonumber, in a base", "'1' .. rep('0', n), 2", &[0, 100, 500, 100_000]),
    ("tostring", "1 / 3", ONE),
    ("tostring, of text", "text(n)", SIZES),
    ("type", "n", ONE),
    ("unpack", "list(n)", VALUES),
    ("xpcall, of a call of type", "function() end, type", ONE),
    ("math.abs", "-1.5", ONE),
    ("math.acos", "0.5", ONE),
    ("math.asin", "0.5", ONE),
    ("math.atan", "0.5", ONE),
    ("math.atan2", "0.5, 2", ONE),
    ("math.ceil", "0.5", ONE),
    ("math.cos", "0.5", ONE),
    ("math.cosh", "0.5", ONE),
    ("math.deg", "0.5", ONE),
    ("math.exp", "0.5", ONE),
    ("math.floor", "0.5", ONE),
    ("math.fmod", "0.5, 2", ONE),
    ("math.frexp", "0.5", ONE),
    ("math.ldexp", "0.5, 2", ONE),
    ("math.log", "0.5", ONE),
    ("math.log10", "0.5", ONE),
    ("math.max", "1, unpack(same(n))", VALUES),
    ("math.min", "1, unpack(same(n))", VALUES),
    ("math.modf", "0.5", ONE),
    ("math.pow", "0.5, 2", ONE),
    ("math.rad", "0.5", ONE),
    ("math.random", "1, 6", ONE),
    ("math.randomseed", "42", ONE),
    ("math.sin", "0.5", ONE),
    ("math.sinh", "0.5", ONE),
    ("math.sqrt", "0.5", ONE),
    ("math.tan", "0.5", ONE),
    ("math.tanh", "0.5", ONE),
    ("os.clock", "nil", ONE),
    ("os.date", "'!' .. text(n), 0", &[0, 1_000, 4_000]),
    ("os.date, of directives", "'!' .. rep('%Y', n), 0", &[0, 1_000, 2_000]),
    ("os.date, of fields", "'!*t', 0", ONE),
    ("os.time", "nil", ONE),
    ("os.time, of fields", "{ year = 2000, month = 1, day = 1 }", ONE),
    ("string.byte", "text(n), 1, -1", VALUES),
    ("string.char", "unpack(same(n))", VALUES),
    ("string.find, plain", "text(n), 'y', 1, true", SIZES),
    ("string.find, of a pattern", "text(n), 'x-y'", &[0, 10, 100, 1_000]),
    ("string.find, of a byte that is absent", "text(n), 'y.'", SIZES),
    ("string.format, of text", "'%s', text(n)", SIZES),
    ("string.format, of quoted text", "'%q', text(n)", SIZES),
    ("string.format, of directives", "rep('%d', n), unpack(same(n))", VALUES),
    ("string.format, of plain text", "text(n)", SIZES),
    ("string.gmatch", "text(n), 'x'", SIZES),
    ("string.gsub, by text", "text(n), 'x', 'yy'", SIZES),
    ("string.gsub, by a table", "text(n), 'x', { x = 'yy' }", SIZES),
    ("string.gsub, by a long text", "'x', 'x', text(n)", SIZES),
    ("string.gsub, of nothing", "text(n), 'y', ''", SIZES),
    ("string.len", "text(n)", SIZES),
    ("string.lower", "text(n)", SIZES),
    ("string.match", "text(n), 'x*'", SIZES),
    ("string.match, of a capture", "text(n), '(x*)'", SIZES),
    ("string.rep", "'x', n", SIZES),
    ("string.reverse", "text(n)", SIZES),
    ("string.sub", "text(n), 1", SIZES),
    ("string.upper", "text(n)", SIZES),
    ("table.concat, of texts", "texts(n)", SIZES),
    ("table.concat, of numbers", "list(n)", &[0, 1_000, 10_000]),
    ("table.concat, of a long text", "{ text(n) }", SIZES),
    ("table.getn", "list(n)", SIZES),
    ("table.insert, at the end", "list(n), 1", SIZES),
    ("table.insert, at the front", "list(n), 1, 1", SIZES),
    ("table.maxn", "list(n)", SIZES),
    ("table.remove, at the end", "list(n)", SIZES),
    ("table.remove, at the front", "list(n), 1", SIZES),
    ("table.sort", "list(n)", SIZES),
    ("table.sort, by a field", "records(n), function(a, b) return a.n < b.n end", &[0, 1_000, 10_000]),
    ("table.sort, by an upvalue", "list(n), function(a, b) return a - n < b - n end", &[0, 1_000, 10_000]),
    ("table.sort, by a call", "list(n), function(a, b) return (rawequal(a, b)) end", &[0, 1_000, 10_000]),
    ("table.sort, of texts", "texts(n)", SIZES),
    ("table.sort, of long texts", "{ text(n), text(n) }", SIZES),
    ("goop.json.encode, of text", "text(n)", SIZES),
    ("goop.json.encode, of a list", "same(n)", &[0, 1_000, 10_000]),
    ("goop.json.decode, of text", "'\"' .. text(n) .. '\"'", SIZES),
    ("goop.json.decode, of a list", "'[1' .. rep(',1', n) .. ']'", &[0, 1_000, 10_000]),
    ("goop.json.array", "{}", ONE),
    ("goop.json.object", "{}", ONE),
    ("goop.commands", "nil", ONE),
    ("goop.log.info", "'x'", ONE),
    ("goop.log.warn", "'x'", ONE),
    ("goop.log.error", "'x'", ONE),
    ("goop.kv.get", "'x'", ONE),
    ("goop.kv.set", "'x', text(n)", &[0, 1_000, 10_000]),
    ("goop.kv.del", "'x'", ONE),
];

/// The rows of natives that have no name of their own.
const OTHERS: &[Row] = &[
    row("ipairs, a step", "(ipairs({}))", "{ 1 }, 0", ONE),
    row("string.gmatch, a step", "('x'):rep(n):gmatch('x*')", "nil", SIZES),
    row("string.gmatch, a step that captures", "('x'):rep(n):gmatch('(x*)')", "nil", SIZES),
];

/// The rows of operators and of natives that end in an error. A function of the script is around them, whose own
/// instructions are not the natives': what they charge for the least size is left out.
const WRAPPED: &[Row] = &[
    row("error, caught", "function(text) pcall(function() error(text) end) end", "text(n)", SIZES),
    row(
        "assert that fails, caught",
        "function(text) pcall(function() assert(false, text) end) end",
        "text(n)",
        SIZES,
    ),
    row("the operator ..", "function(a, b) return a .. b end", "text(n), text(n)", SIZES),
    row("the values of ...", "function(...) local t = { ... } end", "unpack(same(n))", VALUES),
];

fn rows() -> Vec<Row> {
    let named = ROWS.iter().map(|(name, arguments, sizes)| {
        let native = name.split([',', ' ']).next().unwrap();
        row(name, native, arguments, sizes)
    });
    named.chain(OTHERS.iter().chain(WRAPPED).copied()).collect()
}

/// The fuel that a program uses.
fn fuel_of(source: &str) -> i64 {
    let surroundings = Surroundings {
        commands: vec!["hello".to_owned()],
        limits: Limits { time: Duration::from_secs(60), ..Limits::default() },
        ..bare_surroundings()
    };
    let runner = Runner::load(Path::new("fuel.lua"), source.as_bytes(), surroundings).unwrap();
    let (result, stats) = runner.run(Entry::Chunk);
    assert!(result.is_ok(), "{source}: {result:?}");
    i64::try_from(stats.fuel).unwrap()
}

fn charge(row: &Row, size: usize) -> i64 {
    let Row { native, arguments, .. } = row;
    // The native is made before, so that both programs make it.
    let with = |function: &str| {
        fuel_of(&format!(
            "{PRELUDE}local n = {size} local native = {native} local f = {function} f({arguments})"
        ))
    };
    with("native") - with("type") + TYPE_FUEL
}

/// A line of the table: the charge at each size, and for one more byte or element at the largest two.
fn line(row: &Row) -> String {
    let mut charges: Vec<i64> = row.sizes.iter().map(|size| charge(row, *size)).collect();
    if WRAPPED.iter().any(|wrapped| wrapped.name == row.name) {
        let least = charges[0];
        charges.iter_mut().for_each(|charge| *charge -= least);
    }
    let mut line = format!("{:<42}", row.name);
    for (size, charge) in row.sizes.iter().zip(&charges) {
        let cell = if row.sizes.len() == 1 { charge.to_string() } else { format!("{size}: {charge}") };
        write!(line, " {cell:<16}").unwrap();
    }
    if let ([.., small, large], [.., less, more]) = (row.sizes, charges.as_slice()) {
        let slope = (more - less) as f64 / (large - small) as f64;
        write!(line, "each: {slope:.4}").unwrap();
    }
    line.trim_end().to_owned()
}

fn golden_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vm-tests/golden/fuel.txt")
}

#[test]
fn natives_charge_what_the_table_says() {
    let head = "\
# Fuel that natives charge, by the size of what they handle; `each` is the price of one more byte or element
# between the two largest sizes. A unit is about one instruction of the VM.
# Written by: UPDATE_GOLDEN=1 cargo test --test vm-tests fuel
";
    let found: String = head.lines().map(str::to_owned).chain(rows().iter().map(line)).fold(
        String::new(),
        |mut text, line| {
            text.push_str(&line);
            text.push('\n');
            text
        },
    );
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden_file(), &found).unwrap();
    }
    let expected = fs::read_to_string(golden_file()).unwrap_or_default();
    let changed: Vec<String> = diff(&expected, &found);
    assert!(changed.is_empty(), "\n{}\nUPDATE_GOLDEN=1 writes the table anew", changed.join("\n"));
}

fn diff(expected: &str, found: &str) -> Vec<String> {
    let only_in = |mark: char, a: &str, b: &str| -> Vec<String> {
        a.lines()
            .filter(|line| !b.lines().any(|other| other == *line))
            .map(|l| format!("{mark} {l}"))
            .collect()
    };
    [only_in('-', expected, found), only_in('+', found, expected)].concat()
}

#[test]
fn every_native_has_a_row() {
    let source = "
        local function walk(prefix, t)
            for name, value in pairs(t) do
                if type(value) == 'function' then
                    if not rows[prefix .. name] then error('no row for ' .. prefix .. name, 0) end
                elseif type(value) == 'table' and value ~= _G then
                    walk(prefix .. name .. '.', value)
                end
            end
        end
        walk('', _G)";
    // The names as a table of the script's own would be walked too: it holds no functions.
    let names: String =
        rows().iter().map(|row| format!("['{}'] = true, ", row.native.replace('\'', ""))).collect();
    fuel_of(&format!("rows = {{ {names} error = true, }}\n{source}"));
}

/// What is handled byte by byte or element by element costs more when there is more of it.
#[test]
fn no_work_in_the_table_is_free() {
    // What takes the same time whatever the size, or leaves the work to the steps that follow.
    const FREE: &[&str] = &[
        "next, of a list",
        "next, of a table",
        "rawget",
        "rawlen",
        "rawset",
        "select, of the count",
        "tonumber",
        "tostring, of text",
        "string.gmatch",
        "string.len",
        "table.getn",
        "table.insert, at the end",
        "table.remove, at the end",
    ];
    let table = fs::read_to_string(golden_file()).unwrap();
    for row in rows().iter().filter(|row| row.sizes.len() > 1) {
        let line = table.lines().find(|line| line.starts_with(&format!("{:<42}", row.name))).unwrap();
        let (_, slope) = line.split_once("each: ").unwrap();
        let is_free = slope.parse::<f64>().unwrap() <= 0.0;
        assert_eq!(is_free, FREE.contains(&row.name), "{line}");
    }
}
