//! Templates: whole small sites, with their tables and scripts, that a new peer starts from.
//!
//! A template is a folder (see [`Bundle`]); those in `templates/` are built into the program, so that
//! `goop2 new` works without a network and without a second download.

mod apply;
mod bundle;
mod folder;
mod manifest;

pub use apply::{CreateError, create_peer};
pub use bundle::{Bundle, BundleError, MAX_BUNDLE_BYTES, MAX_BUNDLE_ENTRIES, MAX_SCHEMA_BYTES};
pub use manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestError, POLICIES, TableManifest};
