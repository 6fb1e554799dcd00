//! What is written about the command line, checked against the command line.

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::*;

const ADDRESS: &str = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";

/// The words of a command line, as a shell splits them; a comment ends it.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            ' ' if !is_quoted => words.extend(word.take()),
            '#' if !is_quoted && word.is_none() => break,
            c => word.get_or_insert_default().push(c),
        }
    }
    assert!(!is_quoted, "a quote is not closed: {line}");
    words.extend(word);
    words
}

/// Why the line is no command, if it is none. Asking for help is one.
fn problem(line: &str) -> Option<String> {
    let line = line.replace("ADDR", ADDRESS).replace("COMMAND", "demo");
    match Cli::try_parse_from(words(&line)) {
        Ok(_) => None,
        Err(error) if error.kind() == ErrorKind::DisplayHelp => None,
        Err(error) => Some(format!("{line}\n{error}")),
    }
}

fn examples(help: &str) -> Vec<String> {
    help.lines().map(str::trim).filter(|line| line.starts_with("goop2 ")).map(str::to_owned).collect()
}

fn check_help(command: &mut clap::Command, path: &str) {
    let name = format!("{path} {}", command.get_name());
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = examples(&after);
    assert!(!examples.is_empty(), "{name} has no example");
    for example in examples {
        assert_eq!(problem(&example), None, "the example of {name}");
    }
    command.get_subcommands_mut().for_each(|inner| check_help(inner, &name));
}

#[test]
fn every_command_has_examples_that_parse() {
    let mut cli = Cli::command();
    cli.clone().debug_assert();
    check_help(&mut cli, "");
}

/// Command lines in the README: those in shell blocks, and those in running text.
fn readme_lines() -> Vec<String> {
    let readme = include_str!("../../../README.md");
    let mut lines = Vec::new();
    let mut block = None;
    for line in readme.lines() {
        if let Some(language) = line.strip_prefix("```") {
            block = if block.is_none() { Some(language) } else { None };
        } else if block == Some("sh") {
            lines.push(line.to_owned());
        } else if block.is_none() {
            lines.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    let cargo = "cargo run --release -- ";
    let lines = lines.into_iter().map(|line| line.replace(cargo, "goop2 "));
    lines.filter(|line| line.starts_with("goop2 ")).collect()
}

#[test]
fn every_command_of_the_readme_parses() {
    let lines = readme_lines();
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        assert_eq!(problem(&line), None);
    }
}

#[test]
fn limits_have_limits() {
    assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
    assert_eq!(megabytes("10"), Ok(10 * 1024 * 1024));
    for text in ["0", "-1", "nan", "inf", "1e9", ""] {
        assert!(seconds(text).is_err(), "{text}");
        assert!(megabytes(text).is_err(), "{text}");
    }
}
