//! The committed seeds pass on a stable toolchain, without the fuzzing engine.

use std::fs;
use std::path::Path;

use crate::programs::{Generated, generate};
use crate::sandbox::{limits, run};
use crate::{formats, headers, json, loading, patterns, tokens};

/// Does what the target of that name does; false when there is no such target in this build.
fn check(target: &str, data: &[u8]) -> bool {
    let text = std::str::from_utf8(data);
    match target {
        "load" => loading::check(data),
        "tokens" => loading::check(tokens::source(data).as_bytes()),
        "program" => {
            let Generated { source, entry, surroundings, memory_bytes } = generate(data);
            run(source.as_bytes(), entry, surroundings, limits(memory_bytes));
        }
        "pattern" => patterns::check(&patterns::case(data)),
        "format" => formats::check(&formats::case(data)),
        "json" => {
            json::check_text(text.expect("a seed is text"));
            json::check_document(json::document(data));
        }
        "header" => headers::check(data),
        "peer_id" => {}
        #[cfg(feature = "peer")]
        "data" => crate::peer::data::check_line(data),
        #[cfg(feature = "peer")]
        "filter" => crate::peer::data::check_filter(text.expect("a seed is text")),
        #[cfg(feature = "peer")]
        "site" => crate::peer::site::check(data),
        #[cfg(feature = "peer")]
        "chat" => crate::peer::chat::check(data),
        #[cfg(feature = "peer")]
        "bundle" => crate::peer::bundles::check(data),
        _ => return false,
    }
    true
}

#[test]
fn every_target_has_seeds_and_they_pass() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in fs::read_dir(here.join("fuzz_targets")).unwrap() {
        let target = target.unwrap().path();
        let target = target.file_stem().unwrap().to_str().unwrap();
        let mut seeds = 0;
        for seed in
            fs::read_dir(here.join("seeds").join(target)).unwrap_or_else(|_| panic!("{target} has no seeds"))
        {
            let data = fs::read(seed.unwrap().path()).unwrap();
            assert!(data.len() <= 4_096, "a seed of {target} has {} bytes", data.len());
            seeds += 1;
            let known = check(target, &data);
            assert!(known || !cfg!(feature = "peer"), "{target} is not known here");
        }
        assert!(seeds > 0, "{target} has no seeds");
    }
}
