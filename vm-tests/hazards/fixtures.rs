//! The scripts of `fixtures/hostile`.

use std::fs;
use std::path::Path;

use goop2::vm::Entry;

use super::check::{Hazard, Heap, check_all};

#[test]
fn fixtures_end_as_their_first_line_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hostile");
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let source = fs::read(&path).unwrap();
        let first = String::from_utf8_lossy(&source).lines().next().unwrap_or_default().to_owned();
        let ends = first.strip_prefix("-- ends: ").unwrap().to_owned();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        rows.push(Hazard { name, source, ends, entry: Entry::Handle(String::new()), heap: Heap::Doubling });
    }
    assert!(!rows.is_empty());
    check_all(rows);
}
