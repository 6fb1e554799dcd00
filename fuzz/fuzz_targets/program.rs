//! Generated programs under small limits: each ends in a result or a typed error, with bounded memory and time.
#![no_main]

use goop2_fuzz::programs::{Generated, generate};
use goop2_fuzz::sandbox::{limits, run};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Generated { source, entry, surroundings, memory_bytes } = generate(data);
    if std::env::var_os("SHOW").is_some() {
        eprintln!("{source}\n-- {entry:?}, {surroundings:?}, {memory_bytes} bytes");
    }
    let result = run(source.as_bytes(), entry, surroundings, limits(memory_bytes));
    if std::env::var_os("SHOW").is_some() {
        eprintln!("-- {result:?}");
    }
});
