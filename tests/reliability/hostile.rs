//! Surroundings that somebody else has prepared: links, files of other people, directories where files
//! should be, a full or a read-only disk. Nothing is written through a link, no mode is widened, the
//! error is clear and nothing is lost.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::fcntl::AT_FDCWD;

use crate::support::booted::{Named, named};
use crate::support::{Ran, Running, Test, system, wait_for};

/// A folder with an empty working directory.
fn prepared() -> (Ran, PathBuf) {
    let ran = Test::manage().arg("-V").run();
    let state = ran.folder().join("working_dir");
    fs::create_dir(&state).unwrap();
    (ran, state)
}

/// A file that nobody is to change.
fn victim(ran: &Ran) -> PathBuf {
    let path = ran.folder().join("victim");
    fs::write(&path, "precious\n").unwrap();
    path
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn chmod(mode: u32, path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Nothing of the service came to be.
#[track_caller]
fn nothing(service: &Named) {
    assert!(service.unit().symlink_metadata().is_err() && service.boot_link().symlink_metadata().is_err());
}

/// Installs a service with a secret, in that folder.
fn install(service: &Named, ran: &Ran) -> Test {
    service.install_again(ran).args(["--env", "SECRET"]).env("SECRET", "s3cr3t").probe([])
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn no_file_of_the_working_directory_is_written_through_a_link() {
    let service = named("hostile-links");
    for name in ["_install_args.toml", "_env_vars.txt", "_launch.sh"] {
        let (ran, state) = prepared();
        let victim = victim(&ran);
        symlink(&victim, state.join(format!("hostile-links{name}"))).unwrap();
        install(&service, &ran).status(2).stderr_contains("a symbolic link is in its place").run();
        assert_eq!(fs::read_to_string(victim).unwrap(), "precious\n");
        nothing(&service);
    }
    for (name, result) in [(".lock", 1), ("Services.log", 0)] {
        let (ran, state) = prepared();
        // A link to nothing would make something, as root, anywhere.
        for target in [victim(&ran), ran.folder().join("not-there")] {
            drop(fs::remove_file(state.join(name)));
            symlink(&target, state.join(name)).unwrap();
            let (code, _) = install(&service, &ran).run_to_any_end();
            assert_eq!(code, result, "{name}");
            assert!(!ran.folder().join("not-there").exists(), "{name}");
            assert_eq!(fs::read_to_string(ran.folder().join("victim")).unwrap(), "precious\n", "{name}");
        }
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_journal_that_somebody_else_wrote_is_not_carried_out() {
    let service = named("hostile-journal");
    let (ran, state) = prepared();
    let proof = ran.folder().join("proof");
    let record = format!(
        r#"{{"version":2,"steps":[[{{"run":{{"argv":["touch","{}"]}}}}]],"after":[],"restarts":[],"directories":[]}}"#,
        proof.display()
    );
    let elsewhere = ran.folder().join("elsewhere");
    for journal in [&state.join("journal"), &elsewhere] {
        fs::create_dir(journal).unwrap();
        fs::write(journal.join("plan.json"), &record).unwrap();
        fs::write(journal.join("begun"), ".").unwrap();
    }
    // Somebody's directory, somebody's file in ours, one that others may write, and a link.
    let plan = state.join("journal/plan.json");
    let attempts: [(&str, &dyn Fn()); 4] = [
        ("belongs to `ann`", &|| drop(system("chown", &["-R", "ann", state.join("journal").to_str().unwrap()]))),
        ("belongs to `ann`", &|| {
            drop(system("chown", &["root", state.join("journal").to_str().unwrap()]));
        }),
        ("others may write it (mode 0666)", &|| {
            drop(system("chown", &["root", plan.to_str().unwrap()]));
            chmod(0o666, &plan);
        }),
        ("symbolic link", &|| {
            fs::remove_dir_all(state.join("journal")).unwrap();
            symlink(&elsewhere, state.join("journal")).unwrap();
        }),
    ];
    for (reason, attempt) in attempts {
        attempt();
        install(&service, &ran).status(2).stderr_contains(reason).run();
        nothing(&service);
        assert!(!proof.exists(), "{reason}");
    }
    // Nonsense is told, with what to do.
    fs::remove_file(state.join("journal")).unwrap();
    fs::create_dir(state.join("journal")).unwrap();
    fs::write(&plan, "{").unwrap();
    let help = "help: it records what an earlier run had started: check the files that";
    install(&service, &ran).status(1).stderr_contains("reading the journal").stderr_contains(help).run();
    fs::remove_dir_all(state.join("journal")).unwrap();
    install(&service, &ran).run();
}

/// Swaps two directories, as fast as can be, until it goes.
struct Swapping {
    until: Arc<AtomicBool>,
    swapper: Option<thread::JoinHandle<usize>>,
}

impl Swapping {
    fn begin(one: PathBuf, other: PathBuf) -> Self {
        let until = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&until);
        let exchange = nix::fcntl::RenameFlags::RENAME_EXCHANGE;
        let swapper = thread::spawn(move || {
            let mut swapped = 0;
            while !ended.load(Ordering::Relaxed) {
                // One of them may be gone for a moment.
                swapped += usize::from(nix::fcntl::renameat2(AT_FDCWD, &one, AT_FDCWD, &other, exchange).is_ok());
            }
            swapped
        });
        Self { until, swapper: Some(swapper) }
    }

    /// Ends it, and gives how often it has swapped them.
    fn end(mut self) -> usize {
        self.until.store(true, Ordering::Relaxed);
        self.swapper.take().expect("it runs").join().unwrap()
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn the_journal_that_is_carried_out_is_the_one_that_was_judged() {
    let (ran, state) = prepared();
    system("chown", &["ann:ann", state.to_str().unwrap()]);
    let (journal, hostile) = (state.join("journal"), state.join("hostile"));
    let proof = ran.folder().join("proof");
    let ann = state.metadata().unwrap().uid();
    // As 0.1.0 wrote it, which is understood.
    let record =
        |undo: &str| format!(r#"{{"version":3,"steps":[[{undo}]],"after":[],"restarts":[],"directories":[]}}"#);
    let foreign = record(&format!(r#"{{"reverse":{{"run":["touch","{}"]}}}}"#, proof.display()));
    let (mut refused, mut taken_back, mut swapped) = (0, 0, 0);
    for _ in 0..500 {
        for (directory, record, owner) in [(&journal, &record(""), 0), (&hostile, &foreign, ann)] {
            drop(fs::remove_dir_all(directory));
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("plan.json"), record).unwrap();
            fs::write(directory.join("begun"), ".").unwrap();
            for path in [directory.clone(), directory.join("plan.json"), directory.join("begun")] {
                chown(path, Some(owner), Some(owner)).unwrap();
            }
        }
        let swapping = Swapping::begin(journal.clone(), hostile.clone());
        let (code, said) = ran.then_manage().arg("--list").run_to_any_end();
        swapped += swapping.end();
        match code {
            0 => taken_back += 1,
            2 => {
                assert!(said.stderr.contains("belongs to `ann`, who could have written anything"), "{}", said.stderr);
                refused += 1;
            }
            // It was swapped in the instant between being made and being entered, or the like.
            other => panic!("exit code {other}: {}", said.stderr),
        }
        assert!(!proof.exists(), "root has run what ann wrote");
    }
    assert!(refused > 0 && taken_back > 0, "{refused} refused, {taken_back} not");
    println!(
        "figures: a journal swapped with a hostile one {swapped} times during 500 runs: {refused} refused it, {taken_back} \
         took back the right one, none the other"
    );
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_a_stranger_has_written_is_not_believed() {
    let service = named("hostile-receipt");
    let (ran, state) = prepared();
    install(&service, &ran).run();
    let (receipt, secrets) =
        (state.join("hostile-receipt_install_args.toml"), state.join("hostile-receipt_env_vars.txt"));
    let give = |owner: &str, path: &Path| drop(system("chown", &[owner, path.to_str().unwrap()]));
    // In a directory of root: a receipt of ann, and of whom the directory belongs to.
    for (keeper, owner, refused) in
        [("root", "ann", true), ("ann", "joe", true), ("ann", "ann", false), ("ann", "root", false)]
    {
        give(keeper, &state);
        give(owner, &receipt);
        let reinstall = service.manage(&ran, "reinstall");
        if refused {
            let reason = format!("it belongs to `{owner}`, and the directory to `{keeper}`\n");
            let help = "type `chown root [TMP]/working_dir/hostile-receipt_install_args.toml`";
            reinstall.status(2).stderr_contains(reason).stderr_contains(help).run();
        } else {
            reinstall.run();
            assert_eq!(receipt.metadata().unwrap().uid(), 0);
        }
    }
    // A catalog that lies there likewise.
    let catalog = state.join("catalog.d/more.toml");
    fs::create_dir(state.join("catalog.d")).unwrap();
    fs::write(&catalog, "[[program]]\nname = \"More\"\nabout = \"More.\"\nexecutable = \"/bin/true\"\n").unwrap();
    give("joe", &catalog);
    let listed = || ran.then_install().arg("-h");
    listed().status(2).stderr_contains("more.toml`: it belongs to `joe`, and the directory to `ann`\n").run();
    give("ann", &catalog);
    listed().run();
    fs::remove_file(&catalog).unwrap();
    // The values of secrets likewise: nobody is given those of a stranger.
    fs::write(&secrets, "SECRET=\"forged\"\n").unwrap();
    give("joe", &secrets);
    let reinstall = service.manage(&ran, "reinstall").status(2);
    let note = "hostile-receipt_env_vars.txt` is not used: it belongs to `joe`, and the directory to `ann`\n";
    reinstall.stderr_contains(note).stderr_contains("environment variable `SECRET`").run();
    give("root", &secrets);
    service.manage(&ran, "reinstall").run();
    assert!(fs::read_to_string(&secrets).unwrap().contains("forged"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn nobody_is_waited_for_in_the_working_directory() {
    let service = named("hostile-fifo");
    let (ran, state) = prepared();
    let fifo = |name: &str| drop(system("mkfifo", &[state.join(name).to_str().unwrap()]));
    let watched = |test: Test| test.through(&["timeout", "--kill-after=5", "60", "prlimit", "--as=1000000000"]);
    // The log is of no use then; what it would tell of is done.
    fifo("Services.log");
    watched(install(&service, &ran)).run();
    for (name, refused) in [(".lock", true), ("journal", true), ("hostile-fifo_launch.sh", true), ("notes", false)] {
        drop(fs::remove_file(state.join(name)));
        fifo(name);
        let again = watched(service.install_again(&ran).args(["--env", "SECRET"]).probe(["other"]));
        if refused {
            again.status(2).stderr_contains(format!("{name}`: a FIFO is in its place")).run();
        } else {
            again.run();
        }
        fs::remove_file(state.join(name)).unwrap();
    }
    // A device, which root alone can make.
    drop(fs::remove_file(state.join(".lock")));
    system("mknod", &[state.join(".lock").to_str().unwrap(), "c", "1", "5"]);
    watched(service.manage(&ran, "restart")).status(2).stderr_contains(".lock`: a device is in its place").run();
    fs::remove_file(state.join(".lock")).unwrap();
    // An error log of five gigabytes, which takes no room on the disk, is there and no more is asked of it.
    let log = ran.folder().join("hostile-fifo_ERROR_LOG.txt");
    fs::File::create(&log).unwrap().set_len(5 << 30).unwrap();
    let status = watched(service.manage(&ran, "status")).status(3);
    status.stdout_contains("[TMP]/hostile-fifo_ERROR_LOG.txt\n").run();
    watched(service.manage(&ran, "remove")).stderr_contains("kept: [TMP]/hostile-fifo_ERROR_LOG.txt").run();
    assert_eq!(log.metadata().unwrap().len(), 5 << 30);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_working_directory_for_everybody_is_refused() {
    let service = named("hostile-open");
    for mode in [0o777, 0o757, 0o1777] {
        let (ran, state) = prepared();
        chmod(mode, &state);
        let refused = install(&service, &ran).status(2).stderr_contains("everybody may write there");
        refused.stderr_contains("help: `chmod o-w [TMP]/working_dir`").run();
        nothing(&service);
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
        chmod(0o755, &state);
        install(&service, &ran).run();
        service.manage(&ran, "remove").run();
        // Above it somebody could put another one in its place.
        chmod(0o777, ran.folder());
        install(&service, &ran).status(2).stderr_contains("refusing to touch `[TMP]`").run();
        chmod(0o700, ran.folder());
    }
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn whose_the_working_directory_is_is_said() {
    let service = named("hostile-owner");
    let (ran, state) = prepared();
    system("chown", &["ann:ann", state.to_str().unwrap()]);
    install(&service, &ran).stderr_contains("note: `[TMP]/working_dir` belongs to `ann`, who can change what").run();
    assert_eq!(mode(&state.join("hostile-owner_env_vars.txt")), 0o600);
    assert_eq!(state.join("hostile-owner_env_vars.txt").metadata().unwrap().uid(), 0);
    system("chown", &["root:ann", state.to_str().unwrap()]);
    chmod(0o775, &state);
    service.manage(&ran, "restart").stderr_contains("note: the group of `[TMP]/working_dir` can change").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn files_of_other_people_become_ours_again() {
    let service = named("hostile-files");
    let (ran, state) = prepared();
    install(&service, &ran).run();
    let secrets = state.join("hostile-files_env_vars.txt");
    for path in [&secrets, &service.unit()] {
        let before = mode(path);
        system("chown", &["ann", path.to_str().unwrap()]);
        let check = service.install_again(&ran).args(["--check", "--env", "SECRET"]).env("SECRET", "s3cr3t").probe([]);
        check.status(10).stdout_contains("old owner another user").run();
        install(&service, &ran).stdout_contains("updated: hostile-files").run();
        let after = path.metadata().unwrap();
        assert_eq!((after.uid(), mode(path)), (0, before));
        // A mode that others have widened is narrowed again.
        chmod(0o666, path);
        install(&service, &ran).stdout_contains("old mode 0666\n").run();
        assert_eq!(mode(path), before);
    }
    install(&service, &ran).stdout("unchanged: hostile-files\n").run();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn what_was_somebodys_is_given_back_when_it_is_undone() {
    let service = named("hostile-back");
    let (ran, state) = prepared();
    install(&service, &ran).run();
    let secrets = state.join("hostile-back_env_vars.txt");
    system("chown", &["ann:ann", secrets.to_str().unwrap()]);
    chmod(0o640, &secrets);
    let no_enable = "[ $1 = enable ] || exec $real \"$@\"; exit 1";
    let update = service.install_again(&ran).args(["--env", "SECRET", "--description", "other"]).env("SECRET", "two");
    update.instead_of("systemctl", no_enable).probe([]).status(1).stderr_contains("the host is as it was").run();
    let found = secrets.metadata().unwrap();
    let ann = system("id", &["-u", "ann"]).trim().parse::<u32>().unwrap();
    assert_eq!((found.uid(), mode(&secrets)), (ann, 0o640));
    assert!(fs::read_to_string(&secrets).unwrap().contains("s3cr3t"));
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_directory_where_a_file_should_be_stays() {
    let service = named("hostile-directory");
    let (ran, state) = prepared();
    for path in [state.join("hostile-directory_env_vars.txt"), service.unit()] {
        fs::create_dir(&path).unwrap();
        fs::write(path.join("mine"), "precious\n").unwrap();
        install(&service, &ran).status(2).stderr_contains("a directory").run();
        assert_eq!(fs::read_to_string(path.join("mine")).unwrap(), "precious\n");
        fs::remove_dir_all(&path).unwrap();
    }
    // A file where the directory should be.
    fs::remove_dir_all(&state).unwrap();
    fs::write(&state, "precious\n").unwrap();
    install(&service, &ran).status(1).stderr_contains("making the directory `[TMP]/working_dir`").run();
    assert_eq!(fs::read_to_string(&state).unwrap(), "precious\n");
    nothing(&service);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_read_only_working_directory_is_told() {
    let service = named("hostile-readonly");
    let (ran, state) = prepared();
    install(&service, &ran).run();
    let before = service.host(&state);
    let read_only = format!("mount --bind -o ro {0} {0}; exec \"$@\"", state.display());
    let words = ["unshare", "--mount", "sh", "-c", &read_only, "sh"];
    let update = service.install_again(&ran).args(["--description", "other"]).probe([]).through(&words);
    update.status(1).stderr_contains("read-only file system").run();
    let remove = service.manage(&ran, "remove").through(&words);
    remove.status(1).stderr_contains("read-only file system").run();
    assert_eq!(service.host(&state), before);
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn an_export_stays_in_its_tree() {
    let (ran, _) = prepared();
    let elsewhere = ran.folder().join("elsewhere");
    fs::create_dir_all(elsewhere.join("systemd/system")).unwrap();
    fs::create_dir(ran.folder().join("tree")).unwrap();
    symlink(&elsewhere, ran.folder().join("tree/etc")).unwrap();
    let export = |ran: &Ran, state: &str| {
        let options =
            ["--output", "tree", "--working-directory", "/srv", "--service_name", "web", "--state-dir", state];
        ran.then_install().args(options).args(["--", "/bin/true"])
    };
    export(&ran, "/var/lib/x").status(2).stderr_contains("refusing to touch `tree/etc`").run();
    assert_eq!(fs::read_dir(elsewhere.join("systemd/system")).unwrap().count(), 0);
    assert!(!ran.folder().join("tree/MANIFEST.toml").exists());
    fs::remove_file(ran.folder().join("tree/etc")).unwrap();
    export(&ran, "/../../../var/lib/x").status(2).stderr_contains("it leads out of the exported tree").run();
    // A link that the person named is that person's word.
    fs::rename(ran.folder().join("tree"), ran.folder().join("real")).unwrap();
    symlink("real", ran.folder().join("tree")).unwrap();
    export(&ran, "/var/lib/x").run();
    assert!(ran.folder().join("real/etc/systemd/system/web.service").exists());
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn a_tree_that_somebody_changes_meanwhile_leads_nowhere() {
    let (ran, _) = prepared();
    let (tree, elsewhere) = (ran.folder().join("tree"), ran.folder().join("elsewhere"));
    fs::create_dir_all(elsewhere.join("system")).unwrap();
    fs::create_dir_all(tree.join("etc/systemd/system")).unwrap();
    // Somebody swaps a directory for a link and back, as fast as can be.
    let swap = "import os, sys\nfor n in range(10 ** 9):\n    os.rename('tree/etc/systemd', 'aside')\n    os.symlink('../../elsewhere', 'tree/etc/systemd')\n    os.unlink('tree/etc/systemd')\n    os.rename('aside', 'tree/etc/systemd')\n";
    let mut swapper =
        std::process::Command::new("/usr/bin/python3").args(["-c", swap]).current_dir(ran.folder()).spawn().unwrap();
    for _ in 0..100 {
        let options = ["--output", "tree", "--working-directory", "/srv", "--service_name", "web"];
        ran.then_install().args(options).args(["--", "/bin/true"]).run_to_any_end();
        assert_eq!(fs::read_dir(elsewhere.join("system")).unwrap().count(), 0);
        assert!(!elsewhere.join("web.service").exists());
    }
    swapper.kill().unwrap();
    swapper.wait().unwrap();
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn of_two_installs_of_one_name_one_wins_whole() {
    let service = named("hostile-two");
    let (ran, state) = prepared();
    let waits = |run: &Running| {
        // It sleeps nowhere but before the lock.
        let sleeps = |call: String| call.starts_with("230 ") || call.starts_with("115 ");
        fs::read_to_string(format!("/proc/{}/syscall", run.id())).is_ok_and(sleeps).then_some(())
    };
    for round in 0..100 {
        // Both have begun before either goes on.
        let lock = fs::File::options().create(true).append(true).open(state.join(".lock")).unwrap();
        lock.lock().unwrap();
        let both = ["left", "right"].map(|side| {
            let word = format!("{side}-{round}");
            let install = service.install_again(&ran).args(["--env", "SECRET"]).env("SECRET", &word);
            let run = install.probe([&word]).spawn();
            (word, run)
        });
        both.iter().for_each(|(_, run)| wait_for("it to wait for the lock", 20, || waits(run)));
        drop(lock);
        let ended = both.map(|(word, run)| (word, run.end_anyhow()));
        let winners: Vec<&str> =
            ended.iter().filter(|(_, (code, _))| *code == 0).map(|(word, _)| word.as_str()).collect();
        let [winner] = winners[..] else { panic!("round {round}: {winners:?}") };
        let (_, (code, said)) = ended.iter().find(|(word, _)| word != winner).expect("the other one");
        assert_eq!(*code, 1, "{}", said.stderr);
        assert!(said.stderr.contains("another run changed it in the meantime"), "{}", said.stderr);
        // All of it is of the one.
        let receipt = fs::read_to_string(state.join("hostile-two_install_args.toml")).unwrap();
        let secrets = fs::read_to_string(state.join("hostile-two_env_vars.txt")).unwrap();
        assert!(service.unit_text().contains(&format!("\"{winner}\"")));
        assert!(receipt.contains(&format!("arguments = [\"{winner}\"]")), "{receipt}");
        assert!(secrets.contains(&format!("SECRET=\"{winner}\"")), "{secrets}");
        assert!(!state.join("journal").exists());
        // Half of them are first installs.
        if round % 2 == 0 {
            let remove = service.manage(&ran, "remove");
            remove.args(["--remove_env_vars", "--remove_install_args"]).run();
        }
    }
    println!("figures: two installs of one name at once, 100 times: one won whole, the other was told, each time");
}
