//! What a visitor may fetch from a real folder.

use std::fs;
use std::path::Path;

use futures::io::Cursor;
use goop2::site::{Answer, MAX_FILE_BYTES, Refusal, ServeError, SiteServer};

/// A peer folder with a site, scripts, and things beside them that nobody may have.
fn peer_folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("goop.json", "{}"),
        ("data.db", "rows"),
        ("data/identity.key", "secret"),
        ("site/index.html", "<h1>home</h1>"),
        ("site/style.CSS", "p {}"),
        ("site/docs/index.html", "docs"),
        ("site/docs/lua/intro.html", "about"),
        ("site/a b.txt", "spaced"),
        ("site/blob", "?"),
        ("site/.git/config", "hidden"),
        ("site/lua/weather.lua", "key = 1"),
        ("site/lua/.state/weather.json", "{}"),
        ("site/empty/.keep", ""),
        ("site-secret/x.html", "a sibling whose name begins like the site's"),
    ] {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

fn server(dir: &Path) -> SiteServer {
    SiteServer::new(dir.join("site"), dir.join("site/lua"))
}

async fn written(server: &SiteServer, line: &str) -> String {
    let mut stream = Cursor::new(Vec::new());
    server.answer(line.as_bytes()).await.write_to(&mut stream).await.unwrap();
    String::from_utf8(stream.into_inner()).unwrap()
}

#[tokio::test]
async fn the_answer_is_head_line_and_bytes_or_a_reason() {
    let dir = peer_folder();
    let server = server(dir.path());
    for (line, answer) in [
        ("GET /\n", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("GET \n", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("GET\n", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("GET /index.html", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("GET /index.html?v=1\r\n", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("GET /style.CSS\n", "OK text/css; charset=utf-8 4\np {}"),
        ("GET /docs\n", "OK text/html; charset=utf-8 4\ndocs"),
        ("GET /docs/\n", "OK text/html; charset=utf-8 4\ndocs"),
        ("GET /docs/lua/intro.html\n", "OK text/html; charset=utf-8 5\nabout"),
        ("GET /a%20b.txt\n", "OK text/plain; charset=utf-8 6\nspaced"),
        ("GET /blob\n", "OK application/octet-stream 1\n?"),
        ("GET /nothing.html\n", "ERR not found\n"),
        ("GET /index.html/x\n", "ERR not found\n"),
        ("GET /empty\n", "ERR not found\n"),
        ("GET /lua/weather.lua\n", "ERR forbidden\n"),
        ("GET /lua/no-such.lua\n", "ERR forbidden\n"),
        ("GET /%4cUA/weather.lua\n", "ERR forbidden\n"),
        ("GET /../goop.json\n", "ERR forbidden\n"),
        ("GET /../site-secret/x.html\n", "ERR forbidden\n"),
        ("GET /.git/config\n", "ERR forbidden\n"),
        ("POST /\n", "ERR bad request\n"),
        ("GETTY /\n", "ERR bad request\n"),
        ("\n", "ERR bad request\n"),
        ("GET /%zz\n", "ERR bad request\n"),
    ] {
        assert_eq!(written(&server, line).await, answer, "{line:?}");
    }
    let long = format!("GET /{}\n", "a".repeat(5000));
    assert_eq!(written(&server, &long).await, "ERR bad request\n");
}

#[tokio::test]
async fn a_peer_without_a_site_folder_says_so() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(written(&server(dir.path()), "GET /\n").await, "ERR site disabled\n");
}

#[cfg(unix)]
#[tokio::test]
async fn links_lead_nowhere_that_a_name_may_not() {
    use std::os::unix::fs::symlink;
    let dir = peer_folder();
    let site = dir.path().join("site");
    for (link, target, answer) in [
        ("ok.html", "index.html", "OK text/html; charset=utf-8 13\n<h1>home</h1>"),
        ("key.txt", "../data/identity.key", "ERR forbidden\n"),
        ("beside.html", "../site-secret/x.html", "ERR forbidden\n"),
        ("hidden.txt", ".git/config", "ERR forbidden\n"),
        ("w.txt", "lua/weather.lua", "ERR forbidden\n"),
        ("host.txt", "/etc/hostname", "ERR forbidden\n"),
        ("loop", "loop", "ERR not found\n"),
        ("broken", "nowhere", "ERR not found\n"),
    ] {
        symlink(target, site.join(link)).unwrap();
        assert_eq!(written(&server(dir.path()), &format!("GET /{link}\n")).await, answer, "{link}");
    }
    symlink("lua", site.join("scripts")).unwrap();
    symlink("..", site.join("up")).unwrap();
    for path in ["scripts/weather.lua", "up/goop.json", "up/data/identity.key", "up/site/lua/weather.lua"] {
        assert_eq!(
            written(&server(dir.path()), &format!("GET /{path}\n")).await,
            "ERR forbidden\n",
            "{path}"
        );
    }
}

/// A hard link is no link that could be followed: it is the file, by another name.
#[cfg(unix)]
#[tokio::test]
async fn a_private_file_is_refused_by_every_name() {
    let dir = peer_folder();
    let site = dir.path().join("site");
    let private =
        ["goop.json", "data.db", "data/identity.key", "data/not-there"].map(|name| dir.path().join(name));
    let server = server(dir.path()).with_private(private.to_vec());
    for (name, target) in [
        ("a.html", "goop.json"),
        ("b.css", "data.db"),
        ("docs/c.txt", "data/identity.key"),
        ("d.txt", "site/lua/weather.lua"),
        ("e.txt", "site/lua/.state/weather.json"),
    ] {
        fs::hard_link(dir.path().join(target), site.join(name)).unwrap();
        assert_eq!(written(&server, &format!("GET /{name}\n")).await, "ERR forbidden\n", "{target}");
    }
    fs::hard_link(site.join("index.html"), site.join("again.html")).unwrap();
    assert!(written(&server, "GET /again.html\n").await.ends_with("<h1>home</h1>"));
    // The key may lie in the site under any name.
    let server = server.with_private(vec![site.join("blob")]);
    assert_eq!(written(&server, "GET /blob\n").await, "ERR forbidden\n");
}

/// The configuration may put the scripts anywhere inside the site, not only in `lua`, and a link
/// may be the script folder.
#[cfg(unix)]
#[tokio::test]
async fn the_script_folder_is_refused_wherever_it_is() {
    let dir = peer_folder();
    let site = dir.path().join("site");
    fs::create_dir(site.join("behind")).unwrap();
    fs::write(site.join("behind/secret.lua"), "key = 1").unwrap();
    let server_at = |scripts: &Path| SiteServer::new(&site, scripts);
    let line = "GET /behind/secret.lua\n";
    assert!(written(&server_at(&site.join("lua")), line).await.starts_with("OK "));
    assert_eq!(written(&server_at(&site.join("behind")), line).await, "ERR forbidden\n");
    std::os::unix::fs::symlink(site.join("behind"), dir.path().join("scripts")).unwrap();
    assert_eq!(written(&server_at(&dir.path().join("scripts")), line).await, "ERR forbidden\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_a_device_or_a_socket_is_not_opened() {
    let dir = peer_folder();
    let made = std::process::Command::new("mkfifo").arg(dir.path().join("site/pipe")).status();
    assert!(made.unwrap().success());
    assert_eq!(written(&server(dir.path()), "GET /pipe\n").await, "ERR not found\n");
    // Nor a device or a socket, even by a link that stays below the site in name.
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("site/zero")).unwrap();
    assert_eq!(written(&server(dir.path()), "GET /zero\n").await, "ERR forbidden\n");
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("site/socket")).unwrap();
    assert_eq!(written(&server(dir.path()), "GET /socket\n").await, "ERR not found\n");
}

/// Links that change while they are followed, as in an attack from a shared folder or a page that
/// is being replaced: whatever is answered, it is nothing from outside.
#[cfg(unix)]
#[tokio::test]
async fn a_link_that_changes_meanwhile_leads_nowhere_else() {
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};
    let dir = peer_folder();
    let site = dir.path().join("site");
    fs::create_dir(site.join("real")).unwrap();
    fs::write(site.join("real/identity.txt"), "public").unwrap();
    fs::create_dir(dir.path().join("outside")).unwrap();
    fs::write(dir.path().join("outside/identity.txt"), "secret").unwrap();
    let stop = AtomicBool::new(false);
    let server = server(dir.path());
    let handle = tokio::runtime::Handle::current();
    let answers = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for target in ["real", "../outside"] {
                    symlink(target, site.join("new")).unwrap();
                    fs::rename(site.join("new"), site.join("door")).unwrap();
                }
            }
        });
        let line = "GET /door/identity.txt\n";
        let asked =
            scope.spawn(|| (0..3000).map(|_| handle.block_on(written(&server, line))).collect::<Vec<_>>());
        let answers = asked.join().unwrap();
        stop.store(true, Ordering::Relaxed);
        answers
    });
    let served = "OK text/plain; charset=utf-8 6\npublic";
    for answer in &answers {
        assert!([served, "ERR forbidden\n", "ERR not found\n"].contains(&answer.as_str()), "{answer}");
    }
    assert!(answers.iter().any(|answer| answer == served));
}

