//! What a stranger's `where` may do: filter the rows that they may read, and nothing more.

use std::time::Instant;

use proptest::prelude::*;
use serde_json::json;

use super::data::{Host, filter};

#[test]
fn a_where_filters() {
    let host = Host::with_rows();
    for (text, args, expected) in [
        ("stars = 2", json!([]), vec!["ana-2"]),
        ("stars = ? AND title LIKE ?", json!([1, "ANA%"]), vec!["ana-1"]),
        ("title IN ('ana-1', ?) -- both", json!(["ana-2"]), vec!["ana-1", "ana-2"]),
        ("NOT (stars BETWEEN 2 AND 3) OR stars IS NULL", json!([]), vec!["ana-1"]),
        (
            "upper(substr(title, 1, 3)) = 'ANA' AND length(trim(title)) > 2",
            json!(null),
            vec!["ana-1", "ana-2"],
        ),
        ("instr(title, '-2') > 0", json!([]), vec!["ana-2"]),
        ("\"stars\" % 2 = 0 AND `title` <> [title] || 'x'", json!([]), vec!["ana-2"]),
        ("date(_created_at) <= date('now') AND stars - -1 = 2", json!([]), vec!["ana-1"]),
        ("title LIKE 'ana!-1' ESCAPE '!'", json!([]), vec!["ana-1"]),
        ("title = 'a\\' OR stars = 1", json!([]), vec!["ana-1"]),
        ("title = 'it''s' OR stars = 1", json!([]), vec!["ana-1"]),
        ("coalesce(NULL, stars, 7) = 1.0 AND title GLOB 'ana-[1-3]'", json!([]), vec!["ana-1"]),
        ("title IS 'ana-1' AND stars IS 1", json!([]), vec!["ana-1"]),
        ("title IS NOT 'ana-1' AND stars IS NOT ?", json!([null]), vec!["ana-2"]),
        ("_owner_email ISNULL OR stars NOTNULL AND stars = 2", json!([]), vec!["ana-2"]),
        ("title NOT GLOB '*-1' AND NOT stars ISNULL", json!([]), vec!["ana-2"]),
        ("title = 'ANA-1' COLLATE NOCASE", json!([]), vec!["ana-1"]),
        ("title COLLATE nocase IN ('ANA-2')", json!([]), vec!["ana-2"]),
        ("CAST(substr(title, 5) AS INTEGER) = 2", json!([]), vec!["ana-2"]),
        ("CAST(stars AS text) || CAST('x' AS BLOB) = '1x'", json!([]), vec!["ana-1"]),
        ("CASE stars WHEN ? THEN title = 'ana-1' ELSE 0 END", json!([1]), vec!["ana-1"]),
        ("CASE WHEN stars > 1 THEN 1 END", json!([]), vec!["ana-2"]),
        ("CAST(x'616e612d31' AS TEXT) = title", json!([]), vec!["ana-1"]),
        ("stars + 0x0F = 0x11", json!([]), vec!["ana-2"]),
        ("~stars * 1 = -2", json!([]), vec!["ana-1"]),
        ("1 + stars << 2 = 12", json!([]), vec!["ana-2"]),
        ("4 | stars & 2 = 2 AND stars = 2", json!([]), vec!["ana-2"]),
        ("2 * stars || '1' = 21", json!([]), vec![]),
        ("0xFFFFFFFFFFFFFFFF = -1 AND stars = 1", json!([]), vec!["ana-1"]),
        ("true", json!([]), vec!["ana-1", "ana-2"]),
        ("  ", json!([]), vec!["ana-1", "ana-2"]),
    ] {
        let request = json!({"op": "query", "table": "opened", "where": text, "args": args});
        assert_eq!(host.titles("ana", request), expected, "{text}");
    }
}

