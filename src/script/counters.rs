//! What each script did since the engine started, for its owner.
//!
//! In memory only, and bounded: a fixed size for each script that there is, nothing for names that
//! strangers make up.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use serde::Serialize;

use crate::peer_id::PeerId;
use crate::script::histogram::Histogram;
use crate::script::log_text::escaped;
use crate::script::name::ScriptName;
use crate::vm::{RunError, Stats};

/// Ended invocations kept for a listener that does not keep up.
pub(crate) const REPORT_BACKLOG: usize = 256;

/// The longest message of an error that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 1_024;

/// What a script did since the engine started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScriptStats {
    /// The script.
    pub script: String,
    /// Invocations that ran, failed ones included.
    pub calls: u64,
    /// Those that failed, by the kind of the failure: `runtime`, `timeout`, `memory`, `limit`, `internal`.
    pub failures: BTreeMap<&'static str, u64>,
    /// Calls refused because a rate limit was met.
    pub rate_limited: u64,
    /// Calls refused because as many scripts ran and waited as may.
    pub busy: u64,
    /// The time that half of the invocations were not longer than, in microseconds, at most a quarter
    /// too high.
    pub p50_us: u64,
    /// The time that 99 of 100 were not longer than, likewise.
    pub p99_us: u64,
    /// Fuel of all invocations together; a unit is about one instruction.
    pub fuel: u64,
    /// The most memory that one invocation held, in bytes.
    pub peak_memory_bytes: usize,
    /// The last failure.
    pub last_error: Option<LastError>,
}

/// A failure of a script, as its owner may read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// The reference that the visitor was told.
    pub reference: String,
    /// The kind of the failure.
    pub kind: &'static str,
    /// What went wrong, with file and line where there is one; control characters are escaped.
    pub message: String,
    /// Who called.
    pub caller: PeerId,
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
}

/// How one invocation ended.
#[derive(Debug, Clone, PartialEq)]
pub struct InvocationReport {
    /// The script.
    pub script: String,
    /// Whether it was called as a data function, and not as a chat command.
    pub is_function: bool,
    /// Who called.
    pub caller: PeerId,
    /// Names the invocation in the owner's log and to the visitor.
    pub reference: String,
    /// The failure, if it is one.
    pub error: Option<LastError>,
    /// What it used.
    pub stats: Stats,
}

/// The counters of all scripts.
#[derive(Default)]
pub(crate) struct Counters(Mutex<HashMap<ScriptName, Box<ScriptCounters>>>);

#[derive(Default)]
struct ScriptCounters {
    calls: u64,
    failures: BTreeMap<&'static str, u64>,
    rate_limited: u64,
    busy: u64,
    times: Histogram,
    fuel: u64,
    peak_memory_bytes: usize,
    last_error: Option<LastError>,
}

impl Counters {
    pub(crate) fn rate_limited(&self, script: &ScriptName) {
        self.change(script, |counters| counters.rate_limited += 1);
    }

    pub(crate) fn busy(&self, script: &ScriptName) {
        self.change(script, |counters| counters.busy += 1);
    }

    pub(crate) fn ended(&self, script: &ScriptName, stats: &Stats, error: Option<&LastError>) {
        self.change(script, |counters| {
            counters.calls += 1;
            counters.times.add(stats.wall);
            counters.fuel = counters.fuel.saturating_add(stats.fuel);
            counters.peak_memory_bytes = counters.peak_memory_bytes.max(stats.peak_memory_bytes);
            if let Some(error) = error {
                *counters.failures.entry(error.kind).or_default() += 1;
                counters.last_error = Some(error.clone());
            }
        });
    }

    /// Forgets all scripts but these.
    pub(crate) fn keep_only(&self, is_script: impl Fn(&ScriptName) -> bool) {
        self.0.lock().retain(|name, _| is_script(name));
    }

    /// The counters of the scripts that were called, by name.
    pub(crate) fn stats(&self) -> Vec<ScriptStats> {
        let counters = self.0.lock();
        let mut stats: Vec<_> = counters.iter().map(|(name, counters)| counters.stats(name)).collect();
        stats.sort_by(|a, b| a.script.cmp(&b.script));
        stats
    }

    fn change(&self, script: &ScriptName, change: impl FnOnce(&mut ScriptCounters)) {
        let mut counters = self.0.lock();
        match counters.get_mut(script) {
            Some(counters) => change(counters),
            None => change(counters.entry(script.clone()).or_default()),
        }
    }
}

impl ScriptCounters {
    fn stats(&self, name: &ScriptName) -> ScriptStats {
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        ScriptStats {
            script: name.to_string(),
            calls: self.calls,
            failures: self.failures.clone(),
            rate_limited: self.rate_limited,
            busy: self.busy,
            p50_us: micros(self.times.percentile(50)),
            p99_us: micros(self.times.percentile(99)),
            fuel: self.fuel,
            peak_memory_bytes: self.peak_memory_bytes,
            last_error: self.last_error.clone(),
        }
    }
}

impl LastError {
    pub(crate) fn new(error: &RunError, reference: &str, caller: &PeerId) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            reference: reference.to_owned(),
            kind: error.kind(),
            message: escaped(error.to_string().as_bytes(), MAX_MESSAGE_BYTES),
            caller: caller.clone(),
            at_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Reports of ended invocations, made only while somebody listens.
pub(crate) type Reports = tokio::sync::broadcast::Sender<Arc<InvocationReport>>;
