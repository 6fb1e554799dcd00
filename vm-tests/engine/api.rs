//! What scripts find in `goop`.

use goop2::config::LuaConfig;
use goop2::script::Caller;
use serde_json::json;

use super::{Peer, caller, config};

#[tokio::test]
async fn a_script_sees_who_calls_and_whose_it_is() {
    let peer = Peer::with(&[(
        "who.lua",
        "function handle() return table.concat({goop.peer.id, goop.peer.label, goop.self.id, goop.self.label}, '|') end",
    )]);
    let labelled = Caller { label: "Bob B.".to_owned(), ..caller("Bob") };
    assert_eq!(peer.chat_as(&labelled, "!who").await.as_deref(), Some("Bob|Bob B.|Host|the host"));
}

#[tokio::test]
async fn kv_survives_a_restart_and_is_each_scripts_own() {
    let counter = "function handle(args)
        if args == 'drop' then goop.kv.del('n') return 'dropped' end
        local n = tonumber(goop.kv.get('n') or '0') + 1
        goop.kv.set('n', tostring(n))
        return tostring(n)
    end";
    let peer = Peer::with(&[("one.lua", counter), ("two.lua", counter)]);
    assert_eq!(peer.chat("!one").await.as_deref(), Some("1"));
    assert_eq!(peer.chat("!one").await.as_deref(), Some("2"));
    assert_eq!(peer.chat("!two").await.as_deref(), Some("1"));
    let stored = std::fs::read_to_string(peer.script_path(".state/one.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stored).unwrap(), json!({"n": "2"}));
    peer.engine.close().await;
    let Peer { dir, .. } = peer;
    let engine = goop2::script::Engine::new(config(), dir.path(), caller("Host")).unwrap();
    let peer = Peer { dir, engine: std::sync::Arc::new(engine) };
    assert_eq!(peer.chat("!one").await.as_deref(), Some("3"));
    assert_eq!(peer.chat("!one drop").await.as_deref(), Some("dropped"));
    assert_eq!(peer.chat("!one").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn invocations_at_the_same_time_lose_no_keys() {
    let peer = Peer::with(&[("put.lua", "function handle(k) goop.kv.set(k, 'x') return 'ok' end")]);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..40 {
        let engine = peer.engine.clone();
        calls.spawn(async move {
            engine.dispatch(&caller("Ann"), &format!("!put k{n}"), &super::Inbox::default()).await;
        });
    }
    calls.join_all().await;
    let stored = std::fs::read_to_string(peer.script_path(".state/put.json")).unwrap();
    let keys = serde_json::from_str::<serde_json::Map<_, _>>(&stored).unwrap();
    assert_eq!(keys.len(), 40);
}

#[tokio::test]
async fn kv_refuses_what_is_too_much_or_no_text() {
    let peer = Peer::with(&[(
        "put.lua",
        "function handle(what)
            local ok, problem
            if what == 'big' then ok, problem = pcall(goop.kv.set, 'k', ('x'):rep(65 * 1024))
            elseif what == 'table' then ok, problem = pcall(goop.kv.set, 'k', {})
            else ok, problem = pcall(goop.kv.set, '\\255', 'v') end
            return problem
        end",
    )]);
    assert_eq!(
        peer.chat("!put big").await.as_deref(),
        Some("goop.kv.set: the value would take this script's store to 66 KB; the limit is 64 KB")
    );
    assert_eq!(
        peer.chat("!put table").await.as_deref(),
        Some("bad argument #2 to 'goop.kv.set' (string expected, got table)")
    );
    assert_eq!(
        peer.chat("!put bytes").await.as_deref(),
        Some("bad argument #1 to 'goop.kv.set' (UTF-8 text expected)")
    );
}

#[tokio::test]
async fn what_the_owner_switched_off_is_not_there() {
    let peer = Peer::configured(
        LuaConfig { kv_enabled: false, ..config() },
        &[("kv.lua", "function handle() return tostring(goop.kv) .. tostring(goop.db) end")],
    );
    assert_eq!(peer.chat("!kv").await.as_deref(), Some("nilnil"), "and chat commands have no database");
}

#[tokio::test]
async fn json_goes_both_ways() {
    let peer = Peer::with(&[
        (
            "j.lua",
            "function call(r)
            local back = goop.json.decode(goop.json.encode(r.params))
            return { back = back, text = goop.json.encode({temp = 12, city = 'London'}) }
        end",
        ),
        ("bad.lua", "function handle(text) local ok, e = pcall(goop.json.decode, text) return e end"),
    ]);
    let params =
        json!({"i": 9007199254740993_i64, "f": 1.5, "s": "ä\"\\\n", "l": [1, [], {"x": true}], "e": []});
    let result = peer.call("j", params.clone()).await.unwrap();
    assert_eq!(result["back"], params);
    assert_eq!(result["text"], json!("{\"city\":\"London\",\"temp\":12}"));
    assert_eq!(
        peer.chat("!bad {\"a\": }").await.as_deref(),
        Some("goop.json.decode: expected value at line 1 column 7")
    );
}

/// The JSON reader's quick way missed the last bit of some numbers: a script read another number than it wrote.
#[tokio::test]
async fn json_keeps_every_bit_of_a_number() {
    let peer = Peer::with(&[(
        "n.lua",
        "function handle(text)
            local number = tonumber(text)
            local back = goop.json.decode(goop.json.encode(number))
            return tostring(back == number and goop.json.decode(text) == number)
        end",
    )]);
    for text in ["1.2882297539194267e-231", "0.1", "5e-324", "1.7976931348623157e308", "9007199254740993"] {
        assert_eq!(peer.chat(&format!("!n {text}")).await.as_deref(), Some("true"), "{text}");
    }
}

#[tokio::test]
async fn json_is_read_behind_a_byte_order_mark() {
    let source = "function handle() return goop.json.decode('\\239\\187\\191{\"a\": \"b\"}').a end";
    let peer = Peer::with(&[("bom.lua", source)]);
    assert_eq!(peer.chat("!bom").await.as_deref(), Some("b"));
}

#[tokio::test]
async fn commands_lists_chat_commands() {
    let peer = Peer::with(&[
        ("list.lua", "function handle() return table.concat(goop.commands(), ' ') end"),
        ("a.lua", "function handle() end"),
        ("f.lua", "function call() end"),
    ]);
    assert_eq!(peer.chat("!list").await.as_deref(), Some("a list"));
}

#[cfg(feature = "db")]
mod database {
    use super::*;

    /// Calls under way at once.
    mod futures_set {
        use std::future::{Future, poll_fn};
        use std::pin::Pin;
        use std::task::Poll;

        type Call<'a> = Pin<Box<dyn Future<Output = Result<serde_json::Value, String>> + 'a>>;

        #[derive(Default)]
        pub(super) struct Calls<'a>(Vec<Call<'a>>);

        impl<'a> Calls<'a> {
            pub(super) fn push(&mut self, call: Call<'a>) {
                self.0.push(call);
            }

            /// How the first that ends, ended.
            pub(super) async fn any(&mut self) -> Result<serde_json::Value, String> {
                poll_fn(|context| {
                    let ended = self.0.iter_mut().map(|call| call.as_mut().poll(context));
                    // Each is polled, so that each begins.
                    let ended: Vec<_> = ended.collect();
                    ended.into_iter().find(Poll::is_ready).unwrap_or(Poll::Pending)
                })
                .await
            }
        }
    }

    fn peer_with_rows(scripts: &[(&str, &str)]) -> Peer {
        peer_with_config(config(), scripts)
    }

    fn peer_with_config(config: LuaConfig, scripts: &[(&str, &str)]) -> Peer {
        let peer = Peer::configured(config, scripts);
        let connection = rusqlite::Connection::open(peer.dir.path().join("data.db")).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (id INTEGER, name TEXT, price REAL, data BLOB);
                 INSERT INTO t VALUES (1, 'one', 1.5, x'00ff'), (2, NULL, 2.0, NULL);",
            )
            .unwrap();
        peer
    }

    #[tokio::test]
    async fn rows_are_tables_and_scalars_are_values() {
        let peer = peer_with_rows(&[(
            "q.lua",
            "function call(r)
                local rows = goop.db.query('SELECT id, name, price FROM t WHERE id >= ? ORDER BY id', r.params.min)
                return { rows = rows, count = goop.db.scalar('SELECT COUNT(*) FROM t'),
                         none = goop.db.scalar('SELECT id FROM t WHERE id = ?', 99),
                         blob = #goop.db.scalar('SELECT data FROM t WHERE id = 1') }
            end",
        )]);
        let result = peer.call("q", json!({"min": 1})).await.unwrap();
        assert_eq!(
            result,
            json!({"rows": [{"id": 1, "name": "one", "price": 1.5}, {"id": 2, "price": 2}], "count": 2, "blob": 2})
        );
        assert_eq!(peer.call("q", json!({"min": 9})).await.unwrap()["rows"], json!([]));
    }

    #[tokio::test]
    async fn the_database_can_only_be_read() {
        let peer = peer_with_rows(&[(
            "w.lua",
            "function call(r)
                local results = {}
                for i, sql in ipairs(r.params) do
                    local ok = pcall(goop.db.query, sql)
                    results[i] = ok
                end
                return results
            end",
        )]);
        let attempts = json!([
            "INSERT INTO t (id) VALUES (3)",
            "UPDATE t SET id = 0",
            "DELETE FROM t",
            "DROP TABLE t",
            "CREATE TABLE x (y)",
            "ATTACH 'x.db' AS x",
            "PRAGMA writable_schema = 1",
            "SELECT 1; DELETE FROM t",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "SELECT load_extension('x')",
            "VACUUM INTO 'copy.db'",
            "SELECT id FROM t",
        ]);
        let results = peer.call("w", attempts).await.unwrap();
        let results: Vec<_> = results.as_array().unwrap().iter().map(|r| r.as_bool().unwrap()).collect();
        assert_eq!(
            results,
            [false, false, false, false, false, false, false, false, false, false, false, true]
        );
    }

    #[tokio::test]
    async fn a_runaway_query_meets_the_deadline_and_delays_nobody() {
        let peer = peer_with_rows(&[
            (
                "runaway.lua",
                "function call() return goop.db.scalar('WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n') end",
            ),
            ("quick.lua", "function call() return goop.db.scalar('SELECT 42') end"),
        ]);
        let quick = async {
            for _ in 0..10 {
                assert_eq!(peer.call("quick", json!({})).await, Ok(json!(42)));
            }
        };
        let runaway = peer.call("runaway", json!({}));
        tokio::pin!(runaway);
        tokio::select! {
            biased;
            _ = &mut runaway => panic!("the quick queries waited for the runaway one"),
            () = quick => {}
        }
        assert!(runaway.await.unwrap_err().starts_with("Script error (ref "));
    }

    /// One script's runaway queries, more than there are threads and connections, hold up neither
    /// another script's queries, nor its keys, nor commands.
    #[tokio::test]
    async fn the_runaway_queries_of_one_script_starve_no_other() {
        const RUNAWAYS: usize = 40;
        let forever =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        let runaway = format!("function call() return goop.db.scalar('{forever}') end");
        let scripts = [
            ("runaway.lua", runaway.as_str()),
            ("quick.lua", "function call() goop.kv.set('k', 'v') return goop.db.scalar('SELECT 42') end"),
            ("ping.lua", "function handle() return 'pong' end"),
        ];
        let peer = peer_with_config(LuaConfig { timeout_seconds: 5, ..config() }, &scripts);
        let mut runaways: futures_set::Calls<'_> = futures_set::Calls::default();
        for _ in 0..RUNAWAYS {
            runaways.push(Box::pin(peer.call("runaway", json!({}))));
        }
        let quick = async {
            for _ in 0..10 {
                assert_eq!(peer.call("quick", json!({})).await, Ok(json!(42)));
                assert_eq!(peer.chat("!ping").await.as_deref(), Some("pong"));
            }
        };
        tokio::select! {
            biased;
            ended = runaways.any() => panic!("others waited for a runaway query, until {ended:?}"),
            () = quick => {}
        }
    }

    #[tokio::test]
    async fn parameters_of_every_kind_are_bound_or_refused() {
        let peer = peer_with_rows(&[(
            "p.lua",
            "function call()
                local function kind(...) return goop.db.scalar('SELECT typeof(?)', ...) end
                local function refused(...)
                    local ok, problem = pcall(goop.db.query, 'SELECT ?', ...)
                    return not ok and problem
                end
                local long = ('x'):rep(1024 * 1024)
                local shared = {}
                for i = 1, 4000 do shared[i] = long end
                return {
                    bound = { kind(nil), kind(true), kind(5), kind(5.5), kind(1 / 0), kind('x'), kind('\\255'), kind(goop.json.null) },
                    refused = { refused({}), refused(print), refused(0 / 0), refused(), refused(1, 2),
                                refused(unpack(shared)) },
                }
            end",
        )]);
        let result = peer.call("p", json!({})).await.unwrap();
        assert_eq!(
            result["bound"],
            json!(["null", "integer", "integer", "real", "real", "text", "blob", "null"])
        );
        let expected = [
            "bad argument #2 to 'goop.db.query' (a value for the database expected, got table)",
            "bad argument #2 to 'goop.db.query' (a value for the database expected, got function)",
            "bad argument #2 to 'goop.db.query' (a value for the database expected, got nan)",
            "goop.db.query: the query has 1 placeholder, found 0 values",
            "goop.db.query: the query has 1 placeholder, found 2 values",
            "bad argument #4 to 'goop.db.query' (the values have more than 2097152 bytes together)",
        ];
        for (found, expected) in result["refused"].as_array().unwrap().iter().zip(expected) {
            assert!(found.as_str().unwrap().ends_with(expected), "{found}");
        }
    }

    #[tokio::test]
    async fn wrong_queries_tell_the_script_what_is_wrong() {
        let peer = peer_with_rows(&[(
            "e.lua",
            "function call(r)
                local _, missing = pcall(goop.db.query, 'SELECT * FROM quiz_answers')
                local _, kind = pcall(goop.db.query, 'SELECT ?', {})
                -- As `SELECT *` over two tables gives two of `_id`.
                local twice = goop.db.query('SELECT 1 AS a, 2 AS a')[1].a
                local _, long = pcall(goop.db.query, ('x'):rep(4000000))
                return { missing, kind, twice, long }
            end",
        )]);
        let result = peer.call("e", json!({})).await.unwrap();
        assert!(result[0].as_str().unwrap().contains("no such table: quiz_answers"), "{result}");
        assert!(
            result[1].as_str().unwrap().contains("a value for the database expected, got table"),
            "{result}"
        );
        assert_eq!(result[2], 2, "the last of two columns counts");
        let long = "goop.db.query: the query is 4000000 bytes long, the limit is 32768";
        assert!(result[3].as_str().unwrap().ends_with(long), "{result}");
    }
}

/// It was called a bug of ours, and told twice.
#[tokio::test]
async fn a_store_that_can_not_be_written_is_named_to_the_owner_and_not_to_the_visitor() {
    let peer = Peer::with(&[("put.lua", "function handle() goop.kv.set('k', 'v') return 'stored' end")]);
    std::fs::create_dir_all(peer.script_path(".state/put.lock")).unwrap();
    let reply = peer.chat("!put").await.unwrap();
    let stats = peer.engine.stats();
    let error = stats[0].last_error.as_ref().unwrap();
    assert_eq!(reply, format!("Script error (ref {})", error.reference));
    assert_eq!(error.kind, "runtime");
    let problem =
        "goop.kv: put.json: the store can't be written (the lock failed): it is no plain file; look at";
    assert!(error.message.starts_with(problem), "{}", error.message);
    std::fs::remove_dir(peer.script_path(".state/put.lock")).unwrap();
    assert_eq!(peer.chat("!put").await.as_deref(), Some("stored"));
}
