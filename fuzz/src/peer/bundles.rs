//! Templates made by strangers.

use std::borrow::Cow;

use goop2::store::tables_in_schema;
use goop2::template::{Bundle, MAX_BUNDLE_ENTRIES};

use crate::choices::Choices;

const NAMES: &[&str] = &[
    "manifest.json",
    "schema.sql",
    "index.html",
    "lua/a.lua",
    "../x",
    "a/../b",
    "/etc/x",
    ".git/x",
    "a//b",
    "c:d",
    "a\\b",
    "con",
    "a/b/c",
    ".well-known/x",
    "data.db",
    "goop.json",
    "LUA/a.lua",
    "manifest.json/x",
];

/// The files that `data` stands for: names, and contents of which one is perhaps a manifest.
fn files(data: &[u8]) -> Vec<(String, Cow<'static, [u8]>)> {
    let mut choices = Choices::new(data);
    let mut files = Vec::new();
    for _ in 0..choices.below(12) {
        let name = if choices.chance(180) {
            (*choices.pick(NAMES)).to_owned()
        } else {
            String::from_utf8_lossy(choices.bytes(30)).into_owned()
        };
        files.push((name, Cow::Owned(choices.bytes(60).to_vec())));
    }
    let manifest = choices.rest();
    if !manifest.is_empty() {
        files.push(("manifest.json".to_owned(), Cow::Owned(manifest.to_vec())));
    }
    files
}

/// Makes a bundle of the files, and reads `data` as a schema too.
///
/// # Panics
/// When a bundle holds a name that could leave the site, or a policy that there is not.
pub fn check(data: &[u8]) {
    if let Ok(schema) = std::str::from_utf8(data) {
        let _ = tables_in_schema(schema);
    }
    match Bundle::from_files(files(data)) {
        Ok(bundle) => {
            let names: Vec<&str> = bundle.site_files().map(|(name, _)| name).collect();
            assert!(names.len() <= MAX_BUNDLE_ENTRIES);
            for name in names {
                let parts: Vec<&str> = name.split('/').collect();
                assert!(!parts.iter().any(|part| matches!(*part, "" | "." | "..")), "{name:?}");
                assert!(!name.contains(['\\', ':', '\0']) && name.len() <= 255, "{name:?}");
            }
            assert!((1..=100).contains(&bundle.manifest().name.len()));
            for policy in bundle.policies().values() {
                assert!(["owner", "email", "open", "public"].contains(&policy.as_str()), "{policy}");
            }
        }
        Err(error) => {
            assert!(error.to_string().len() < 4_096, "an error of {} bytes", error.to_string().len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_made_and_a_manifest_makes_a_bundle() {
        let data = [b"\x01\x00\x02\x02hi".as_slice(), br#"{"name": "A"}"#].concat();
        let files = files(&data);
        assert_eq!(files[0], ("index.html".to_owned(), Cow::Borrowed(&b"hi"[..])));
        assert!(Bundle::from_files(files).is_ok());
        check(&data);
    }
}
