//! Visitors who try anything, against a model of who may see and change what.
//!
//! Random requests of random peers run on a host and on a list of rows. The model is so small that
//! one sees it is right: a row belongs to who inserted it, its owner and the host change it, and a
//! table's policy says who reads it. Some of the filters are honest and have to select exactly the
//! model's rows; others are pieces of SQL that may do anything but reach somebody else's rows.

use std::collections::BTreeMap;

use goop2::config::DataConfig;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::data::Host;

/// The owner, a visitor with an e-mail, and two without.
const PEERS: [&str; 4] = ["host", "ana", "bob", "cyd"];

/// One table of each policy.
const TABLES: [&str; 4] = ["closed", "mailed", "opened", "shared"];

const TITLES: [&str; 5] = ["a", "b", "it's", "x' OR '1'='1", "-- /* \\"];

#[derive(Debug, Clone)]
struct Row {
    owner: &'static str,
    title: &'static str,
    stars: i64,
}

/// What a request asks for, and of whom.
#[derive(Debug, Clone)]
enum Action {
    Insert {
        title: &'static str,
        stars: i64,
    },
    Update {
        id: i64,
        title: &'static str,
    },
    Delete {
        id: i64,
    },
    Query {
        filter: Filter,
        limit: u64,
    },
    /// A filter that may be anything.
    Attack {
        filter: String,
    },
    /// A column that is the host's to write.
    Steal {
        id: i64,
        column: &'static str,
        owner: &'static str,
    },
    Schema {
        op: &'static str,
    },
}

/// A filter that the model understands too.
#[derive(Debug, Clone)]
enum Filter {
    Stars(&'static str, i64),
    Title(&'static str),
    Owner(&'static str),
    HasEmail,
    Not(Box<Filter>),
    Both(Box<Filter>, Box<Filter>),
    Either(Box<Filter>, Box<Filter>),
}

impl Filter {
    fn sql(&self) -> String {
        let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
        match self {
            Self::Stars(operator, number) => format!("stars {operator} {number}"),
            Self::Title(title) => format!("title = {}", text(title)),
            Self::Owner(owner) => format!("_owner = {}", text(owner)),
            Self::HasEmail => "_owner_email IS NOT NULL".to_owned(),
            Self::Not(inner) => format!("NOT ({})", inner.sql()),
            Self::Both(left, right) => format!("({}) AND ({})", left.sql(), right.sql()),
            Self::Either(left, right) => format!("({}) OR ({})", left.sql(), right.sql()),
        }
    }

    fn selects(&self, row: &Row, reader: &str) -> bool {
        match self {
            Self::Stars("=", number) => row.stars == *number,
            Self::Stars("<", number) => row.stars < *number,
            Self::Stars(_, number) => row.stars >= *number,
            Self::Title(title) => row.title == *title,
            Self::Owner(owner) => row.owner == *owner,
            Self::HasEmail => email(row.owner, reader).is_some(),
            Self::Not(inner) => !inner.selects(row, reader),
            Self::Both(left, right) => left.selects(row, reader) && right.selects(row, reader),
            Self::Either(left, right) => left.selects(row, reader) || right.selects(row, reader),
        }
    }
}

/// The e-mail of `owner` as far as `reader` may know it.
fn email(owner: &str, reader: &str) -> Option<&'static str> {
    (owner == "ana" && ["ana", "host"].contains(&reader)).then_some("ana@example.org")
}

/// What is in the tables: rows by table and `_id`, and the last `_id` of each table.
#[derive(Default)]
struct Model {
    rows: BTreeMap<(&'static str, i64), Row>,
    last_ids: BTreeMap<&'static str, i64>,
}

impl Model {
    fn may_insert(peer: &str, table: &str) -> bool {
        match table {
            "closed" => peer == "host",
            "mailed" => peer == "host" || peer == "ana",
            _ => true,
        }
    }

    fn may_change(&self, peer: &str, table: &'static str, id: i64) -> bool {
        self.rows.get(&(table, id)).is_some_and(|row| peer == "host" || row.owner == peer)
    }

    /// What `reader` may see of a table, as the answer has it.
    fn visible(&self, reader: &str, table: &str, wanted: impl Fn(&Row) -> bool) -> Vec<Json> {
        let sees_all = reader == "host" || table == "closed" || table == "shared";
        let visible = self
            .rows
            .iter()
            .filter(|((of, _), row)| *of == table && (sees_all || row.owner == reader) && wanted(row));
        visible
            .map(|((_, id), row)| {
                json!({"_id": id, "_owner": row.owner, "_owner_email": email(row.owner, reader),
                       "title": row.title, "stars": row.stars})
            })
            .collect()
    }
}

fn read(host: &Host, reader: &str, table: &str, filter: &str, limit: u64) -> Json {
    let columns = ["_id", "_owner", "_owner_email", "title", "stars"];
    host.ask(
        reader,
        json!({"op": "query", "table": table, "columns": columns, "where": filter, "limit": limit}),
    )
}

/// Sends one request and holds the answer against the model, which it changes alike.
fn act(host: &Host, model: &mut Model, peer: &'static str, table: &'static str, action: &Action) {
    let ask = |request: Json| host.ask(peer, request);
    let accepted = |answer: &Json| answer["ok"] == true;
    match action {
        Action::Insert { title, stars } => {
            let row = json!({"title": title, "stars": stars});
            let answer = ask(json!({"op": "insert", "table": table, "data": row}));
            assert_eq!(accepted(&answer), Model::may_insert(peer, table), "{answer}");
            if accepted(&answer) {
                let id = model.last_ids.entry(table).or_insert(0);
                *id += 1;
                assert_eq!(answer["data"]["id"], *id);
                model.rows.insert((table, *id), Row { owner: peer, title, stars: *stars });
            }
        }
        Action::Update { id, title } => {
            let answer = ask(json!({"op": "update", "table": table, "id": id, "data": {"title": title}}));
            assert_eq!(accepted(&answer), model.may_change(peer, table, *id), "{answer}");
            if accepted(&answer) {
                model.rows.get_mut(&(table, *id)).unwrap().title = title;
            }
        }
        Action::Delete { id } => {
            let answer = ask(json!({"op": "delete", "table": table, "id": id}));
            assert_eq!(accepted(&answer), model.may_change(peer, table, *id), "{answer}");
            if accepted(&answer) {
                model.rows.remove(&(table, *id));
            }
        }
        Action::Query { filter, limit } => {
            let mut expected = model.visible(peer, table, |row| filter.selects(row, peer));
            expected.truncate(usize::try_from(*limit).unwrap());
            let answer = read(host, peer, table, &filter.sql(), *limit);
            assert_eq!(answer["data"], Json::Array(expected), "{}: {answer}", filter.sql());
        }
        Action::Attack { filter } => {
            let answer = read(host, peer, table, filter, 100);
            let visible = model.visible(peer, table, |_| true);
            for row in answer["data"].as_array().into_iter().flatten() {
                assert!(visible.contains(row), "{filter}: {row}");
            }
        }
        Action::Steal { id, column, owner } => {
            for request in [
                json!({"op": "update", "table": table, "id": id, "data": {*column: owner}}),
                json!({"op": "insert", "table": table, "data": {"title": "mine", *column: owner}}),
            ] {
                assert!(!accepted(&ask(request)));
            }
        }
        // The owner's own changes of tables have tests of their own.
        Action::Schema { .. } if peer == "host" => {}
        Action::Schema { op } => {
            let request = json!({"op": op, "table": table, "name": table, "old_name": table,
                                 "new_name": "taken", "column": "title", "column_defs": []});
            let refused = format!("{op} is for the owner of this peer only");
            assert_eq!(ask(request)["error"], refused.as_str());
        }
    }
    for table in TABLES {
        let all = Json::Array(model.visible("host", table, |_| true));
        assert_eq!(read(host, "host", table, "", 1000)["data"], all, "{table} after {action:?} of {peer}");
    }
}

fn filters() -> impl Strategy<Value = Filter> {
    let leaf = prop_oneof![
        (prop::sample::select(vec!["=", "<", ">="]), 0..4i64).prop_map(|(op, n)| Filter::Stars(op, n)),
        prop::sample::select(TITLES.to_vec()).prop_map(Filter::Title),
        prop::sample::select(PEERS.to_vec()).prop_map(Filter::Owner),
        Just(Filter::HasEmail),
    ];
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Filter::Not(inner.into())),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| Filter::Both(l.into(), r.into())),
            (inner.clone(), inner).prop_map(|(l, r)| Filter::Either(l.into(), r.into())),
        ]
    })
}

