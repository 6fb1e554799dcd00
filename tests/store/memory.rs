//! SQLite's memory, which all queries of a process share: these run in a process of their own.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use goop2::store::{QueryLimits, SqlValue};

use super::support::{Fixture, row, soon, stamp, table, text};

/// Runs the ignored test `name` of this file alone.
fn alone(name: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([&format!("store::memory::{name}"), "--exact", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
}

/// Holds `count` values of 1.9 MB and goes on without asking for more.
fn holding(count: usize) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000),
             m AS MATERIALIZED (SELECT randomblob(1900000) AS b FROM n LIMIT {count})
         SELECT count(*) FROM (SELECT length(b) AS l FROM m) x, n a, n b, n c
         WHERE a.i + b.i + c.i + x.l < 0"
    )
}

#[test]
fn a_query_that_holds_much_memory_fails_no_other() {
    alone("beside_queries_that_hold_much_memory");
}

#[test]
#[ignore = "runs in a process of its own"]
fn beside_queries_that_hold_much_memory() {
    let fixture = Fixture::with_schema("CREATE TABLE notes (body TEXT)");
    let (reader, deadline) = (fixture.database.reader(), Instant::now() + Duration::from_secs(6));
    let (begin, begun) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let holders: Vec<_> = [60, 23, 22, 21]
            .map(|count| {
                let begin = begin.clone();
                scope.spawn(move || {
                    begin.send(()).unwrap();
                    reader.query(&holding(count), &[], &QueryLimits::until(deadline))
                })
            })
            .into();
        // A query that began before them would be the oldest when memory runs out, and end for it.
        begun.iter().take(4).for_each(drop);
        let mut asked = 0;
        // Each needs some 16 MB for a moment.
        let sort = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 16)
                    SELECT length(b) AS l FROM (SELECT zeroblob(1000000) || i AS b, i FROM n) ORDER BY b LIMIT 20";
        // They may end at once, for the first of these.
        while asked < 3 || !holders.iter().all(|holder| holder.is_finished()) {
            let sorted =
                reader.query(sort, &[], &QueryLimits::until(Instant::now() + Duration::from_secs(5)));
            assert_eq!(sorted.map(|rows| rows.rows.len()), Ok(16), "after {asked}");
            let note = row("body", text(&"x".repeat(500_000)));
            fixture.database.insert(&table("notes"), &note, &stamp("ana"), None).unwrap();
            asked += 1;
        }
        // By the bound or, on a busy machine, by their deadline.
        assert!(holders.into_iter().all(|holder| holder.join().unwrap().is_err()));
    });
}

#[test]
fn a_query_that_was_ended_for_a_greedy_one_is_answered_after_it() {
    alone("before_queries_that_ask_for_all_memory");
}

#[test]
#[ignore = "runs in a process of its own"]
fn before_queries_that_ask_for_all_memory() {
    let fixture = Fixture::new();
    let reader = fixture.database.reader();
    let done = AtomicBool::new(false);
    let greedy = holding(60).replace("randomblob", "zeroblob");
    // Longer than the greedy one takes, and no memory to speak of.
    let small = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
                 SELECT count(*) FROM n a, n b WHERE a.i + b.i < 0";
    let ask =
        |sql: &str| reader.query(sql, &[], &QueryLimits::until(Instant::now() + Duration::from_secs(5)));
    std::thread::scope(|scope| {
        // Each fails as soon as it has all there is, and often a small one began before it.
        let all_failed = scope.spawn(|| {
            let mut failed = 0;
            while !done.load(Ordering::Relaxed) {
                failed += usize::from(ask(&greedy).is_err());
                let _ = (ask(small), ask(small));
            }
            failed
        });
        let answers: Vec<_> = (0..30).map(|_| ask(small).map(|rows| rows.rows.len())).collect();
        done.store(true, Ordering::Relaxed);
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        assert!(all_failed.join().unwrap() > 0);
    });
}

#[test]
fn a_sort_without_end_stays_within_the_memory_of_a_peer() {
    alone("an_endless_sort");
}

#[test]
#[ignore = "runs in a process of its own"]
fn an_endless_sort() {
    let fixture = Fixture::new();
    let endless =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c ORDER BY x";
    for _ in 0..3 {
        // Ended by its deadline, a query gives back what it held too.
        let begun = Instant::now();
        let limits = QueryLimits::until(begun + Duration::from_millis(600));
        assert!(fixture.database.reader().query(endless, &[], &limits).is_err());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        std::thread::scope(|scope| {
            let reader = fixture.database.reader();
            for _ in 0..2 {
                scope.spawn(|| {
                    let ended = reader.query(endless, &[], &soon());
                    assert!(ended.is_err(), "{ended:?}");
                });
            }
        });
    }
    let few = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 200000)
               SELECT x FROM c ORDER BY -x LIMIT 1";
    assert_eq!(fixture.column(few), [SqlValue::Integer(200_000)]);
    #[cfg(target_os = "linux")]
    {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let most: u64 = most.trim().trim_end_matches(" kB").parse().unwrap();
        // Seen: 150 to 257 MiB, by how the allocator spreads rows over the threads; 528 when queries kept what they
        // had, and more with every round.
        assert!(most < 384 * 1024, "{most} KiB");
    }
}
