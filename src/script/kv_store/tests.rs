//! Stores on real folders, and on a disk that fails at every step in turn.

use std::fs::{self, File};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;

fn name() -> ScriptName {
    ScriptName::parse("weather").unwrap()
}

fn store(dir: &TempDir) -> KvStore {
    KvStore::new(dir.path(), &name())
}

/// What lies in the folder of the stores.
fn files(dir: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(dir.path().join(STATE_DIR)).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_was_flushed_survives_and_is_seen_by_another_process() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (store(&dir), store(&dir));
    ours.set("api_key", "abc").unwrap();
    assert_eq!(theirs.get("api_key").unwrap(), None, "not yet flushed");
    ours.flush_now().unwrap();
    assert_eq!(theirs.get("api_key").unwrap().as_deref(), Some("abc"));
    theirs.set("other", "x").unwrap();
    ours.set("mine", "y").unwrap();
    theirs.flush_now().unwrap();
    ours.flush_now().unwrap();
    let all: Vec<_> = store(&dir).entries().unwrap().into_keys().collect();
    assert_eq!(all, ["api_key", "mine", "other"], "neither writer lost the other's key");
    assert!(ours.delete("other").unwrap());
    ours.flush_now().unwrap();
    assert_eq!(theirs.get("other").unwrap(), None);
    assert_eq!(files(&dir), ["weather.json", "weather.lock"], "nothing temporary is left");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_a_store() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    store.set("api_key", "secret").unwrap();
    store.flush_now().unwrap();
    let mode = fs::metadata(dir.path().join(STATE_DIR).join("weather.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn limits_are_kept_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir);
    let error = store.set("k", &"x".repeat(MAX_BYTES)).unwrap_err();
    assert_eq!(error.to_string(), "the value would take this script's store to 65 KB; the limit is 64 KB");
    store.set("k", &"x".repeat(MAX_BYTES - 1)).unwrap();
    store.delete("k").unwrap();
    for n in 0..MAX_KEYS {
        store.set(&n.to_string(), "").unwrap();
    }
    assert!(matches!(store.set("one more", ""), Err(KvError::TooManyKeys { found: 1_001 })));
    store.set("0", "replacing is no new key").unwrap();
}

/// Both fit alone. Written together the file would be larger than any that is read, and the next
/// reader would set it aside as broken.
#[test]
fn limits_hold_for_what_two_processes_write_together() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (store(&dir), store(&dir));
    let large = "\u{1}".repeat(MAX_BYTES - 10);
    ours.set("ours", &large).unwrap();
    theirs.set("theirs", &large).unwrap();
    theirs.flush_now().unwrap();
    let found = 2 * large.len() + 10;
    let refused = ours.flush_now();
    assert!(matches!(refused, Err(KvError::TooLarge { found: size }) if size == found), "{refused:?}");
    assert_eq!(ours.get("ours").unwrap(), None, "it is as if it had not been set");
    assert_eq!(ours.get("theirs").unwrap(), Some(large));
    assert!(ours.delete("theirs").unwrap());
    ours.set("small", "x").unwrap();
    ours.flush_now().unwrap();
    assert_eq!(store(&dir).entries().unwrap(), Entries::from([("small".into(), "x".into())]));
}

#[test]
fn a_broken_file_is_set_aside_and_not_lost() {
    for broken in ["{\"api_key\": \"abc\"", "", "[]", "{\"n\": 1}", "\0\0\0\0", &"[".repeat(600_000)] {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join(STATE_DIR);
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("weather.json"), broken).unwrap();
        let store = store(&dir);
        assert_eq!(store.get("api_key").unwrap(), None);
        let names = files(&dir);
        let kept: Vec<_> = names.iter().filter(|name| name.starts_with("weather.corrupt-")).collect();
        let [kept] = kept.as_slice() else { panic!("{names:?}") };
        assert_eq!(fs::read_to_string(state.join(kept)).unwrap(), broken);
        store.set("api_key", "new").unwrap();
        store.flush_now().unwrap();
        assert_eq!(fs::read_to_string(state.join(kept)).unwrap(), broken, "it stays");
    }
}

