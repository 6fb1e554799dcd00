//! The script engine in a program of its own: no node, no database, no C compiler.
//!
//! ```sh
//! cargo run --example embed --no-default-features
//! ```
//!
//! An embedder brings three things: a folder with scripts, a way to send a direct message, and who is
//! calling. The engine has threads of its own, so any executor will do; this example happens to use tokio's.
//! Whatever carries the messages must have authenticated the caller; the engine believes it.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use goop2::config::LuaConfig;
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender, Engine, SendFuture};
use serde_json::{Value, json};

/// A chat command, `!greet`, and a data function, `add`, in one script each.
const SCRIPTS: [(&str, &str); 2] = [
    (
        "greet.lua",
        "--- Greets whoever asks\nfunction handle(args) return 'Hello, ' .. goop.peer.label .. '! You said: ' .. args end",
    ),
    (
        "add.lua",
        "--- Adds two numbers\n--- @param a number The one\n--- @param b number The other\n\
         function call(request) return { sum = request.params.a + request.params.b } end",
    ),
];

/// Where replies go. Yours would write to a connection.
#[derive(Default)]
pub struct Mailbox(Mutex<Vec<String>>);

impl DirectSender for Mailbox {
    fn send_direct<'a>(&'a self, _to: &'a PeerId, content: String) -> SendFuture<'a> {
        if let Ok(mut replies) = self.0.lock() {
            replies.push(content);
        }
        Box::pin(async { Ok(()) })
    }
}

/// What the example's two calls gave.
#[derive(Debug, PartialEq)]
pub struct Answers {
    /// The replies to `!greet` and to a command that is none.
    pub replies: Vec<String>,
    /// The result of the data function.
    pub sum: Value,
    /// The commands and the functions that the engine found.
    pub listed: (Vec<String>, Vec<String>),
}

/// Runs an engine over the scripts in `dir/site/lua`, asks it three things, and closes it.
pub async fn tour(dir: &Path) -> Result<Answers, Box<dyn Error>> {
    let scripts = dir.join("site/lua");
    fs::create_dir_all(&scripts)?;
    for (file, source) in SCRIPTS {
        fs::write(scripts.join(file), source)?;
    }

    // The limits are those of the specification unless you say otherwise. Making an engine compiles the
    // scripts, which blocks for a few milliseconds each.
    let own = Caller { peer: PeerId::parse("Host")?, label: "the host".to_owned() };
    let engine = Arc::new(Engine::new(LuaConfig::default(), dir, own)?);

    let caller = Caller { peer: PeerId::parse("Ann")?, label: "Ann".to_owned() };
    let mailbox = Mailbox::default();
    engine.dispatch(&caller, "!greet good morning", &mailbox).await;
    engine.dispatch(&caller, "!wether", &mailbox).await;
    // The error's text is fit for the caller's eyes; what it leaves out is in the log.
    let sum = engine.call(&caller, "add", json!({ "a": 1, "b": 2 })).await?;

    let functions = engine.functions().into_iter().map(|function| function.name).collect();
    let listed = (engine.commands(), functions);
    engine.close().await;
    let replies = mailbox.0.into_inner().unwrap_or_default();
    Ok(Answers { replies, sum, listed })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    let answers = tour(dir.path()).await?;
    let text = format!("{answers:#?}\n");
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}