#[tokio::test]
async fn a_file_over_the_limit_is_refused_and_one_at_it_is_not() {
    let dir = peer_folder();
    let big = fs::File::create(dir.path().join("site/big.zip")).unwrap();
    big.set_len(MAX_FILE_BYTES).unwrap();
    let server = server(dir.path());
    assert!(
        matches!(server.answer(b"GET /big.zip").await, Answer::Found(found) if found.size == MAX_FILE_BYTES)
    );
    big.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(matches!(server.answer(b"GET /big.zip").await, Answer::Refused(Refusal::Forbidden)));
}

#[tokio::test]
async fn the_announced_size_is_kept_when_the_file_changes() {
    let dir = peer_folder();
    let path = dir.path().join("site/log.txt");
    fs::write(&path, "12345678").unwrap();
    let server = server(dir.path());

    let answer = server.answer(b"GET /log.txt").await;
    fs::write(&path, "123456789abc").unwrap();
    let mut stream = Cursor::new(Vec::new());
    answer.write_to(&mut stream).await.unwrap();
    assert_eq!(stream.into_inner(), b"OK text/plain; charset=utf-8 8\n12345678");

    fs::write(&path, "12345678").unwrap();
    let answer = server.answer(b"GET /log.txt").await;
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(3).unwrap();
    let mut stream = Cursor::new(Vec::new());
    let error = answer.write_to(&mut stream).await.unwrap_err();
    assert!(matches!(error, ServeError::Shrunk { sent: 3, size: 8 }), "{error}");
    assert_eq!(stream.into_inner(), b"OK text/plain; charset=utf-8 8\n123");
}
