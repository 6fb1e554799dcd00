//! The engine as an embedder uses it: no node, no command line.

mod api;
mod counters;
mod dispatch;
mod help;
#[cfg(feature = "http")]
mod http;
mod json;
mod log;
mod read_only;
mod reload;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use goop2::config::LuaConfig;
use goop2::peer_id::PeerId;
use goop2::script::{Caller, DirectSender, Engine, EngineOptions, ScriptEvent, SendFuture, Surroundings};
use goop2::vm::Limits;
use parking_lot::Mutex;
use serde_json::Value as Json;
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

/// Longer than anything here takes; a test that waits so long has failed.
const TOO_LONG: Duration = Duration::from_secs(20);

/// A peer folder with scripts, and the engine that runs them.
pub(crate) struct Peer {
    dir: TempDir,
    pub(crate) engine: Arc<Engine>,
}

/// The configuration of most tests: generous rates, a short deadline.
pub(crate) fn config() -> LuaConfig {
    LuaConfig {
        enabled: true,
        timeout_seconds: 1,
        rate_limit_per_peer: 10_000,
        rate_limit_global: 10_000,
        ..LuaConfig::default()
    }
}

pub(crate) fn caller(name: &str) -> Caller {
    Caller { peer: PeerId::parse(name).unwrap(), label: String::new() }
}

/// A script's surroundings without a peer, files or HTTP.
pub(crate) fn bare_surroundings() -> Surroundings {
    Surroundings {
        caller: caller("Host"),
        own: caller("Host"),
        peer_dir: None,
        script_dir: None,
        kv_enabled: true,
        commands: Vec::new(),
        limits: Limits::default(),
        #[cfg(feature = "http")]
        http: None,
    }
}

impl Peer {
    /// A peer whose `site/lua/` holds these scripts.
    pub(crate) fn with(scripts: &[(&str, &str)]) -> Self {
        Self::configured(config(), scripts)
    }

    pub(crate) fn configured(config: LuaConfig, scripts: &[(&str, &str)]) -> Self {
        Self::with_options(config, EngineOptions::default(), scripts)
    }

    pub(crate) fn with_options(config: LuaConfig, options: EngineOptions, scripts: &[(&str, &str)]) -> Self {
        Self::made(config, options, scripts, |engine| engine)
    }

    /// A peer whose scripts reach what this client reaches.
    #[cfg(feature = "http")]
    pub(crate) fn with_http(
        config: LuaConfig,
        client: goop2::script::HttpClient,
        scripts: &[(&str, &str)],
    ) -> Self {
        Self::made(config, EngineOptions::default(), scripts, |engine| engine.with_http(client))
    }

    fn made(
        config: LuaConfig,
        options: EngineOptions,
        scripts: &[(&str, &str)],
        finish: impl FnOnce(Engine) -> Engine,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (file, source) in scripts {
            write(&dir.path().join("site/lua").join(file), source);
        }
        let own = Caller { peer: PeerId::parse("Host").unwrap(), label: "the host".to_owned() };
        let engine = Arc::new(finish(Engine::with_options(config, dir.path(), own, options).unwrap()));
        Self { dir, engine }
    }

    pub(crate) fn script_path(&self, file: &str) -> PathBuf {
        self.dir.path().join("site/lua").join(file)
    }

    pub(crate) fn write(&self, file: &str, source: &str) {
        write(&self.script_path(file), source);
    }

    /// What the peer `Ann` is answered.
    pub(crate) async fn chat(&self, text: &str) -> Option<String> {
        self.chat_as(&caller("Ann"), text).await
    }

    pub(crate) async fn chat_as(&self, caller: &Caller, text: &str) -> Option<String> {
        let inbox = Inbox::default();
        self.engine.dispatch(caller, text, &inbox).await;
        inbox.0.into_inner().pop().map(|(to, content)| {
            assert_eq!(to, caller.peer, "the reply goes to the caller");
            content
        })
    }

    pub(crate) async fn call(&self, function: &str, params: Json) -> Result<Json, String> {
        self.engine.call(&caller("Ann"), function, params).await.map_err(|error| error.to_string())
    }
}

/// Waits for an event about scripts that `wanted` accepts.
pub(crate) async fn wait_for(
    events: &mut Receiver<ScriptEvent>,
    wanted: impl Fn(&ScriptEvent) -> bool,
) -> ScriptEvent {
    let found = async {
        loop {
            let event = events.recv().await.unwrap();
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(TOO_LONG, found).await.expect("the event did not come")
}

fn write(path: &Path, source: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, source).unwrap();
}

/// Takes the replies that the engine sends.
#[derive(Default)]
struct Inbox(Mutex<Vec<(PeerId, String)>>);

impl DirectSender for Inbox {
    fn send_direct<'a>(&'a self, to: &'a PeerId, content: String) -> SendFuture<'a> {
        self.0.lock().push((to.clone(), content));
        Box::pin(async { Ok(()) })
    }
}