#[test]
fn who_never_gives_the_store_back_holds_nobody_up_for_long() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(STATE_DIR)).unwrap();
    let file = |disk| KvFile::new(dir.path().join(STATE_DIR).join("weather.json"), disk);
    let held = file(Box::new(RealDisk)).lock(Duration::ZERO).unwrap();
    let refused = file(Box::new(RealDisk)).lock(Duration::ZERO);
    assert!(matches!(refused, Err(KvError::Locked { .. })));
    drop(held);
    assert!(file(Box::new(RealDisk)).lock(Duration::ZERO).is_ok());
}

/// Fails at one step, and from then on as if the process had died there; what it was to write is
/// half written.
struct FailingDisk {
    steps: Arc<AtomicUsize>,
    fails_at: usize,
    mended: Arc<AtomicBool>,
}

impl FailingDisk {
    fn step(&self) -> io::Result<()> {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        if step >= self.fails_at && !self.mended.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

impl Disk for FailingDisk {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.create_folder(path))
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.step().and_then(|()| RealDisk.create(path))
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        let possible = self.step();
        RealDisk.write(file, &bytes[..bytes.len() / 2])?;
        possible.and_then(|()| RealDisk.write(file, &bytes[bytes.len() / 2..]))
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.sync(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.rename(from, to))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step().and_then(|()| RealDisk.sync_folder(path))
    }
}

#[test]
fn a_disk_that_fails_at_any_step_leaves_a_whole_file() {
    let mut failures = Vec::new();
    for fails_at in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let old = store(&dir);
        old.set("old", "kept").unwrap();
        old.flush_now().unwrap();
        let (steps, mended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let disk = FailingDisk { steps: steps.clone(), fails_at, mended: mended.clone() };
        let failing = KvStore::on(Box::new(disk), dir.path(), &name());
        failing.set("new", "x").unwrap();
        let result = failing.flush_now();
        let on_disk = store(&dir).entries().unwrap();
        assert_eq!(on_disk.get("old").map(String::as_str), Some("kept"), "{result:?}");
        assert_eq!(failing.entries().unwrap(), on_disk, "memory is what the disk has: {result:?}");
        let Err(error) = result else {
            assert!(on_disk.contains_key("new"));
            assert_eq!(steps.load(Ordering::Relaxed), fails_at);
            break;
        };
        let step = match &error {
            KvError::Write { step, .. } => *step,
            KvError::NotSafe { .. } => "the sync of the folder",
            other => panic!("{other:?}"),
        };
        assert!(error.to_string().contains("no storage space; make room on the disk"), "{error}");
        assert_eq!(on_disk.contains_key("new"), step == "the sync of the folder", "{error}");
        failures.push(step);
        mended.store(true, Ordering::Relaxed);
        failing.set("later", "y").unwrap();
        failing.flush_now().unwrap();
        assert_eq!(store(&dir).get("later").unwrap().as_deref(), Some("y"));
        assert!(files(&dir).iter().all(|file| !file.contains("corrupt")), "{:?}", files(&dir));
    }
    assert_eq!(failures, ["the new file", "writing", "the sync", "the renaming", "the sync of the folder"]);
}

#[test]
fn a_failed_first_write_leaves_no_folder_half_made() {
    for fails_at in 0..2 {
        let dir = tempfile::tempdir().unwrap();
        let disk = FailingDisk { steps: Arc::default(), fails_at, mended: Arc::default() };
        let failing = KvStore::on(Box::new(disk), dir.path(), &name());
        failing.set("new", "x").unwrap();
        let error = failing.flush_now().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store can't be written (the folder failed): no storage space; make room on the disk"
        );
        assert_eq!(store(&dir).entries().unwrap(), Entries::new());
    }
}

/// An invocation that read what another one wrote depends on that write.
#[tokio::test]
async fn who_has_seen_a_change_that_was_taken_back_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mended = Arc::new(AtomicBool::new(false));
    let disk = FailingDisk { steps: Arc::default(), fails_at: 0, mended: mended.clone() };
    let store = Arc::new(KvStore::on(Box::new(disk), dir.path(), &name()));
    let [writer, reader, idle, late] = [(); 4].map(|()| store.clone().session());
    writer.set("n", "1").unwrap();
    assert_eq!(reader.get("n").unwrap().as_deref(), Some("1"));
    assert!(matches!(writer.flush().await, Err(KvError::Write { .. })));
    assert!(matches!(reader.flush().await, Err(KvError::TakenBack)));
    assert!(matches!(reader.set("n", "2"), Err(KvError::TakenBack)), "half of an invocation is not kept");
    idle.flush().await.unwrap();
    assert_eq!(late.get("n").unwrap(), None);
    late.flush().await.unwrap();
    mended.store(true, Ordering::Relaxed);
    late.set("n", "3").unwrap();
    late.flush().await.unwrap();
    assert_eq!(store.get("n").unwrap().as_deref(), Some("3"));
}

