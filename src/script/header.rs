//! What a script says about itself in the comment at its head.
//!
//! ```lua
//! --- Score a quiz submission
//! --- @rate_limit 5
//! --- @param quiz_id string Which quiz
//! --- @param answers table Question ids to letters
//! --- @returns the score, the total, and whether that is a pass
//! --- @example {"quiz_id": "midterm", "answers": {"q1": "B"}}
//! function call(request)
//! ```
//!
//! The comment is read as text, before and apart from the program: a script that does not load
//! still has a description, and nothing in it can run. Strangers are shown it, so every part is bounded.

use serde::Serialize;

/// The longest description, and the longest text of a tag, in bytes.
const MAX_TEXT_BYTES: usize = 500;

/// The longest name or type of a parameter, in bytes.
const MAX_WORD_BYTES: usize = 64;

/// The most parameters that are kept.
const MAX_PARAMS: usize = 32;

/// The most problems that are kept: a file of nothing but tags has thousands.
const MAX_PROBLEMS: usize = 20;

/// The comment at the head of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The lines before the first `@` line, joined by blanks, at most 500 bytes; empty when there are none.
    pub description: String,
    /// `@rate_limit N`: calls of this script by one peer in a minute.
    pub rate_limit: Option<u32>,
    /// `@param name type description`, in the order of the file, at most 32.
    pub params: Vec<Param>,
    /// `@returns`: what a call gives, at most 500 bytes; empty when it does not say.
    pub returns: String,
    /// `@example`: arguments or parameters to try, at most 500 bytes; empty when there are none.
    pub example: String,
    /// What is not understood, for `goop2 check`; it does no harm, and the script runs.
    pub problems: Vec<HeaderProblem>,
}

/// A parameter that a script says it takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Param {
    /// Its name, at most 64 bytes.
    pub name: String,
    /// What it is, as the author puts it (`string`, `table`), at most 64 bytes.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it means, at most 500 bytes; may be empty.
    pub description: String,
}

/// Something in a header that is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderProblem {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong and what would be right.
    pub message: String,
}

impl Header {
    /// Reads the leading lines that start with `---`, after blank lines and a `#!` line.
    pub fn parse(source: &[u8]) -> Self {
        let mut header = Self::default();
        let mut in_tags = false;
        let source = source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source);
        let lines = (1..).zip(lines(source)).skip_while(|(number, line)| {
            line.trim_ascii().is_empty() || (*number == 1 && line.starts_with(b"#"))
        });
        for (number, line) in lines {
            let Some(text) = line.trim_ascii().strip_prefix(b"---") else { break };
            let text = String::from_utf8_lossy(text.trim_ascii());
            match text.strip_prefix('@') {
                Some(tag) => {
                    in_tags = true;
                    header.read_tag(number, tag);
                }
                // A ruler above or below the text is none.
                None if text.bytes().all(|byte| byte == b'-') => {}
                None if !in_tags => append(&mut header.description, &text, MAX_TEXT_BYTES),
                None => {}
            }
        }
        header
    }

    fn read_tag(&mut self, line: u64, tag: &str) {
        let (name, text) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
        let text = text.trim();
        match name {
            "rate_limit" => match text.parse().ok().filter(|limit| *limit > 0) {
                Some(limit) => self.rate_limit = Some(limit),
                None => {
                    let found = bounded(text, MAX_WORD_BYTES);
                    self.problem(
                        line,
                        format!("@rate_limit takes calls per minute, 1 or more, found '{found}'"),
                    );
                }
            },
            "param" => self.read_param(line, text),
            "returns" => append(&mut self.returns, text, MAX_TEXT_BYTES),
            "example" if self.example.is_empty() => append(&mut self.example, text, MAX_TEXT_BYTES),
            "example" => self.problem(line, "only the first @example is shown".to_owned()),
            unknown => {
                let known = "@rate_limit, @param, @returns and @example are";
                let message = format!("@{} is not a known tag; {known}", bounded(unknown, MAX_WORD_BYTES));
                self.problem(line, message);
            }
        }
    }

    fn read_param(&mut self, line: u64, text: &str) {
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (kind, description) = rest.trim().split_once(char::is_whitespace).unwrap_or((rest.trim(), ""));
        if name.is_empty() || kind.is_empty() {
            self.problem(line, "@param takes a name, a type and a description".to_owned());
        } else if self.params.len() >= MAX_PARAMS {
            self.problem(line, format!("there are more than {MAX_PARAMS} @param; this one is not shown"));
        } else {
            self.params.push(Param {
                name: bounded(name, MAX_WORD_BYTES),
                kind: bounded(kind, MAX_WORD_BYTES),
                description: bounded(description.trim(), MAX_TEXT_BYTES),
            });
        }
    }

    fn problem(&mut self, line: u64, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(HeaderProblem { line, message });
        }
    }
}

/// The lines of `source` as Lua counts them. Where this took two of its lines for one, the second, which is
/// program, would be shown to strangers.
fn lines(source: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(source);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
        let (line, behind) = text.split_at(end);
        rest = match behind {
            [b'\r', b'\n', next @ ..] | [b'\n', b'\r', next @ ..] | [_, next @ ..] => Some(next),
            [] => None,
        };
        Some(line)
    })
}

