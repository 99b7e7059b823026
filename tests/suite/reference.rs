//! The reference of the book is that of the manual pages and of `InstallService properties`, written anew by the tests as
//! the manual pages are.

use std::fmt::Write as _;
use std::{env, fs};

use install_service::catalog::Catalog;
use install_service::cli::manual::pages;

use crate::support::{Test, checkout, difference};

/// A line of man(7) with its fonts as Markdown has them.
fn words(line: &str) -> String {
    let plain = |text: &str| text.replace(r"\-", "-").replace(r"\*(Aq", "'").replace(r"\(aq", "'").replace(r"\e", "\\");
    let mut text = String::new();
    let mut parts = line.split(r"\f");
    text += &plain(parts.next().unwrap_or_default()).replace('<', "&lt;");
    for part in parts {
        let (font, part) = part.split_at(1);
        let part = plain(part);
        match font {
            _ if part.is_empty() => {}
            "B" => _ = write!(text, "`{part}`"),
            "I" => _ = write!(text, "*{}*", part.trim().replace('<', "&lt;")),
            _ => text += &part.replace('<', "&lt;"),
        }
    }
    text
}

/// A manual page as Markdown.
fn markdown(name: &str, roff: &str) -> String {
    let mut text = format!("# {name}\n");
    let mut lines = roff.lines().skip_while(|line| *line != ".SH NAME").skip(2);
    while let Some(line) = lines.next() {
        let mut next = || lines.next().unwrap_or_default();
        match line.split_once(' ').unwrap_or((line, "")) {
            (".SH", heading) => {
                let heading = heading.trim_matches('"');
                let (first, rest) = heading.split_at(1);
                _ = write!(text, "\n## {first}{}\n\n", rest.to_lowercase());
            }
            (".TP", _) => {
                let tag = words(next());
                _ = writeln!(text, "* {tag}: {}", words(next()));
            }
            (".PP", _) => text.push('\n'),
            (".br", _) => text.push_str("  \n"),
            (".nf", _) => {
                let code: Vec<String> = lines.by_ref().take_while(|line| *line != ".fi").map(words).collect();
                let (mark, language) = if code[0].starts_with('[') { ("manifest", "toml") } else { ("example", "sh") };
                _ = writeln!(text, "\n<!-- {mark} -->\n```{language}\n{}\n```", code.join("\n"));
            }
            (".RS" | ".RE", _) => {}
            _ if line.starts_with('.') => panic!("{line}: no such request here"),
            _ => _ = writeln!(text, "{}", words(line)),
        }
    }
    // `.br` stands on a line of its own there, and at the end of a line here.
    text.replace("\n  \n", "  \n").replace("\n\n\n", "\n\n")
}

/// What `--property` takes, as tables.
fn properties() -> String {
    let mut text =
        "# Directives and parameters\n\nWhat `--property NAME=VALUE` takes, and the tables `systemd` and `nssm` of a \
                    manifest; `InstallService properties WORD` finds one.\n"
            .to_owned();
    for target in ["systemd", "nssm"] {
        let said = Test::install().args(["properties", "--target", target]).run().stdout;
        for line in said.lines().take_while(|line| *line != "Elsewhere:") {
            let Some(row) = line.strip_prefix("  ") else {
                if let Some(section) = line.strip_suffix(':') {
                    let of = if target == "nssm" { "of NSSM" } else { "of systemd" };
                    _ = write!(
                        text,
                        "\n## {section} {of}\n\n| Name | What it does | What it takes |\n| --- | --- | --- |\n"
                    );
                }
                continue;
            };
            let (name, about) = row.split_once(' ').expect("a name");
            let (about, takes) = about.trim().rsplit_once(" [").expect("what it takes");
            let cell = |cell: &str| cell.replace('|', "\\|").replace('<', "&lt;");
            _ = writeln!(text, "| `{name}` | {} | {} |", cell(about), cell(takes.trim_end_matches(']')));
        }
    }
    text
}

#[test]
fn the_reference_is_that_of_the_commands() {
    let [install, manage, manifest] = pages(&Catalog::shipped());
    let all = [
        ("InstallService.md", markdown("InstallService", &install.contents)),
        ("ManageService.md", markdown("ManageService", &manage.contents)),
        ("manifest.md", markdown("Keys of a manifest", &manifest.contents)),
        ("properties.md", properties()),
    ];
    let folder = checkout().join("docs/reference");
    for (file, contents) in all {
        let path = folder.join(file);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).expect("the folder");
            fs::write(&path, &contents).expect("to write");
        }
        let shipped = fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(file, &contents, &shipped) {
            panic!("{difference}\nUPDATE_GOLDEN=1 cargo test --test suite reference writes it anew");
        }
    }
}
