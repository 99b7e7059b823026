//! The pages are true: every block of them says what it is, and its commands run. Those for a booted systemd do in
//! `tests/booted/readme.rs`, those for Windows in `tests/windows/pages.rs`. Links lead somewhere, and the book has all pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use install_service::error::exit;

use crate::support::readme::{Page, page, pages, shell};
use crate::support::{Test, checkout, tree};

/// Commands, and who runs them.
const RUN: [&str; 12] = [
    "clone",    // tests/suite/readme.rs: what it prints stands behind it
    "tests",    // tests/suite/readme.rs: it is the line that tests/run asks for
    "install",  // tests/verify/readme.rs
    "dry",      // here, each page in a folder of its own
    "booted",   // tests/booted/readme.rs, each page from its first line to its last
    "user",     // the same, by somebody without rights
    "run",      // tests/windows/pages.rs
    "example",  // here: of the manual pages, each line by itself
    "measured", // by whoever measures: they take hours
    // tests/verify/images.rs
    "dockerfile",
    "mkosi-extra",
    "packer-script",
];

/// What is no command.
const TOLD: [&str; 3] = [
    "prints",   // what the block before it prints; a line of three dots stands for any lines
    "manifest", // a whole one, which is exported here
    "shown",    // a message, or a file of another program
];

/// Whether all of `told` stands in `said`, in its order; `...` is any number of lines.
pub(crate) fn prints(told: &str, said: &str) -> bool {
    let mut rest = said.lines();
    let mut may_skip = false;
    for line in told.lines() {
        if line == "..." {
            may_skip = true;
        } else if may_skip {
            may_skip = false;
            if !rest.any(|said| said == line) {
                return false;
            }
        } else if rest.next() != Some(line) {
            return false;
        }
    }
    true
}

#[test]
fn every_block_says_what_it_is() {
    for page in pages() {
        for block in page.blocks() {
            let at = format!("{}: a block that begins with {:?}", page.path, block.text.lines().next());
            let is_commands = ["sh", "bat", "dockerfile", ""].contains(&&*block.language);
            let known = if let Some(file) = block.mark.strip_prefix("elsewhere: ") {
                // A test that has the commands in its own words, or another script that does.
                checkout().join(file).exists()
            } else if block.mark.starts_with("file: ") || TOLD.contains(&&*block.mark) {
                let typed = |line: &str| line.starts_with("InstallService ") || line.starts_with("ManageService ");
                block.language != "sh" && (block.mark == "prints" || !block.text.lines().any(typed))
            } else {
                is_commands
                    && (RUN.contains(&&*block.mark) || block.mark == "by hand" && page.name() == "windows-checklist.md")
            };
            assert!(known, "{at}: `{}` is nothing that a test knows", block.mark);
            let only = match &*block.mark {
                "clone" | "tests" => "README.md",
                "install" => "docs/install.md",
                "run" => "docs/windows-start.md",
                _ => continue,
            };
            assert_eq!(page.path, only, "{at}");
        }
    }
}

#[test]
fn files_of_packages_have_the_names_of_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    for page in pages() {
        for name in page.text.split(['`', ' ', '\n', '/']).filter(|word| {
            [".whl", ".deb", ".rpm", ".zip", ".tar.gz"].iter().any(|end| word.ends_with(end))
                && (word.starts_with("install-service") || word.starts_with("install_service"))
        }) {
            assert!(name.contains(version), "{}: {name} is not of {version}", page.path);
        }
    }
}

#[test]
fn dry_blocks_run_as_they_stand() {
    let mut ran = 0;
    for page in pages() {
        let folder = tempfile::tempdir().expect("a folder");
        let blocks = page.blocks();
        for (at, block) in blocks.iter().enumerate() {
            if let Some(file) = block.mark.strip_prefix("file: ").filter(|file| !file.contains(['/', '\\'])) {
                fs::write(folder.path().join(file), &block.text).expect("a file of the page");
            }
            if block.mark != "dry" {
                continue;
            }
            let output = shell(&block.text, folder.path()).output().expect("bash");
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{}\n{}\n{stderr}", page.path, block.text);
            if let Some(told) = blocks.get(at + 1).filter(|next| next.mark == "prints") {
                assert!(prints(&told.text, &stdout), "{}\n{}\n{stdout}", page.path, told.text);
            }
            ran += 1;
        }
    }
    assert!(ran >= 8, "{ran}");
}

