//! Units that exist are taken over: real ones of Debian packages (`tests/beds/units.sh`), judged by the systemd that loads
//! the original and ours one after the other under the same name, and one of this host with all that belongs to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::booted::named;
use crate::support::{Test, system};

/// How many of a hundred units have to be the same to the last property. It may only rise.
const FLOOR: usize = 100;
/// How many units there have to be at least.
const LEAST: usize = 100;

/// Properties in which two units of the same meaning differ, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("InvocationID", "a new one for each run"),
    ("StateChangeTimestamp", "when the manager has read it"),
    ("StateChangeTimestampMonotonic", "when the manager has read it"),
];

/// Lists that systemd keeps as sets, or all of which have to hold: their order means nothing, and is that of a hash table.
const SETS: [&str; 14] = [
    "After",
    "Asserts",
    "Before",
    "BindsTo",
    "Conditions",
    "Conflicts",
    "Documentation",
    "PartOf",
    "Requires",
    "RequiresMountsFor",
    "SystemCallFilter",
    "TriggeredBy",
    "WantedBy",
    "Wants",
];

type Properties = BTreeMap<String, String>;

/// What systemd says of units, whose files lie in its directory under these names.
fn loaded(names: &[String]) -> Vec<Properties> {
    system("systemctl", &["daemon-reload"]);
    let mut words = vec!["show", "--all", "--"];
    words.extend(names.iter().map(String::as_str));
    let answer = system("systemctl", &words);
    let properties = |block: &str| block.lines().filter_map(|line| line.split_once('=')).map(property).collect();
    let all: Vec<Properties> = answer.split("\n\n").map(properties).collect();
    assert_eq!(all.len(), names.len());
    all
}

fn property((name, value): (&str, &str)) -> (String, String) {
    if !SETS.contains(&name) {
        return (name.to_owned(), value.to_owned());
    }
    // A condition is a word of its own with what it is asked of.
    let is_of_conditions = matches!(name, "Conditions" | "Asserts");
    let separator = if is_of_conditions { " ; " } else { " " };
    let mut words: Vec<&str> = value.split(separator).collect();
    words.sort_unstable();
    words.dedup();
    (name.to_owned(), words.join(separator))
}

fn differences(theirs: &Properties, ours: &Properties) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    let is_compared = |name: &&&String| !OTHERWISE.iter().any(|(known, _)| *known == name.as_str());
    let value = |of: &Properties, name: &str| of.get(name).cloned().unwrap_or_else(|| "(not there)".into());
    names
        .iter()
        .filter(is_compared)
        .filter(|name| theirs.get(**name) != ours.get(**name))
        .map(|name| format!("{name}: {} | {}", value(theirs, name), value(ours, name)))
        .collect()
}

/// A file that goes when this does.
struct Placed(Vec<PathBuf>);

impl Placed {
    fn put(&mut self, path: PathBuf, contents: &[u8]) {
        fs::write(&path, contents).expect("a unit");
        self.0.push(path);
    }
}

