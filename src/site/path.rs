//! Decides which file, if any, a raw request path names.
//!
//! Two independent lines of defence. The *names* are judged first, without touching the disk: a
//! segment that is hidden, that climbs, that some file system would read as another name, or that
//! spells a private file is refused whether or not it exists, so the answers do not tell what
//! does. Then the *file* is judged: its canonical path must lie inside the canonical site folder,
//! consist of allowed names itself, and must not lie in the script folder, compared by identity
//! and not by spelling, because a case-insensitive file system keeps the spelling it was asked for.
//! That it is still this file when it is opened is for `open` to see to.
//!
//! Rejected: cleaning the path (`..` folded away, then a prefix test). It answers for a path that
//! nobody asked for, and says nothing about links or case.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::serve::Refusal;

/// What `/` and every folder stand for.
const INDEX: &str = "index.html";

/// The folder of scripts, which is never served, wherever the configuration puts the scripts.
pub(super) const SCRIPTS: &str = "lua";

/// Files of a peer folder that must not be served even if a link or a copy puts them into the site.
/// The database comes with siblings (`data.db-wal`), so these are prefixes.
const PRIVATE_PREFIXES: &[&str] = &["goop.json", "data.db", "chat.db", "identity.key"];

/// Turns a request path as it came over the wire into a relative path of allowed names.
pub(super) fn relative(raw: &str) -> Result<PathBuf, Refusal> {
    // A site's own links may carry a query for its scripts; the file is the same.
    let raw = raw.split(['?', '#']).next().unwrap_or_default();
    let decoded = percent_decode(raw)?;
    let mut path = PathBuf::new();
    let mut names = decoded.split('/').filter(|name| !name.is_empty()).peekable();
    if names.peek().is_none() {
        return Ok(INDEX.into());
    }
    for (position, name) in names.enumerate() {
        check_name(name, position == 0)?;
        path.push(name);
    }
    Ok(path)
}

/// Decodes `%41` once; what decodes to another escape is a name with a percent sign in it.
fn percent_decode(raw: &str) -> Result<String, Refusal> {
    let mut bytes = raw.bytes();
    let mut decoded = Vec::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(bytes.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err(Refusal::BadRequest) };
        decoded.push(high << 4 | low);
    }
    String::from_utf8(decoded).map_err(|_| Refusal::BadRequest)
}

/// Judges one name of a path; `first` is true for the name directly below the site folder.
fn check_name(name: &str, first: bool) -> Result<(), Refusal> {
    // `.` is the hidden-file mark, and covers `.`, `..` and `.state`. Windows drops trailing dots
    // and spaces, splits at a backslash, and reads what follows a colon as a stream of the file.
    let climbs_or_hides = name.starts_with('.') || name.ends_with(['.', ' ']);
    let splits = name.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '/'));
    let folded = fold(name);
    let private = PRIVATE_PREFIXES.iter().any(|prefix| folded.starts_with(prefix));
    let scripts = first && folded.trim_end_matches(['.', ' ']) == SCRIPTS;
    if climbs_or_hides || splits || private || scripts || folded.starts_with('.') {
        return Err(Refusal::Forbidden);
    }
    Ok(())
}

/// The plainest name that some file system may take `name` for: invisible characters dropped
/// (HFS+ ignores them), compatibility forms of ASCII made ASCII (ZFS can be set so), lower case.
fn fold(name: &str) -> String {
    name.chars().filter(|c| !is_ignorable(*c)).map(to_ascii_form).flat_map(char::to_lowercase).collect()
}

fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Fullwidth, mathematical and enclosed letters as ASCII; anything else unchanged.
fn to_ascii_form(c: char) -> char {
    let code = u32::from(c);
    let from_letter = |offset: u32| char::from_u32(u32::from('a') + offset % 26).unwrap_or(c);
    match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        0x1d400..=0x1d6a3 => from_letter(code - 0x1d400),
        0x24b6..=0x24e9 => from_letter(code - 0x24b6),
        0x2024 => '.',
        0x2113 => 'l',
        0x2097 | 0x2e1 | 0x1d38 => 'l',
        0xaa | 0x2090 | 0x1d43 => 'a',
        0x1d58 | 0x1d64 => 'u',
        _ => c,
    }
}

