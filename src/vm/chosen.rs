//! Which error texts a script chose, and which are the VM's and no visitor's business.
//!
//! `error("city required")` is chosen: its text may be shown to a visitor, without the position that
//! `error` put in front. What `pcall` caught from the VM or a native names files, lines, variables or
//! tables, and does not become chosen by being raised again, whatever is put around it. A text that holds
//! a position in this script is none either, unless it is the position of a chosen text.

use std::collections::VecDeque;

use memchr::memmem;

use crate::vm::limits::MAX_ERROR_BYTES;

/// How many texts of each kind are remembered; scripts raise again what they have just caught.
const MAX_KEPT: usize = 8;

/// The errors of one invocation.
#[derive(Debug, Default)]
pub(crate) struct ChosenErrors {
    chosen: VecDeque<ChosenError>,
    /// What protected calls caught that was not chosen.
    failures: VecDeque<Vec<u8>>,
}

/// A text as the script passed it to `error`, and as it was raised. Of both only as much as is ever
/// shown, and one byte more, which says that there is more.
#[derive(Debug)]
struct ChosenError {
    text: Vec<u8>,
    positioned: Vec<u8>,
}

impl ChosenErrors {
    /// Remembers what `error` makes of `text` in the script `script`.
    pub(crate) fn raised(&mut self, script: &str, text: &[u8], positioned: &[u8]) {
        let text = self.without_positions(start_of(text));
        let is_failure = |failure: &Vec<u8>| memmem::find(&text, failure).is_some();
        if self.failures.iter().any(is_failure) || holds_position(&text, script) {
            return;
        }
        keep(&mut self.chosen, ChosenError { text, positioned: start_of(positioned).to_vec() });
    }

    /// Remembers what a protected call caught, if it came from the VM or a native.
    pub(crate) fn caught(&mut self, text: &[u8]) {
        let text = start_of(text);
        if !text.is_empty()
            && self.text_of(text).is_none()
            && !self.failures.iter().any(|known| known == text)
        {
            keep(&mut self.failures, text.to_vec());
        }
    }

    /// The text that the script chose, when `raised` is what `error` made of it.
    pub(crate) fn text_of(&self, raised: &[u8]) -> Option<&[u8]> {
        let raised = start_of(raised);
        let found = self.chosen.iter().rev().find(|chosen| chosen.positioned == raised);
        found.map(|chosen| chosen.text.as_slice())
    }

    /// `text` with what was chosen earlier as it was chosen.
    fn without_positions(&self, text: &[u8]) -> Vec<u8> {
        let mut text = text.to_vec();
        for chosen in self.chosen.iter().rev().filter(|chosen| chosen.positioned != chosen.text) {
            if let Some(at) = memmem::find(&text, &chosen.positioned) {
                text.splice(at..at + chosen.positioned.len(), chosen.text.iter().copied());
            }
        }
        text
    }
}

fn keep<T>(kept: &mut VecDeque<T>, new: T) {
    if kept.len() >= MAX_KEPT {
        kept.pop_front();
    }
    kept.push_back(new);
}

fn start_of(text: &[u8]) -> &[u8] {
    text.get(..=MAX_ERROR_BYTES).unwrap_or(text)
}

/// Whether `script:LINE:` stands anywhere in `text`.
fn holds_position(text: &[u8], script: &str) -> bool {
    let name = format!("{script}:");
    memmem::find_iter(text, name.as_bytes()).any(|at| {
        let rest = text.get(at + name.len()..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        digits > 0 && rest.get(digits) == Some(&b':')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_has_a_line() {
        for (text, expected) in [
            ("a.lua:3: x", true),
            ("failed: a.lua:12: x", true),
            ("see a.lua: it is there", false),
            ("a.lua:3", false),
            ("b.lua:3: x", false),
        ] {
            assert_eq!(holds_position(text.as_bytes(), "a.lua"), expected, "{text}");
        }
    }
}
