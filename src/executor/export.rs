//! Writing the files of services under a directory, for a configuration management to take from there.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use crate::error::{Error, Fault};
use crate::host::files::{self, Entry};
use crate::host::folder::{Folder, Staged};
use crate::host::reading::Limit;
use crate::model::artifact::Artifact;
use crate::model::links::UnitLinks;
use crate::model::observed::Found;
use crate::model::text::Text;
use crate::model::version::Version;
use crate::render;
use crate::render::checksums::{self, Checksum, Checksums, LinkSet, sha256};

/// The file that describes an exported tree.
pub const MANIFEST: &str = "MANIFEST.toml";

/// The file that tells what we wrote from what others did.
const CHECKSUMS: &str = "MANIFEST.sha256";

/// What an export came to.
#[derive(Debug)]
pub struct Written {
    /// The files that are there now.
    pub files: Vec<Text>,
    /// Files of an earlier one that are no longer wanted, but have been changed since: they stay.
    pub kept: Vec<Text>,
}

/// What is written under a directory.
#[derive(Debug, Default)]
pub struct Export {
    /// The files, by their paths below it.
    pub files: Vec<Artifact>,
    /// Links, by their paths below it, and what they say.
    pub links: UnitLinks,
    /// The directory below it where [`MANIFEST`] and the list of what is ours lie.
    pub about: Text,
    /// Where else that list may lie, of an earlier export that had another place for it.
    pub about_before: Text,
}

/// Writes the files of `export` under `directory`, and among them what tells them from the files of others.
///
/// A second export into the same directory updates our files and removes those that are no longer
/// wanted; files of others are never touched, and no link below the directory is followed. Nothing is
/// synced to the disk: what is lost in a power cut, or when it is killed, the next export writes again.
///
/// # Errors
/// When a file of somebody else is in the way, the earlier export was made by a later version, or a file cannot be
/// written. Nothing has changed then.
pub fn write(directory: &Text, export: Export) -> Result<Written, Error> {
    files::make_plain_directory(directory, 0o755)?;
    // A link in its path is the word of whoever named it.
    let top = Folder::open(directory).map_err(|source| Error::io("entering", directory, source))?;
    let list = placed(&export.about.with("/").with(CHECKSUMS))?;
    let list_before = placed(&export.about_before.with("/").with(CHECKSUMS))?;
    let mut tree = Tree { folders: BTreeMap::from([(Vec::new(), Some(top))]), list };
    let mut files = Vec::new();
    let mut wanted = Checksums::new();
    for artifact in export.files {
        let (above, name) = placed(&artifact.path)?;
        wanted.insert(joined(&above, &name), vec![sha256(&artifact.contents)]);
        files.push((above, name, artifact));
    }
    let mut wanted_links = LinkSet::new();
    for (path, target) in export.links {
        let (above, name) = placed(&path)?;
        wanted_links.insert((joined(&above, &name), target));
    }
    // Everything is looked at before anything is changed.
    let found = tree.listed(&tree.list.clone())?;
    let found_before = if list_before == tree.list { Vec::new() } else { tree.listed(&list_before)? };
    for list in [&found, &found_before] {
        if let Some(new) = Version::of(list).and_then(|version| version.known().err()) {
            return Err(Error::TooNew { doing: "taking the place of the export", path: directory.clone(), new });
        }
    }
    let mut earlier = checksums::read(&found_before);
    earlier.extend(checksums::read(&found));
    let mut earlier_links = checksums::links(&found_before);
    earlier_links.extend(checksums::links(&found));
    let mut looked_at = Vec::new();
    for (above, name, artifact) in files {
        let known = earlier.get(&joined(&above, &name)).into_iter().flatten().copied();
        let known: Vec<Checksum> = known.chain([sha256(&artifact.contents)]).collect();
        let there = tree.ours(&above, &name, &known)?;
        let is_it =
            |found: &Found| found.contents == artifact.contents && found.mode == artifact.mode && !found.foreign;
        // What is there already is not written.
        let artifact = if there.as_ref().is_some_and(is_it) { None } else { Some(artifact) };
        looked_at.push((above, name, artifact));
    }
    let missing_links = tree.missing_links(&wanted_links, &earlier_links)?;
    let (stale, kept) = tree.stale(&earlier, &wanted);
    if !earlier.is_empty() {
        tree.sweep(earlier.keys().chain(wanted.keys()));
    }
    // What is being changed is known before and after, so that whoever finds it half done knows it for ours.
    let known = checksums::render(&[&wanted], &wanted_links);
    if known != found {
        tree.note(checksums::render(&[&earlier, &wanted], earlier_links.union(&wanted_links)))?;
    }
    let mut staged = Vec::new();
    for (above, name, artifact) in looked_at {
        match artifact.map(|artifact| tree.stage(&above, &name, &artifact)).transpose() {
            Ok(file) => staged.push((above, name, file)),
            Err(error) => {
                // Nothing of it is there.
                drop(if found.is_empty() { tree.forget() } else { tree.note(found) });
                return Err(error);
            }
        }
    }
    // First what goes: where `A` and `a` are one name, it could be what comes.
    let stale_links = tree.stale_links(&earlier_links, &wanted_links);
    for (above, name) in stale_links.iter().chain(&stale) {
        if let Some(folder) = tree.enter(above, false)? {
            folder.remove(name)?;
        }
    }
    let mut written = Vec::new();
    for (above, name, file) in staged {
        written.push(tree.put(&above, &name, file)?);
    }
    for (above, name, target) in missing_links {
        tree.enter(&above, true)?.expect("it was made").make_link(&name, &target)?;
    }
    for (above, name) in wanted_links.iter().filter_map(|(path, _)| parts(path)) {
        written.extend(tree.enter(&above, false)?.map(|folder| folder.path_of(&name)));
    }
    let gone = earlier.keys().filter(|path| !wanted.contains_key(*path)).filter_map(parts);
    tree.tidy(gone.chain(stale_links));
    if known != found && !(earlier.is_empty() && earlier_links.is_empty()) {
        tree.note(known)?;
    }
    if !found_before.is_empty() {
        tree.forget_at(&list_before)?;
        tree.tidy(std::iter::once(list_before));
    }
    let (above, name) = tree.list.clone();
    written.extend(tree.enter(&above, false)?.map(|folder| folder.path_of(&name)));
    Ok(Written { files: written, kept })
}

