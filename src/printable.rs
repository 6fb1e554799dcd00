//! Text of strangers and scripts where it is read: in a terminal, in a log, in a line of JSON.
//!
//! A terminal obeys control characters, and other characters are not seen or turn the direction of text
//! around, so that a line says something else than it seems to. All of them are written out, and this is
//! the one list of what they are.

use std::fmt::Write;

/// What is not seen besides control characters: Unicode's categories Cf (format), Zl and Zp (separators of
/// lines and paragraphs) from its version 16, and what has no picture although it is a letter or a mark.
const UNSEEN: [(char, char); 29] = [
    ('\u{ad}', '\u{ad}'),
    // Joins what is before to what is behind.
    ('\u{34f}', '\u{34f}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    // Korean letters that fill a place, here and twice below.
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180e}', '\u{180e}'),
    // Not what joins letters and parts of an emoji, 200c and 200d: Persian and families are written with them.
    ('\u{200b}', '\u{200b}'),
    ('\u{200e}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    // A Braille letter without points.
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags, and selectors that hide any bytes behind a letter.
    ('\u{e0000}', '\u{e0fff}'),
    // No character, but looked at by some terminals all the same.
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1fffe}', '\u{1ffff}'),
];

/// Whether a character could do something to a terminal, is not seen, or turns the direction of text around.
pub fn is_unseen(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_control(),
        false => c.is_control() || UNSEEN.iter().any(|(first, last)| (first..=last).contains(&&c)),
    }
}

/// `text` with everything written out, as `\u{1b}`, that [`is_unseen`] and is none of `kept`.
pub fn written_out(text: &str, kept: &[char]) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unseen(c) && !kept.contains(&c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A JSON text with everything written out, as `\u001b`, that [`is_unseen`] and is no line end between values:
/// JSON itself writes out only what it must. It means the same.
pub fn json_written_out(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unseen(c) && c != '\n' {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // A `String` takes whatever is written.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Escape sequences, C1, direction, and the kinds of what is not seen.
    const HIDDEN: &str = "\0\x1b\x07\r\x7f\u{85}\u{9b}\u{9f}\u{202a}\u{202e}\u{2066}\u{2069}\u{200e}\u{61c}\
                          \u{ad}\u{200b}\u{2028}\u{2029}\u{2060}\u{2065}\u{feff}\u{3164}\u{e0041}\u{e0100}";

    #[test]
    fn what_is_not_seen_is_written_out() {
        for c in HIDDEN.chars() {
            let shown = written_out(&format!("a{c}b"), &['\t', '\n']);
            let inner = shown.strip_prefix("a\\").and_then(|shown| shown.strip_suffix('b'));
            assert!(inner.is_some_and(|inner| inner.is_ascii()), "{c:?}: {shown:?}");
        }
        assert_eq!(written_out("a\x1b[2J\tb\nc", &['\t']), "a\\u{1b}[2J\tb\\nc");
        let joined = "می\u{200c}خواهم 👩\u{200d}👧";
        assert_eq!(written_out(joined, &[]), joined);
        assert_eq!(written_out("äé漢🌱 \u{a0}عربي❤\u{fe0f}", &[]), "äé漢🌱 \u{a0}عربي❤\u{fe0f}");
    }

    #[test]
    fn json_means_the_same_with_nothing_hidden_in_it() {
        let value = serde_json::json!({ HIDDEN: ["ä🌱", HIDDEN] });
        for json in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = json_written_out(&json);
            assert!(!shown.chars().any(|c| is_unseen(c) && c != '\n'), "{shown}");
            assert!(shown.contains("ä🌱"), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
