//! Imports point downward: a layer names only layers below it, and the interpreter nothing outside itself.
//!
//! The sources are read as tokens, not compiled, so that every feature and platform is covered in one run
//! and a screen of code is enough. Only paths that start at `crate`, at this package's name or at a chain
//! of `super` are followed. Modules under `#[cfg(test)]` may use what they like.

use std::fs;
use std::path::{Path, PathBuf};

/// The layers from the bottom up; those of one line stand side by side and may not name each other.
const ORDER: [&[&str]; 9] = [
    &["config", "peer_id", "printable"],
    &["vm"],
    &["store"],
    &["script"],
    &["chat", "data", "site"],
    &["p2p", "template"],
    &["peer"],
    &["viewer"],
    &["cli", "main"],
];

/// What the interpreter may not name: files, sockets and processes are how a script would get out.
const CLOSED_TO_VM: [&str; 3] = ["fs", "net", "process"];

fn rank(layer: &str) -> Option<usize> {
    ORDER.iter().position(|row| row.contains(&layer))
}

// ---- Tokens

#[derive(Debug, Clone, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// The identifiers, `::` and single characters of Rust source, without comments and literals.
fn tokens(source: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = match skipped(rest) {
            Some(length) => length,
            None => {
                let length = if is_word(first) {
                    rest.find(|c| !is_word(c)).unwrap_or(rest.len())
                } else if rest.starts_with("::") {
                    2
                } else {
                    first.len_utf8()
                };
                found.push(Token { text: rest[..length].to_owned(), line });
                length
            }
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of the space, comment or literal that `rest` starts with.
fn skipped(rest: &str) -> Option<usize> {
    if rest.starts_with(char::is_whitespace) {
        return Some(rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len()));
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    raw_string(rest).or_else(|| quoted(rest))
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn raw_string(rest: &str) -> Option<usize> {
    let body =
        rest.strip_prefix("br").or_else(|| rest.strip_prefix("cr")).or_else(|| rest.strip_prefix('r'))?;
    let hashes = body.len() - body.trim_start_matches('#').len();
    let inner = body[hashes..].strip_prefix('"')?;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = inner.find(&close).map_or(rest.len(), |at| rest.len() - inner.len() + at + close.len());
    Some(end)
}

/// A string or character literal. A quote that starts a lifetime is skipped alone.
fn quoted(rest: &str) -> Option<usize> {
    let prefix = usize::from(rest.starts_with("b\"") || rest.starts_with("b'") || rest.starts_with("c\""));
    let quote = rest[prefix..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &rest[prefix + 1..];
    let mut characters = inner.char_indices();
    if quote == '\'' {
        let (_, first) = characters.next()?;
        let closes =
            if first == '\\' { true } else { characters.clone().next().is_some_and(|(_, c)| c == '\'') };
        if !closes {
            return Some(prefix + 1);
        }
        characters = inner.char_indices();
    }
    let mut escaped = false;
    for (at, c) in characters {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return Some(prefix + 1 + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The tokens that are not in an inline module under `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let skipped = test_module(&tokens[at..]);
        if skipped == 0 {
            kept.push(tokens[at].clone());
        }
        at += skipped.max(1);
    }
    kept
}

/// How many tokens the test module at the start has, with its attributes; 0 when there is none.
fn test_module(tokens: &[Token]) -> usize {
    if !starts(tokens, &["#", "[", "cfg", "("]) {
        return 0;
    }
    let mut at = 1 + balanced(&tokens[1..]);
    let names = |text: &str| tokens[..at].iter().any(|token| token.text == text);
    if !names("test") || names("not") || names("any") {
        return 0;
    }
    while starts(&tokens[at..], &["#", "["]) {
        at += 1 + balanced(&tokens[at + 1..]);
    }
    if starts(&tokens[at..], &["pub"]) {
        at += 1;
    }
    if starts(&tokens[at..], &["("]) {
        at += balanced(&tokens[at..]);
    }
    let is_inline =
        starts(&tokens[at..], &["mod"]) && tokens.get(at + 2).is_some_and(|token| token.text == "{");
    if is_inline { at + 2 + balanced(&tokens[at + 2..]) } else { 0 }
}

fn starts(tokens: &[Token], with: &[&str]) -> bool {
    tokens.len() >= with.len() && tokens.iter().zip(with).all(|(token, text)| token.text == *text)
}

/// How many tokens the bracket at the start and everything in it are.
fn balanced(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

// ---- Paths

/// The names that directly follow a path's start: the next word, or the first word of each entry of a
/// group in braces.
fn following(tokens: &[Token]) -> Vec<&Token> {
    match tokens {
        [separator, open, ..] if separator.text == "::" && open.text == "{" => {
            let group = &tokens[1..1 + balanced(&tokens[1..])];
            let mut names = Vec::new();
            let mut depth = 0_usize;
            for (at, token) in group.iter().enumerate() {
                match token.text.as_str() {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    text if depth == 1 && matches!(group[at - 1].text.as_str(), "{" | ",") && text != "," => {
                        names.push(token);
                    }
                    _ => {}
                }
            }
            names
        }
        [separator, name, ..] if separator.text == "::" => vec![name],
        _ => Vec::new(),
    }
}

/// What is wrong in the file `path` (relative to `src`), each with its line.
fn problems(path: &Path, source: &str) -> Vec<String> {
    let module: Vec<String> =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into()).collect();
    let layer = module[0].as_str();
    // A file that says so itself exists in tests alone.
    if layer == "lib" || source.contains("\n#![cfg(test)]\n") {
        return Vec::new();
    }
    let Some(own) = rank(layer) else {
        return vec![format!("src/{}: the layer {layer:?} has no place in ORDER", path.display())];
    };
    let depth = module.iter().filter(|part| *part != "mod").count();
    let tokens = without_tests(&tokens(source));
    let mut found = Vec::new();
    let mut report = |token: &Token, problem: &str| {
        found.push(format!("src/{}:{}: {problem}", path.display(), token.line));
    };
    for (at, token) in tokens.iter().enumerate() {
        let supers = tokens[at..].chunks(2).take_while(|pair| starts(pair, &["super", "::"])).count();
        let in_chain = at > 1 && starts(&tokens[at - 2..], &["super", "::"]);
        let root = match token.text.as_str() {
            "crate" | "goop2" => at + 1,
            "super" if !in_chain && supers >= depth => at + 2 * supers - 1,
            "tokio" if layer == "vm" => {
                report(token, "vm names tokio");
                continue;
            }
            "std" if layer == "vm" => {
                if tokens.get(at + 1).is_some_and(|token| token.text == "as") {
                    report(token, "vm gives std another name, which hides what it takes from it");
                }
                for name in following(&tokens[at + 1..]) {
                    if CLOSED_TO_VM.contains(&name.text.as_str()) {
                        report(name, &format!("vm names std::{}", name.text));
                    }
                }
                continue;
            }
            _ => continue,
        };
        for name in following(&tokens[root..]) {
            match rank(&name.text) {
                _ if name.text == layer => {}
                Some(other) if other < own => {}
                Some(_) => report(name, &format!("{layer} names {}, which is not below it", name.text)),
                None if own == ORDER.len() - 1 => {}
                None => report(name, &format!("{layer} names crate::{}, which is no layer", name.text)),
            }
        }
    }
    found
}

fn rust_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() && !is_test {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            found.push(path);
        }
    }
}

#[test]
fn imports_point_downward() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&src, &mut files);
    assert!(files.len() > 3, "the sources were not found in {}", src.display());
    let mut found = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).expect("sources are UTF-8");
        found.extend(problems(file.strip_prefix(&src).expect("a file of src"), &source));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The problems of a small bad example, without their place.
fn seen(path: &str, source: &str) -> Vec<String> {
    let place = |problem: String| problem.splitn(3, ':').last().map(str::trim).map(str::to_owned);
    problems(Path::new(path), source).into_iter().filter_map(place).collect()
}

#[test]
fn the_check_notices_an_arrow_that_points_up_or_sideways() {
    let up = ["script names chat, which is not below it"];
    assert_eq!(seen("script/engine.rs", "use crate::chat::Manager;"), up);
    assert_eq!(seen("script/engine.rs", "use crate::{\n    config::{Config, LuaConfig},\n    chat,\n};"), up);
    assert_eq!(seen("script/engine.rs", "fn f() { crate::chat::f() }"), up);
    assert_eq!(seen("script/engine.rs", "use super::super::chat;"), up);
    assert_eq!(seen("script/engine.rs", "use self::super::super::chat;"), up);
    assert_eq!(seen("script/mod.rs", "use super::{vm, chat};"), up);
    assert_eq!(seen("chat/manager.rs", "use crate::data;"), ["chat names data, which is not below it"]);
    assert_eq!(seen("vm/machine.rs", "use crate::*;"), ["vm names crate::*, which is no layer"]);
    assert_eq!(
        problems(Path::new("misc.rs"), ""),
        ["src/misc.rs: the layer \"misc\" has no place in ORDER"],
        "a new part needs a place"
    );
    assert_eq!(
        problems(Path::new("vm/machine.rs"), "\n/* a\nb */ use crate::script;"),
        ["src/vm/machine.rs:3: vm names script, which is not below it"]
    );
}

#[test]
fn the_check_notices_a_way_out_of_the_interpreter() {
    assert_eq!(seen("vm/a.rs", "use std::fs;"), ["vm names std::fs"]);
    assert_eq!(seen("vm/a.rs", "use std::{cell::Cell, net::TcpStream};"), ["vm names std::net"]);
    assert_eq!(seen("vm/a.rs", "fn f() { std::process::abort() }"), ["vm names std::process"]);
    assert_eq!(seen("vm/a.rs", "fn f() { ::std::process::abort() }"), ["vm names std::process"]);
    assert_eq!(
        seen("vm/a.rs", "use std as s;"),
        ["vm gives std another name, which hides what it takes from it"]
    );
    assert_eq!(seen("vm/a.rs", "use tokio::time;"), ["vm names tokio"]);
    assert_eq!(seen("script/a.rs", "use std::fs; use tokio::time;"), Vec::<String>::new());
}

#[test]
fn the_check_passes_over_what_is_no_import() {
    for source in [
        "use crate::config::Config; use crate::{vm::Machine, peer_id::PeerId}; use crate::script::Caller;",
        "//! [`crate::chat`]\n/* crate::chat /* nested */ crate::chat */",
        "const A: &str = \"crate::chat \\\" crate::chat\"; const B: &str = r#\"\"crate::chat\"#;",
        "const Q: char = '\"'; const E: char = '\\''; fn f<'a>(a: &'a str) -> char { '\"' }",
        "#[cfg(test)]\nmod tests {\n    use crate::chat;\n    fn f() { if true {} }\n}",
        "#[cfg(all(test, unix))] pub(crate) mod tests { use crate::chat; }",
        "use super::registry; use super::super::vm; pub(crate) fn f() {}",
    ] {
        assert_eq!(seen("script/engine.rs", source), Vec::<String>::new(), "{source}");
    }
    for source in [
        "#[cfg(test)] mod tests { fn f() {} }\nuse crate::chat;",
        "#[cfg(test)] use a; mod live { use crate::chat; }",
        "#[cfg(not(test))] mod live { use crate::chat; }",
        "#[cfg(any(test, unix))] mod live { use crate::chat; }",
    ] {
        assert_eq!(
            seen("script/engine.rs", source).len(),
            1,
            "what is compiled without tests counts: {source}"
        );
    }
}