/// Adds the words of `line` to `text`, each after one blank, up to `max_bytes`, without control characters.
fn append(text: &mut String, line: &str, max_bytes: usize) {
    for word in line.split_whitespace() {
        if !text.is_empty() && text.len() < max_bytes {
            text.push(' ');
        }
        for c in word.chars().filter(|c| !c.is_control()) {
            if text.len() + c.len_utf8() > max_bytes {
                return;
            }
            text.push(c);
        }
    }
}

fn bounded(text: &str, max_bytes: usize) -> String {
    let mut kept = String::new();
    append(&mut kept, text, max_bytes);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn description_and_tags_are_read_from_the_head_only() {
        let source =
            b"\n--- Score a quiz\n---   submission \n--- @rate_limit 5\n--- not this\nlocal x\n--- nor this";
        let header = Header::parse(source);
        let expected = Header {
            description: "Score a quiz submission".into(),
            rate_limit: Some(5),
            ..Header::default()
        };
        assert_eq!(header, expected);
        assert_eq!(Header::parse(b"-- two dashes\n--- late"), Header::default());
        assert_eq!(Header::parse(b"#!/usr/bin/lua\n--- after a shebang").description, "after a shebang");
        assert_eq!(Header::parse(b"\xEF\xBB\xBF--- after a mark").description, "after a mark");
    }

    /// Strangers were shown the program behind the description, with whatever key stood in it.
    #[test]
    fn any_line_end_of_lua_ends_the_head() {
        for end in ["\n", "\r\n", "\r", "\n\r"] {
            let source = ["#!lua", "", "--- Greet", "--- @author me", "local KEY = 's3cret'"].join(end);
            let header = Header::parse(source.as_bytes());
            assert_eq!(header.description, "Greet", "{end:?}");
            assert_eq!(header.problems[0].line, 4, "{end:?}");
        }
    }

    #[test]
    fn parameters_result_and_example_are_read() {
        let header = Header::parse(
            b"--- Score\n--- @param quiz_id string Which quiz\n--- @param n number\n--- @returns a score\n--- @example {\"n\": 1}",
        );
        let param = |name: &str, kind: &str, description: &str| Param {
            name: name.into(),
            kind: kind.into(),
            description: description.into(),
        };
        assert_eq!(header.params, [param("quiz_id", "string", "Which quiz"), param("n", "number", "")]);
        assert_eq!((header.returns.as_str(), header.example.as_str()), ("a score", "{\"n\": 1}"));
        assert_eq!(header.problems, []);
    }

    #[test]
    fn rulers_and_runs_of_blanks_are_no_text() {
        let header = Header::parse(
            b"-------------------\n--- My   command\t here\n---------------\n---\n--- @example a",
        );
        assert_eq!((header.description.as_str(), header.example.as_str()), ("My command here", "a"));
        assert_eq!(header.problems, []);
    }

    #[test]
    fn what_is_said_twice_is_told() {
        let header = Header::parse(b"--- @returns one\n--- @return two\n--- @example a\n--- @example b");
        assert_eq!((header.returns.as_str(), header.example.as_str()), ("one", "a"));
        let problems: Vec<_> = header.problems.iter().map(|p| (p.line, p.message.as_str())).collect();
        let unknown = "@return is not a known tag; @rate_limit, @param, @returns and @example are";
        assert_eq!(problems, [(2, unknown), (4, "only the first @example is shown")]);
    }

    #[test]
    fn what_is_not_understood_is_told_with_its_line() {
        let header = Header::parse(b"--- Score\n--- @author me\n--- @rate_limit none\n--- @param n");
        let problems: Vec<_> = header.problems.iter().map(|p| (p.line, p.message.as_str())).collect();
        assert_eq!(
            problems,
            [
                (2, "@author is not a known tag; @rate_limit, @param, @returns and @example are"),
                (3, "@rate_limit takes calls per minute, 1 or more, found 'none'"),
                (4, "@param takes a name, a type and a description"),
            ]
        );
        assert_eq!(header.rate_limit, None);
    }

    #[test]
    fn any_bytes_give_a_bounded_printable_header() {
        let mut source = b"--- ".to_vec();
        source.extend([0xFF, 0x1B, b'[', b'2', b'J']);
        source.extend("ä".repeat(1_000).bytes());
        let description = Header::parse(&source).description;
        assert!(description.len() <= MAX_TEXT_BYTES);
        assert!(!description.contains('\u{1B}'), "{description}");
        // Each line after the bound was reached once added its blank.
        let long = format!("--- {}\n{}", "x".repeat(MAX_TEXT_BYTES), "--- y\n".repeat(1_000));
        assert_eq!(Header::parse(long.as_bytes()).description.len(), MAX_TEXT_BYTES);
        let many = Header::parse("--- @param a b c\n--- @x\n".repeat(2_000).as_bytes());
        assert_eq!((many.params.len(), many.problems.len()), (MAX_PARAMS, MAX_PROBLEMS));
    }
}
