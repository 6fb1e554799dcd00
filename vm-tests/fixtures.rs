//! The fixtures are what `fixtures/README.md` says they are.

use std::fs;
use std::path::{Path, PathBuf};

use goop2::config::Config;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

#[test]
fn the_configuration_of_a_deployed_peer_opens_with_its_own_values() {
    let config = Config::load(&fixtures().join("deployed-peer")).unwrap();
    assert!(config.lua.enabled);
    assert_eq!((config.lua.rate_limit_per_peer, config.lua.rate_limit_global), (30, 120));
    assert_eq!(config.profile.label, "Ada's peer");
    assert_eq!(config.profile.email, "ada@example.org");
}

#[test]
fn every_hostile_script_says_how_it_ends() {
    let known = ["timeout", "memory", "limit", "runtime", "syntax", "reply"];
    let scripts = fs::read_dir(fixtures().join("hostile")).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for script in scripts {
        let source = fs::read_to_string(&script).unwrap();
        let ends = source.lines().next().and_then(|line| line.strip_prefix("-- ends: "));
        let ends = ends.unwrap_or_else(|| panic!("{}: the first line is not `-- ends: …`", script.display()));
        assert!(ends.split('|').all(|end| known.contains(&end)), "{}: {ends}", script.display());
        count += 1;
    }
    assert!(count > 0);
}