/// What everybody reads already is not taken back, and nobody's reply depends on it before it is safe.
#[tokio::test]
async fn a_name_that_is_not_safe_yet_is_made_safe_before_anybody_is_answered() {
    const SYNC_OF_THE_FOLDER: usize = 4;
    let dir = tempfile::tempdir().unwrap();
    let mended = Arc::new(AtomicBool::new(false));
    let first = store(&dir);
    first.set("n", "0").unwrap();
    first.flush_now().unwrap();
    let disk = FailingDisk { steps: Arc::default(), fails_at: SYNC_OF_THE_FOLDER, mended: mended.clone() };
    let store = Arc::new(KvStore::on(Box::new(disk), dir.path(), &name()));
    let [writer, reader, later] = [(); 3].map(|()| store.clone().session());
    writer.set("n", "1").unwrap();
    let failed = writer.flush().await.unwrap_err();
    assert!(matches!(failed, KvError::NotSafe { .. }), "{failed:?}");
    assert_eq!(first.get("n").unwrap().as_deref(), Some("1"), "it is in the file");
    assert_eq!(reader.get("n").unwrap().as_deref(), Some("1"), "and in memory");
    assert!(reader.flush().await.is_err(), "nothing is safe as long as the disk fails");
    mended.store(true, Ordering::Relaxed);
    assert_eq!(later.get("n").unwrap(), first.get("n").unwrap());
    later.flush().await.unwrap();
}

/// The inode of a replaced file is given to the next one, and the clock ticks only every few milliseconds.
#[test]
fn a_change_of_the_same_length_in_the_same_moment_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let (ours, theirs) = (store(&dir), store(&dir));
    for n in 1_000..1_300 {
        let value = n.to_string();
        ours.set("n", &value).unwrap();
        ours.flush_now().unwrap();
        assert_eq!(theirs.get("n").unwrap(), Some(value));
        // So that two changes lie between two looks of each.
        theirs.set("n", "0000").unwrap();
        theirs.flush_now().unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn no_file_stays_open() {
    let dir = tempfile::tempdir().unwrap();
    let stores: Vec<_> = (0..20)
        .map(|n| KvStore::new(dir.path(), &ScriptName::parse(&format!("s{n}")).unwrap()))
        .inspect(|store| {
            store.set("k", "v").unwrap();
            store.flush_now().unwrap();
            assert_eq!(store.get("k").unwrap().as_deref(), Some("v"));
        })
        .collect();
    let state = dir.path().canonicalize().unwrap().join(STATE_DIR);
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let held: Vec<_> =
        open.filter_map(|fd| fs::read_link(fd.path()).ok()).filter(|file| file.starts_with(&state)).collect();
    assert!(held.is_empty(), "{held:?}");
    drop(stores);
}

#[test]
fn a_byte_order_mark_is_no_damage() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(STATE_DIR)).unwrap();
    fs::write(dir.path().join(STATE_DIR).join("weather.json"), "\u{feff}{\"api_key\": \"abc\"}").unwrap();
    let store = store(&dir);
    assert_eq!(store.get("api_key").unwrap().as_deref(), Some("abc"));
    assert_eq!(files(&dir), ["weather.json"]);
    assert!(store.set_aside_files().unwrap().is_empty());
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_an_error_and_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join(STATE_DIR);
    fs::create_dir_all(&state).unwrap();
    for file in ["weather.json", "weather.lock"] {
        let made = std::process::Command::new("mkfifo").arg(state.join(file)).status().unwrap();
        assert!(made.success());
        let store = store(&dir);
        let result = store.set("k", "v").and_then(|()| store.flush_now());
        let error = result.unwrap_err().to_string();
        assert!(error.contains("it is no plain file"), "{error}");
        assert!(fs::symlink_metadata(state.join(file)).is_ok(), "it is left alone");
        fs::remove_file(state.join(file)).unwrap();
    }
}