/// Finds the file that `relative` leads to. Blocking: call it where blocking is allowed.
pub(super) fn locate(site_root: &Path, script_dir: &Path, relative: &Path) -> Result<PathBuf, Refusal> {
    let root = site_root.canonicalize().map_err(|_| Refusal::SiteDisabled)?;
    let mut file = canonical(&root.join(relative))?;
    if file.is_dir() {
        file = canonical(&file.join(INDEX))?;
    }
    // A link may lead from an allowed name to one that is not.
    let below_root = file.strip_prefix(&root).map_err(|_| Refusal::Forbidden)?;
    for (position, name) in below_root.iter().enumerate() {
        check_name(&name.to_string_lossy(), position == 0)?;
    }
    match script_dir.canonicalize() {
        Ok(scripts) if lies_inside(&file, &scripts)? => Err(Refusal::Forbidden),
        Ok(_) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(file),
        Err(_) => Err(Refusal::Forbidden),
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Refusal> {
    path.canonicalize().map_err(|error| Refusal::from_open(&error))
}

/// Whether one of `file`'s folders is `folder`, by identity where the system has one.
fn lies_inside(file: &Path, folder: &Path) -> Result<bool, Refusal> {
    if file.starts_with(folder) {
        return Ok(true);
    }
    let identity_of =
        |path: &Path| path.metadata().map(|found| identity(&found)).map_err(|_| Refusal::Forbidden);
    let Some(wanted) = identity_of(folder)? else { return Ok(false) };
    for ancestor in file.ancestors() {
        if identity_of(ancestor)? == Some(wanted) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What tells a file from all others, where the system has such a thing.
#[cfg(unix)]
pub(super) fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// Elsewhere the canonical path has the spelling of the disk, so the paths decide.
#[cfg(not(unix))]
pub(super) fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}

/// Whether the file may have names besides the one that it was opened by.
#[cfg(unix)]
pub(super) fn has_other_names(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 1
}

#[cfg(not(unix))]
pub(super) fn has_other_names(_metadata: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_name_files() {
        for (raw, expected) in [
            ("", "index.html"),
            ("/", "index.html"),
            ("//", "index.html"),
            ("/style.css", "style.css"),
            ("app.js", "app.js"),
            ("/a//b.html", "a/b.html"),
            ("/a%20b.html", "a b.html"),
            ("/a b.html", "a b.html"),
            ("/caf%C3%A9.html", "café.html"),
            ("/app.js?v=2#top", "app.js"),
            ("/lua-guide.html", "lua-guide.html"),
            ("/docs/lua/intro.html", "docs/lua/intro.html"),
            ("/%256cua", "%6cua"),
            ("/evaluate/l", "evaluate/l"),
        ] {
            assert_eq!(relative(raw), Ok(expected.into()), "{raw:?}");
        }
    }

    #[test]
    fn spellings_of_the_script_folder_are_forbidden() {
        for raw in [
            "/lua",
            "/lua/",
            "/lua/weather.lua",
            "lua/weather.lua",
            "/LUA/x",
            "/Lua/x",
            "/%6c%75%61/x",
            "/%6Cua",
            "//lua/x",
            "/./lua/x",
            "/lua./x",
            "/lua%20/x",
            "/lua%2fx",
            "/lua/.state/weather.json",
            "/x/../lua/y",
            "/%2e%2e/lua",
            "/ｌｕａ/x",
            "/%EF%BD%8C%EF%BD%95%EF%BD%81/x",
            "/ＬＵＡ/x",
            "/l\u{200d}ua/x",
            "/lua\u{feff}/x",
            "/𝐥𝐮𝐚/x",
            "/ⓛⓤⓐ/x",
            "/lua::$INDEX_ALLOCATION/x",
            "/lua?x",
            "/lua#x",
        ] {
            assert_eq!(relative(raw), Err(Refusal::Forbidden), "{raw:?}");
        }
    }

    #[test]
    fn climbing_hidden_and_private_names_are_forbidden() {
        for raw in [
            "/..",
            "/../goop.json",
            "/a/../../x",
            "/%2e%2e/x",
            "/..%2fx",
            "/.%2e/x",
            "/\u{ff0e}\u{ff0e}/x",
            "/.git/config",
            "/a/.env",
            "/a/.",
            "/a/b.",
            "/a/b%20",
            "/a./b",
            "/a\\b",
            "/a%5c..%5cb",
            "/a%00.html",
            "/a\u{7f}b",
            "/a%0ab",
            "/C:/x",
            "/a.html::$DATA",
            "/goop.json",
            "/GOOP.json",
            "/data.db",
            "/x/data.db-wal",
            "/data/chat.db",
            "/data/IDENTITY.key",
            "/\u{200b}.git/config",
        ] {
            assert_eq!(relative(raw), Err(Refusal::Forbidden), "{raw:?}");
        }
    }

    #[test]
    fn broken_escapes_are_bad_requests() {
        for raw in ["/%", "/%4", "/%zz", "/%+1", "/%ff", "/%c3%28"] {
            assert_eq!(relative(raw), Err(Refusal::BadRequest), "{raw:?}");
        }
    }

    proptest::proptest! {
        /// Whatever is asked, what is allowed stays below the site and names nothing private.
        #[test]
        fn an_allowed_path_is_made_of_plain_names(raw in "(/|\\.|%2[eEfF]|%5c|lua|LUA|[lL]%75a|%00|\\\\|[a-z :.%]|\\PC){0,12}") {
            if let Ok(path) = relative(&raw) {
                let names: Vec<_> = path.components().collect();
                assert!(!names.is_empty());
                for name in &names {
                    let std::path::Component::Normal(name) = name else { panic!("{raw:?} gave {path:?}") };
                    assert!(!name.to_string_lossy().starts_with('.'), "{raw:?} gave {path:?}");
                }
                assert_ne!(names[0].as_os_str().to_ascii_lowercase(), "lua", "{raw:?}");
            }
        }
    }
}
