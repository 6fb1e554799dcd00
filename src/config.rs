//! `goop.json`: what the owner wrote, the defaults for what was left out, and the checks.
//!
//! The format is the one of deployed peers (`fixtures/` holds one), so their folders open
//! unchanged: sections and fields that only they know are kept out of the way, not refused.
//! A value that is out of bounds is refused with the field's full name, because a limit that is
//! silently corrected is one the owner believes in and does not have. What each field may hold is in
//! one table, [`FIELDS`].

mod email;
mod error;
mod fields;
mod inspect;
mod places;
#[cfg(feature = "peer")]
mod relay;
#[cfg(feature = "peer")]
mod undialable;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use email::MAX_EMAIL_BYTES;
pub(crate) use email::is_email;
pub use error::ConfigError;
pub use fields::{FIELDS, Field, Rule};
pub use inspect::{Inspection, Setting, Source, UnknownField};
#[cfg(feature = "peer")]
pub use undialable::Undialable;

/// The configuration's file name inside a peer folder.
pub const FILE_NAME: &str = "goop.json";

/// The served folder inside a peer folder.
pub const SITE_DIR: &str = "site";

/// The database's file name inside a peer folder.
pub const DATABASE_FILE: &str = "data.db";

/// The chat history's file inside a peer folder.
pub const HISTORY_FILE: &str = "data/chat.db";

/// The longest path in bytes, so that it can be had on every system with the peer's folder before it.
pub const MAX_PATH_BYTES: usize = 1000;

/// The longest `goop.json` that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// One peer's configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Config {
    /// Where the peer's key lies.
    pub identity: IdentityConfig,
    /// How the node listens, and whom it lets in.
    pub p2p: P2pConfig,
    /// How peers learn who is online.
    pub presence: PresenceConfig,
    /// What the owner tells others about themselves.
    pub profile: ProfileConfig,
    /// The sandboxed scripts.
    pub lua: LuaConfig,
    /// What visitors may keep in the tables.
    pub data: DataConfig,
}

/// Where the peer's key lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct IdentityConfig {
    /// The key file, relative to the peer folder.
    pub key_file: PathBuf,
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { key_file: "data/identity.key".into() }
    }
}

/// How the node listens, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct P2pConfig {
    /// The TCP port on every interface; 0 lets the system choose one at each start.
    pub listen_port: u16,
    /// Whether peers on the local network find each other.
    pub mdns: bool,
    /// A relay through which this peer can be reached behind NAT, a multiaddr that ends in
    /// `/p2p/ID`; empty for none.
    pub relay: String,
    /// The most connections that others may make: 1 to 10,000. Each costs some 100 KB.
    pub max_connections: u32,
    /// The most of them from one IPv4 address, one IPv6 /64, or one relay: 1 to 10,000.
    pub max_connections_per_address: u32,
}

impl Default for P2pConfig {
    fn default() -> Self {
        Self {
            listen_port: 0,
            mdns: true,
            relay: String::new(),
            max_connections: 96,
            max_connections_per_address: 24,
        }
    }
}

/// How peers learn who is online.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PresenceConfig {
    /// The GossipSub topic: 1 to 100 bytes. Peers on another topic don't see this one.
    pub topic: String,
    /// How long a peer may be silent before it is offline, in seconds: 2 to 3600.
    pub ttl_seconds: u64,
    /// How often this peer announces itself, in seconds: 1 to 1800.
    pub heartbeat_seconds: u64,
}

impl Default for PresenceConfig {
    fn default() -> Self {
        Self { topic: "goop.presence.v1".to_owned(), ttl_seconds: 20, heartbeat_seconds: 5 }
    }
}

/// What the owner tells others about themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfileConfig {
    /// The name shown to other peers, `goop.self.label` in scripts. At most 200 bytes.
    pub label: String,
    /// An e-mail address, or empty.
    pub email: String,
}

impl Default for ProfileConfig {
    fn default() -> Self {
        Self { label: "hello".to_owned(), email: String::new() }
    }
}

