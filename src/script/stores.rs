//! The stores of all scripts of a peer: one each, for as long as it is needed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::script::kv_store::{KvSession, KvStore};
use crate::script::name::ScriptName;

/// The stores of the scripts in one folder.
pub(crate) struct Stores {
    script_dir: PathBuf,
    by_name: Mutex<HashMap<ScriptName, Arc<KvStore>>>,
}

impl Stores {
    /// The stores below `script_dir`. No file is touched.
    pub(crate) fn new(script_dir: PathBuf) -> Self {
        Self { script_dir, by_name: Mutex::default() }
    }

    /// One invocation's use of the one store that the script `name` has.
    pub(crate) fn session(&self, name: &ScriptName) -> KvSession {
        let mut by_name = self.by_name.lock();
        let store = by_name
            .entry(name.clone())
            .or_insert_with(|| Arc::new(KvStore::new(&self.script_dir, name)))
            .clone();
        store.session()
    }

    /// Drops the stores of all scripts but these, and of those that are in use.
    pub(crate) fn keep_only(&self, is_script: impl Fn(&ScriptName) -> bool) {
        // Two stores of one script would lose each other's keys. Whoever uses one holds it, and gets it
        // under this lock only, so that nobody can use or get the one that nobody but the map holds.
        self.by_name.lock().retain(|name, store| is_script(name) || Arc::strong_count(store) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ScriptName {
        ScriptName::parse(text).unwrap()
    }

    #[test]
    fn the_store_of_a_script_that_is_gone_goes_when_nobody_uses_it() {
        let dir = tempfile::tempdir().unwrap();
        let stores = Stores::new(dir.path().to_owned());
        let (kept, used) = (name("kept"), name("used"));
        let session = stores.session(&used);
        session.set("k", "v").unwrap();
        drop((stores.session(&kept), stores.session(&name("gone"))));
        stores.keep_only(|name| *name == kept);
        let names = || {
            let mut names: Vec<_> = stores.by_name.lock().keys().map(ToString::to_string).collect();
            names.sort();
            names
        };
        assert_eq!(names(), ["kept", "used"]);
        // The script is saved again while the old invocation still runs.
        assert_eq!(stores.session(&used).get("k").unwrap().as_deref(), Some("v"), "it is the same store");
        drop(session);
        stores.keep_only(|name| *name == kept);
        assert_eq!(names(), ["kept"]);
    }
}
