//! How a run by hand is reported.

use std::time::Duration;

use goop2::script::reply_text;
use goop2::store::QueryError;
use goop2::vm::{Entries, LoadError, Outcome, RunError, Stats};
use serde_json::{Value, json};

use super::super::failure::CommandResult;
use super::super::output::{Output, note, printable};
use super::super::scripts::load_error_kind;

/// How a run ended.
pub(super) struct Finished {
    reply: Option<String>,
    result: Value,
    error: Option<ReportedError>,
    stats: Stats,
    repeat: Option<Repeat>,
    was_call: bool,
}

struct ReportedError {
    kind: &'static str,
    message: String,
    line: Option<u64>,
    traceback: Vec<String>,
    hint: Option<&'static str>,
}

/// How long the rounds of `--repeat` took, in microseconds.
pub(super) struct Repeat {
    pub(super) n: usize,
    pub(super) mean_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Finished {
    pub(super) fn of(result: Result<Outcome, RunError>, stats: Stats, entries: Entries) -> Self {
        let mut finished = Self::empty(stats);
        match result {
            Ok(Outcome::Reply(reply)) => finished.reply = reply.map(|bytes| reply_text(&bytes)),
            Ok(Outcome::Result(result)) => {
                finished.result = result;
                finished.was_call = true;
            }
            Ok(Outcome::Done) => {}
            Err(error) => {
                let hint = match &error {
                    RunError::NoEntry { entry: "handle", .. } if entries.call => {
                        Some("the script is a data function: give its parameters with --call '{…}'")
                    }
                    RunError::NoEntry { entry: "call", .. } if entries.handle => {
                        Some("the script is a chat command: leave --call out")
                    }
                    _ => None,
                };
                let (kind, line) = (error.kind(), error.line());
                let traceback = error.traceback().iter().map(ToString::to_string).collect();
                let message = error.to_string();
                finished.error = Some(ReportedError { kind, message, line, traceback, hint });
            }
        }
        finished
    }

    pub(super) fn not_loaded(error: &LoadError) -> Self {
        let (kind, line) = (load_error_kind(error), error.line());
        let error =
            ReportedError { kind, message: error.to_string(), line, traceback: Vec::new(), hint: None };
        Self { error: Some(error), ..Self::empty(Stats::default()) }
    }

    /// What kept the run from beginning is no fault of the script's.
    pub(super) fn not_run(error: &anyhow::Error) -> Self {
        let (kind, message) = ("internal", error.to_string());
        let error = ReportedError { kind, message, line: None, traceback: Vec::new(), hint: None };
        Self { error: Some(error), ..Self::empty(Stats::default()) }
    }

    fn empty(stats: Stats) -> Self {
        Self { reply: None, result: Value::Null, error: None, stats, repeat: None, was_call: false }
    }

    pub(super) fn repeated(mut self, repeat: Repeat) -> Self {
        self.repeat = Some(repeat);
        self
    }

    /// Nothing but the owner's choice kept the script from a database.
    pub(super) fn without_peer(mut self) -> Self {
        if let Some(error) = &mut self.error
            && error.message.contains(&QueryError::NoDatabase.to_string())
        {
            error.hint = Some("--peer DIR gives it the database of that peer");
        }
        self
    }

    pub(super) fn is_ok(&self) -> bool {
        self.error.is_none()
    }

    pub(super) fn as_json(&self, script: &str) -> Value {
        let error = self.error.as_ref().map(|error| {
            json!({
                "kind": error.kind,
                "message": error.message,
                "script": script,
                "line": error.line,
                "traceback": error.traceback,
            })
        });
        let mut report = json!({
            "ok": self.is_ok(),
            "reply": self.reply,
            "result": self.result,
            "error": error,
            "stats": {
                "fuel": self.stats.fuel,
                "peak_memory_bytes": self.stats.peak_memory_bytes,
                "wall_ms": rounded(self.stats.wall.as_secs_f64() * 1e3),
                "http_requests": self.stats.http_requests,
            },
        });
        if let (Some(repeat), Value::Object(report)) = (&self.repeat, &mut report) {
            report.insert("repeat".to_owned(), repeat.as_json());
        }
        report
    }

    pub(super) fn print(&self, output: &mut Output, with_stats: bool) -> CommandResult {
        match (&self.error, &self.reply) {
            (Some(error), _) => {
                note_error(&error.message, &error.traceback);
                if let Some(hint) = error.hint {
                    note(hint);
                }
            }
            (None, Some(reply)) => output.line(&printable(reply))?,
            (None, None) if self.was_call => output.pretty_json(&self.result)?,
            (None, None) => note("no reply"),
        }
        if with_stats {
            let Stats { fuel, peak_memory_bytes, wall, http_requests } = self.stats;
            let milliseconds = wall.as_secs_f64() * 1e3;
            let kilobytes = peak_memory_bytes.div_ceil(1024);
            let requests = if http_requests == 1 { "HTTP request" } else { "HTTP requests" };
            note(&format!(
                "{milliseconds:.3} ms, {fuel} fuel, {kilobytes} KB of memory at most, {http_requests} {requests}"
            ));
        }
        if let Some(Repeat { n, mean_us, p50_us, p99_us }) = &self.repeat {
            let runs = if *n == 1 { "run" } else { "runs" };
            note(&format!(
                "{n} {runs}: mean {mean_us:.1} µs, half within {p50_us:.1}, 99 % within {p99_us:.1}"
            ));
        }
        Ok(())
    }
}

impl Repeat {
    /// The figures of at least one round.
    pub(super) fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        let microseconds = |time: Duration| time.as_secs_f64() * 1e6;
        let n = times.len();
        // The smallest time that at least so many in a hundred rounds kept.
        let within = |percent: usize| {
            let rank = (n * percent).div_ceil(100).max(1);
            microseconds(times.get(rank - 1).copied().unwrap_or_default())
        };
        let total: Duration = times.iter().sum();
        Self { n, mean_us: microseconds(total) / n.max(1) as f64, p50_us: within(50), p99_us: within(99) }
    }

    fn as_json(&self) -> Value {
        let [mean, p50, p99] = [self.mean_us, self.p50_us, self.p99_us].map(rounded);
        json!({ "n": self.n, "mean_us": mean, "p50_us": p50, "p99_us": p99 })
    }
}

/// To three decimals: further digits of a float say nothing about the run.
fn rounded(figure: f64) -> f64 {
    (figure * 1e3).round() / 1e3
}

/// What ended a script, and the functions that it went through, on stderr.
pub(in crate::cli) fn note_error(message: &str, traceback: &[String]) {
    note(&format!("goop2: {}", printable(message)));
    if !traceback.is_empty() {
        note("traceback:");
    }
    for frame in traceback {
        note(&format!("  {}", printable(frame)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_occurred() {
        let times = (1..=200).rev().map(Duration::from_micros).collect();
        let repeat = Repeat::of(times);
        assert_eq!(repeat.n, 200);
        for (found, expected) in [(repeat.mean_us, 100.5), (repeat.p50_us, 100.0), (repeat.p99_us, 198.0)] {
            assert!((found - expected).abs() < 1e-6, "{found} should be {expected}");
        }
        let one = Repeat::of(vec![Duration::from_micros(7)]);
        assert!((one.p50_us - 7.0).abs() < 1e-6 && (one.p99_us - 7.0).abs() < 1e-6);
    }
}