/// The sandboxed scripts; off unless the owner switches them on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LuaConfig {
    /// The master switch.
    pub enabled: bool,
    /// The script folder, relative to the peer folder.
    pub script_dir: PathBuf,
    /// The longest an invocation may take, in seconds: 1 to 60.
    pub timeout_seconds: u64,
    /// The most memory an invocation may hold, in MiB: 1 to 1024.
    pub max_memory_mb: u64,
    /// The most invocations by one peer in a minute: 1 to 1,000,000.
    pub rate_limit_per_peer: u32,
    /// The most invocations by all peers in a minute: 1 to 1,000,000.
    pub rate_limit_global: u32,
    /// The most invocations that run at once: 1 to 10,000. Each may hold `max_memory_mb`, so the two
    /// bound what all scripts together can take.
    pub max_running: usize,
    /// The most invocations that wait for a place among those: 0 to 100,000. More are told at once that
    /// the peer is busy.
    pub max_waiting: usize,
    /// Whether scripts have `goop.http`.
    pub http_enabled: bool,
    /// Whether scripts have `goop.kv`.
    pub kv_enabled: bool,
}

impl Default for LuaConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            script_dir: "site/lua".into(),
            timeout_seconds: 5,
            max_memory_mb: 10,
            rate_limit_per_peer: 10,
            rate_limit_global: 60,
            max_running: 128,
            max_waiting: 256,
            http_enabled: true,
            kv_enabled: true,
        }
    }
}

/// What each visitor may keep in the tables, so that no one fills them for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DataConfig {
    /// The most rows of one visitor, in all tables together: 1 to 1,000,000.
    pub visitor_max_rows: u32,
    /// The most that one visitor's rows may take, in MiB: 1 to 192.
    pub visitor_max_mb: u32,
    /// The most inserts, updates and deletes by one visitor in a minute: 1 to 6,000.
    pub visitor_writes_per_minute: u32,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { visitor_max_rows: 2000, visitor_max_mb: 8, visitor_writes_per_minute: 120 }
    }
}

impl LuaConfig {
    /// The longest an invocation may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// The most memory an invocation may hold, in bytes.
    pub fn max_memory_bytes(&self) -> usize {
        usize::try_from(self.max_memory_mb.saturating_mul(1024 * 1024)).unwrap_or(usize::MAX)
    }
}

impl Config {
    /// Reads and checks the configuration of the peer folder `dir`; a folder without a
    /// `goop.json` has the defaults. Fields that have no effect are logged as warnings.
    ///
    /// # Errors
    /// When the file can't be read, is larger than [`MAX_FILE_BYTES`], is not JSON of the right
    /// shape, or holds a value out of bounds; the first problem, by the field's full name.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let (inspection, config) = read(dir)?;
        if let Some(problem) = inspection.problems.into_iter().next() {
            return Err(problem);
        }
        for unknown in &inspection.unknown {
            tracing::warn!("{unknown}");
        }
        Ok(config)
    }

    /// Looks at the configuration of the peer folder `dir`: every field, where its value is from,
    /// and all that is wrong. Where nothing is, [`Config::load`] gives the configuration.
    ///
    /// # Errors
    /// When the file can't be read as JSON at all.
    pub fn inspect(dir: &Path) -> Result<Inspection, ConfigError> {
        Ok(read(dir)?.0)
    }

    /// Checks every value, as far as that can be said without a folder.
    ///
    /// # Errors
    /// The first value out of bounds, by the field's full name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let values = serde_json::to_value(self).map_err(|source| ConfigError::Unwritable { source })?;
        let written = values.as_object().map(Inspection::of).unwrap_or_default();
        written.problems.into_iter().next().map_or(Ok(()), Err)
    }
}

/// The file's text; `None` when there is no file.
fn read_file(dir: &Path) -> Result<Option<String>, ConfigError> {
    let path = dir.join(FILE_NAME);
    let found = match std::fs::metadata(&path) {
        // A pipe would be waited for.
        Ok(metadata) if !metadata.is_file() => {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a file");
            return Err(ConfigError::Read { path, source });
        }
        Ok(metadata) => metadata.len(),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ConfigError::Read { path, source }),
    };
    if found > MAX_FILE_BYTES {
        return Err(ConfigError::TooLarge { path, found });
    }
    let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Read { path, source })?;
    // Some editors begin a file with a mark that is no JSON and that nobody sees.
    Ok(Some(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)))
}

