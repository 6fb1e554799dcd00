//! Finds where a JSON object ends in bytes that arrive in pieces.
//!
//! A chat message has no length and needs no newline, and its sender need not half-close, so its end is the
//! end of its object. Rejected: trying to parse after every piece, which is quadratic in what a stranger
//! sends byte by byte.

/// Follows the braces of one object. Whether it is JSON is for the parser that gets it.
#[derive(Debug, Default)]
pub(super) struct ObjectEnd {
    depth: usize,
    /// Something else came first.
    no_object: bool,
    in_string: bool,
    escaped: bool,
}

impl ObjectEnd {
    /// How many bytes of the next `piece` belong to the object, when it ends there; `None` when it goes on.
    /// What doesn't begin with a brace has no end.
    pub(super) fn find(&mut self, piece: &[u8]) -> Option<usize> {
        piece.iter().position(|&byte| self.ends_with(byte)).map(|last| last + 1)
    }

    fn ends_with(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' if self.depth > 0 => self.in_string = !self.in_string,
            _ if self.in_string || self.no_object => {}
            b'{' => self.depth += 1,
            b'}' if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => self.no_object = self.depth == 0 && !byte.is_ascii_whitespace(),
        }
        false
    }
}
