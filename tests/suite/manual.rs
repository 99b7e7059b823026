//! The manual pages that are shipped are those of the help and of the schema, and leave no option out.

use std::path::Path;
use std::{env, fs};

use install_service::catalog::Catalog;
use install_service::cli::manual::{Page, pages};

use crate::support::{Test, difference};

fn all() -> [Page; 3] {
    pages(&Catalog::shipped())
}

#[test]
fn the_pages_that_are_shipped_are_those_of_the_help() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    for Page { file, contents } in all() {
        let path = folder.join(file);
        if env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &contents).unwrap();
        }
        let shipped = fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(file, &contents, &shipped) {
            panic!("{difference}\nUPDATE_GOLDEN=1 cargo test --test suite manual writes it anew");
        }
    }
}

#[test]
fn every_option_of_the_help_has_its_place() {
    let [install, manage, _] = all();
    for (page, help) in [(install, Test::install()), (manage, Test::manage())] {
        // roff has another word for a hyphen that is typed.
        let page = page.contents.replace(r"\-", "-");
        let help = help.arg("--help").run().stdout;
        let options = help.lines().filter_map(|line| {
            let line = line.trim_start();
            let line = line.split_once(", ").filter(|(short, _)| short.len() == 2).map_or(line, |(_, rest)| rest);
            line.strip_prefix("--").map(|rest| rest.split([' ', '[', '=']).next().unwrap_or_default().to_owned())
        });
        let options: Vec<String> = options.filter(|option| !option.is_empty()).collect();
        assert!(options.len() > 10, "{options:?}");
        for option in options {
            assert!(page.contains(&format!("--{option}")), "--{option}");
        }
    }
}