/// Honest filters with what may end the condition around them before, between and after.
fn attacks() -> impl Strategy<Value = String> {
    let pieces = [
        ")",
        "(",
        "'",
        "\"",
        "--",
        "/*",
        "*/",
        ";",
        "\n",
        "\0",
        " OR 1=1",
        ") OR (1=1",
        ") OR 1=1 --",
        "1=1) --",
        " UNION SELECT _id, _owner, _owner_email, title, stars FROM opened",
        " END OR 1 --",
        " ELSE 1 END --",
        " AND ",
        " OR ",
        " NOT ",
        "_owner",
        "main.opened._owner",
        "(SELECT 1 FROM opened)",
        "?",
        "?1",
        ":x",
        "x'41'",
        "rowid",
        " IN ",
        " COLLATE NOCASE",
        " LIMIT 99",
        "iif(1, 1, ",
        "max(_id) > 0",
        "\u{e9}",
    ];
    let piece = prop_oneof![
        2 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => filters().prop_map(|filter| filter.sql()),
    ];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

fn actions() -> impl Strategy<Value = Action> {
    let title = || prop::sample::select(TITLES.to_vec());
    let ops = ["create-table", "add-column", "drop-column", "rename-table", "delete-table"];
    let columns = ["_owner", "_OWNER", "_id", "_owner_email", "_created_at", "rowid", "_rowid_", "oid"];
    prop_oneof![
        6 => (title(), 0..4i64).prop_map(|(title, stars)| Action::Insert { title, stars }),
        2 => (0..6i64, title()).prop_map(|(id, title)| Action::Update { id, title }),
        2 => (0..6i64).prop_map(|id| Action::Delete { id }),
        4 => (filters(), 1..20u64).prop_map(|(filter, limit)| Action::Query { filter, limit }),
        4 => attacks().prop_map(|filter| Action::Attack { filter }),
        1 => (0..6i64, prop::sample::select(columns.to_vec()), prop::sample::select(PEERS.to_vec()))
            .prop_map(|(id, column, owner)| Action::Steal { id, column, owner }),
        1 => prop::sample::select(ops.to_vec()).prop_map(|op| Action::Schema { op }),
    ]
}

#[test]
fn nobody_reads_or_changes_what_is_not_theirs() {
    let turn = (prop::sample::select(PEERS.to_vec()), prop::sample::select(TABLES.to_vec()), actions());
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) };
    proptest!(config, |(turns in prop::collection::vec(turn, 1..60))| {
        let host = Host::configured(&DataConfig { visitor_writes_per_minute: 6000, ..DataConfig::default() });
        let mut model = Model::default();
        for (peer, table, action) in &turns {
            act(&host, &mut model, peer, table, action);
        }
    });
}
