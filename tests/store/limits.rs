//! Time, bytes and rows: what ends a query or a change, and what it leaves whole.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use goop2::store::{Policy, QueryError, QueryLimits, RowScope, SqlValue, StoreError};

use super::support::{Fixture, host, row, soon, stamp, table, text};

const FOREVER: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

#[test]
fn a_runaway_query_stops_at_its_deadline_and_the_connection_serves_the_next() {
    let fixture = Fixture::new();
    let limits = QueryLimits::until(Instant::now() + Duration::from_millis(20));
    assert_eq!(fixture.database.reader().query(FOREVER, &[], &limits), Err(QueryError::Deadline));
    assert!(fixture.ask("SELECT 1").is_ok());
    let cancelled = QueryLimits { cancel: Arc::new(AtomicBool::new(true)), ..soon() };
    assert_eq!(fixture.database.reader().query(FOREVER, &[], &cancelled), Err(QueryError::Cancelled));
    assert!(fixture.ask("SELECT 1").is_ok());
}

#[test]
fn slow_functions_stop_at_the_deadline_too() {
    // Each would run for minutes inside one SQLite instruction, or many in a row.
    let long = "WITH d(x) AS (SELECT replace(hex(zeroblob(400000)), '0', 'a'))";
    let like = format!("{long} SELECT {} FROM d", ["x LIKE ?1"; 15].join(", "));
    let instr = format!("{long} SELECT {} FROM d", ["instr(x, substr(x, 400000) || 'b')"; 12].join(", "));
    let fixture = Fixture::new();
    for (sql, parameters) in [(like, vec![text(&format!("%{}b", "a".repeat(200)))]), (instr, vec![])] {
        let start = Instant::now();
        let limits = QueryLimits::until(start + Duration::from_millis(5));
        let stopped = fixture.database.reader().query(&sql, &parameters, &limits);
        assert_eq!(stopped, Err(QueryError::Deadline), "{sql:.60}");
        assert!(start.elapsed() < Duration::from_secs(10), "{sql:.60} took {:?}", start.elapsed());
    }
}

/// SQLite does not look at the clock between the functions of one row, so their number is bounded,
/// and those that take quadratic time are refused.
#[test]
fn the_functions_of_one_row_end_soon_after_the_deadline() {
    let fixture = Fixture::new();
    let refused = fixture.ask("SELECT unhex(replace(hex(zeroblob(400000)), '0', '-'), '.-')").unwrap_err();
    assert_eq!(refused.to_string(), "unhex takes one argument here");
    assert_eq!(fixture.column("SELECT unhex('00ff')"), [SqlValue::Blob(vec![0, 255])]);
    for unknown in ["changes()", "fts5_source_id()", "json_patch('{}', '{}')", "load_extension('x')"] {
        let refused = fixture.ask(&format!("SELECT {unknown}"));
        assert!(matches!(refused, Err(QueryError::ReadOnly { .. })), "{unknown}: {refused:?}");
    }
    let many = |count: usize| format!("SELECT {}", vec!["abs(1)"; count].join(", "));
    assert!(fixture.ask(&many(64)).is_ok());
    assert_eq!(fixture.ask(&many(65)), Err(QueryError::TooManyFunctions { limit: 64 }));
    assert!(fixture.ask("SELECT 1").is_ok(), "the count is each query's own");

    // The worst that the bounds allow: each path goes through all of a long text.
    let extract = |n: usize| {
        let paths: Vec<_> = (0..23).map(|path| format!("'$[{}]'", 440_000 + 23 * n + path)).collect();
        format!("json_extract(j, {})", paths.join(", "))
    };
    let long = "WITH d(j) AS (SELECT '[' || replace(hex(zeroblob(450000)), '00', '0,') || '0]')";
    let sql = |uses: usize| {
        format!("{long} SELECT {} FROM d", (0..uses).map(extract).collect::<Vec<_>>().join(", "))
    };
    assert_eq!(fixture.ask(&sql(17)), Err(QueryError::TooManyFunctions { limit: 64 }));
    let start = Instant::now();
    let limits = QueryLimits::until(start + Duration::from_millis(50));
    let _ = fixture.database.reader().query(&sql(15), &[], &limits);
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn results_are_bounded_in_rows_and_bytes() {
    let fixture = Fixture::new();
    let count =
        |n: u32| format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})");
    let thousand = fixture.ask(&format!("{} SELECT i FROM n", count(1000))).unwrap();
    assert_eq!((thousand.rows.len(), thousand.truncated), (1000, false));
    let more = fixture.ask(&format!("{} SELECT i FROM n", count(1001))).unwrap();
    assert_eq!((more.rows.len(), more.truncated), (1000, true));
    assert_eq!(more.rows[999], [SqlValue::Integer(1000)]);

    let under = fixture.ask("SELECT hex(zeroblob(500000)) AS h").unwrap();
    assert_eq!(under.rows[0][0].len_bytes(), 1_000_000);
    let over = [
        "SELECT hex(zeroblob(530000)) AS h".to_owned(),
        "SELECT zeroblob(800000)".to_owned(),
        // A control character is six bytes of JSON.
        "SELECT replace(hex(zeroblob(100000)), '0', char(1))".to_owned(),
        format!("{} SELECT hex(zeroblob(600)) FROM n", count(1000)),
    ];
    for sql in over {
        assert_eq!(fixture.ask(&sql), Err(QueryError::TooManyBytes { limit: 1024 * 1024 }), "{sql}");
    }
    assert_eq!(fixture.ask("SELECT zeroblob(100000000)").unwrap_err().to_string(), "string or blob too big");
}

