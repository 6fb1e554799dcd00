//! Looks at real folders, in the middle of saves too.

use super::*;

fn one_script(source: &str) -> (tempfile::TempDir, PathBuf, Registry) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.lua");
    fs::write(&file, source).unwrap();
    let registry = Registry::new(dir.path().to_owned());
    assert_eq!(registry.sync(Doubt::Believe).1, Look::Settled);
    (dir, file, registry)
}

/// A look that fell into a save once told the owner of an error that nobody had made.
#[test]
fn what_may_be_half_a_save_is_believed_when_a_second_look_finds_it_again() {
    let (_dir, file, registry) = one_script("function handle() end");
    fs::write(&file, "function hand").unwrap();
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
    fs::write(&file, "function handle(args) end").unwrap();
    let loaded = ScriptEvent::Loaded { name: "a".to_owned() };
    assert_eq!(registry.sync(Doubt::Wait), (vec![loaded], Look::Settled));
    fs::write(&file, "function hand").unwrap();
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
    let (events, look) = registry.sync(Doubt::Wait);
    assert!(matches!(events.as_slice(), [ScriptEvent::Rejected { .. }]), "{events:?}");
    assert_eq!(look, Look::Settled);
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Settled), "told once");
    assert!(registry.get("a").is_some(), "the last good version stays");
}

#[test]
fn a_file_that_is_gone_for_a_moment_keeps_its_script() {
    let (_dir, file, registry) = one_script("function handle() end");
    let source = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
    assert!(registry.get("a").is_some());
    fs::write(&file, source).unwrap();
    assert_eq!(registry.sync(Doubt::Wait).1, Look::Settled);
    fs::remove_file(&file).unwrap();
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again));
    let removed = ScriptEvent::Removed { name: "a".to_owned() };
    assert_eq!(registry.sync(Doubt::Wait), (vec![removed], Look::Settled));
    assert!(registry.get("a").is_none());
}

fn rejected(events: &[ScriptEvent]) -> Vec<&str> {
    let problems = events.iter().filter_map(|event| match event {
        ScriptEvent::Rejected { problem, .. } => Some(problem.as_str()),
        _ => None,
    });
    problems.collect()
}

/// Without file handles a folder can't be read, and all commands vanished.
#[cfg(unix)]
#[test]
fn a_folder_that_can_not_be_read_keeps_its_scripts_and_is_told_of_once() {
    let (dir, _file, registry) = one_script("function handle() end");
    let functions = dir.path().join("functions");
    fs::create_dir(&functions).unwrap();
    fs::write(functions.join("f.lua"), "function call() end").unwrap();
    registry.sync(Doubt::Believe);
    // A link to itself can be read by nobody, not even by root.
    for (folder, told) in [(functions.as_path(), "functions: "), (dir.path(), "")] {
        let aside = dir.path().with_extension("aside");
        fs::rename(folder, &aside).unwrap();
        std::os::unix::fs::symlink(folder, folder).unwrap();
        let (events, look) = registry.sync(Doubt::Believe);
        let problems = rejected(&events);
        assert!(
            matches!(problems.as_slice(), [problem] if problem.starts_with(told)
            && problem.contains("the folder can't be read, its scripts stay as they are")),
            "{events:?}"
        );
        assert_eq!((events.len(), look), (1, Look::Settled));
        assert_eq!(registry.sync(Doubt::Believe), (vec![], Look::Settled), "told once");
        assert!(registry.get("a").is_some() && registry.get("f").is_some());
        fs::remove_file(folder).unwrap();
        fs::rename(&aside, folder).unwrap();
        assert_eq!(registry.sync(Doubt::Believe), (vec![], Look::Settled), "all is as it was");
    }
}

#[test]
fn a_file_that_can_be_no_script_is_told_of_once() {
    let (dir, file, registry) = one_script("function handle() end");
    for name in ["my cmd.lua", "t\u{e9}st.lua", "UPPER.LUA"] {
        fs::write(dir.path().join(name), "function handle() end").unwrap();
    }
    fs::create_dir(dir.path().join("folder.lua")).unwrap();
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Again), "an editor may be renaming it");
    let (events, look) = registry.sync(Doubt::Wait);
    let problems = rejected(&events);
    assert_eq!((problems.len(), look), (4, Look::Settled), "{events:?}");
    for problem in [
        "my cmd.lua: a script's file is named like my-script.lua: letters a to z, digits, - and _",
        "UPPER.LUA: a script's file is named like my-script.lua",
        "folder.lua: is a folder",
    ] {
        assert!(problems.iter().any(|found| found.starts_with(problem)), "{problem} {problems:?}");
    }
    assert_eq!(registry.sync(Doubt::Wait), (vec![], Look::Settled), "told once");
    // The file of a script becomes no file: the last good version stays.
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let (events, _) = registry.sync(Doubt::Believe);
    assert_eq!(rejected(&events), ["a.lua: is a folder; a script is a plain file"]);
    assert!(registry.get("a").is_some());
}

/// Its owner saw it in the folder, and `function not found` or the other script's answer in the page.
#[test]
fn a_function_with_the_name_of_a_script_is_told_of_once() {
    let (dir, file, registry) = one_script("function handle() end");
    let functions = dir.path().join("functions");
    fs::create_dir(&functions).unwrap();
    fs::write(functions.join("a.lua"), "function call() end").unwrap();
    let (events, look) = registry.sync(Doubt::Believe);
    let problem = "functions/a.lua: the script folder has a script of this name too, which goes before";
    assert_eq!((rejected(&events).as_slice(), look), (&[problem][..], Look::Settled));
    assert_eq!(registry.sync(Doubt::Believe), (vec![], Look::Settled), "told once");
    fs::remove_file(&file).unwrap();
    registry.sync(Doubt::Believe);
    assert!(registry.get("a").unwrap().is_function());
}

#[test]
fn a_newcomer_does_not_push_out_a_script_that_runs() {
    use crate::script::script_files::MAX_SCRIPTS;
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str| fs::write(dir.path().join(name), "function handle() end").unwrap();
    (0..MAX_SCRIPTS).for_each(|n| write(&format!("z{n}.lua")));
    let registry = Registry::new(dir.path().to_owned());
    assert_eq!(registry.sync(Doubt::Believe).0.len(), MAX_SCRIPTS);
    write("a.lua");
    let problem = "a.lua: there are 1000 scripts already, which is the limit".to_owned();
    let left_out = ScriptEvent::Rejected { file: "a.lua".to_owned(), problem };
    assert_eq!(registry.sync(Doubt::Believe), (vec![left_out], Look::Settled));
    assert_eq!(registry.sync(Doubt::Believe), (vec![], Look::Settled), "told once");
    fs::remove_file(dir.path().join("z999.lua")).unwrap();
    let events = registry.sync(Doubt::Believe).0;
    let (gone, there) = ("z999".to_owned(), "a".to_owned());
    assert_eq!(events, [ScriptEvent::Loaded { name: there }, ScriptEvent::Removed { name: gone }]);
}