#[test]
fn a_where_cannot_reach_the_rows_of_others() {
    let host = Host::with_rows();
    for text in [
        "1=1 --",
        "1=1) --",
        "1=1) OR (1=1",
        "1=1 OR 1=1 /*",
        "1=1; SELECT * FROM opened",
        "1=1 UNION SELECT title FROM opened",
        "1=1) UNION SELECT word FROM secrets --",
        "EXISTS (SELECT 1 FROM secrets)",
        "title = (SELECT word FROM secrets)",
        "title IN (SELECT title FROM opened)",
        "title IN secrets",
        "secrets.word = 'swordfish'",
        "word = 'swordfish'",
        "opened.title = 'bob-1'",
        "main.opened.title = 'bob-1'",
        "\"1=1) --\" = 1",
        "'a' = 'a\\' OR 1=1 --'",
        "_owner = 'bob'",
        "1=1 OR _owner <> 'ana'",
        "rowid = 5",
        "?1 = 1",
        ":a = 1",
        "$1 = 1",
        "@a = 1",
        "load_extension('x') IS NULL",
        "randomblob(1000000000) IS NOT NULL",
        "zeroblob(1000000000) IS NOT NULL",
        "quote(title) = 'x'",
        "sqlite_version() > ''",
        "count(*) > 0",
        "max(title) > ''",
        "sum(stars) OVER () > 0",
        "lower(DISTINCT title) = 'x'",
        "json_each(title) IS NULL",
        "CAST(title AS json) = 1",
        "CAST((SELECT word FROM secrets) AS TEXT) = 'swordfish'",
        "title::text = 'bob-1'",
        "CASE (SELECT 1) WHEN 1 THEN 1 END",
        "CASE WHEN EXISTS (SELECT 1 FROM secrets) THEN 1 END",
        "CASE WHEN 1 THEN 1 ELSE (SELECT word FROM secrets) END",
        "title IS (SELECT word FROM secrets)",
        "title IS NOT secrets.word",
        "title COLLATE evil = 'x'",
        "title COLLATE main.nocase = 'x'",
        "title COLLATE \"NOCASE) OR (1=1\" = 'x'",
        "title NOT GLOB (SELECT 1)",
        "title ISNULL secrets",
        "title ILIKE '%'",
        "title GLOB 'a' ESCAPE 'b'",
        "x'4' = 1",
        "x'4g' = 1",
        "0x11111111111111111 = 1",
        "~(SELECT 1)",
        "1 << (SELECT 1)",
        "CASE WHEN 1 THEN 1 END",
        "title COLLATE NOCASE = 'x'",
        "title MATCH 'x'",
        "title REGEXP 'x'",
        "title -> 'x'",
        "RAISE(ABORT, 'x')",
        "1=1 LIMIT 100",
        "1=1 ORDER BY 1",
        "(1, 2) = (1, 2)",
        "x'41' = 'A'",
        "$$a$$ = 'a'",
        "E'a' = 'a'",
        "CURRENT_USER = 'a'",
        "INTERVAL '1' DAY = 1",
        "title = 'open",
        "((((1=1",
        "",
        "\u{0}",
    ] {
        let answer = host.ask("ana", filter(text));
        for row in answer["data"].as_array().into_iter().flatten() {
            assert!(row["title"].as_str().unwrap().starts_with("ana-"), "{text}: {answer}");
        }
        assert!(!answer.to_string().contains("swordfish") || text.contains("swordfish"), "{text}: {answer}");
    }
    assert_eq!(host.error("ana", filter("word = 1")), "field where has no column \"word\"");
    assert_eq!(host.error("ana", filter("title = (SELECT 1)")), "field where may not hold a subquery");
    assert_eq!(
        host.error("ana", filter("zeroblob(9) = 1")),
        "field where may not call \"zeroblob\" with 1 arguments"
    );
    assert_eq!(host.error("ana", filter("stars = ?")), "field where has 1 placeholders, found 0 args");
}

#[test]
fn a_where_is_read_in_bounded_time_and_stack() {
    let host = Host::with_rows();
    let start = Instant::now();
    for text in [
        "(".repeat(4096),
        format!("{}1{}", "(".repeat(2000), ")".repeat(2000)),
        "NOT ".repeat(1000),
        "- ".repeat(2000) + "1",
        "1+".repeat(2000) + "1",
        "stars=1 OR ".repeat(300) + "stars=1",
        "lower(".repeat(600) + "title" + &")".repeat(600),
        "CASE ".repeat(800),
        "title IN (".repeat(400),
        "title LIKE ".repeat(370),
        "stars BETWEEN 1 AND ".repeat(200),
        "'".repeat(4095),
        "/*".repeat(2000),
        "case when ".repeat(400),
        "CASE WHEN 1 THEN ".repeat(200),
        "CASE 1 WHEN 1 THEN 1 ELSE ".repeat(150),
        "~".repeat(4000),
        "1 IS ".repeat(800),
        "1 << ".repeat(800),
        "0x1 ".repeat(1000),
        "x'1' ".repeat(800),
        "title NOT GLOB ".repeat(270),
        "title COLLATE ".repeat(290),
        "1+".repeat(1900) + "1 GLOB 1 GLOB 2",
        "1+".repeat(1900) + "1 IS 1 ISNULL",
        "title GLOB ".repeat(350) + "1",
        "a.".repeat(2000),
        "cast(".repeat(800),
        "x".repeat(5000),
    ] {
        let error = host.error("ana", filter(&text));
        assert!(error.starts_with("field where"), "{text:.40}: {error}");
        assert!(error.len() < 300, "{text:.40}: {error}");
    }
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    let many: Vec<String> = (0..2000).map(|n| (n % 10).to_string()).collect();
    assert_eq!(host.titles("ana", filter(&format!("stars IN ({})", many.join(",")))).len(), 2);
}

