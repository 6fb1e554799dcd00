//! `%q`: a string in the form that Lua reads back.

/// The length of what [`append_quoted`] will append, so that memory for it can be asked for first.
pub fn quoted_len(bytes: &[u8]) -> usize {
    bytes.iter().map(|byte| escape(*byte).map_or(1, <[u8]>::len)).sum::<usize>() + 2
}

/// Appends `bytes` in double quotes, escaped as Lua 5.1 does: a line end as `\` and a line end, a
/// carriage return as `\r`, a zero byte as `\000`. At most four times as long, plus 2.
pub fn append_quoted(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in bytes {
        match escape(byte) {
            Some(escaped) => out.extend_from_slice(escaped),
            None => out.push(byte),
        }
    }
    out.push(b'"');
}

fn escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'"' => Some(b"\\\""),
        b'\\' => Some(b"\\\\"),
        b'\n' => Some(b"\\\n"),
        b'\r' => Some(b"\\r"),
        0 => Some(b"\\000"),
        _ => None,
    }
}
