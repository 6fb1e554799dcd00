//! The exchanges of the demo, each checked.
//!
//! A visitor may run ten scripts a minute; the tour runs eight, so it shows a peer as it is and not
//! one whose limits were lifted for the occasion.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use goop2::peer::{Peer, PeerEvents};
use goop2::script::ScriptEvent;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::super::client::Client;
use super::super::failure::{CommandResult, Failure};
use super::super::functions::listed;
use super::host_files::{Editor, QuizKey};
use super::transcript::{Transcript, Wrong};

/// The longest an exchange may take, or a saved script may take to be noticed.
const PATIENCE: Duration = Duration::from_secs(20);

/// The line of score-quiz.lua that says what passes, and what its owner makes of it.
const PASS_MARK: &str = "local PASS_SHARE = 0.7";
const LOWER_MARK: &str = "local PASS_SHARE = 0.5";
const TYPO: &str = "local PASS_SHARE 0.5";

type Answer = Result<String, Wrong>;

/// Shows all exchanges.
pub(super) async fn run(
    transcript: &mut Transcript,
    dir: &Path,
    host: &Peer,
    visitor: &Client,
    key: &QuizKey,
) -> CommandResult {
    let tour = Tour { visitor, key };
    transcript.exchange("The visitor fetches the page", "GET /", tour.page().await)?;
    transcript.exchange("Scripts are not for reading", "GET /lua/score-quiz.lua", tour.no_script().await)?;
    transcript.exchange("The visitor asks for help in the chat", "!help", tour.help().await)?;
    transcript.exchange("A slip of the pen", "!wether", tour.unknown_command().await)?;
    transcript.exchange("What can be called?", "lua-list", tour.functions().await)?;
    let total = key.total();
    let (asked, answer) = tour.score(key.all_right(), total, true).await;
    transcript.exchange("All answers right, scored by the host", &asked, answer)?;
    let (asked, answer) = tour.score_mostly_wrong(false).await;
    transcript.exchange("Some answers wrong", &asked, answer)?;
    let (asked, answer) = tour.insert_score().await;
    transcript.exchange("The visitor's score, stamped by the host with who sent it", &asked, answer)?;
    let (asked, answer) = tour.leaderboard().await;
    transcript.exchange("The leaderboard", &asked, answer)?;
    edit(transcript, dir, host, &tour).await
}

/// The owner changes the script while the peer runs.
async fn edit(transcript: &mut Transcript, dir: &Path, host: &Peer, tour: &Tour<'_>) -> CommandResult {
    let editor = Editor::open(dir)?;
    let mut events = host.events();
    let (lower, _) = editor.replaced(PASS_MARK, LOWER_MARK)?;
    editor.save(&lower)?;
    let reloaded = loaded(&mut events).await;
    transcript.exchange("The owner lowers the pass mark and saves", "0.7 -> 0.5", reloaded)?;
    let (asked, answer) = tour.score_mostly_wrong(true).await;
    transcript.exchange("The same answers again", &asked, answer)?;
    let (typo, line) = editor.replaced(PASS_MARK, TYPO)?;
    editor.save(&typo)?;
    let rejected = rejected(&mut events, line).await;
    transcript.exchange("The owner saves a typo, and sees where it is", TYPO, rejected)?;
    let (asked, answer) = tour.score_mostly_wrong(true).await;
    transcript.exchange("The last good version keeps answering", &asked, answer)?;
    editor.restore()?;
    let reloaded = loaded(&mut events).await;
    transcript.exchange("The owner takes it all back", "0.5 -> 0.7", reloaded)?;
    let (asked, answer) = tour.score_mostly_wrong(false).await;
    transcript.exchange("And the old mark holds again", &asked, answer)
}

async fn loaded(events: &mut PeerEvents) -> Answer {
    match patiently(async { Ok(events.next_script().await) }).await? {
        ScriptEvent::Loaded { name } if name == "score-quiz" => Ok(format!("loaded {name}.lua")),
        other => Err(Wrong(format!("the script should be loaded, but: {other:?}"))),
    }
}

async fn rejected(events: &mut PeerEvents, line: usize) -> Answer {
    match patiently(async { Ok(events.next_script().await) }).await? {
        ScriptEvent::Rejected { problem, .. } if problem.starts_with(&format!("score-quiz.lua:{line}:")) => {
            Ok(problem)
        }
        other => Err(Wrong(format!("line {line} should be reported, but: {other:?}"))),
    }
}

struct Tour<'a> {
    visitor: &'a Client,
    key: &'a QuizKey,
}

