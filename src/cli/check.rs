//! `goop2 check`: compiles scripts without running them.

use std::path::PathBuf;

use goop2::peer::{is_peer_folder, open_config};
use serde_json::json;

use super::failure::{CommandResult, Failure};
use super::output::{Look, Output, note, printable};
use super::scripts::{ScriptReport, Scripts, inspect, refuse_special};

/// Compiles scripts without running them and shows what they are and what is wrong with them
///
/// A path is a script, a peer folder (its script folder is checked), or any folder (all scripts below it).
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 check quiz\n  goop2 check quiz/site/lua/score-quiz.lua --json")]
pub(crate) struct Args {
    /// Scripts and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Print one JSON object: {"ok", "scripts": [{"name", "file", "interfaces", "description", "problems", "warnings"}]}
    #[arg(long)]
    pub(crate) json: bool,
}

pub(crate) fn execute(args: &Args) -> CommandResult {
    let mut scripts = Vec::new();
    for path in &args.paths {
        scripts.extend(scripts_at(path)?.0);
    }
    let ok = scripts.iter().all(|script| script.problems.is_empty());
    let mut output = Output::stdout();
    if args.json {
        output.json(&json!({ "ok": ok, "scripts": scripts }))?;
    } else {
        for script in &scripts {
            print(&mut output, script)?;
        }
        if scripts.is_empty() {
            note("there are no scripts");
        }
    }
    if ok { Ok(()) } else { Err(Failure::reported()) }
}

fn scripts_at(path: &PathBuf) -> CommandResult<Scripts> {
    // Opening tells what metadata does not: whether it can be read. To open a pipe would wait for its writer.
    let kind = std::fs::metadata(path).and_then(|kind| refuse_special(&kind));
    let kind = kind.and_then(|()| std::fs::File::open(path)?.metadata());
    let kind = kind.map_err(|error| Failure::unreadable(path, &error))?;
    if kind.is_file() {
        return Ok(Scripts(vec![inspect(path)]));
    }
    if is_peer_folder(path) {
        let config = open_config(path).map_err(Failure::usage)?;
        return Ok(Scripts::of_peer(path, &config));
    }
    Ok(Scripts::below(path))
}

fn print(output: &mut Output, script: &ScriptReport) -> CommandResult {
    let name = printable(&script.name);
    if script.problems.is_empty() {
        let interfaces = script.interfaces.join(" and ");
        let description = match script.description.as_str() {
            "" => String::new(),
            text => format!(": {}", printable(text)),
        };
        let ok = output.paint(Look::Good, "ok");
        output.line(&format!("{ok}  {name} ({interfaces}){description}"))?;
    }
    let folder = script.file.parent().unwrap_or(std::path::Path::new("")).join("");
    let folder = printable(&folder.display().to_string());
    let (bad, warning) = (output.paint(Look::Bad, "!!"), output.paint(Look::Strong, "warning"));
    for problem in &script.problems {
        output.line(&format!("{bad}  {folder}{}", printable(&problem.message)))?;
    }
    for problem in &script.warnings {
        output.line(&format!("{warning}  {folder}{}", printable(&problem.message)))?;
    }
    Ok(())
}
