//! Upgrades of the tool: what 0.1.0 has written is read (`fixtures/0.1.0/make` says how that came to be), and what a later
//! version has written is refused with the version that is needed. What a host makes of it is in `tests/booted/upgrades.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Ran, Test, system, tree};

const STATE: &str = "var/lib/install-service";
const UNITS: &str = "etc/systemd/system";

fn fixtures(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/0.1.0").join(path)
}

/// The services of a host where 0.1.0 has installed them.
fn installed() -> Vec<String> {
    let files = tree(&fixtures("host").join(UNITS));
    let name = |path: &PathBuf| Some(path.to_str()?.strip_suffix(".service")?.to_owned());
    files.keys().filter_map(name).filter(|name| !name.contains('/')).collect()
}

/// The tree of a manifest that 0.1.0 has written, or of a receipt of its.
fn exported(manifest: &Path, options: &[&str]) -> Ran {
    let test = Test::install().env("INSTALLSERVICE_WORKING_DIR", "").args(["--manifest"]).arg(manifest);
    test.args(["--output", "tree"]).args(options).run()
}

/// The lines that one of the texts has and the other has not.
fn differing(one: &str, other: &str) -> Vec<String> {
    let (one, other): (Vec<&str>, Vec<&str>) = (one.lines().collect(), other.lines().collect());
    let only = |these: &[&str], those: &[&str]| -> Vec<String> {
        these.iter().filter(|line| !those.contains(line)).map(|line| (*line).to_owned()).collect()
    };
    [only(&one, &other), only(&other, &one)].concat()
}

fn names_in_table(page: &str) -> BTreeSet<String> {
    let rows = page.lines().skip_while(|line| !line.starts_with("| --- |")).skip(1);
    let first = |row: &str| row.trim_start_matches('|').split('|').next().unwrap_or_default().to_owned();
    let names = |cell: String| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    rows.take_while(|line| line.starts_with('|')).map(first).flat_map(names).collect()
}

/// The page names every line of a unit that is another one, and no line that is not.
#[test]
fn a_receipt_of_0_1_0_makes_the_same_unit_but_for_what_the_page_explains() {
    let names = installed();
    assert_eq!(names, ["odd", "one", "plain", "secret", "strict", "two", "uploader", "watch"]);
    let mut changed = BTreeSet::new();
    for name in names {
        let receipt = fixtures("host").join(STATE).join(format!("{name}_install_args.toml"));
        let ran = exported(&receipt, &[]);
        let unit = format!("{UNITS}/{name}.service");
        let now = fs::read_to_string(ran.folder().join("tree").join(&unit)).unwrap();
        let then = fs::read_to_string(fixtures("host").join(&unit)).unwrap();
        changed
            .extend(differing(&then, &now).iter().map(|line| line.split_once('=').expect("a directive").0.to_owned()));
        // The receipt says the same, word for word, but for who wrote it.
        let now = fs::read_to_string(ran.folder().join(format!("tree/{STATE}/{name}_install_args.toml"))).unwrap();
        let then = fs::read_to_string(receipt).unwrap();
        let body = |text: &str| text.split_once('\n').unwrap().1.to_owned();
        assert_eq!(body(&now), body(&then));
    }
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/upgrading.md")).unwrap();
    assert_eq!(changed, names_in_table(&page));
}

#[test]
fn an_export_of_0_1_0_is_replaced_by_one_of_this_version() {
    for (folder, options) in [
        ("tree", &[][..]),
        ("role", &["--layout", "ansible"]),
        ("home", &[]),
        ("nssm", &["--target", "nssm", "--no-nssm"]),
    ] {
        let manifest = fixtures(&format!("export/{folder}/MANIFEST.toml"));
        let fresh = exported(&manifest, options);
        let ran = Test::install().arg("-V").run();
        let copy = ran.folder().join("tree");
        system("cp", &["-r", fixtures(&format!("export/{folder}")).to_str().unwrap(), copy.to_str().unwrap()]);
        fs::write(copy.join("notes.txt"), "of somebody else").unwrap();
        let again = ran.then_install().env("INSTALLSERVICE_WORKING_DIR", "").arg("--manifest").arg(manifest);
        again.args(["--output", "tree"]).args(options).run();
        assert_eq!(fs::read_to_string(copy.join("notes.txt")).unwrap(), "of somebody else");
        fs::remove_file(copy.join("notes.txt")).unwrap();
        assert_eq!(tree(&copy), tree(&fresh.folder().join("tree")), "{folder}");
    }
}

