//! The README and the pages as the tests read them: each block stands behind a comment that says what it is, and of commands
//! how they are run (`tests/suite/pages.rs` has the words).

use std::fs;
use std::path::Path;
use std::process::Command;

/// A fenced block, and the comment in front of it.
pub(crate) struct Block {
    /// `dry`, `booted`, `file: PATH` and so on; empty where there is no comment.
    pub(crate) mark: String,
    pub(crate) language: String,
    pub(crate) text: String,
}

/// A document.
pub(crate) struct Page {
    /// From the checkout on, such as `docs/first.md`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn blocks(&self) -> Vec<Block> {
        blocks_of(&self.text)
    }

    /// The name of its file.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// The README and all pages of the book, by their paths.
pub(crate) fn pages() -> Vec<Page> {
    let root = super::checkout();
    let mut paths = vec!["README.md".to_owned()];
    for folder in ["docs", "docs/reference"] {
        let entries = fs::read_dir(root.join(folder)).expect("the pages");
        let names = entries.map(|entry| entry.expect("a page").file_name().into_string().expect("plain text"));
        paths.extend(names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")));
    }
    paths.sort();
    let read = |path: String| Page { text: fs::read_to_string(root.join(&path)).expect("a page"), path };
    paths.into_iter().map(read).collect()
}

/// One page of `docs/`.
pub(crate) fn page(name: &str) -> Page {
    pages().into_iter().find(|page| page.name() == name).unwrap_or_else(|| panic!("no page {name}"))
}

pub(crate) fn text() -> &'static str {
    include_str!("../../README.md")
}

pub(crate) fn blocks() -> Vec<Block> {
    blocks_of(text())
}

/// The blocks of another document.
pub(crate) fn blocks_of(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut mark = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(comment) = line.strip_prefix("<!-- ") {
            mark = comment.strip_suffix(" -->").expect("a comment of one line").to_owned();
        } else if let Some(language) = line.strip_prefix("```") {
            let text: String =
                lines.by_ref().take_while(|line| *line != "```").map(|line| format!("{line}\n")).collect();
            blocks.push(Block { mark: std::mem::take(&mut mark), language: language.to_owned(), text });
        }
    }
    blocks
}

/// bash, which stops at the first command that fails, with our commands in front of its PATH.
pub(crate) fn shell(script: &str, folder: &Path) -> Command {
    let commands = Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().expect("a folder");
    let mut path = commands.as_os_str().to_owned();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", script]).current_dir(folder).env("PATH", path).env("LC_ALL", "C.UTF-8");
    for name in ["INSTALLSERVICE_WORKING_DIR", "OPENMSISTREAM_SERVICES_WORKING_DIR"] {
        bash.env_remove(name);
    }
    bash
}
