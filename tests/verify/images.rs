//! The root of a real system that is made of files, as the build of an image has it: in a chroot an install names the
//! command that works there, services are started by the image's first boot, and the page `docs/images.md` is true.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::host::Host;
use crate::support::{Test, system};

/// A root of our own, in a folder.
struct Image {
    folder: tempfile::TempDir,
}

impl Image {
    fn new() -> Self {
        let root = std::env::var("SYSTEM_ROOT").expect("SYSTEM_ROOT: tests/run verify sets it");
        let folder = tempfile::tempdir().unwrap();
        system("cp", &["--archive", "--reflink=auto", &root, folder.path().join("root").to_str().unwrap()]);
        let image = Self { folder };
        for program in [env!("CARGO_BIN_EXE_InstallService"), env!("CARGO_BIN_EXE_ManageService")] {
            let place = image.root().join("usr/local/bin").join(Path::new(program).file_name().unwrap());
            fs::copy(program, place).unwrap();
        }
        image
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A script in its chroot, as `RUN` of a Dockerfile and the scripts of mkosi and Packer have it.
    fn run(&self, script: &str) -> Output {
        let mut chroot = Command::new("chroot");
        chroot.arg(self.root()).args(["/bin/sh", "-euc", script]).env_clear();
        chroot.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/root");
        chroot.output().expect("chroot")
    }

    #[track_caller]
    fn works(&self, script: &str) -> String {
        let output = self.run(script);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {stderr}");
        String::from_utf8(output.stdout).unwrap() + &stderr
    }

    fn is_enabled(&self, unit: &str) -> String {
        let root = format!("--root={}", self.root().display());
        let output = Command::new("systemctl").args([&root, "is-enabled", unit]).output().expect("systemctl");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// Everything in it, devices too, of which nothing is to be read.
    fn paths(&self) -> BTreeSet<PathBuf> {
        system("find", &[self.root().to_str().unwrap(), "-printf", "%P\n"]).lines().map(PathBuf::from).collect()
    }

    fn boot(&self) -> Host {
        let mut host = Host::boot(&["--image", self.root().to_str().unwrap()]);
        host.wait();
        host
    }
}

#[test]
#[ignore = "needs root and a booted systemd: tests/run"]
fn what_is_refused_in_a_chroot_names_the_command_that_works_there() {
    let image = Image::new();
    fs::create_dir(image.root().join("srv/lab")).unwrap();
    let refused = image.run("cd /srv/lab && InstallService --service_name clock -- /bin/sh -c 'sleep 1000; true'");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let command = "InstallService --output / --enable-links --working-directory /srv/lab --service_name clock \
                   -- /bin/sh -c 'sleep 1000; true'";
    assert_eq!(
        told,
        format!(
            "InstallService: error: systemd is installed here, but it does not run, as in a chroot, a container or an image \
             that is built\n  help: `{command}` writes the files, and the links that start them at the next boot\n"
        )
    );
    assert_ne!(image.is_enabled("clock.service"), "enabled");
    image.works(command);
    assert_eq!(image.is_enabled("clock.service"), "enabled");
    let host = image.boot();
    assert_eq!(host.sh("systemctl is-active clock"), "active\n");
    assert_eq!(host.sh("ManageService clock diff"), "");
    assert_eq!(host.sh("readlink /proc/$(systemctl show --value -p MainPID clock)/cwd"), "/srv/lab\n");
}

const SERVICES: &str = r#"
[defaults]
working_directory = "/srv"
[[service]]
name = "web"
executable = "/bin/sleep"
arguments = ["infinity"]
account = "nobody"
secrets = ["TOKEN"]
[[service]]
name = "nightly"
executable = "/bin/true"
schedule = "daily"
[[service]]
name = "by-hand"
executable = "/bin/sleep"
arguments = ["infinity"]
at_boot = false
"#;

#[test]
#[ignore = "needs root and a booted systemd: tests/run"]
fn an_image_is_given_services_from_outside() {
    let image = Image::new();
    let before = image.paths();
    let root = image.root();
    // Whatever the umask of whoever builds it.
    let export = Test::install().env("INSTALLSERVICE_WORKING_DIR", "").file("services.toml", SERVICES);
    let export = export.args(["--manifest", "services.toml", "--enable-links", "--output"]).arg(&root);
    export.through(&["sh", "-c", "umask 077; exec \"$@\"", "sh"]).run();
    let new: Vec<PathBuf> = image.paths().difference(&before).cloned().collect();
    assert!(
        new.iter().all(|path| path.starts_with("etc/systemd/system") || path.starts_with("var/lib/install-service"))
    );
    let states: Vec<String> = ["web.service", "nightly.timer", "nightly.service", "by-hand.service"]
        .map(|unit| image.is_enabled(unit))
        .into();
    assert_eq!(states, ["enabled", "enabled", "static", "disabled"]);
    system("systemd-analyze", &[&format!("--root={}", root.display()), "verify", "web.service", "nightly.timer"]);
    for path in &new {
        let found = fs::symlink_metadata(root.join(path)).unwrap();
        let mode = if found.is_dir() { 0o755 } else { 0o644 };
        assert!(found.is_symlink() || found.mode() & 0o7777 == mode, "{}: {:o}", path.display(), found.mode());
        assert_eq!((found.uid(), found.gid()), (0, 0), "{}", path.display());
    }
    // No value of a secret is there, and its file is for whoever builds the image to bring, closed to others.
    assert!(!root.join("var/lib/install-service/web_env_vars.txt").exists());
    image.works("umask 077; printf 'TOKEN=\"secret\"\\n' > /var/lib/install-service/web_env_vars.txt");
    let host = image.boot();
    assert_eq!(host.sh("systemctl is-active web nightly.timer"), "active\nactive\n");
    assert_eq!(host.sh("systemctl is-active by-hand || true"), "inactive\n");
    let environment = host.sh("tr '\\0' '\\n' < /proc/$(systemctl show --value -p MainPID web)/environ");
    assert!(environment.contains("TOKEN=secret\n"), "{environment}");
    assert_eq!(host.sh("for name in web nightly by-hand; do ManageService $name diff; done"), "");
    assert!(host.sh("ManageService --list").contains("web"));
}

/// The blocks of the page that a shell reads, by the word in the comment above them.
fn blocks() -> Vec<(String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/images.md")).unwrap();
    let parts: Vec<&str> = page.split("<!-- ").skip(1).collect();
    let block = |part: &&str| {
        let (mark, rest) = part.split_once(" -->").expect("a comment");
        let text = rest.trim_start().strip_prefix("```")?.split_once('\n')?.1.split_once("\n```")?.0;
        Some((mark.to_owned(), text.to_owned() + "\n"))
    };
    parts.iter().filter_map(block).collect()
}

fn block(mark: &str) -> String {
    blocks().into_iter().find(|(of, _)| of == mark).unwrap_or_else(|| panic!("no block `{mark}`")).1
}

/// What `RUN` and `COPY` of the page's Dockerfile do, done in a chroot.
#[test]
#[ignore = "needs root and a booted systemd: tests/run"]
fn the_dockerfile_of_the_page_makes_a_system_that_starts_its_services() {
    let image = Image::new();
    let file = block("dockerfile").replace("\\\n", " ");
    let mut ran = 0;
    for line in file.lines() {
        match line.split_once(' ') {
            Some(("FROM" | "STOPSIGNAL" | "CMD" | "#", _)) | None => {}
            // What is there in this root already: packages, and our commands.
            Some(("RUN", command)) if command.contains("apt-get") => {}
            Some(("COPY", words)) if words.contains("InstallService") => {}
            Some(("COPY", words)) => {
                let (name, place) = words.trim().rsplit_once(' ').expect("two words");
                let place = image.root().join(place.trim_start_matches('/'));
                let place = if place.is_dir() { place.join(name) } else { place };
                fs::create_dir_all(place.parent().unwrap()).unwrap();
                fs::write(place, block(&format!("file: {name}"))).unwrap();
            }
            Some(("RUN", command)) => {
                image.works(command);
                ran += 1;
            }
            Some(other) => panic!("{other:?}: what does it do?"),
        }
    }
    assert!(ran > 0);
    let host = image.boot();
    assert_eq!(host.sh("systemctl is-active clock"), "active\n");
    assert_eq!(host.sh("ManageService clock diff"), "");
}

/// The scripts of mkosi and Packer run in the root of the image, and the tree of mkosi is copied over it.
#[test]
#[ignore = "needs root and a booted systemd: tests/run"]
fn the_scripts_of_the_page_make_a_system_that_starts_its_services() {
    let image = Image::new();
    fs::create_dir_all(image.root().join("tmp")).unwrap();
    fs::write(image.root().join("tmp/services.toml"), block("file: services.toml")).unwrap();
    image.works(&block("packer-script"));
    assert_eq!(image.is_enabled("clock.service"), "enabled");
    let image = Image::new();
    let folder = Test::install().file("services.toml", block("file: services.toml")).arg("-V").run();
    let script = folder.folder().join("make.sh");
    fs::write(&script, block("mkosi-extra")).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_InstallService")).parent().unwrap();
    let path = format!("PATH={}:/usr/bin:/bin", bin.display());
    let words = ["-C", folder.folder().to_str().unwrap(), &path, "/bin/sh", "-eu", script.to_str().unwrap()];
    system("env", &words);
    let extra = folder.folder().join("mkosi.extra");
    let top: Vec<_> = fs::read_dir(&extra).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(top.len(), 2, "etc and var: {top:?}");
    let place = image.root();
    system("cp", &["-r", "--no-target-directory", extra.to_str().unwrap(), place.to_str().unwrap()]);
    let host = image.boot();
    assert_eq!(host.sh("systemctl is-active clock"), "active\n");
    assert_eq!(host.sh("ManageService clock diff"), "");
}