/// The one reading of a configuration, with all that is wrong in it. With a problem, the second value is
/// of no use.
fn read(dir: &Path) -> Result<(Inspection, Config), ConfigError> {
    let text = read_file(dir)?.unwrap_or_else(|| "{}".to_owned());
    let parsed = |source| ConfigError::Parse { path: dir.join(FILE_NAME), source };
    let Value::Object(root) = serde_json::from_str(&text).map_err(parsed)? else {
        return Err(ConfigError::WrongType {
            field: FILE_NAME.to_owned(),
            expected: "an object of sections".to_owned(),
            found: "another JSON value".to_owned(),
        });
    };
    let mut inspection = Inspection::of(&root);
    let mut config = Config::default();
    if inspection.problems.is_empty() {
        // What is left for the typed reader to find is a field that is written twice.
        match serde_json::from_str(&text) {
            Ok(read) => config = read,
            Err(source) => inspection.problems.push(parsed(source)),
        }
    }
    if inspection.problems.is_empty() {
        inspection.problems = places::problems(dir, &config);
    }
    Ok((inspection, config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_bounds_is_named() {
        let mut config = Config::default();
        config.lua.timeout_seconds = 0;
        let message = config.validate().unwrap_err().to_string();
        assert_eq!(message, "config: lua.timeout_seconds must be between 1 and 60, found 0");
        let mut config = Config::default();
        config.lua.max_running = 0;
        let message = config.validate().unwrap_err().to_string();
        assert_eq!(message, "config: lua.max_running must be between 1 and 10000, found 0");
        let mut config = Config::default();
        config.lua.max_waiting = 100_001;
        let message = config.validate().unwrap_err().to_string();
        assert_eq!(message, "config: lua.max_waiting must be between 0 and 100000, found 100001");
    }

    /// A field without its row would be neither checked, shown nor documented.
    #[test]
    fn every_field_has_its_row() {
        let values = serde_json::to_value(Config::default()).unwrap();
        let mut names = Vec::new();
        for (section, fields) in values.as_object().unwrap() {
            names.extend(fields.as_object().unwrap().keys().map(|name| format!("{section}.{name}")));
        }
        let mut rows: Vec<_> = FIELDS.iter().map(|field| field.name.to_owned()).collect();
        names.sort();
        rows.sort();
        assert_eq!(names, rows);
        Config::default().validate().unwrap();
    }

    #[test]
    fn a_script_folder_outside_the_peer_folder_is_refused() {
        for path in ["../other", "/etc", "", "site/../../x"] {
            let mut config = Config::default();
            config.lua.script_dir = path.into();
            let error = config.validate().unwrap_err();
            assert!(
                matches!(error, ConfigError::OutsidePeerFolder { field: "lua.script_dir", .. }),
                "{path}: {error}"
            );
        }
    }

    #[test]
    fn fields_only_deployed_peers_know_do_not_matter() {
        let text = r#"{"viewer": {"theme": "dark"}, "p2p": {"mdns_tag": "x"}, "presence": {"smtp_port": 587}, "lua": {"enabled": true}}"#;
        let config: Config = serde_json::from_str(text).unwrap();
        assert!(config.lua.enabled);
        assert_eq!(config.lua.rate_limit_per_peer, 10);
    }

    #[test]
    fn a_missing_file_means_the_defaults_and_a_broken_one_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Config::load(dir.path()).unwrap(), Config::default());
        for (text, expected) in [
            ("{\"lua\": {\"enabled\": 3}}", "config: lua.enabled must be true or false, found the number 3"),
            ("{\"lua\": 3}", "config: lua must be an object of fields, found the number 3"),
            (
                "{\"p2p\": {\"listen_port\": -1}}",
                "config: p2p.listen_port must be between 0 and 65535, found -1",
            ),
            ("[]", "config: goop.json must be an object of sections, found another JSON value"),
        ] {
            std::fs::write(dir.path().join(FILE_NAME), text).unwrap();
            assert_eq!(Config::load(dir.path()).unwrap_err().to_string(), expected);
        }
        for text in ["{\"lua\": {\"enabled\"", "{\"lua\": {\"enabled\": true, \"enabled\": false}}"] {
            std::fs::write(dir.path().join(FILE_NAME), text).unwrap();
            let message = Config::load(dir.path()).unwrap_err().to_string();
            assert!(message.contains("goop.json") && message.contains("line 1"), "{message}");
        }
    }
}