/// The directories and the name of a file below the top of a tree.
///
/// # Errors
/// Where that leads out of it.
fn placed(path: &Text) -> Result<TreePath, Error> {
    parts(path).ok_or_else(|| {
        Error::refused(
            Fault::new("option `--state-dir`", "with `..` in it, it leads out of the exported tree").given(path),
        )
    })
}

/// The directory `name` in a tree; `None` if it is not there and is not to be made.
fn below(above: &Folder, name: &Text, make: bool) -> Result<Option<Folder>, Error> {
    match if make { above.make_below(name, 0o755) } else { above.below(name) } {
        Ok(folder) => Ok(Some(folder)),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound if !make => Ok(None),
            // A link is none either.
            io::ErrorKind::NotADirectory => Err(in_the_way(above.path_of(name))),
            _ => Err(Error::io("entering", &above.path_of(name), error)),
        },
    }
}

/// The error of what lies where something of ours belongs.
fn in_the_way(path: Text) -> Error {
    Error::Foreign {
        path,
        reason: "something is in its place that InstallService did not write".into(),
        help: "move it away, or give `--output` another directory".into(),
    }
}

/// The directories and the name of a file below the top of a tree; none where that leads out of it.
fn parts(path: &Text) -> Option<(Vec<Text>, Text)> {
    let leads_out = |part: &[u8]| part == b".." || cfg!(windows) && part.iter().any(|byte| br"\:".contains(byte));
    let parts = path.as_bytes().split(|byte| *byte == b'/').filter(|part| !part.is_empty() && *part != b".");
    let mut above: Vec<Text> =
        parts.map(|part| (!leads_out(part)).then(|| Text::from_bytes(part))).collect::<Option<_>>()?;
    let name = above.pop()?;
    Some((above, name))
}

/// The path of a file below the top of a tree.
fn joined(above: &[Text], name: &Text) -> Text {
    Text::from_bytes(above.iter().chain([name]).map(Text::as_bytes).collect::<Vec<_>>().join(&b'/'))
}

