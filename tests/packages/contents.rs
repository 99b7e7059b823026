//! What is in each package, and what is not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::{package, said, sh, unpacked};

/// How each is listed: one path a line.
const LISTINGS: [(&str, &str); 7] = [
    (
        "_amd64.deb",
        "dpkg-deb --fsys-tarfile \"$1\" | tar --list --verbose | awk '{ print $1, $2, $6, $7, $8 }' | sed 's/ *$//'",
    ),
    (
        ".x86_64.rpm",
        "rpm --query --package --queryformat '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\\n]' \"$1\" | sort -k 3",
    ),
    ("-linux-x86_64.tar.gz", "tar --list --verbose --file \"$1\" | awk '{ print $1, $2, $6, $7, $8 }' | sed 's/ *$//'"),
    (
        "-linux-aarch64.tar.gz",
        "tar --list --verbose --file \"$1\" | awk '{ print $1, $2, $6, $7, $8 }' | sed 's/ *$//'",
    ),
    ("-windows-x86_64.zip", "unzip -Z1 \"$1\""),
    ("manylinux_2_17_x86_64.whl", "unzip -Z1 \"$1\" | sort"),
    ("win_amd64.whl", "unzip -Z1 \"$1\" | sort"),
];

#[test]
#[ignore = "needs packages: tests/run packages"]
fn each_has_what_its_listing_says() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/contents");
    let mut faults = String::new();
    for (end, list) in LISTINGS {
        let listed = sh(list, &[&package(end)]).replace(env!("CARGO_PKG_VERSION"), "VERSION");
        let file = golden.join(format!("{}.txt", end.trim_start_matches(['_', '-', '.'])));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&file, &listed).expect("a listing");
        }
        let expected = fs::read_to_string(&file).unwrap_or_default();
        faults.extend(crate::support::difference(end, &expected, &listed));
    }
    assert!(faults.is_empty(), "{faults}");
}

#[test]
#[ignore = "needs packages: tests/run packages"]
fn the_checksums_are_those_of_all_of_them() {
    let folder = said("PACKAGES");
    sh("cd \"$1\"; sha256sum --check --strict --quiet SHA256SUMS", &[&folder]);
    let sums = fs::read_to_string(folder.join("SHA256SUMS")).expect("checksums");
    let named: BTreeSet<&str> = sums.lines().filter_map(|line| line.split("  ").nth(1)).collect();
    let files = fs::read_dir(&folder).expect("packages").flatten().filter(|entry| entry.path().is_file());
    let files: Vec<String> = files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    assert!(files.iter().all(|file| file == "SHA256SUMS" || named.contains(file.as_str())), "{files:?}\n{sums}");
    assert!(named.len() >= 10, "{sums}");
}

#[test]
#[ignore = "needs packages: tests/run packages"]
fn programs_ask_for_an_old_glibc_and_say_nothing_of_the_machine_that_made_them() {
    let home = std::env::var("HOME").expect("a home");
    let checkout = env!("CARGO_MANIFEST_DIR");
    for end in ["-linux-x86_64.tar.gz", "-linux-aarch64.tar.gz"] {
        let folder = unpacked(&package(end), "tar --extract --file \"$1\" --strip-components 1");
        let newest = sh(
            "readelf --wide --version-info \"$1\"/bin/InstallService \"$1\"/bin/ManageService | grep --only-matching 'GLIBC_[0-9.]*' | \
             sort --version-sort --unique | tail --lines 1",
            &[folder.path()],
        );
        assert_eq!(newest, "GLIBC_2.17\n", "{end}");
        for program in ["bin/InstallService", "bin/ManageService", "share/install-service/RunService.exe"] {
            let bytes = fs::read(folder.path().join(program)).expect("a program");
            let has = |words: &str| bytes.windows(words.len()).any(|window| window == words.as_bytes());
            for path in [format!("{home}/.cargo"), format!("{home}/.rustup"), checkout.to_owned()] {
                assert!(!has(&path), "{program} of {end} has `{path}`");
            }
        }
    }
}

#[test]
#[ignore = "needs packages: tests/run packages"]
fn the_bill_of_materials_and_the_licences_name_what_is_linked() {
    let bill: serde_json::Value =
        serde_json::from_slice(&fs::read(package(".cdx.json")).expect("a bill")).expect("JSON");
    assert_eq!(bill["bomFormat"], "CycloneDX");
    let components = bill["components"].as_array().expect("a list");
    let names: BTreeSet<&str> = components.iter().filter_map(|component| component["name"].as_str()).collect();
    let folder = unpacked(&package("-windows-x86_64.zip"), "unzip -q \"$1\"; mv */* .");
    let licences = fs::read_to_string(folder.path().join("doc/THIRD-PARTY-LICENSES.txt")).expect("licences");
    for library in ["clap", "rustls", "serde", "zip"] {
        assert!(names.contains(library), "{library}: {names:?}");
        assert!(licences.lines().any(|line| line.starts_with(&format!("{library} "))), "{library}");
    }
    // A library that has no text of its licence would be named without one.
    assert!(licences.matches("Permission is hereby granted").count() > 20);
}

/// The same commit gives the same bytes: packed once more, or, with `INSTALLSERVICE_PACKAGES=twice`, built in another place.
#[test]
#[ignore = "needs packages, made twice: tests/run packages"]
fn every_byte_is_the_same_again() {
    sh("diff --recursive --brief \"$1\" \"$2\"", &[&said("PACKAGES"), &said("PACKAGES_AGAIN")]);
}
