//! `goop2 config`: shows, checks and begins a `goop.json`.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use goop2::config::{Config, FILE_NAME, Inspection, Setting, Source};
use goop2::peer::is_peer_folder;
use serde_json::{Value, json};

use super::failure::{CommandResult, Failure};
use super::output::{Look, Output, printable};

/// Shows, checks or begins the configuration of a peer folder
#[derive(Debug, clap::Args)]
#[command(
    subcommand_required = true,
    disable_help_subcommand = true,
    after_help = "Example:\n  goop2 config show quiz\n  goop2 config check quiz --json\n  goop2 config init quiz"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Prints every field, its value and whether the value is from goop.json or the default
    #[command(after_help = "Example:\n  goop2 config show quiz")]
    Show {
        /// The peer folder
        dir: PathBuf,

        /// Print one JSON object: {"ok", "fields": [{"field", "value", "source"}], "problems", "unknown"}
        #[arg(long)]
        json: bool,
    },
    /// Says what is wrong with goop.json, by field; exit code 1 if anything is
    #[command(after_help = "Example:\n  goop2 config check quiz")]
    Check {
        /// The peer folder
        dir: PathBuf,

        /// Print one JSON object: {"ok", "problems", "unknown": [{"field", "nearest"}]}
        #[arg(long)]
        json: bool,
    },
    /// Writes a goop.json with every field and its default; an existing one is left alone
    #[command(after_help = "Example:\n  goop2 config init quiz")]
    Init {
        /// The peer folder; it is made if there is none
        dir: PathBuf,
    },
}

pub(crate) fn execute(args: &Args) -> CommandResult {
    match &args.action {
        Action::Show { dir, json } => show(dir, *json),
        Action::Check { dir, json } => check(dir, *json),
        Action::Init { dir } => init(dir),
    }
}

/// What the folder's `goop.json` says. That it is no JSON is a problem like any other: it is what
/// was asked.
fn inspect(dir: &Path) -> CommandResult<Inspection> {
    if !is_peer_folder(dir) {
        let dir = dir.display();
        return Err(Failure::usage(anyhow!(
            "{dir}: is no peer folder; `goop2 config init` or `goop2 new` begins one"
        )));
    }
    Ok(Config::inspect(dir)
        .unwrap_or_else(|problem| Inspection { problems: vec![problem], ..Inspection::default() }))
}

fn verdict(found: &Inspection) -> CommandResult {
    if found.problems.is_empty() { Ok(()) } else { Err(Failure::reported()) }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::File => FILE_NAME,
        Source::Default => "default",
    }
}

fn show(dir: &Path, json: bool) -> CommandResult {
    let found = inspect(dir)?;
    let mut output = Output::stdout();
    if json {
        let field = |setting: &Setting| json!({"field": setting.field.name, "value": setting.value, "source": source(setting.source)});
        let fields: Vec<_> = found.settings.iter().map(field).collect();
        let mut report = as_json(&found);
        if let Some(report) = report.as_object_mut() {
            report.insert("fields".to_owned(), Value::Array(fields));
        }
        output.json(&report)?;
        return verdict(&found);
    }
    let width = |text: fn(&Setting) -> String| {
        found.settings.iter().map(|setting| text(setting).chars().count()).max().unwrap_or(0)
    };
    let names = width(|setting| setting.field.name.to_owned());
    let values = width(|setting| shown(&setting.value)).min(40);
    for setting in &found.settings {
        let value = shown(&setting.value);
        let source = output.paint(Look::Quiet, source(setting.source));
        output.line(&format!("{:names$}  {value:values$}  {source}", setting.field.name))?;
    }
    print_findings(&mut output, &found)?;
    verdict(&found)
}

fn shown(value: &Value) -> String {
    printable(&value.to_string())
}

fn check(dir: &Path, json: bool) -> CommandResult {
    let found = inspect(dir)?;
    let mut output = Output::stdout();
    if json {
        output.json(&as_json(&found))?;
        return verdict(&found);
    }
    print_findings(&mut output, &found)?;
    if found.problems.is_empty() {
        let written = found.settings.iter().filter(|setting| setting.source == Source::File).count();
        let all = found.settings.len();
        let ok = output.paint(Look::Good, "ok");
        output
            .line(&format!("{ok}  {written} of {all} fields are written, the others have their defaults"))?;
    }
    verdict(&found)
}

fn print_findings(output: &mut Output, found: &Inspection) -> CommandResult {
    for problem in &found.problems {
        let bad = output.paint(Look::Bad, "!!");
        output.line(&format!("{bad}  {}", printable(&problem.to_string())))?;
    }
    for unknown in &found.unknown {
        let mark = output.paint(Look::Strong, "??");
        output.line(&format!("{mark}  {}", printable(&unknown.to_string())))?;
    }
    Ok(())
}

fn as_json(found: &Inspection) -> Value {
    let problems: Vec<_> = found
        .problems
        .iter()
        .map(|problem| json!({"field": problem.field(), "message": problem.to_string()}))
        .collect();
    let unknown: Vec<_> = found
        .unknown
        .iter()
        .map(|unknown| json!({"field": unknown.name, "nearest": unknown.nearest}))
        .collect();
    json!({"ok": found.problems.is_empty(), "problems": problems, "unknown": unknown})
}

fn init(dir: &Path) -> CommandResult {
    let path = dir.join(FILE_NAME);
    let failed = || format!("{}: can't be written", path.display());
    let mut text = serde_json::to_string_pretty(&Config::default())?;
    text.push('\n');
    std::fs::create_dir_all(dir).with_context(failed)?;
    let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let problem = format!(
                "{}: exists already, and was left as it is; `goop2 config check` looks at it",
                path.display()
            );
            return Err(anyhow!(problem).into());
        }
        file => file.with_context(failed)?,
    };
    file.write_all(text.as_bytes()).with_context(failed)?;
    Output::stdout().line(&format!("Made {}", path.display()))?;
    Ok(())
}
