//! Variables that a program has and nobody else: from files that its account alone can read.

use crate::host::files::{self, Entry};
use crate::model::environment_file;
use crate::model::name::EnvName;
use crate::model::text::Text;

/// The variables of these files, of which a later one counts more; of one behind a `-` there are none if it is missing.
///
/// # Errors
/// Which file is missing or cannot be read.
pub fn read(files: &[Text]) -> Result<Vec<(EnvName, Text)>, String> {
    let mut variables = Vec::new();
    for file in files {
        let (path, may_be_missing) = match file.as_bytes().strip_prefix(b"-") {
            Some(path) => (Text::from_bytes(path), true),
            None => (file.clone(), false),
        };
        let contents = match files::look(&path) {
            Ok(Entry::File(found)) => found.contents,
            Ok(Entry::Missing) if may_be_missing => continue,
            Ok(Entry::Missing) => return Err(format!("`{path}` is not there")),
            Ok(Entry::Other(_)) => return Err(format!("`{path}` is no file")),
            Err(error) => return Err(error.to_string()),
        };
        // systemd passes over what is no name, too.
        let named = environment_file::read(&contents).into_iter();
        variables.extend(named.filter_map(|(name, value)| Some((name.parse().ok()?, value))));
    }
    Ok(variables)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that are looked at")]
mod tests {
    use super::*;

    fn variables(files: &[&str]) -> Result<Vec<String>, String> {
        let files: Vec<Text> = files.iter().map(|file| (*file).into()).collect();
        read(&files).map(|found| found.into_iter().map(|(name, value)| format!("{name}={value}")).collect())
    }

    #[test]
    fn files_are_read_as_systemd_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("a"), "A=\"x \\\\ y\"\r\nB=2\n").unwrap();
        std::fs::write(path("b"), "# none\nB=3").unwrap();
        let missing = path("missing");
        assert_eq!(
            variables(&[&path("a"), &path("b"), &format!("-{missing}")]),
            Ok(vec!["A=x \\ y".to_owned(), "B=2".to_owned(), "B=3".to_owned()])
        );
        assert_eq!(variables(&[&missing]), Err(format!("`{missing}` is not there")));
    }
}
