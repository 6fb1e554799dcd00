//! `goop2 check`: compiles scripts without running them.

use std::path::{Path, PathBuf};

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
    let (mut scripts, mut empty) = (Vec::new(), Vec::new());
    for path in &args.paths {
        let (folder, found) = scripts_at(path)?;
        if found.0.is_empty() {
            empty.push(folder);
        }
        scripts.extend(found.0);
    }
    let ok = scripts.iter().all(|script| script.problems.is_empty());
    let mut output = Output::stdout();
    if args.json {
        output.json(&json!({ "ok": ok, "scripts": scripts }))?;
    } else {
        for script in &scripts {
            print(&mut output, script)?;
        }
        for folder in empty {
            note(&format!("there are no scripts in {}", printable(&folder.display().to_string())));
        }
    }
    if ok { Ok(()) } else { Err(Failure::reported()) }
}

/// The scripts that `path` means, and where they were looked for.
fn scripts_at(path: &Path) -> CommandResult<(PathBuf, Scripts)> {
    // Opening tells what metadata does not: whether it can be read. To open a pipe would wait for its writer.
    let kind = std::fs::metadata(path).and_then(|kind| refuse_special(&kind));
    let kind = kind.and_then(|()| std::fs::File::open(path)?.metadata());
    let kind = kind.map_err(|error| Failure::unreadable(path, &error))?;
    if kind.is_file() {
        return Ok((path.to_owned(), Scripts(vec![inspect(path)])));
    }
    if is_peer_folder(path) {
        let config = open_config(path).map_err(Failure::usage)?;
        return Ok((path.join(&config.lua.script_dir), Scripts::of_peer(path, &config)));
    }
    Ok((path.to_owned(), Scripts::below(path)))
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
    let folder = script.file.parent().unwrap_or(Path::new("")).join("");
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
