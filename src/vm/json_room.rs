//! The memory that a JSON text may take while it is made, beside what the VM holds.

use std::cell::Cell;
use std::io::{self, Write};

use crate::vm::error::ConvertError;

/// Memory that may still be taken; by default there is no bound.
#[derive(Default)]
pub(crate) struct Room {
    left: Option<Cell<usize>>,
    /// What was asked for and was too much.
    wanted: Cell<Option<usize>>,
}

impl Room {
    pub(crate) fn of(bytes: usize) -> Self {
        Self { left: Some(Cell::new(bytes)), wanted: Cell::new(None) }
    }

    /// Takes `bytes`, before they are allocated.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), ConvertError> {
        let Some(left) = &self.left else { return Ok(()) };
        let Some(rest) = left.get().checked_sub(bytes) else {
            self.wanted.set(Some(bytes));
            return Err(ConvertError::TooLarge { limit: left.get(), unit: "bytes while it is made" });
        };
        left.set(rest);
        Ok(())
    }

    /// Gives back `bytes` that were taken.
    pub(crate) fn give(&self, bytes: usize) {
        if let Some(left) = &self.left {
            left.set(left.get() + bytes);
        }
    }

    pub(crate) fn wanted(&self) -> Option<usize> {
        self.wanted.get()
    }
}

/// A text that is being written, in memory of a room.
pub(crate) struct Text<'a> {
    room: &'a Room,
    /// What the text is known to come to at least, or a little less.
    expected: &'a Cell<usize>,
    bytes: Vec<u8>,
}

impl<'a> Text<'a> {
    pub(crate) fn new(room: &'a Room, expected: &'a Cell<usize>) -> Self {
        Self { room, expected, bytes: Vec::new() }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

impl Write for Text<'_> {
    fn write(&mut self, new: &[u8]) -> io::Result<usize> {
        let length = self.bytes.len() + new.len();
        if length > self.bytes.capacity() {
            let capacity = length.max(2 * self.bytes.capacity()).max(self.expected.get());
            self.room.take(capacity - self.bytes.capacity()).map_err(io::Error::other)?;
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(new);
        Ok(new.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
