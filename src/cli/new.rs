//! `goop2 new`: makes a peer folder.

use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use goop2::peer::{NewPeer, NewPeerError, SITE_DIR, create};
use goop2::template::{Bundle, CreateError};

use super::failure::{CommandResult, Failure};
use super::output::{Look, Output};
use super::scripts::Scripts;

/// Makes a new peer folder: a site, a configuration, an identity and a database
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 new quiz --template quiz --label 'Ada'\n  goop2 peer quiz")]
pub(crate) struct Args {
    /// The folder; it must not exist, or be empty
    dir: PathBuf,

    /// The built-in template to start from; without it, one page
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Bundle::built_in_names()))]
    template: Option<String>,

    /// The name that other peers see
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
}

pub(crate) fn execute(args: &Args) -> CommandResult {
    let bundle = args.template.as_deref().map(Bundle::built_in).transpose()?;
    let made = create(&args.dir, bundle.as_ref(), args.label.as_deref()).map_err(|error| match error {
        // Of what is written into the configuration, the label alone comes from the command line.
        NewPeerError::Files(CreateError::Config(ref problem)) if problem.field() == Some("profile.label") => {
            Failure::usage(error)
        }
        error => Failure::from(error),
    })?;
    print(&args.dir, &made, bundle.is_some())?;
    Ok(())
}

fn print(dir: &Path, made: &NewPeer, from_template: bool) -> CommandResult {
    let mut output = Output::stdout();
    let shown = dir.display();
    output.line(&format!("Made the peer {}", output.paint(Look::Strong, &shown.to_string())))?;
    output.line(&format!("  id       {}", made.id))?;
    output.line(&format!("  label    {}", made.config.profile.label))?;
    output.line(&format!("  site     {}", dir.join(SITE_DIR).display()))?;
    if !made.tables.is_empty() {
        let tables: Vec<_> = made.tables.iter().map(|table| table.as_str()).collect();
        output.line(&format!("  tables   {}", tables.join(", ")))?;
    }
    let scripts = Scripts::of_peer(dir, &made.config).names().join(", ");
    let switch =
        if made.config.lua.enabled { "on" } else { "off; lua.enabled in goop.json switches them on" };
    if !scripts.is_empty() || made.config.lua.enabled {
        output.line(&format!("  scripts  {scripts} ({switch})"))?;
    }
    output.line("")?;
    // What starts with a hyphen would be taken for an option.
    let path = if shown.to_string().starts_with('-') { format!("./{shown}") } else { shown.to_string() };
    output.line(&format!("Start it:  goop2 peer {}", quoted(&path)))?;
    if from_template {
        let readme = dir.join(SITE_DIR).join("README.md");
        if readme.is_file() {
            output.line(&format!("Change it: {} says how", readme.display()))?;
        }
    }
    Ok(())
}

/// A word that can be copied into a shell.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:=@,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}
