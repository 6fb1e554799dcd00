//! The demo's words: each exchange with what was asked, what came, and whether that was right.

use super::super::failure::CommandResult;
use super::super::output::{Look, Output, printable};

/// How much of an answer is shown, in lines.
const MAX_LINES: usize = 8;

/// What was wrong with an exchange.
#[derive(Debug)]
pub(super) struct Wrong(pub(super) String);

/// Writes the exchanges and counts them.
pub(super) struct Transcript {
    output: Output,
    shown: usize,
    failed: usize,
}

impl Transcript {
    pub(super) fn new(output: Output) -> Self {
        Self { output, shown: 0, failed: 0 }
    }

    pub(super) fn heading(&mut self, text: &str) -> CommandResult {
        let strong = self.output.paint(Look::Strong, text);
        let gap = if self.shown > 0 { "\n" } else { "" };
        Ok(self.output.line(&format!("{gap}{strong}"))?)
    }

    pub(super) fn fact(&mut self, name: &str, value: &str) -> CommandResult {
        Ok(self.output.line(&format!("  {name:<8} {value}"))?)
    }

    pub(super) fn plain(&mut self, text: &str) -> CommandResult {
        Ok(self.output.line(&format!("  {text}"))?)
    }

    /// Shows an exchange: what it is, what was asked or done, and the answer or what was wrong.
    pub(super) fn exchange(
        &mut self,
        what: &str,
        asked: &str,
        answer: Result<String, Wrong>,
    ) -> CommandResult {
        self.shown += 1;
        let title = self.output.paint(Look::Strong, &format!("{}. {what}", self.shown));
        self.output.line(&format!("\n{title}"))?;
        self.lines(">", asked)?;
        match answer {
            Ok(answer) => self.lines("<", &answer),
            Err(Wrong(problem)) => {
                self.failed += 1;
                let bad = self.output.paint(Look::Bad, "failed:");
                self.lines("!", &format!("{bad} {problem}"))
            }
        }
    }

    fn lines(&mut self, mark: &str, text: &str) -> CommandResult {
        let mark = self.output.paint(Look::Quiet, mark);
        for (index, line) in text.lines().enumerate() {
            if index == MAX_LINES {
                self.output.line(&format!("  {mark} …"))?;
                break;
            }
            self.output.line(&format!("  {mark} {}", printable(line)))?;
        }
        Ok(())
    }

    /// The last line of the exchanges. Tells whether all went well.
    pub(super) fn summary(&mut self) -> CommandResult<bool> {
        let Self { shown, failed, .. } = *self;
        let text = if failed == 0 {
            self.output.paint(Look::Good, &format!("All {shown} exchanges went as they should."))
        } else {
            self.output.paint(Look::Bad, &format!("{failed} of {shown} exchanges failed."))
        };
        self.output.line(&format!("\n{text}"))?;
        Ok(failed == 0)
    }
}
