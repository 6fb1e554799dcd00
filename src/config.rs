//! `goop.json`: what the owner wrote, the defaults for what was left out, and the checks.
//!
//! The format is the one of deployed peers (`fixtures/` holds one), so their folders open
//! unchanged: sections and fields that only they know are kept out of the way, not refused.
//! A value that is out of bounds is refused with the field's full name, because a limit that is
//! silently corrected is one the owner believes in and does not have.

use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The configuration's file name inside a peer folder.
pub const FILE_NAME: &str = "goop.json";

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
            http_enabled: true,
            kv_enabled: true,
        }
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
    /// `goop.json` has the defaults.
    ///
    /// # Errors
    /// When the file can't be read, is larger than [`MAX_FILE_BYTES`], is not JSON of the right
    /// shape, or holds a value out of bounds.
    pub fn load(dir: &Path) -> Result<Self, ConfigError> {
        let path = dir.join(FILE_NAME);
        let found = match std::fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(ConfigError::Read { path, source }),
        };
        if found > MAX_FILE_BYTES {
            return Err(ConfigError::TooLarge { path, found });
        }
        let text = std::fs::read_to_string(&path)
            .map_err(|source| ConfigError::Read { path: path.clone(), source })?;
        let config: Self =
            serde_json::from_str(&text).map_err(|source| ConfigError::Parse { path, source })?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every value that has bounds.
    ///
    /// # Errors
    /// The first value out of bounds, by the field's full name.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let lua = &self.lua;
        number("lua.timeout_seconds", lua.timeout_seconds, 1, 60)?;
        number("lua.max_memory_mb", lua.max_memory_mb, 1, 1024)?;
        number("lua.rate_limit_per_peer", lua.rate_limit_per_peer.into(), 1, 1_000_000)?;
        number("lua.rate_limit_global", lua.rate_limit_global.into(), 1, 1_000_000)?;
        inside("lua.script_dir", &lua.script_dir)?;
        inside("identity.key_file", &self.identity.key_file)?;
        let (p2p, presence) = (&self.p2p, &self.presence);
        number("p2p.max_connections", p2p.max_connections.into(), 1, 10_000)?;
        number("p2p.max_connections_per_address", p2p.max_connections_per_address.into(), 1, 10_000)?;
        number("the length of presence.topic in bytes", presence.topic.len() as u64, 1, 100)?;
        number("presence.ttl_seconds", presence.ttl_seconds, 2, 3600)?;
        number("presence.heartbeat_seconds", presence.heartbeat_seconds, 1, 1800)?;
        let label_bytes = self.profile.label.len() as u64;
        number("the length of profile.label in bytes", label_bytes, 0, 200)
    }
}

fn number(field: &'static str, found: u64, min: u64, max: u64) -> Result<(), ConfigError> {
    if (min..=max).contains(&found) {
        Ok(())
    } else {
        Err(ConfigError::OutOfRange { field, found, min, max })
    }
}

/// A path that leaves the peer folder would let a configuration that somebody shared read or
/// write anywhere.
fn inside(field: &'static str, path: &Path) -> Result<(), ConfigError> {
    let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !path.as_os_str().is_empty() && path.components().all(plain) {
        Ok(())
    } else {
        Err(ConfigError::OutsidePeerFolder { field, found: path.to_owned() })
    }
}

/// Why a configuration can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{}: can't be read: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("{}: has {found} bytes; a configuration has at most {MAX_FILE_BYTES}", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
    },
    /// The file is not JSON, or a field has the wrong type.
    #[error("{}: {source}", .path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// What and where, by line and column.
        source: serde_json::Error,
    },
    /// A number is out of bounds.
    #[error("config: {field} must be between {min} and {max}, found {found}")]
    OutOfRange {
        /// The field's full name.
        field: &'static str,
        /// The value found.
        found: u64,
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A path leads out of the peer folder.
    #[error("config: {field} must be a relative path inside the peer folder, found {}", .found.display())]
    OutsidePeerFolder {
        /// The field's full name.
        field: &'static str,
        /// The path found.
        found: PathBuf,
    },
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
        std::fs::write(dir.path().join(FILE_NAME), "{\"lua\": {\"enabled\": 3}}").unwrap();
        let message = Config::load(dir.path()).unwrap_err().to_string();
        assert!(message.contains("goop.json") && message.contains("line 1"), "{message}");
    }
}
