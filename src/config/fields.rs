//! Every field of `goop.json` that this program uses, with what it may hold.
//!
//! One table, from which values are checked, shown and documented (`docs/config.md`), so that the
//! three can't tell different things. Checking in the types' own deserializers was rejected: their
//! errors name a line and not the field, and stop at the first.

/// A field of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its full name: section, dot, field.
    pub name: &'static str,
    /// What it may hold.
    pub rule: Rule,
    /// What it is for, in a sentence for the owner.
    pub meaning: &'static str,
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds.
    Number {
        /// The smallest allowed.
        min: u64,
        /// The largest allowed.
        max: u64,
    },
    /// A text without control characters.
    Text {
        /// The fewest bytes allowed.
        min_bytes: u64,
        /// The most bytes allowed.
        max_bytes: u64,
    },
    /// A relative path inside the peer folder.
    Path,
    /// An e-mail address, or nothing.
    Email,
    /// The address of a relay, or nothing.
    Relay,
}

const fn field(name: &'static str, rule: Rule, meaning: &'static str) -> Field {
    Field { name, rule, meaning }
}

/// All fields, by section.
pub const FIELDS: &[Field] = &[
    field(
        "identity.key_file",
        Rule::Path,
        "The file with the peer's private key, outside `site/`; made at the first start.",
    ),
    field(
        "p2p.listen_port",
        Rule::Number { min: 0, max: 65535 },
        "The TCP port on every interface; 0 lets the system choose one at each start.",
    ),
    field("p2p.mdns", Rule::Flag, "Whether peers on the local network find each other."),
    field("p2p.relay", Rule::Relay, "A relay through which this peer can be reached behind NAT."),
    field(
        "p2p.max_connections",
        Rule::Number { min: 1, max: 10_000 },
        "The most connections that others may make.",
    ),
    field(
        "p2p.max_connections_per_address",
        Rule::Number { min: 1, max: 10_000 },
        "The most of them from one IPv4 address, one IPv6 /64, or one relay; not more than `p2p.max_connections`.",
    ),
    field(
        "presence.topic",
        Rule::Text { min_bytes: 1, max_bytes: 100 },
        "The GossipSub topic; peers on another topic don't see this one.",
    ),
    field(
        "presence.ttl_seconds",
        Rule::Number { min: 2, max: 3600 },
        "How long a peer may be silent before it is offline, in seconds.",
    ),
    field(
        "presence.heartbeat_seconds",
        Rule::Number { min: 1, max: 1800 },
        "How often this peer announces itself, in seconds; less than `presence.ttl_seconds`.",
    ),
    field(
        "profile.label",
        Rule::Text { min_bytes: 0, max_bytes: 200 },
        "The name that other peers see; `goop.self.label` in scripts.",
    ),
    field("profile.email", Rule::Email, "An e-mail address for other peers to see, or nothing."),
    field("lua.enabled", Rule::Flag, "Whether scripts run at all."),
    field("lua.script_dir", Rule::Path, "The folder of the scripts; never served."),
    field(
        "lua.timeout_seconds",
        Rule::Number { min: 1, max: 60 },
        "The longest a script may take for one call, in seconds.",
    ),
    field(
        "lua.max_memory_mb",
        Rule::Number { min: 1, max: 1024 },
        "The most memory a script may hold for one call, in MiB.",
    ),
    field(
        "lua.rate_limit_per_peer",
        Rule::Number { min: 1, max: 1_000_000 },
        "The most calls of scripts by one peer in a minute.",
    ),
    field(
        "lua.rate_limit_global",
        Rule::Number { min: 1, max: 1_000_000 },
        "The most calls of scripts by all peers in a minute.",
    ),
    field(
        "lua.max_running",
        Rule::Number { min: 1, max: 10_000 },
        "The most scripts under way at once; more wait for their turn.",
    ),
    field(
        "lua.max_waiting",
        Rule::Number { min: 0, max: 100_000 },
        "The most calls of scripts that wait for their turn; more are told that the peer is busy.",
    ),
    field("lua.http_enabled", Rule::Flag, "Whether scripts have `goop.http`."),
    field("lua.kv_enabled", Rule::Flag, "Whether scripts have `goop.kv`."),
    field(
        "data.visitor_max_rows",
        Rule::Number { min: 1, max: 1_000_000 },
        "The most rows that one visitor may keep, in all tables together.",
    ),
    field(
        "data.visitor_max_mb",
        Rule::Number { min: 1, max: 192 },
        "The most that one visitor's rows may take, in MiB.",
    ),
    field(
        "data.visitor_writes_per_minute",
        Rule::Number { min: 1, max: 6000 },
        "The most inserts, updates and deletes by one visitor in a minute.",
    ),
];

/// Fields of deployed peers that this program has no use for. They are left alone without a word,
/// because the owner may go back and forth between the two.
pub(super) const FIELDS_OF_DEPLOYED_PEERS: &[&str] = &[
    "paths.site_root",
    "paths.site_source",
    "paths.site_stage",
    "p2p.mdns_tag",
    "presence.rendezvous_host",
    "presence.rendezvous_port",
    "presence.rendezvous_wan",
    "presence.rendezvous_only",
    "viewer.http_addr",
    "viewer.debug",
    "viewer.theme",
];

impl Field {
    /// What the field may hold, in words: `a whole number from 1 to 60`.
    pub fn allowed(&self) -> String {
        match self.rule {
            Rule::Flag => "true or false".to_owned(),
            Rule::Number { min, max } => format!("a whole number from {min} to {max}"),
            Rule::Text { min_bytes: 0, max_bytes } => format!("a text of at most {max_bytes} bytes"),
            Rule::Text { min_bytes, max_bytes } => format!("a text of {min_bytes} to {max_bytes} bytes"),
            Rule::Path => "a path inside the peer folder".to_owned(),
            Rule::Email => "an e-mail address like `ada@example.org`, or nothing".to_owned(),
            Rule::Relay => "an address like `/ip4/203.0.113.7/tcp/4001/p2p/12D3KooW…`, or nothing".to_owned(),
        }
    }
}