impl Tour<'_> {
    async fn page(&self) -> Answer {
        let (mime, bytes) = patiently(self.visitor.get("/")).await?;
        let is_page = mime.starts_with("text/html") && bytes.starts_with(b"<!");
        expect(is_page, format!("{mime}, {} bytes", bytes.len()), "a page")
    }

    async fn no_script(&self) -> Answer {
        match patiently(self.visitor.get("/lua/score-quiz.lua")).await {
            Ok((mime, bytes)) => Err(Wrong(format!("the script was sent: {mime}, {} bytes", bytes.len()))),
            Err(Wrong(reason)) => expect(reason.ends_with("forbidden"), shortened(&reason), "a refusal"),
        }
    }

    async fn help(&self) -> Answer {
        let reply = self.chat("!help").await?;
        let lists = ["!help", "!score-quiz"].iter().all(|command| reply.contains(command));
        expect(lists, reply, "the commands")
    }

    async fn unknown_command(&self) -> Answer {
        let reply = self.chat("!wether").await?;
        expect(reply == "Unknown command: !wether. Try !help", reply, "a hint")
    }

    async fn functions(&self) -> Answer {
        let functions = patiently(self.visitor.functions()).await?;
        let functions = listed(&functions);
        let names: Vec<_> = functions.iter().map(|(name, _)| name.as_str()).collect();
        let shown: Vec<_> = functions.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        expect(names == ["leaderboard", "score-quiz"], shown.join("\n"), "the quiz's two functions")
    }

    async fn score_mostly_wrong(&self, passed: bool) -> (String, Answer) {
        self.score(self.key.mostly_wrong(), self.key.right_of_mostly_wrong(), passed).await
    }

    async fn score(&self, answers: Value, score: usize, passed: bool) -> (String, Answer) {
        let params = json!({ "quiz_id": self.key.quiz_id, "answers": answers });
        let asked = format!("score-quiz {params}");
        let expected = json!({ "score": score, "total": self.key.total(), "passed": passed });
        let answer = patiently(self.visitor.call("score-quiz", &params)).await;
        let answer =
            answer.and_then(|found| expect(found == expected, found.to_string(), &expected.to_string()));
        (asked, answer)
    }

    /// The row as the visitor sends it has no owner; the row as it is kept has.
    async fn insert_score(&self) -> (String, Answer) {
        let row = json!({ "game_id": self.key.quiz_id, "score": self.key.total(), "nickname": "Visitor" });
        let asked = format!("insert into scores {row}");
        (asked, self.insert_and_read(row).await)
    }

    async fn insert_and_read(&self, row: Value) -> Answer {
        let insert = json!({ "op": "insert", "table": "scores", "data": row });
        let done = patiently(self.visitor.ask(&insert, &["/data"])).await?;
        let query = json!({
            "op": "query", "table": "scores", "columns": ["_owner"], "where": "_id = ?", "args": [done["id"]],
        });
        let rows = patiently(self.visitor.ask(&query, &["/data"])).await?;
        let own = self.visitor.id();
        let stamped = rows.pointer("/0/_owner").and_then(Value::as_str) == Some(own.as_str());
        expect(stamped, format!("row {}, _owner = {own}: the visitor", done["id"]), "the visitor's row")
            .map_err(|_| Wrong(format!("the row should belong to the visitor, but: {rows}")))
    }

    async fn leaderboard(&self) -> (String, Answer) {
        let params = json!({ "game_id": self.key.quiz_id });
        let asked = format!("leaderboard {params}");
        let answer = patiently(self.visitor.call("leaderboard", &params)).await.and_then(|board| {
            let first = board.pointer("/leaderboard/0").cloned().unwrap_or_default();
            let is_visitor = first["peer_id"] == json!(self.visitor.id()) && first["nickname"] == "Visitor";
            let is_score = first["score"] == json!(self.key.total());
            let shown = format!("1. {} with {} points", first["nickname"], first["score"]);
            expect(is_visitor && is_score, shown, "the visitor in the first place")
        });
        (asked, answer)
    }

    async fn chat(&self, text: &str) -> Result<String, Wrong> {
        let reply = patiently(self.visitor.chat(text.to_owned(), PATIENCE)).await?;
        reply.map(|message| message.content.clone()).ok_or_else(|| Wrong("there was no reply".to_owned()))
    }
}

/// `found` if it is right.
fn expect(is_right: bool, found: String, expected: &str) -> Answer {
    if is_right { Ok(found) } else { Err(Wrong(format!("expected {expected}, found {found}"))) }
}

/// What a reason says after its circumstances.
fn shortened(reason: &str) -> String {
    let start = reason.find("the peer refused").unwrap_or(0);
    reason.get(start..).unwrap_or(reason).to_owned()
}

async fn patiently<T>(work: impl Future<Output = CommandResult<T>>) -> Result<T, Wrong> {
    match timeout(PATIENCE, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(Failure { error, .. })) => {
            Err(Wrong(error.map_or_else(|| "it failed".to_owned(), |error| error.to_string())))
        }
        Err(_) => Err(Wrong(format!("nothing happened within {} s", PATIENCE.as_secs()))),
    }
}
