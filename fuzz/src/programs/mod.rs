//! Lua programs made of bytes: every native, with the values that are hard to get right.
//!
//! The programs are valid Lua, because what the parser refuses tests nothing behind it; that is what
//! the targets `load` and `tokens` are for.

mod expressions;
mod literals;
mod natives;
mod statements;
mod treasures;

use goop2::vm::stdlib::random::Random;
use serde_json::json;

use crate::choices::Choices;
use crate::sandbox::{Entry, Surroundings};
use statements::Writer;

/// A program and how it is to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The source text.
    pub source: String,
    /// The entry point.
    pub entry: Entry,
    /// Whether it sees the `goop` table.
    pub surroundings: Surroundings,
    /// How much memory it gets, in bytes.
    pub memory_bytes: usize,
}

/// How many choices are made up for a program that goes on by itself.
const TAIL: usize = 300;

/// The program that `data` stands for.
pub fn generate(data: &[u8]) -> Generated {
    let goes_on = data.first().is_some_and(|head| head & 0b1000 != 0);
    let tail = if goes_on { tail(data) } else { Vec::new() };
    let data = [data, &tail].concat();
    let mut choices = Choices::new(&data);
    let head = choices.byte();
    // The script's surroundings cost ten times as long to build, so most programs go without.
    let surroundings = if head & 0b11 == 0b11 { Surroundings::Goop } else { Surroundings::Bare };
    let memory_bytes = if head & 0b100 == 0 { 300_000 } else { 1_000_000 };
    let entry = match head >> 4 & 0b11 {
        1 => Entry::Handle("10 x".to_owned()),
        2 => Entry::Call(json!({"n": 1, "list": [1, "a", {"x": 1.5}], "none": {}, "empty": []})),
        _ => Entry::Chunk,
    };
    let mut writer = Writer::new(choices, surroundings == Surroundings::Goop);
    let source = match entry {
        Entry::Chunk => writer.chunk(),
        Entry::Handle(_) => writer.entry("handle"),
        Entry::Call(_) => writer.entry("call"),
    };
    Generated { source, entry, surroundings, memory_bytes }
}

/// More choices, which `data` decides. The fuzzing engine prefers short inputs, and by themselves they
/// would make short programs only.
fn tail(data: &[u8]) -> Vec<u8> {
    let seed = data.iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let mut random = Random::new(seed);
    (0..TAIL).map(|_| random.next_u64() as u8).collect()
}

#[cfg(test)]
mod tests;
