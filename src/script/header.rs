//! What a script says about itself in the comment at its head.
//!
//! ```lua
//! --- Score a quiz submission
//! --- @rate_limit 5
//! function call(request)
//! ```
//!
//! The comment is read as text, before and apart from the program: a script that does not load
//! still has a description, and nothing in it can run.

/// The longest description kept, in bytes; strangers are shown it.
const MAX_DESCRIPTION_BYTES: usize = 500;

/// The comment at the head of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The lines before the first `@` line, joined by blanks; empty when there are none.
    pub description: String,
    /// `@rate_limit N`: calls of this script by one peer in a minute.
    pub rate_limit: Option<u32>,
}

impl Header {
    /// Reads the leading lines that start with `---`, after blank lines and a `#!` line.
    pub fn parse(source: &[u8]) -> Self {
        // Some editors begin a file with a byte order mark; the program is read without it too.
        let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
        let mut header = Self::default();
        let mut in_tags = false;
        let lines = source.split(|byte| *byte == b'\n').enumerate();
        let lines = lines.skip_while(|(index, line)| {
            line.trim_ascii().is_empty() || (*index == 0 && line.starts_with(b"#"))
        });
        for (_, line) in lines {
            let Some(text) = line.trim_ascii().strip_prefix(b"---") else { break };
            let text = String::from_utf8_lossy(text.trim_ascii());
            match text.strip_prefix('@') {
                Some(tag) => {
                    in_tags = true;
                    header.read_tag(tag);
                }
                None if !in_tags => header.add_to_description(&text),
                None => {}
            }
        }
        header
    }

    fn read_tag(&mut self, tag: &str) {
        if let Some(("rate_limit", number)) = tag.split_once(char::is_whitespace) {
            self.rate_limit = number.trim().parse().ok().filter(|limit| *limit > 0);
        }
    }

    fn add_to_description(&mut self, text: &str) {
        let blank = if self.description.is_empty() || text.is_empty() { "" } else { " " };
        let printable = text.chars().filter(|c| !c.is_control());
        for c in blank.chars().chain(printable) {
            if self.description.len() + c.len_utf8() > MAX_DESCRIPTION_BYTES {
                return;
            }
            self.description.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_and_tags_are_read_from_the_head_only() {
        let source =
            b"\n--- Score a quiz\n---   submission \n--- @rate_limit 5\n--- not this\nlocal x\n--- nor this";
        let header = Header::parse(source);
        assert_eq!(header, Header { description: "Score a quiz submission".into(), rate_limit: Some(5) });
        assert_eq!(Header::parse(b"-- two dashes\n--- late"), Header::default());
        assert_eq!(Header::parse(b"#!/usr/bin/lua\n--- after a shebang").description, "after a shebang");
        assert_eq!(Header::parse(b"--- @rate_limit none").rate_limit, None);
    }

    /// A script saved by an editor that writes the mark lost its description and its rate limit.
    #[test]
    fn a_byte_order_mark_does_not_hide_the_head() {
        let header = Header::parse(b"\xEF\xBB\xBF--- Score a quiz\n--- @rate_limit 5\n");
        assert_eq!(header, Header { description: "Score a quiz".into(), rate_limit: Some(5) });
        assert_eq!(Header::parse(b"\xEF\xBB\xBF#!/usr/bin/lua\n--- late").description, "late");
    }

    #[test]
    fn any_bytes_give_a_bounded_printable_description() {
        let mut source = b"--- ".to_vec();
        source.extend([0xFF, 0x1B, b'[', b'2', b'J']);
        source.extend("ä".repeat(1_000).bytes());
        let description = Header::parse(&source).description;
        assert!(description.len() <= MAX_DESCRIPTION_BYTES);
        assert!(!description.contains('\u{1B}'), "{description}");
        // Each line after the bound was reached added its blank.
        let many = format!("--- {}\n{}", "x".repeat(MAX_DESCRIPTION_BYTES), "--- y\n".repeat(1_000));
        assert_eq!(Header::parse(many.as_bytes()).description.len(), MAX_DESCRIPTION_BYTES);
    }
}
