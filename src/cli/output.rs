//! Writing to stdout.
//!
//! `println!` panics when the reader is gone (`goop2 … | head -1`); here that is no error: what
//! nobody reads need not be written. Any other failure to write (a full disk) is one. Text that
//! comes from other peers can't reach the terminal's control sequences.

use std::io::{self, ErrorKind, IsTerminal, Write};

use goop2::printable::{json_written_out, written_out};
use serde::Serialize;

/// The process's stdout.
pub(crate) struct Output {
    colour: bool,
    is_terminal: bool,
    closed: bool,
}

/// How a word looks, where colour is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Look {
    Good,
    Bad,
    Strong,
    Quiet,
}

impl Output {
    /// Stdout, with colour where it is a terminal and the owner does not object.
    pub(crate) fn stdout() -> Self {
        let is_terminal = io::stdout().is_terminal();
        Self { colour: is_terminal && colour_is_welcome(), is_terminal, closed: false }
    }

    /// Whether a person reads this.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Whether the reader is gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// `text` in that look, if there is colour.
    pub(crate) fn paint(&self, look: Look, text: &str) -> String {
        let code = match look {
            Look::Good => "32",
            Look::Bad => "31",
            Look::Strong => "1",
            Look::Quiet => "2",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// A line of our own words.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// One JSON value on one line.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::other)?;
        self.line(&json_written_out(&text))
    }

    /// One JSON value, laid out for people.
    pub(crate) fn pretty_json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(&json_written_out(&text))
    }

    /// Bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.closed {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            // The system says what happened, and not to what.
            result => result
                .map_err(|error| io::Error::new(error.kind(), format!("stdout can't be written: {error}"))),
        }
    }
}

/// A line to stderr. That nobody can read it is nothing to stop for.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether `NO_COLOR` is unset or empty.
pub(crate) fn colour_is_welcome() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Text from elsewhere as it may be shown: what could do something to a terminal or hide is written out, line
/// ends and tabs excepted.
pub(crate) fn printable(text: &str) -> String {
    written_out(text, &['\n', '\t'])
}

/// [`printable`] on one line, with line ends written out as well: two different texts stay different.
pub(crate) fn printable_line(text: &str) -> String {
    written_out(text, &['\t'])
}

/// [`printable`] on one line and at most `max_chars` long.
pub(crate) fn one_line(text: &str, max_chars: usize) -> String {
    let mut words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = words.char_indices().nth(max_chars) {
        words.truncate(end);
        words.push('…');
    }
    printable(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sends_does_nothing_to_a_terminal() {
        assert_eq!(printable("a\x1b[2J\tb\nc\u{9b}d\u{202e}e"), "a\\u{1b}[2J\tb\nc\\u{9b}d\\u{202e}e");
        assert_eq!(one_line(" two\r\nlines ", 20), "two lines");
        assert_eq!(one_line("äöü", 2), "äö…");
    }
}