/// What 0.1.0 has written and this version has no more of goes.
#[test]
fn another_export_takes_the_place_of_one_of_0_1_0() {
    let ran = Test::install().arg("-V").run();
    let copy = ran.folder().join("tree");
    system("cp", &["-r", fixtures("export/tree").to_str().unwrap(), copy.to_str().unwrap()]);
    let changed = copy.join(UNITS).join("two.service");
    let theirs = fs::read_to_string(&changed).unwrap() + "# changed\n";
    fs::write(&changed, theirs).unwrap();
    let other = ran.then_install().env("INSTALLSERVICE_WORKING_DIR", "");
    let other = other.args(["--output", "tree", "--working-directory", "/srv", "--service_name", "web"]);
    other.args(["--", "/bin/true"]).stderr_contains("two.service` is no longer needed, but was changed").run();
    let left: Vec<_> = tree(&copy).into_keys().filter(|path| !path.ends_with("web.service")).collect();
    let left: Vec<&str> = left.iter().filter_map(|path| path.to_str()).filter(|path| !path.contains("web_")).collect();
    assert_eq!(left, ["MANIFEST.sha256", "MANIFEST.toml", &format!("{UNITS}/two.service")]);
}

#[test]
fn an_import_reads_the_units_of_0_1_0() {
    let import = |folder: &str| Test::install().arg("import").arg(fixtures(folder)).run().stdout;
    let tree = import("export/tree");
    assert!(tree.contains("name = \"one\"\n") && tree.contains("name = \"two\"\n"), "{tree}");
    let host = import("host");
    assert_eq!(host.matches("[[service]]\n").count(), installed().len(), "{host}");
}

/// With another version in the first line of every file that has one.
fn of_version(text: &str, version: &str) -> String {
    text.replace("# Generated by InstallService 0.1.0", &format!("# Generated by InstallService {version}"))
}

const OURS: &str = env!("CARGO_PKG_VERSION");

fn needed(doing: &str) -> String {
    format!("{doing}: written by InstallService 99.1.2, which is later than this one, {OURS}")
}

/// A service with a key that this version does not know.
const UNKNOWN: &str = "\n[[service]]\nname = \"web\"\ncolour = \"red\"\n";

const HELP: &str = "\n  help: install InstallService 99.1.2 or later";

#[test]
fn a_manifest_of_a_later_version_is_refused() {
    let receipt = fs::read_to_string(fixtures("host").join(STATE).join("plain_install_args.toml")).unwrap();
    let later = of_version(&receipt, "99.1.2");
    for text in [later.clone(), later + UNKNOWN] {
        for options in [&["--dry-run"][..], &["--output", "tree"], &["--check"]] {
            let test = Test::install().file("m.toml", &text).args(["--manifest", "m.toml"]).args(options);
            let told = format!("InstallService: error: {}{HELP}\n", needed("manifest `m.toml`, line 1"));
            let ran = test.status(2).stdout("").stderr(told).run();
            assert!(!ran.folder().join("tree").exists() && !ran.folder().join("working_dir").exists());
        }
    }
    // A key that no version knows is one of this version where it says so itself.
    let own = of_version(&receipt, OURS) + UNKNOWN;
    let test = Test::install().file("m.toml", own).args(["--manifest", "m.toml", "--dry-run"]);
    test.status(2).stderr_contains("key `colour`: there is no such key here").run();
}

#[test]
fn an_export_of_a_later_version_is_left_alone() {
    let ran = Test::install().arg("-V").run();
    let copy = ran.folder().join("tree");
    system("cp", &["-r", fixtures("export/tree").to_str().unwrap(), copy.to_str().unwrap()]);
    let list = copy.join("MANIFEST.sha256");
    fs::write(&list, of_version(&fs::read_to_string(&list).unwrap(), "99.1.2")).unwrap();
    let before = tree(&copy);
    let test = ran.then_install().args(["--output", "tree", "--working-directory", "/srv", "--service_name", "web"]);
    let told = needed("taking the place of the export `tree`");
    let told = format!("InstallService: error: {told}; nothing was changed{HELP}, then type the same command again\n");
    test.args(["--", "/bin/true"]).status(2).stdout("").stderr(told).run();
    assert_eq!(tree(&copy), before);
}

/// The services of a user, whose journal needs no rights.
#[test]
fn a_journal_of_a_later_version_is_refused_by_every_command_that_would_take_it_back() {
    let plan = r#"{"version":5,"by":"99.1.2","manager":{"systemd":"user"},"steps":[{"undo":["something-new"]}]}"#;
    let ran = Test::install().file("working_dir/journal/plan.json", plan).file("working_dir/journal/begun", ".");
    let ran = ran.arg("-V").run();
    let journal = || -> BTreeMap<PathBuf, Vec<u8>> { tree(&ran.folder().join("working_dir/journal")) };
    let before = journal();
    let told = needed("reading the journal `[TMP]/working_dir/journal`");
    let told = format!("ManageService: error: {told}; nothing was changed{HELP}, then type the same command again\n");
    ran.then_manage().args(["--list", "--user"]).status(2).stdout("").stderr(told).run();
    assert_eq!(journal(), before);
}
