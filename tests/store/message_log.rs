//! The log of messages: what it keeps when there is more than it holds, and what it survives.

use std::collections::HashMap;
use std::path::Path;

use goop2::store::{LogEntry, LogLimits, LogRange, MessageLog, StoreError};
use proptest::prelude::*;

const SMALL: LogLimits = LogLimits { max_entries: 20, max_bytes: 20_000 };

const ALL: LogRange<'_> = LogRange { share: None, before: None, limit: usize::MAX };

fn entry<'a>(share: &'a str, id: &'a str, body: &'a [u8]) -> LogEntry<'a> {
    LogEntry { share, sender: share, id, body }
}

fn bodies(log: &MessageLog, range: LogRange<'_>) -> Vec<String> {
    let entries = log.read_range(range).unwrap();
    entries.into_iter().map(|entry| String::from_utf8(entry.body).unwrap()).collect()
}

fn add(log: &mut MessageLog, share: &str, body: &str) -> bool {
    log.append(&entry(share, body, body.as_bytes())).unwrap()
}

#[test]
fn what_is_kept_is_there_after_opening_again_and_repeats_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/log.db");
    let mut log = MessageLog::open(&path, SMALL).unwrap();
    assert!(add(&mut log, "ana", "a1"));
    assert!(add(&mut log, "bob", "b1"));
    assert!(!add(&mut log, "ana", "a1"));
    // Another's message may have the same id.
    assert!(log.append(&entry("cyd", "a1", b"c1")).unwrap());
    drop(log);
    let mut log = MessageLog::open(&path, SMALL).unwrap();
    assert!(!add(&mut log, "ana", "a1"));
    assert_eq!(bodies(&log, ALL), ["a1", "b1", "c1"]);
    assert_eq!(bodies(&log, LogRange { share: Some("bob"), ..ALL }), ["b1"]);
    assert_eq!(bodies(&log, LogRange { limit: 2, ..ALL }), ["b1", "c1"]);
    let second = log.read_range(ALL).unwrap()[1].number;
    assert_eq!(bodies(&log, LogRange { before: Some(second), ..ALL }), ["a1"]);
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn who_floods_the_log_pushes_out_their_own() {
    let mut log = MessageLog::in_memory(SMALL).unwrap();
    for n in 0..5 {
        add(&mut log, "ana", &format!("ana {n}"));
        add(&mut log, "bob", &format!("bob {n}"));
    }
    for n in 0..1000 {
        add(&mut log, "eve", &format!("eve {n}"));
    }
    let kept = bodies(&log, ALL);
    assert_eq!(kept.len(), 20);
    assert_eq!(kept.iter().filter(|body| !body.starts_with("eve")).count(), 10);
    assert_eq!(kept.last().unwrap(), "eve 999");
    // By size as well: each of these is half of the room.
    for n in 0..50 {
        add(&mut log, "eve", &format!("{n}{}", "x".repeat(9000)));
    }
    let kept = bodies(&log, ALL);
    assert_eq!(kept.iter().filter(|body| body.starts_with("ana") || body.starts_with("bob")).count(), 10);
    assert!(kept.last().unwrap().starts_with("49"), "{kept:?}");
}

#[test]
fn smaller_limits_hold_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let mut log = MessageLog::open(&path, SMALL).unwrap();
    for n in 0..15 {
        add(&mut log, "ana", &format!("{n}"));
    }
    drop(log);
    let log = MessageLog::open(&path, LogLimits { max_entries: 3, ..SMALL }).unwrap();
    assert_eq!(bodies(&log, ALL), ["12", "13", "14"]);
}

/// What `path` and its neighbours are called after the log was opened.
fn names(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Does something to the file of a log.
type Damage<'a> = &'a dyn Fn(&Path);

#[test]
fn a_damaged_file_is_set_aside_whole() {
    let sqlite = |path: &Path, sql: &str| {
        rusqlite::Connection::open(path).unwrap().execute_batch(sql).unwrap();
    };
    let damages: [(&str, Damage<'_>); 6] = [
        ("text", &|path| std::fs::write(path, "these are not the bytes of a database".repeat(300)).unwrap()),
        ("a page of noise", &|path| {
            let mut bytes = std::fs::read(path).unwrap();
            for (n, byte) in bytes.iter_mut().enumerate().skip(4096) {
                *byte = (n * 31 % 251) as u8;
            }
            std::fs::write(path, bytes).unwrap();
        }),
        ("cut short", &|path| {
            let bytes = std::fs::read(path).unwrap();
            std::fs::write(path, &bytes[..bytes.len() / 2 + 7]).unwrap();
        }),
        ("another program's", &|path| {
            std::fs::remove_file(path).unwrap();
            sqlite(path, "CREATE TABLE messages (mine TEXT); INSERT INTO messages VALUES ('kept')");
        }),
        ("a later version", &|path| sqlite(path, "PRAGMA user_version = 9")),
        ("without its table", &|path| sqlite(path, "DROP TABLE messages; CREATE TABLE messages (x)")),
    ];
    for (name, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.db");
        let mut log = MessageLog::open(&path, SMALL).unwrap();
        for n in 0..10 {
            add(&mut log, "ana", &format!("{n}{}", "x".repeat(1000)));
        }
        drop(log);
        damage(&path);
        let damaged = std::fs::read(&path).unwrap();
        let mut log = MessageLog::open(&path, SMALL).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(bodies(&log, ALL), Vec::<String>::new(), "{name}");
        assert!(add(&mut log, "ana", "again"));
        drop(log);
        let names = names(&path);
        let aside = names.iter().find(|found| found.contains("damaged")).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(std::fs::read(folder.path().join(aside)).unwrap(), damaged, "{name}");
        let log = MessageLog::open(&path, SMALL).unwrap();
        assert_eq!(bodies(&log, ALL), ["again"], "{name}");
    }
}

#[test]
fn a_file_that_is_in_the_way_is_an_error_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    std::fs::create_dir(&path).unwrap();
    let error = MessageLog::open(&path, SMALL).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert_eq!(names(&path), ["log.db"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// Whoever writes what: the log stays within its limits, the newest message is there, messages
    /// are in order, and only a share that is the largest loses any.
    #[test]
    fn the_log_is_bounded_and_fair(writes in prop::collection::vec((0..4usize, 0..6000usize), 1..120)) {
        let mut log = MessageLog::in_memory(SMALL).unwrap();
        let mut model: Vec<(usize, String)> = Vec::new();
        for (n, (share, size)) in writes.into_iter().enumerate() {
            let body = format!("{n} {}", "x".repeat(size));
            add(&mut log, ["ana", "bob", "cyd", "dan"][share], &body);
            model.push((share, body));
            loop {
                let mut held: HashMap<usize, (usize, usize)> = HashMap::new();
                for (share, body) in &model {
                    let held = held.entry(*share).or_default();
                    *held = (held.0 + 1, held.1 + body.len() + 256);
                }
                let bytes: usize = held.values().map(|(_, bytes)| bytes).sum();
                let over_bytes = bytes > 20_000;
                if !over_bytes && model.len() <= 20 {
                    break;
                }
                let size = |(entries, bytes): &(usize, usize)| if over_bytes { *bytes } else { *entries };
                // Their names are in the order of their numbers.
                let (largest, _) = held.iter().max_by_key(|(share, held)| (size(held), **share)).unwrap();
                let oldest = model.iter().position(|(share, _)| share == largest).unwrap();
                model.remove(oldest);
            }
            let expected: Vec<_> = model.iter().map(|(_, body)| body.clone()).collect();
            prop_assert_eq!(bodies(&log, ALL), expected);
        }
    }
}
