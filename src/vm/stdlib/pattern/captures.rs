//! The captures of a match under way.

use super::PatternError;

/// The most captures in a pattern, as in reference Lua.
pub const MAX_CAPTURES: usize = 32;

/// A captured value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// The bytes `start..end` of the subject.
    Slice(usize, usize),
    /// A place in the subject as Lua counts: 1 is its first byte.
    Position(usize),
}

/// What a capture's `(` says of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaptureEnd {
    /// Its `)` was not reached.
    Open,
    /// It is a `()`.
    Position,
    /// Its `)` was reached at this offset.
    At(usize),
}

/// The captures in the order of their `(`.
#[derive(Debug, Clone, Default)]
pub(super) struct Captures(Vec<(usize, CaptureEnd)>);

impl Captures {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Begins a capture at the offset `start`.
    pub(super) fn open(&mut self, start: usize, end: CaptureEnd) -> Result<(), PatternError> {
        if self.0.len() >= MAX_CAPTURES {
            return Err(PatternError::TooManyCaptures);
        }
        self.0.push((start, end));
        Ok(())
    }

    /// Forgets the capture begun last.
    pub(super) fn forget_last(&mut self) {
        self.0.pop();
    }

    /// Ends the latest open capture at the offset `at` and says which one that is.
    pub(super) fn close(&mut self, at: usize) -> Result<usize, PatternError> {
        let open = self.0.iter_mut().enumerate().rev().find(|(_, (_, end))| *end == CaptureEnd::Open);
        let (index, (_, end)) = open.ok_or(PatternError::InvalidCapture)?;
        *end = CaptureEnd::At(at);
        Ok(index)
    }

    /// Undoes [`Captures::close`].
    pub(super) fn reopen(&mut self, index: usize) {
        if let Some((_, end)) = self.0.get_mut(index) {
            *end = CaptureEnd::Open;
        }
    }

    /// The value of the capture `index`, or nothing when there is no such capture.
    pub(super) fn get(&self, index: usize) -> Option<Result<Capture, PatternError>> {
        let (start, end) = self.0.get(index)?;
        Some(match end {
            CaptureEnd::Open => Err(PatternError::UnfinishedCapture),
            CaptureEnd::Position => Ok(Capture::Position(start + 1)),
            CaptureEnd::At(end) => Ok(Capture::Slice(*start, *end)),
        })
    }
}