/// The examples of the manual pages: each is a command that is understood.
#[test]
fn examples_are_understood() {
    let mut ran = 0;
    for page in pages() {
        let folder = tempfile::tempdir().expect("a folder");
        let manifest = page_with_the_manifest();
        fs::write(folder.path().join("services.toml"), manifest).expect("a manifest");
        for line in
            page.blocks().into_iter().filter(|block| block.mark == "example").flat_map(|block| lines(&block.text))
        {
            // Written elsewhere, and not onto this machine, whose Python does not count then.
            let python = if line.contains("DataFile") { "--python /usr/bin/python3 " } else { "" };
            let export = format!("InstallService --output tree {python}");
            let typed = line.replace("--start ", "").replace("InstallService ", &export);
            let typed = if line.contains(" --dry-run ") || line.contains(" --check") { &line } else { &typed };
            let mut bash = shell(typed, folder.path());
            let output = bash.env("INSTALLSERVICE_WORKING_DIR", folder.path()).output().expect("bash");
            let codes: &[i32] = if line.contains(" --check") { &[10] } else { &[0, 4] };
            let is_understood = output.status.code().is_some_and(|code| codes.contains(&code));
            assert!(is_understood, "{}: {line}\n{}", page.path, String::from_utf8_lossy(&output.stderr));
            ran += 1;
        }
    }
    assert!(ran >= 13, "{ran}");
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

/// The example of a manifest.
fn page_with_the_manifest() -> String {
    let page = page("manifest.md");
    page.blocks().into_iter().find(|block| block.mark == "manifest").expect("a manifest").text
}

#[test]
fn manifests_are_some() {
    let mut found = 0;
    for page in pages() {
        for block in page.blocks().into_iter().filter(|block| block.mark == "manifest") {
            let export = Test::install().file("services.toml", &block.text);
            export.args(["--manifest", "services.toml", "--output", "tree"]).run();
            found += 1;
        }
    }
    assert!(found >= 3, "{found}");
}

/// A row of docs/how.md: options, and the same as keys of a manifest.
struct Row {
    options: String,
    keys: String,
    is_of_windows: bool,
}

fn rows() -> Vec<Row> {
    let page = page("how.md");
    let mut is_of_windows = false;
    let mut rows = Vec::new();
    for line in page.text.lines() {
        is_of_windows |= line == "## On Windows";
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let ([_, options, keys], true) = (&cells[..], line.starts_with("| ") && line.contains("| `--")) {
            let keys = keys.trim_matches('`').replace("`, `", "\n");
            rows.push(Row { options: options.trim_matches('`').to_owned(), keys, is_of_windows });
        }
    }
    rows
}

/// Both columns of each row are exported: they are taken, and the files are the same.
#[test]
fn each_wish_has_an_option_and_a_key_that_mean_the_same() {
    let rows = rows();
    assert!(rows.len() > 60, "{}", rows.len());
    for Row { options, keys, is_of_windows } in rows {
        let folder = tempfile::tempdir().expect("a folder");
        let (target, program, directory) = if is_of_windows {
            ("nssm --no-nssm", r"C:\lab\web.exe", r"C:\lab")
        } else {
            ("systemd", "/bin/sleep", "/srv")
        };
        let own = options.contains("--working-directory");
        let here = if own { String::new() } else { format!("--working-directory '{directory}'") };
        let key = if own { String::new() } else { format!("working_directory = '{directory}'") };
        let manifest =
            format!("[[service]]\nname = 'web'\nexecutable = '{program}'\narguments = ['infinity']\n{key}\n{keys}\n");
        fs::write(folder.path().join("services.toml"), manifest).expect("a manifest");
        let script = format!(
            "export KAFKA_PASSWORD=secret
            InstallService --target {target} --output option --service_name web {here} {options} -- '{program}' infinity
            InstallService --target {target} --output key --manifest services.toml"
        );
        let output = shell(&script, folder.path()).output().expect("bash");
        assert!(output.status.success(), "{options}\n{}", String::from_utf8_lossy(&output.stderr));
        let [option, key] = ["option", "key"].map(|name| tree(&folder.path().join(name)));
        assert_eq!(option, key, "`{options}` and `{keys}`");
    }
}

#[test]
fn the_table_of_exit_codes_is_the_one_of_the_commands() {
    let page = page("reference.md");
    let rows = page.text.lines().skip_while(|line| !line.starts_with("| Code |")).skip(2);
    let told: Vec<u8> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').nth(1).expect("a code").trim().parse().expect("a number"))
        .collect();
    let known = [
        exit::OK,
        exit::FAILED,
        exit::USAGE,
        exit::NOT_RUNNING,
        exit::NO_SUCH_SERVICE,
        exit::NOT_PRIVILEGED,
        exit::DIFFERENT,
        exit::INTERRUPTED,
    ];
    assert_eq!(told, known);
}

/// Pages that name options of other programs, too.
const WITH_OTHERS: [&str; 5] = ["STYLE.md", "benchmarks.md", "reliability.md", "shell.md", "hardening.md"];

#[test]
fn every_option_that_is_named_is_there() {
    let mut help = Test::install().arg("--help").run().stdout + &Test::manage().arg("--help").run().stdout;
    for command in ["discover", "import"] {
        help += &Test::install().args([command, "--help"]).run().stdout;
    }
    // Of other commands, of the programs in the examples, and of rules in sudoers.
    let others = "--help --every --through-sudo --config --force-reinstall --no-deps --path --build --root-owner-group --check \
                  --diff --now --guard --release --target --ignored --package --append --version --no-legend --test --branch \
                  --root --run --restart --rm --name --tmpfs --cgroupns --privileged --no-install-recommends";
    let others: BTreeSet<&str> = others.split_whitespace().collect();
    for page in pages().into_iter().filter(|page| !WITH_OTHERS.contains(&page.name())) {
        let mut rest = &*page.text;
        while let Some(at) = rest.find("--") {
            rest = &rest[at..];
            let end = rest[2..].find(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            let option = rest[..end.map_or(rest.len(), |end| end + 2)].trim_end_matches('-');
            rest = &rest[2.max(option.len())..];
            if option.len() > 2 && !option.starts_with("---") && !others.contains(option) {
                let is_there = help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n"));
                assert!(is_there, "{}: {option}", page.path);
            }
        }
    }
}

/// Where a link to a heading goes, as GitHub and mdBook make it of the heading.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = text.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    let anchor = |line: &str| {
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        line.trim_start_matches('#').trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let root = checkout();
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut all = pages();
    for name in ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "templates/README.md"] {
        all.push(Page { path: name.to_owned(), text: read(&root.join(name)) });
    }
    let mut followed = 0;
    for page in all {
        let here = Path::new(&page.path).parent().expect("a folder");
        for link in page.text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default()) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let path = if file.is_empty() { root.join(&page.path) } else { root.join(here).join(file) };
            assert!(path.exists(), "{}: {link}: there is no such page", page.path);
            if let Some(anchor) = anchor {
                assert!(anchors(&read(&path)).contains(anchor), "{}: {link}: there is no such heading", page.path);
            }
            // What lies outside is not part of the book.
            let is_left =
                page.path.starts_with("docs/reference/") && !link.starts_with("../../") || !link.starts_with("../");
            assert!(!page.path.starts_with("docs/") || is_left, "{}: {link} leaves the book", page.path);
            followed += 1;
        }
    }
    assert!(followed > 50, "{followed}");
}

#[test]
fn the_book_has_every_page_once() {
    let book: toml::Table = fs::read_to_string(checkout().join("book.toml")).expect("book.toml").parse().expect("TOML");
    assert_eq!(book["book"]["src"].as_str(), Some("docs"));
    let summary = page("SUMMARY.md");
    let named = summary.text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap_or_default());
    let mut named: Vec<String> = named.map(|name| format!("docs/{name}")).collect();
    named.sort();
    let pages = pages().into_iter().map(|page| page.path);
    let all: Vec<String> = pages.filter(|path| path != "docs/SUMMARY.md" && path.starts_with("docs/")).collect();
    assert_eq!(named, all);
}

#[test]
fn dots_stand_for_any_lines_and_for_nothing_else() {
    assert!(prints("one\n...\nthree\n", "one\ntwo\nthree\nfour\n"));
    assert!(prints("one\n", "one\ntwo\n"));
    assert!(!prints("one\nthree\n", "one\ntwo\nthree\n"));
    assert!(!prints("...\nfive\n", "one\ntwo\n"));
}