/// The name of the file that a link leads to.
fn last(target: &Text) -> &[u8] {
    target.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// A file of a tree: the directories on the way to it, and its name.
type TreePath = (Vec<Text>, Text);

/// The directories of an exported tree, by their parts below its top.
struct Tree {
    folders: BTreeMap<Vec<Text>, Option<Folder>>,
    /// The list of what is ours.
    list: TreePath,
}

impl Tree {
    /// The directory, made on the way to it if it may be.
    fn enter(&mut self, parts: &[Text], make: bool) -> Result<Option<&Folder>, Error> {
        let is_open = matches!(self.folders.get(parts), Some(Some(_)));
        for depth in (1..=parts.len()).filter(|_| !is_open) {
            let known = self.folders.get(&parts[..depth]);
            if known.is_none_or(|folder| folder.is_none() && make) {
                let above = self.folders.get(&parts[..depth - 1]).and_then(Option::as_ref);
                let folder = match above {
                    Some(above) => below(above, &parts[depth - 1], make)?,
                    None => None,
                };
                self.folders.insert(parts[..depth].to_vec(), folder);
            }
        }
        Ok(self.folders.get(parts).and_then(Option::as_ref))
    }

    /// The file of ours at this place; none if nothing is there. What we have rendered says so in its first line; a
    /// program is ours if it is one of those that are `known`.
    fn ours(&mut self, above: &[Text], name: &Text, known: &[Checksum]) -> Result<Option<Found>, Error> {
        let Some(folder) = self.enter(above, false)? else { return Ok(None) };
        let is_ours = |found: &Found| render::is_ours(&found.contents) || known.contains(&sha256(&found.contents));
        match folder.look(name, Limit::PROGRAM)? {
            Entry::Missing => Ok(None),
            Entry::File(found) if is_ours(&found) => Ok(Some(found)),
            _ => Err(in_the_way(folder.path_of(name))),
        }
    }

    /// What a list of ours at this place says.
    fn listed(&mut self, (above, name): &TreePath) -> Result<Vec<u8>, Error> {
        Ok(self.ours(above, name, &[])?.map_or_else(Vec::new, |found| found.contents.to_vec()))
    }

    /// The links of `wanted` that are not there. One that leads to the unit in other words is as good.
    fn missing_links(&mut self, wanted: &LinkSet, earlier: &LinkSet) -> Result<Vec<(Vec<Text>, Text, Text)>, Error> {
        let mut missing = Vec::new();
        for (path, target) in wanted {
            let Some((above, name)) = parts(path) else { continue };
            if let Some(folder) = self.enter(&above, false)? {
                match folder.link(&name) {
                    Ok(None) => {}
                    Ok(Some(there)) if last(&there) == last(target) => continue,
                    // It goes with what is no longer wanted.
                    Ok(Some(there)) if earlier.contains(&(path.clone(), there.clone())) => {}
                    Ok(Some(_)) | Err(_) => return Err(in_the_way(folder.path_of(&name))),
                }
            }
            missing.push((above, name, target.clone()));
        }
        Ok(missing)
    }

    /// Links of an earlier export that this one does not make again, as far as they are as it made them.
    fn stale_links(&mut self, earlier: &LinkSet, wanted: &LinkSet) -> Vec<TreePath> {
        let mut stale = Vec::new();
        for (path, target) in earlier.difference(wanted) {
            let Some((above, name)) = parts(path) else { continue };
            let there = self.enter(&above, false).ok().flatten().and_then(|folder| folder.link(&name).ok().flatten());
            if there.as_ref() == Some(target) {
                stale.push((above, name));
            }
        }
        stale
    }

    /// Files of an earlier export that this one does not write again: those that are as it wrote them, and
    /// those that somebody has changed. What somebody has put in their place is no file of ours.
    fn stale(&mut self, earlier: &Checksums, wanted: &Checksums) -> (Vec<TreePath>, Vec<Text>) {
        let (mut stale, mut kept) = (Vec::new(), Vec::new());
        for (path, sums) in earlier.iter().filter(|(path, _)| !wanted.contains_key(*path)) {
            let Some((above, name)) = parts(path) else { continue };
            match self.ours(&above, &name, sums) {
                Ok(Some(found)) if sums.contains(&sha256(&found.contents)) => stale.push((above, name)),
                Ok(Some(_)) => {
                    let folder = self.enter(&above, false).ok().flatten();
                    kept.extend(folder.map(|folder| folder.path_of(&name)));
                }
                Ok(None) | Err(_) => {}
            }
        }
        (stale, kept)
    }

    /// Takes away what a killed export left of files that it had not finished.
    fn sweep<'a>(&mut self, paths: impl Iterator<Item = &'a Text>) {
        let mut names: BTreeMap<Vec<Text>, Vec<Text>> = BTreeMap::new();
        for (above, name) in paths.filter_map(parts).chain([self.list.clone()]) {
            names.entry(above).or_default().push(name);
        }
        for (above, names) in names {
            if let Ok(Some(folder)) = self.enter(&above, false) {
                folder.sweep(&names);
            }
        }
    }

    /// Writes down which files are ours.
    fn note(&mut self, contents: Vec<u8>) -> Result<(), Error> {
        let (above, name) = self.list.clone();
        let file = self.stage(&above, &name, &Artifact::plain(name.clone(), contents))?;
        self.put(&above, &name, Some(file)).map(drop)
    }

    /// Takes that away again.
    fn forget(&mut self) -> Result<(), Error> {
        self.forget_at(&self.list.clone())
    }

    /// Takes a list of ours away.
    fn forget_at(&mut self, (above, name): &TreePath) -> Result<(), Error> {
        self.enter(above, false)?.map_or(Ok(()), |folder| folder.remove(name))
    }

    fn stage(&mut self, above: &[Text], name: &Text, artifact: &Artifact) -> Result<Staged, Error> {
        self.enter(above, true)?.expect("it was made").stage(name, artifact)
    }

    /// Puts a file in its place, unless it is there already, and says where that is.
    fn put(&mut self, above: &[Text], name: &Text, file: Option<Staged>) -> Result<Text, Error> {
        let folder = self.enter(above, true)?.expect("it was made");
        file.map_or(Ok(()), Staged::commit)?;
        Ok(folder.path_of(name))
    }

    /// Takes away the directories of files that are gone, if they are empty, and what is empty above them then.
    fn tidy(&mut self, gone: impl Iterator<Item = TreePath>) {
        let mut emptied: BTreeSet<Vec<Text>> = BTreeSet::new();
        for (directory, _) in gone {
            emptied.extend((1..=directory.len()).map(|depth| directory[..depth].to_vec()));
        }
        // The inner ones come behind the outer ones.
        for directory in emptied.into_iter().rev() {
            let Some((name, above)) = directory.split_last() else { continue };
            if let Ok(Some(folder)) = self.enter(above, false) {
                folder.remove_empty(name);
            }
        }
    }
}
