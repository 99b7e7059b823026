//! Units that exist are taken over: real ones of Debian packages (`tests/beds/units.sh`), judged by the systemd that loads
//! the original and ours one after the other under the same name, and one of this host with all that belongs to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::booted::named;
use crate::support::{Test, system};

/// How many of a hundred units have to be the same to the last property. It may only rise.
const FLOOR: usize = 100;
/// How many units there have to be at least, and how many timers among them.
const LEAST: usize = 185;
const LEAST_TIMERS: usize = 15;

/// Properties in which two units of the same meaning differ, and why.
const OTHERWISE: [(&str, &str); 3] = [
    ("InvocationID", "a new one for each run"),
    ("StateChangeTimestamp", "when the manager has read it"),
    ("StateChangeTimestampMonotonic", "when the manager has read it"),
];

/// Lists that systemd keeps as sets, or all of which have to hold: their order means nothing, and is that of a hash table.
const SETS: [&str; 21] = [
    "After",
    "Asserts",
    "Before",
    "BindsTo",
    "BoundBy",
    "Conditions",
    "ConflictedBy",
    "Conflicts",
    "ConsistsOf",
    "Documentation",
    "PartOf",
    "RequiredBy",
    "Requires",
    "RequiresMountsFor",
    "Requisite",
    "RequisiteOf",
    "SystemCallFilter",
    "TriggeredBy",
    "Triggers",
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

/// A unit that was taken over.
struct Real {
    /// What systemd is asked for.
    name: String,
    /// What its file is called.
    file: String,
    theirs: Vec<u8>,
    ours: Vec<u8>,
    /// What the import has ended with, and said.
    told: (i32, String),
}

/// Takes over the unit `file` of a folder, and its timer, if a manifest can say that.
fn taken(folder: &Path, file: &str, name: &str) -> Vec<Real> {
    let (code, ran) = Test::install().arg("import").arg(folder.join(file)).run_to_any_end();
    assert!(matches!(code, 0 | 10), "{file}: {}", ran.stderr);
    let told = (code, ran.stderr.clone());
    let export = ran.then_install().file("m.toml", &ran.stdout).args(["--manifest", "m.toml", "--output", "out"]);
    let (code, exported) = export.run_to_any_end();
    assert_eq!(code, 0, "{file}: {}", exported.stderr);
    let units = exported.folder().join("out/etc/systemd/system");
    let real = |name: String, file: &str, theirs: &str| Real {
        name,
        file: file.to_owned(),
        theirs: fs::read(folder.join(theirs)).expect("the original"),
        ours: fs::read(units.join(file)).expect("the unit of the export"),
        told: told.clone(),
    };
    // Of a template an instance is one.
    let (prefix, rest) = file.split_once('@').unwrap_or_default();
    let template = format!("{prefix}@.service");
    let is_of_template = !rest.is_empty() && !folder.join(file).exists();
    let mut all = vec![real(name.to_owned(), file, if is_of_template { &template } else { file })];
    let timer = file.replace(".service", ".timer");
    if units.join(&timer).exists() {
        all.push(real(timer.clone(), &timer, &timer));
    }
    all
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn real_units_keep_every_property() {
    let folder = PathBuf::from(std::env::var("REAL_UNITS").expect("the folder that tests/beds/units.sh prints"));
    let files = fs::read_dir(&folder).expect("units").map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = files.filter(|file| file.ends_with(".service")).collect();
    files.sort();
    let mut all = Vec::new();
    for file in &files {
        match file.split_once("@.") {
            // A template is taken over as a whole, and an instance of it as a service of its own.
            Some((prefix, kind)) => {
                all.extend(taken(&folder, file, &format!("{prefix}@two.{kind}")));
                let one = format!("{prefix}@one.{kind}");
                all.extend(taken(&folder, &one, &one));
            }
            None => all.extend(taken(&folder, file, file)),
        }
    }
    let timers = all.iter().filter(|real| real.name.ends_with(".timer")).count();
    assert!(all.len() >= LEAST && timers >= LEAST_TIMERS, "{} units, {timers} timers in {folder:?}", all.len());

    let directory = Path::new("/etc/systemd/system");
    let mut placed = Placed(Vec::new());
    let names: Vec<String> = all.iter().map(|real| real.name.clone()).collect();
    all.iter().for_each(|real| placed.put(directory.join(&real.file), &real.theirs));
    let theirs = loaded(&names);
    all.iter().for_each(|real| placed.put(directory.join(&real.file), &real.ours));
    let ours = loaded(&names);
    let mut exact = 0;
    for ((Real { name, told: (code, stderr), .. }, theirs), ours) in all.iter().zip(&theirs).zip(&ours) {
        assert_eq!(theirs["LoadState"], "loaded", "{name}");
        let differences = differences(theirs, ours);
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
    println!("figures: import: {exact} of {} real units are exact, {timers} timers among them: {share} %", names.len());
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
        .stderr(
            "note: `import-own`: `import-own.timer` stays a unit of its own: `schedule` is for services of \
             `Type=oneshot`, and this one has no `Type=`\nnote: `import-own`: `import-own.timer` stays a unit of its own: \
             /etc/systemd/system/import-own.service:7: `WantedBy=multi-user.target`: with `schedule` the timer is enabled, \
             not the service\n",
        )
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

/// A job with its timer, and a template with its drop-ins, by their names.
#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_timer_of_this_host_comes_with_its_service_and_a_template_as_a_whole() {
    let service = named("import-job");
    let drop_ins = service.unit().with_extension("timer.d");
    fs::create_dir_all(&drop_ins).unwrap();
    fs::write(service.unit(), "[Unit]\nDescription=Job\n[Service]\nType=oneshot\nExecStart=/bin/true\n").unwrap();
    let timer = "[Unit]\nDescription=Job, daily\n[Timer]\nOnCalendar=weekly\nPersistent=true\n[Install]\nWantedBy=timers.target\n";
    fs::write(service.unit().with_extension("timer"), timer).unwrap();
    fs::write(drop_ins.join("daily.conf"), "[Timer]\nOnCalendar=\nOnCalendar=daily\n").unwrap();
    fs::write("/etc/systemd/system/import-t@.service", "[Service]\nExecStart=/bin/sleep %i\n").unwrap();
    let of_template = Path::new("/run/systemd/system/import-t@.service.d");
    fs::create_dir_all(of_template).unwrap();
    fs::write(of_template.join("nice.conf"), "[Service]\nNice=5\n").unwrap();
    system("systemctl", &["daemon-reload"]);

    const ADOPTED: &str = "note: `import-job`: `--adopt` takes over no timer: without `schedule`, `at_boot` and the `Timer.` \
                           entries it takes over the service, which `import-job.timer` goes on starting\n";
    let ran = Test::install().args(["import", "import-job.timer"]).stderr(ADOPTED).run();
    for line in ["schedule = \"daily\"", "at_boot = false", "\"Timer.Unit.Description\" = \"Job, daily\""] {
        assert!(ran.stdout.lines().any(|known| known == line), "{line}\n{}", ran.stdout);
    }
    let by_service = ran.then_install().args(["import", "import-job"]).run();
    assert_eq!(by_service.stdout, ran.stdout);
    system("systemctl", &["enable", "import-job.timer"]);
    ran.then_install().args(["import", "import-job"]).stdout_contains("at_boot = true\n").stderr(ADOPTED).run();
    system("systemctl", &["disable", "import-job.timer"]);
    ran.then_install().args(["import", "no-such.timer"]).status(2).stderr_contains("there is no such service").run();

    ran.then_install()
        .args(["import", "import-t@"])
        .stderr("")
        .stdout_contains("name = \"import-t@\"\nplain = true\ncommand = [\"/bin/sleep %i\"]\n")
        .stdout_contains("Nice = \"5\"\n")
        .run();
    fs::remove_file("/etc/systemd/system/import-t@.service").unwrap();
    fs::remove_dir_all(of_template).unwrap();
    fs::remove_dir_all(&drop_ins).unwrap();
    fs::remove_file(service.unit().with_extension("timer")).unwrap();
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
