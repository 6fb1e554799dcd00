//! The generator makes programs, and of all kinds.

use std::collections::BTreeSet;

use super::natives::{GOOP, NATIVES};
use super::*;
use crate::sandbox::{limits, run};

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    (0..count).map(|_| random.next_u64() as u8).collect()
}

#[test]
fn no_bytes_make_an_empty_program() {
    assert_eq!(generate(&[]).source, "");
}

#[test]
fn a_program_that_goes_on_is_long_and_always_the_same() {
    let generated = generate(&[0b1000, 1]);
    assert!(generated.source.len() > 20);
    assert_eq!(generate(&[0b1000, 1]), generated);
}

#[test]
fn nearly_all_programs_load_and_every_native_occurs() {
    let mut random = Random::new(7);
    let (mut loaded, mut text) = (0, String::new());
    for _ in 0..2_000 {
        let generated = generate(&bytes(&mut random, 200));
        loaded += usize::from(crate::loading::load(generated.source.as_bytes()).is_some());
        text.push_str(&generated.source);
    }
    assert!(loaded > 1_900, "only {loaded} of 2000 programs load");
    for (name, _) in NATIVES.iter().chain(GOOP) {
        assert!(text.contains(&format!("{name}(")), "no program calls {name}");
    }
}

#[test]
fn programs_end_in_all_ways_and_never_in_another() {
    let mut random = Random::new(8);
    let mut ends = BTreeSet::new();
    for _ in 0..400 {
        let Generated { source, entry, surroundings, memory_bytes } = generate(&bytes(&mut random, 300));
        match run(source.as_bytes(), entry, surroundings, limits(memory_bytes)) {
            None => {}
            Some(Ok(_)) => drop(ends.insert("fine")),
            Some(Err(error)) => drop(ends.insert(error.kind())),
        }
    }
    assert_eq!(ends, BTreeSet::from(["fine", "limit", "memory", "runtime", "timeout"]));
}
