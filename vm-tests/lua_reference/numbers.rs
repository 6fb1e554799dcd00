//! The numbers in the tables of limits are those of the code.

use goop2::config::LuaConfig;
use goop2::script::{MAX_KV_BYTES, MAX_KV_KEYS};
use goop2::vm::stdlib::{date, pattern};
use goop2::vm::{
    MAX_CALL_VALUES, MAX_JSON_FIELDS, MAX_JSON_VALUES, MAX_NUMERAL_STRING_BYTES, MAX_RESULT_BYTES,
    MAX_RESULT_DEPTH, MAX_SOURCE_BYTES, MAX_STRING_BYTES,
};

use super::page::rows;

/// `8,000`
fn count(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", count(number / 1_000), number % 1_000)
    }
}

/// `64 KB`, `4 MB`
fn bytes(number: usize) -> String {
    const KB: usize = 1024;
    match number {
        mb if mb % (KB * KB) == 0 => format!("{} MB", count(mb / (KB * KB))),
        kb if kb % KB == 0 && kb > 4 * KB => format!("{} KB", count(kb / KB)),
        other => format!("{} bytes", count(other)),
    }
}

#[test]
fn the_limits_are_those_of_the_code() {
    let config = LuaConfig::default();
    #[cfg_attr(not(feature = "db"), expect(unused_mut, reason = "queries are a feature"))]
    let mut expected = vec![
        ("time of a call", format!("{} s", config.timeout().as_secs())),
        ("memory of a call", bytes(config.max_memory_bytes())),
        ("one string", bytes(MAX_STRING_BYTES)),
        ("one string that spells a number", bytes(MAX_NUMERAL_STRING_BYTES)),
        ("values that one call", count(MAX_CALL_VALUES)),
        ("JSON that `call`", bytes(MAX_RESULT_BYTES)),
        ("… levels of nesting", count(MAX_RESULT_DEPTH)),
        ("… values in it", count(MAX_JSON_VALUES)),
        ("… fields in one object", count(MAX_JSON_FIELDS)),
        ("calls by one peer", config.rate_limit_per_peer.to_string()),
        ("calls by all peers", config.rate_limit_global.to_string()),
        ("calls under way at once", count(config.max_running)),
        ("calls that wait", count(config.max_waiting)),
        ("keys in `goop.kv`", count(MAX_KV_KEYS)),
        ("bytes in `goop.kv`", bytes(MAX_KV_BYTES)),
        ("captures in a pattern", count(pattern::MAX_CAPTURES)),
        ("points in a pattern", count(pattern::MAX_DEPTH)),
        ("format for `os.date`", bytes(date::MAX_DATE_FORMAT_BYTES)),
        ("source", bytes(MAX_SOURCE_BYTES)),
    ];
    #[cfg(feature = "db")]
    expected.extend([
        ("rows of `goop.db.query`", count(goop2::store::MAX_QUERY_ROWS)),
        ("result of `goop.db.query`", bytes(goop2::store::MAX_QUERY_BYTES)),
        ("text of an SQL query", bytes(goop2::store::MAX_SQL_BYTES)),
    ]);
    let rows = rows("Limits");
    for (limit, value) in expected {
        let row = rows.iter().find(|row| row.cells[0].starts_with(limit));
        let found = row.and_then(|row| row.cells.get(1));
        assert_eq!(found, Some(&value), "{limit}");
    }
}
