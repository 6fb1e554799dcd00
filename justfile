# The project's chores. `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

# What each feature set must pass. `peer` is the default and implies `http` and `db`.
clippy := "cargo clippy --locked --all-targets"

[private]
default:
    @just --list

# Everything that must hold before a change goes in
check: fmt-check lint test test-core embed docs deny

# Format the sources
fmt:
    cargo fmt
    cargo fmt --manifest-path fuzz/Cargo.toml

# Fail when a source is not formatted
fmt-check:
    cargo fmt --check
    cargo fmt --check --manifest-path fuzz/Cargo.toml

# Clippy over all features, none, and each alone
lint:
    {{ clippy }} --all-features -- -D warnings
    {{ clippy }} --no-default-features -- -D warnings
    {{ clippy }} --no-default-features --features http -- -D warnings
    {{ clippy }} --no-default-features --features db -- -D warnings

# What the network costs on this machine
bench-p2p *ARGS:
    cargo bench --locked --bench p2p -- {{ ARGS }}

# All tests, or those whose name contains FILTER
test FILTER="":
    cargo test --locked --all-features -- {{ FILTER }}

# Install what the tests against js-libp2p need; without it they are skipped
interop:
    tests/interop/install

# The tests of the core alone, as an embedder builds it
test-core:
    cargo test --locked --no-default-features

# The tests of the sandbox, hostile scripts among them, on what is released: another build, other panics
test-release FILTER="":
    cargo test --release --locked --no-default-features --test vm-tests -- {{ FILTER }}

# The example for embedders, without any feature
embed:
    cargo run --locked --no-default-features --example embed

# What the engine costs, and how long it makes people wait; `just bench-engine table` for the latter alone
bench-engine *ARGS:
    cargo bench --locked --bench engine -- {{ ARGS }}

# Build the API documentation; a broken link is an error
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --all-features
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --no-default-features

# How fast the interpreter is, or the named programs of benches/programs
bench *PROGRAMS:
    cargo bench --locked --no-default-features --bench vm -- {{ PROGRAMS }}

# How exactly the limits hold: the most heap, the longest step, the latest end of hostile scripts
bench-limits *PARTS:
    cargo bench --locked --no-default-features --bench limits -- {{ PARTS }}

# Licences, banned crates and sources of what is linked
deny:
    cargo deny --all-features check licenses bans sources

# A peer with the quiz, a visitor, and a few exchanges between them
demo *ARGS:
    cargo run --locked --release -- demo {{ ARGS }}

# Run every fuzz target, or the TARGETS, for MINUTES (needs cargo-fuzz and a C++ compiler)
fuzz MINUTES="1" *TARGETS:
    fuzz/run $(({{ MINUTES }} * 60)) {{ TARGETS }}

# Run every fuzz target for a moment
fuzz-smoke SECONDS="30":
    fuzz/run {{ SECONDS }}

# The tests of what the fuzz targets use; one at a time, because they measure the memory of the process
fuzz-test *ARGS:
    cargo test --locked --manifest-path fuzz/Cargo.toml --lib {{ ARGS }} -- --test-threads=1
