//! Requests for files of the site.

use std::fs;
use std::thread_local;

use goop2::site::{Answer, SiteServer};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The files of the site, and what lies in it and beside it that nobody may have.
const FILES: &[(&str, bool)] = &[
    ("site/index.html", true),
    ("site/docs/index.html", true),
    ("site/docs/lua/intro.html", true),
    ("site/a b.txt", true),
    ("site/100%.txt", true),
    ("site/lua/weather.lua", false),
    ("site/lua/index.html", false),
    ("site/lua/.state/weather.json", false),
    ("site/.git/config", false),
    ("site/goop.json", false),
    ("site/data.db-wal", false),
    ("goop.json", false),
    ("site-secret/index.html", false),
    ("index.html", false),
];

struct Site {
    _folder: TempDir,
    server: SiteServer,
    runtime: Runtime,
}

thread_local! {
    static SITE: Site = Site::new();
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, public) in FILES {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, if *public { "public" } else { "secret" }).expect("a file");
        }
        let site = folder.path().join("site");
        let server = SiteServer::new(&site, site.join("lua"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { _folder: folder, server, runtime }
    }

    fn answer(&self, line: &[u8]) -> String {
        self.runtime.block_on(async {
            let answer = self.server.answer(line).await;
            if let Answer::Found(found) = &answer {
                assert_eq!(found.size, 6, "a file that is not of the site");
            }
            let mut stream = futures::io::Cursor::new(Vec::new());
            answer.write_to(&mut stream).await.expect("memory");
            String::from_utf8(stream.into_inner()).expect("text")
        })
    }
}

/// Asks for `line`.
///
/// # Panics
/// When the answer is a private file, or no answer.
pub fn check(line: &[u8]) {
    let answer = SITE.with(|site| site.answer(line));
    let known = ["ERR forbidden\n", "ERR not found\n", "ERR bad request\n"].contains(&answer.as_str());
    assert!(known || (answer.starts_with("OK ") && answer.ends_with("\npublic")), "{answer}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_files_are_served() {
        for line in ["GET /", "GET /a%20b.txt", "GET /docs/lua/intro.html", "GET /100%25.txt?x#y"] {
            assert!(SITE.with(|site| site.answer(line.as_bytes())).ends_with("public"), "{line}");
            check(line.as_bytes());
        }
        check(b"GET /lua/weather.lua");
        check(b"GET /../goop.json");
    }
}