/// Pieces from which SQL and attacks on it are made.
fn fragment() -> impl Strategy<Value = String> {
    let pieces = [
        "(",
        ")",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "--",
        "/*",
        "*/",
        ";",
        ",",
        " ",
        "\n",
        "=",
        "<>",
        "<",
        "||",
        "-",
        "?",
        "OR",
        "AND",
        "NOT",
        "LIKE",
        "IN",
        "BETWEEN",
        "IS",
        "NULL",
        "UNION",
        "SELECT",
        "FROM",
        "opened",
        "secrets",
        "title",
        "stars",
        "_owner",
        "_id",
        "rowid",
        "'bob'",
        "'ana'",
        "1",
        "0",
        "1=1",
        "lower(",
        "coalesce(",
        "\\'",
        "''",
        "x'",
        "EXISTS",
        "CASE",
        "WHEN",
        "THEN",
        "END",
        "*",
        "%",
        "$$",
        "\u{e9}",
        "\0",
        "LIMIT",
        "ESCAPE",
        "COLLATE",
        "NOCASE",
        "ISNULL",
        "GLOB",
        "ELSE",
        "CAST(",
        "AS TEXT",
        "AS",
        "0x1",
        "~",
        "<<",
        "::",
    ];
    prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => "[ -~]{1,6}",
    ]
}

/// Whole conditions and near misses, so that many of the texts are filters.
fn clause() -> impl Strategy<Value = String> {
    let clauses = [
        "1=1",
        "stars = 1",
        "_owner = 'bob'",
        "_owner <> 'ana'",
        "title LIKE '%'",
        "title IN ('bob-1', 'host-1')",
        "NOT 0",
        "_id BETWEEN 1 AND 9",
        "(1=1",
        "1=1)",
        "1=1 --",
        "1=1 /*",
        "*/ 1=1",
        "'a\\'",
        "'--'",
        "NULL IS NULL",
        "lower(_owner) = 'bob'",
        "instr('bob', _owner)",
        "-1",
        "coalesce(NULL, 1)",
        "_owner IS 'bob'",
        "_owner IS NOT 'ana'",
        "_owner_email ISNULL",
        "_owner NOT GLOB 'ana'",
        "_owner = 'BOB' COLLATE NOCASE",
        "CAST(_id AS TEXT) = '1'",
        "CASE _owner WHEN 'bob' THEN 1 ELSE 1 END",
        "CASE WHEN 1=1",
        "END",
        "x'41' < 0x03",
        "~_id << 2",
    ];
    let joined = prop::collection::vec(
        (
            prop::sample::select(clauses.to_vec()),
            prop::sample::select(vec![" OR ", " AND ", " OR NOT ", ") OR (", " = "]),
        ),
        1..6,
    );
    joined.prop_map(|parts| {
        let text: String = parts.iter().map(|(clause, joint)| format!("{clause}{joint}")).collect();
        format!("{text}1")
    })
}

#[test]
fn no_where_returns_rows_of_others() {
    let host = Host::with_rows();
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3000) };
    let pieces = (prop::collection::vec(fragment(), 1..12), prop::bool::ANY)
        .prop_map(|(pieces, spaced)| pieces.join(if spaced { " " } else { "" }));
    let args = prop::collection::vec(0..3i64, 0..2);
    let strategy = prop_oneof![(clause(), Just(Vec::new())), (pieces, args)];
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let answered = std::cell::Cell::new(0);
    runner
        .run(&strategy, |(text, args)| {
            let request = json!({"op": "query", "table": "opened", "where": text, "args": args});
            let answer = host.ask("ana", request);
            for row in answer["data"].as_array().into_iter().flatten() {
                prop_assert_eq!(&row["_owner"], "ana", "{}", text);
                answered.set(answered.get() + 1);
            }
            Ok(())
        })
        .unwrap();
    // The property is worth something only if some of the texts are filters.
    assert!(answered.get() > 500, "{answered:?}");
    assert_eq!(host.data("host", json!({"op": "query", "table": "opened"})).as_array().unwrap().len(), 6);
}

#[test]
fn a_filter_that_fails_for_the_rows_of_others_does_not_tell_of_them() {
    let host = Host::new();
    let ask = |guess: &str| {
        let filter = format!("iif(word LIKE '{guess}', abs(_id * 0 - 9223372036854775807 - 1), 1)");
        json!({"op": "query", "table": "secrets", "where": filter})
    };
    // The owner may read the word, so for the owner the filter fails.
    assert_eq!(host.error("host", ask("sword%")), "integer overflow");
    for guess in ["sword%", "pen%"] {
        assert_eq!(host.data("bob", ask(guess)), json!([]));
    }
}

#[test]
fn a_filter_that_the_parser_would_read_for_years_is_refused() {
    let host = Host::with_rows();
    let nested = |depth: usize| filter(&format!("{}1{}", "POSITION(".repeat(depth), ")".repeat(depth)));
    assert_eq!(host.error("bob", nested(38)), "field where nests more than 12 brackets");
    assert!(host.error("bob", nested(12)).contains("may not call"));
    let honest = format!("{}stars > 0{}", "(".repeat(12), ")".repeat(12));
    assert_eq!(host.titles("bob", filter(&honest)), ["bob-1", "bob-2"]);
}