impl Drop for Placed {
    fn drop(&mut self) {
        self.0.iter().for_each(|path| drop(fs::remove_file(path)));
        drop(std::process::Command::new("systemctl").arg("daemon-reload").output());
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn real_units_keep_every_property() {
    let folder = std::env::var("REAL_UNITS").expect("the folder that tests/beds/units.sh prints");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder).expect("units").map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let directory = Path::new("/etc/systemd/system");
    let mut placed = Placed(Vec::new());
    let (mut names, mut exports, mut told) = (Vec::new(), Vec::new(), BTreeMap::new());
    for file in &files {
        // Of a template an instance.
        let name = file.file_name().unwrap().to_str().unwrap().replace("@.service", "@one.service");
        let (code, ran) = Test::install().arg("import").arg(file.with_file_name(&name)).run_to_any_end();
        assert!(matches!(code, 0 | 10), "{name}: {}", ran.stderr);
        told.insert(name.clone(), (code, ran.stderr.clone()));
        let export = ran.then_install().file("m.toml", &ran.stdout).args(["--manifest", "m.toml", "--output", "out"]);
        let (code, exported) = export.run_to_any_end();
        assert_eq!(code, 0, "{name}: {}", exported.stderr);
        let unit = exported.folder().join("out/etc/systemd/system").join(&name);
        exports.push(fs::read(unit).expect("the unit of the export"));
        names.push(name);
    }
    assert!(names.len() >= LEAST, "{} units in {folder}", names.len());

    for (file, name) in files.iter().zip(&names) {
        placed.put(directory.join(name), &fs::read(file).unwrap());
    }
    let theirs = loaded(&names);
    for (unit, name) in exports.iter().zip(&names) {
        placed.put(directory.join(name), unit);
    }
    let ours = loaded(&names);
    let mut exact = 0;
    for ((name, theirs), ours) in names.iter().zip(&theirs).zip(&ours) {
        assert_eq!(theirs["LoadState"], "loaded", "{name}");
        let differences = differences(theirs, ours);
        let (code, stderr) = &told[name];
        if differences.is_empty() {
            exact += 1;
        } else {
            println!("{name}\n  {}", differences.join("\n  "));
            // What differs was told.
            assert_eq!(*code, 10, "{name}: {stderr}");
        }
    }
    assert!(!differences(&theirs[0], &theirs[1]).is_empty(), "what differs is seen");
    let share = exact * 100 / names.len();
    println!("figures: import: {exact} of {} real units are exact: {share} %", names.len());
    assert!(share >= FLOOR, "{share} % of real units are exact; it was {FLOOR} %");
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_unit_of_this_host_comes_with_its_drop_ins() {
    let service = named("import-own");
    let drop_ins = service.unit().with_extension("service.d");
    fs::create_dir_all(&drop_ins).unwrap();
    let unit = "[Unit]\nDescription=Mine\n[Service]\nExecStart=/bin/sleep 1d\nRestart=no\n[Install]\nWantedBy=multi-user.target\n";
    fs::write(service.unit(), unit).unwrap();
    let drop_in = "[Service]\nExecStart=\nExecStart=/bin/sleep 2d\n# As often as it takes\nRestart=always\n";
    fs::write(drop_ins.join("often.conf"), drop_in).unwrap();
    fs::write(service.unit().with_extension("timer"), "[Timer]\nOnCalendar=daily\n").unwrap();
    system("systemctl", &["daemon-reload"]);
    system("systemctl", &["start", "import-own.timer"]);

    let ran = Test::install()
        .args(["import", "import-own"])
        .stdout_contains("command = [\"/bin/sleep 2d\"]\n")
        .stdout_contains("# As often as it takes\nrestart = \"always\"\n")
        // Nobody has enabled it.
        .stdout_contains("at_boot = false\n")
        .stdout_contains("\"Install.WantedBy\" = \"multi-user.target\"\n")
        .stderr("note: `import-own`: `import-own.timer` belongs to it, and is not taken over\n")
        .run();
    system("systemctl", &["stop", "import-own.timer"]);
    fs::remove_file(service.unit().with_extension("timer")).unwrap();
    // With the suffix it is the same, and enabled it starts at boot.
    system("systemctl", &["enable", "import-own"]);
    ran.then_install().args(["import", "import-own.service"]).stdout_contains("at_boot = true\n").run();

    // What cat prints is the same unit.
    let cat = system("systemctl", &["cat", "import-own.service"]);
    let piped = ran.then_install().stdin(cat).args(["import", "/dev/stdin"]).run();
    let said = |manifest: &str| manifest.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    let again = ran.then_install().args(["import", "import-own"]).run();
    assert_eq!(said(&piped.stdout), said(&again.stdout));

    system("systemctl", &["mask", "--runtime", "systemd-quotacheck.service"]);
    ran.then_install().args(["import", "systemd-quotacheck"]).status(2).stderr_contains("it is masked").run();
    system("systemctl", &["unmask", "--runtime", "systemd-quotacheck.service"]);
    ran.then_install().args(["import", "no-such-unit"]).status(2).stderr_contains("there is no such service").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_service_of_ours_comes_as_it_was_installed() {
    let service = named("import-ours");
    let ran = service.install().args(["--restart-sec", "7", "--working-directory", "/srv"]).probe(["a b"]).run();
    let imported = ran.then_install().args(["import", "import-ours"]).stderr("").run();
    let shown = ran.then_manage().args(["import-ours", "show", "--format", "manifest"]).run();
    assert_eq!(imported.stdout, shown.stdout);
    let again = ran.then_install().file("ours.toml", &imported.stdout).args(["--manifest", "ours.toml"]);
    again.stdout("unchanged: import-ours\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_instance_is_installed_under_its_whole_name() {
    let service = named("import-tpl@home");
    let unit = "[Service]\nExecStart=/bin/sleep %i\n[Install]\nWantedBy=multi-user.target\n";
    let ran = Test::install().file("import-tpl@.service", unit).args(["import", "./import-tpl@home.service"]).run();
    let install = ran.then_install().file("m.toml", &ran.stdout).args(["--manifest", "m.toml"]);
    install.stdout_contains("installed: import-tpl@home (").run();
    assert!(service.property("ExecStart").contains("/bin/sleep home"));
    assert!(service.boot_link().exists());
    ran.then_manage().args(["import-tpl@home", "remove"]).stdout("import-tpl@home: removed\n").run();
    assert!(!service.unit().exists() && !service.boot_link().exists());
}
