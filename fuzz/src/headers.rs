//! The comment at the head of a script, which strangers are shown.

use goop2::script::Header;

/// What the documentation promises of a description, in bytes.
const MAX_DESCRIPTION_BYTES: usize = 500;

/// Checks what is read from the head of `source`.
///
/// # Panics
/// When the description is not what strangers may be shown, or what follows the head changes it.
pub fn check(source: &[u8]) {
    let header = Header::parse(source);
    assert!(header.description.len() <= MAX_DESCRIPTION_BYTES);
    assert!(!header.description.chars().any(char::is_control), "{:?}", header.description);
    assert_ne!(header.rate_limit, Some(0));
    let longer = [source, b"\nreturn 1\n--- no longer the head\n--- @rate_limit 7"].concat();
    assert_eq!(Header::parse(&longer), header);
    let marked = [b"\xEF\xBB\xBF", source].concat();
    if source.starts_with(b"---") {
        assert_eq!(Header::parse(&marked), header, "a mark of the encoding hides the head");
    }
    crate::loading::load(source);
}

#[cfg(test)]
mod tests {
    #[test]
    fn ordinary_heads_pass() {
        super::check(b"--- Score a quiz\n--- @rate_limit 5\nlocal x = 1");
        super::check(b"");
    }
}
