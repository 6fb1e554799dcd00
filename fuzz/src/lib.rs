//! What the fuzz targets do: generators that turn bytes into programs, patterns and documents, and
//! oracles that say what must hold for them.
//!
//! The targets in `fuzz_targets/` are only glue: everything here is ordinary code that a stable
//! toolchain builds and tests (`cargo test --manifest-path fuzz/Cargo.toml`), so that a generator
//! that makes nothing or an oracle that accepts everything does not go unnoticed. A check fails by
//! panicking, which is what the fuzzing engine looks for.

pub mod choices;
pub mod formats;
pub mod headers;
pub mod json;
pub mod loading;
pub mod patterns;
#[cfg(feature = "peer")]
pub mod peer;
pub mod programs;
mod reference;
pub mod sandbox;
pub mod tokens;

#[cfg(test)]
mod seeds;
