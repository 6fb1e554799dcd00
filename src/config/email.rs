//! What is taken for an e-mail address, of the owner and of others alike: what is accepted here and
//! dropped by the peers that hear of it would be an address its owner believes in and does not have.

/// The longest e-mail address in bytes: no longer one can be written to.
pub const MAX_EMAIL_BYTES: usize = 254;

/// Whether the text can be one: a name, `@`, a host, and nothing that turns one line into two or one word
/// into two. More can't be said without writing to it.
pub(crate) fn is_email(text: &str) -> bool {
    let has_both = text.rsplit_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    has_both && text.len() <= MAX_EMAIL_BYTES && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}
