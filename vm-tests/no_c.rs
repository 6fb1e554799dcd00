//! The core builds without a C toolchain: what an embedder cross-compiles is Rust only.
//!
//! The promise is about what cargo would compile, so cargo is asked, for every platform at once. Looking
//! into `Cargo.lock` would not do: it lists the crates of all features together.

use std::process::Command;

/// Crates that compile C, look for a C library, or exist to be told where one is.
const NEEDS_C: [&str; 12] = [
    "bindgen",
    "cc",
    "cmake",
    "libsqlite3-sys",
    "native-tls",
    "nasm-rs",
    "openssl",
    "openssl-sys",
    "pkg-config",
    "ring",
    "aws-lc-rs",
    "vcpkg",
];

/// `*-sys` crates that only declare what the system has anyway, and compile and link nothing of their own.
const DECLARATIONS_ONLY: [(&str, &str); 7] = [
    ("inotify-sys", "file watching on Linux: declarations of system calls"),
    ("kqueue-sys", "file watching on BSD: declarations of system calls"),
    ("fsevent-sys", "file watching on macOS: declarations of a system framework"),
    ("linux-raw-sys", "constants and structures of Linux"),
    ("windows-sys", "declarations of Windows functions; import libraries come ready-made"),
    ("js-sys", "declarations of what a JavaScript host has"),
    ("web-sys", "declarations of what a browser has"),
];

/// The lines of a `cargo tree --prefix none` whose crates need a C toolchain.
fn offenders(tree: &str) -> Vec<&str> {
    let needs_c = |line: &&str| {
        let name = line.split_whitespace().next().unwrap_or("");
        let declares_only = DECLARATIONS_ONLY.iter().any(|(allowed, _)| *allowed == name);
        NEEDS_C.contains(&name) || (name.ends_with("-sys") && !declares_only)
    };
    tree.lines().filter(needs_c).collect()
}

/// What the core depends on, one crate a line. The network is asked only when a crate of another platform
/// was never downloaded.
fn core_tree() -> String {
    let ask = |extra: &[&str]| {
        Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tree", "--no-default-features", "--edges", "normal,build", "--target", "all"])
            .args(["--prefix", "none", "--locked"])
            .args(extra)
            .output()
            .expect("cargo starts")
    };
    let mut output = ask(&["--offline"]);
    if !output.status.success() {
        output = ask(&[]);
    }
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed; `cargo fetch` may help:\n{problem}");
    String::from_utf8(output.stdout).expect("cargo tree writes UTF-8")
}

#[test]
fn the_core_needs_no_c_compiler() {
    let tree = core_tree();
    assert!(tree.starts_with("goop2 "), "not the tree of this package:\n{tree}");
    assert!(tree.contains("\nottavino "), "a tree without the VM is not the core's:\n{tree}");
    let found = offenders(&tree);
    assert!(
        found.is_empty(),
        "the core needs a C toolchain because of {found:?}; \
         see `cargo tree --no-default-features --target all --invert NAME`"
    );
}

#[test]
fn the_check_notices_c() {
    let tree =
        "goop2 v0.1.0\ncc v1.2.0\nring v0.17.14\nlibz-sys v1.1.0\ninotify-sys v0.1.8\nccc v1.0.0 (*)\n";
    assert_eq!(offenders(tree), ["cc v1.2.0", "ring v0.17.14", "libz-sys v1.1.0"]);
}
