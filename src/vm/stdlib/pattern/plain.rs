//! Finding plain text, in linear time.

use memchr::memmem;

/// Whether `pattern` has a byte with a meaning of its own; without one, [`find_plain`] gives what
/// matching would.
///
/// A `]` or `)` alone is not counted, as in reference Lua, which then looks for it as plain text.
pub fn has_specials(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// The offset of the first `needle` in `haystack` at or behind the offset `from`.
///
/// Takes time linear in both lengths, whatever they hold; the caller charges for them. Nothing
/// when `from` lies behind the end.
pub fn find_plain(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let found = memmem::find(haystack.get(from..)?, needle)?;
    Some(from + found)
}