#[test]
fn a_runaway_query_holds_up_no_other() {
    let fixture = Fixture::new();
    let cancel = Arc::new(AtomicBool::new(false));
    let limits = QueryLimits { cancel: Arc::clone(&cancel), ..soon() };
    std::thread::scope(|scope| {
        let reader = fixture.database.reader();
        let runaway = scope.spawn(move || reader.query(FOREVER, &[], &limits));
        assert!(fixture.ask("SELECT 1").is_ok());
        fixture.database.create_table(&table("notes"), &[], Policy::Open).unwrap();
        cancel.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(runaway.join().unwrap(), Err(QueryError::Cancelled));
    });
}

#[test]
fn a_full_database_says_so() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let notes = table("notes");
    let large = row("body", text(&"x".repeat(900 * 1024)));
    let mut stored = 0;
    let error = loop {
        match fixture.database.insert(&notes, &large, &stamp("ana"), None) {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 400, "no limit was met");
    };
    assert_eq!(
        error.to_string(),
        "the peer's database is full (limit 256 MiB): delete rows before adding more"
    );
    assert!(stored > 200, "{stored}");
}

#[test]
fn the_expressions_of_a_template_cannot_hold_up_the_writer() {
    // SQLite's own `instr` would take minutes for each.
    let slow = "instr(hex(zeroblob(2000000)), hex(zeroblob(1000000)) || '1')";
    let fixture = Fixture::with_schema(&format!("CREATE TABLE t (a TEXT CHECK ({slow} = 0 AND a <> ''))"));
    let begun = Instant::now();
    fixture.database.insert(&table("t"), &row("a", text("x")), &stamp("ana"), None).unwrap();
    let seeds = format!("CREATE TABLE s (a); INSERT INTO s VALUES ({slow});");
    fixture.database.apply_schema(&host(), &seeds, &BTreeMap::new()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());

    // Each of these is slow, and looks at the clock.
    let like = "hex(zeroblob(500000)) || a NOT LIKE '%0000000000000000000000000000000000000000000001'";
    let many = vec![like; 120].join(" AND ");
    let fixture = Fixture::with_schema(&format!("CREATE TABLE t (a TEXT CHECK ({many}))"));
    let begun = Instant::now();
    let error = fixture.database.insert(&table("t"), &row("a", text("x")), &stamp("ana"), None).unwrap_err();
    assert!(matches!(error, StoreError::TimedOut), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn readers_who_never_pause_cannot_make_the_log_grow_for_ever() {
    let fixture = Fixture::with_schema("CREATE TABLE t (a TEXT)");
    let (t, values) = (table("t"), ["x", "y"].map(|letter| text(&letter.repeat(1024 * 1024))));
    let id = fixture.database.insert(&t, &row("a", values[0].clone()), &stamp("ana"), None).unwrap();
    let log = fixture.folder.path().join("data.db-wal");
    let (stop, reader) = (AtomicBool::new(false), fixture.database.reader());
    let endless = "WITH RECURSIVE n(i) AS (SELECT _id FROM t UNION ALL SELECT i FROM n) SELECT max(i) FROM n";
    let read = |offset: Duration| {
        while !stop.load(Ordering::Relaxed) {
            let limits = QueryLimits::until(Instant::now() + Duration::from_millis(300) + offset);
            assert_eq!(reader.query(endless, &[], &limits), Err(QueryError::Deadline));
        }
    };
    let longest = std::thread::scope(|scope| {
        scope.spawn(|| read(Duration::ZERO));
        scope.spawn(|| read(Duration::from_millis(170)));
        let sizes = (0..160).map(|round| {
            let row = row("a", values[round % 2].clone());
            fixture.database.update(&t, id, &row, &RowScope::Any).unwrap();
            std::fs::metadata(&log).unwrap().len()
        });
        let longest = sizes.max();
        stop.store(true, Ordering::Relaxed);
        longest
    });
    assert!(longest < Some(70 * 1024 * 1024), "{longest:?}");
}
