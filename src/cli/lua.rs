//! `goop2 lua`: runs a plain Lua file in the sandbox VM.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use anyhow::anyhow;
use goop2::vm::{Entry, Limits, Machine, Program, Slice};

use super::args::{megabytes, seconds};
use super::failure::{CommandResult, Failure};
use super::output::Output;
use super::run::report::note_error;
use super::scripts;

/// Runs a plain Lua file in the sandbox, without `goop`; `print` writes to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  goop2 lua fib.lua --timeout 60 --memory 100")]
pub(crate) struct Args {
    /// The Lua source
    file: PathBuf,

    /// The longest it may run
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "5")]
    timeout: Duration,

    /// The most memory it may hold
    #[arg(long, value_name = "MB", value_parser = megabytes, default_value = "10")]
    memory: usize,
}

pub(crate) fn execute(args: &Args) -> CommandResult {
    let source = scripts::read(&args.file).map_err(|error| Failure::unreadable(&args.file, &error))?;
    let name = args.file.file_name().unwrap_or_default().to_string_lossy();
    let program = Program::compile_traced(&name, &source)?;
    let limits = Limits { time: args.timeout, memory_bytes: args.memory };
    let printed =
        Rc::new(RefCell::new(Printed { output: Output::stdout(), error: None, pending: Vec::new() }));
    let sink = printed.clone();
    let mut machine = Machine::new(&program, Entry::Chunk, limits, move |line| sink.borrow_mut().line(line))?;
    let result = loop {
        match machine.run_slice() {
            Slice::Finished(result) => break result,
            Slice::Paused => printed.borrow_mut().flush(),
            Slice::Waiting(_) => {
                return Err(anyhow!("the script waits, but there is nothing to wait for").into());
            }
        }
        if printed.borrow().is_done() {
            break Ok(goop2::vm::Outcome::Done);
        }
    };
    let mut printed = printed.borrow_mut();
    printed.flush();
    if let Some(error) = printed.error.take() {
        return Err(error.into());
    }
    let Err(error) = result else { return Ok(()) };
    let traceback: Vec<String> = error.traceback().iter().map(ToString::to_string).collect();
    note_error(&error.to_string(), &traceback);
    Err(Failure::reported())
}

/// What the script prints, written when there is a fair amount of it: a line at a time would make
/// benchmarks measure the system.
struct Printed {
    output: Output,
    pending: Vec<u8>,
    error: Option<std::io::Error>,
}

impl Printed {
    /// How much is collected at most, in bytes.
    const PENDING_BYTES: usize = 64 * 1024;

    fn line(&mut self, line: &[u8]) {
        self.pending.extend_from_slice(line);
        self.pending.push(b'\n');
        if self.pending.len() >= Self::PENDING_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_empty()
            && self.error.is_none()
            && let Err(error) = self.output.bytes(&pending)
        {
            self.error = Some(error);
        }
    }

    /// Whether nothing more can be written, so that running on is in vain.
    fn is_done(&self) -> bool {
        self.error.is_some() || self.output.is_closed()
    }
}
