//! The names of scripts: what a file must be called to be one.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// The longest name in characters.
pub const MAX_SCRIPT_NAME_CHARS: usize = 64;

/// What a script's file must be called, for messages to its owner.
pub const SCRIPT_FILE_RULE: &str =
    "a script's file is named like my-script.lua: letters a to z, digits, - and _, at most 64 of them";

/// The name of a script: its file's name without `.lua`, which is its command and function name.
///
/// ASCII letters, digits, `-` and `_`, 1 to 64 of them: a name is typed in a chat, stands in
/// messages to strangers and becomes the name of the script's KV file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScriptName(Arc<str>);

impl ScriptName {
    /// Checks that `text` can be the name of a script.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=MAX_SCRIPT_NAME_CHARS).contains(&text.len());
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if fits && plain { Some(Self(text.into())) } else { None }
    }

    /// The name of the script in the file `path`, if it is one: not hidden, ending in `.lua`.
    pub fn of_file(path: &Path) -> Option<Self> {
        let file = path.file_name()?.to_str()?;
        Self::parse(file.strip_suffix(".lua")?)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The file's name, as error positions show it.
    pub fn file_name(&self) -> String {
        format!("{}.lua", self.0)
    }
}

impl fmt::Display for ScriptName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_temporary_files_and_odd_names_are_no_scripts() {
        let name = |path: &str| ScriptName::of_file(Path::new(path)).map(|name| name.to_string());
        assert_eq!(name("site/lua/db-query.lua").as_deref(), Some("db-query"));
        for path in
            ["help.lua~", ".help.lua", "help.lua.swp", "4913", "#help.lua#", "a b.lua", "a.b.lua", ".lua"]
        {
            assert_eq!(name(path), None, "{path}");
        }
    }
}