/// It was taken for no store, and a new file took the link's place: the keys behind it were gone from sight.
#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_an_error_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (state, keys) = (dir.path().join(STATE_DIR), dir.path().join("keys.json"));
    fs::create_dir(&state).unwrap();
    std::os::unix::fs::symlink(&keys, state.join("weather.json")).unwrap();
    let expected = "the store is a link that leads nowhere; make the file it leads to or delete the link";
    let store = store(&dir);
    assert_eq!(store.get("k").unwrap_err().to_string(), expected);
    assert_eq!(store.set("k", "v").unwrap_err().to_string(), expected);
    fs::write(&keys, r#"{"api_key": "abc"}"#).unwrap();
    store.set("k", "v").unwrap();
    store.flush_now().unwrap();
    // The drive with the keys is gone for a while.
    fs::rename(&keys, dir.path().join("away.json")).unwrap();
    assert_eq!(store.get("k").unwrap_err().to_string(), expected);
    fs::rename(dir.path().join("away.json"), &keys).unwrap();
    store.set("k", "w").unwrap();
    fs::rename(&keys, dir.path().join("away.json")).unwrap();
    assert_eq!(store.flush_now().unwrap_err().to_string(), expected);
    assert!(state.join("weather.json").is_symlink());
    assert_eq!(files(&dir), ["weather.json"], "the lock lies beside the file");
    fs::rename(dir.path().join("away.json"), &keys).unwrap();
    assert_eq!(store.get("api_key").unwrap().as_deref(), Some("abc"));
    assert_eq!(store.get("k").unwrap().as_deref(), Some("v"), "the failed write was taken back");
}

#[cfg(unix)]
#[test]
fn a_linked_store_stays_a_link() {
    let dir = tempfile::tempdir().unwrap();
    let (state, elsewhere) = (dir.path().join(STATE_DIR), dir.path().join("keys"));
    fs::create_dir_all(&state).unwrap();
    fs::create_dir_all(&elsewhere).unwrap();
    fs::write(elsewhere.join("mine.json"), "{\"old\": \"kept\"}").unwrap();
    std::os::unix::fs::symlink("../keys/mine.json", state.join("weather.json")).unwrap();
    let store = store(&dir);
    store.set("new", "x").unwrap();
    store.flush_now().unwrap();
    assert!(state.join("weather.json").is_symlink());
    let text = fs::read_to_string(elsewhere.join("mine.json")).unwrap();
    let entries: Entries = serde_json::from_str(&text).unwrap();
    assert_eq!(entries.into_keys().collect::<Vec<_>>(), ["new", "old"]);
}

/// A test of the time it takes would be one of the machine; that it fails says that it did not wait.
#[test]
fn an_invocation_does_not_wait_for_the_lock_of_a_broken_store() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(STATE_DIR).join("weather.json");
    fs::create_dir_all(dir.path().join(STATE_DIR)).unwrap();
    fs::write(&path, "broken").unwrap();
    let held = KvFile::new(path, Box::new(RealDisk)).lock(Duration::ZERO).unwrap();
    let store = Arc::new(store(&dir));
    let refused = store.clone().session().get("k");
    assert!(matches!(refused, Err(KvError::Locked { waited: Duration::ZERO })), "{refused:?}");
    drop(held);
    assert_eq!(store.session().get("k").unwrap(), None, "now it is set aside");
}

/// Others do something else meanwhile, and are told what came of it.
#[test]
fn a_store_that_is_held_up_takes_one_thread() {
    const THREADS: usize = 2;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(THREADS)
        .build()
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(store(&dir));
    let file = KvFile::new(dir.path().join(STATE_DIR).join("weather.json"), Box::new(RealDisk));
    file.ensure_folder().unwrap();
    let held = file.lock(Duration::ZERO).unwrap();
    runtime.block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        for n in 0..3 * THREADS {
            let session = store.clone().session();
            session.set(&n.to_string(), "x").unwrap();
            waiting.spawn(async move { session.flush().await });
        }
        tokio::task::yield_now().await;
        tokio::task::spawn_blocking(|| ()).await.unwrap();
        assert!(waiting.try_join_next().is_none(), "a thread was free while all wait for the store");
        drop(held);
        assert!(waiting.join_all().await.iter().all(Result::is_ok));
    });
    assert_eq!(store.entries().unwrap().len(), 3 * THREADS);
}
