//! The account of a service: set by our own call, changed, kept and brought back; and a password that is nowhere but there.
//!
//! Wine keeps the name of an account for a service and runs it as whoever runs Wine; it gives nobody the right to log on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::bed::{account, install, key, nssm_does, probe, registry, toml_path, user};
use crate::support::{Ran, Test};

/// What the registry has besides the account.
fn others(service: &str) -> Vec<String> {
    registry(service).into_iter().filter(|value| !value.contains("ObjectName")).collect()
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_account_without_a_password_is_set_and_changed() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let typed = |account: &str| {
        let test = ran.then_install().args(["--service_name", "own", "--account", account]);
        test.args(["--display-name", "Own é"])
    };
    let of_program = |test: Test| test.arg("--").arg(&program);
    of_program(typed("LocalSystem")).run();
    let before = others("own");
    let mut from = "LocalSystem".to_owned();
    // NSSM sets those that every Windows has, and Wine does not know them.
    for (said, is) in
        [(r"NT SERVICE\*", r"NT SERVICE\own"), (r"LAB\pump$", r"LAB\pump$"), (r"nt service\own", r"NT SERVICE\own")]
    {
        let drift = of_program(typed(said).arg("--check").status(10)).run();
        assert!(drift.stdout.contains(&format!("own ObjectName\n-{from}\n+{is}\n")), "{}", drift.stdout);
        let updated = of_program(typed(said)).stdout_contains("updated: own\n").run();
        assert!(!updated.stderr.contains("password"), "{}", updated.stderr);
        assert_eq!(account("own"), is);
        of_program(typed(said)).stdout("unchanged: own\n").run();
        ran.then_manage().args(["own", "diff"]).run();
        from = is.to_owned();
    }
    of_program(typed("LocalSystem")).run();
    // Of all else nothing has changed: the output of such an account lies elsewhere, and is back.
    assert_eq!((account("own").as_str(), others("own")), ("LocalSystem", before));
    ran.then_manage().args(["own", "remove"]).run();
}

/// What Windows starts for a service keeps its quotes, or has none, whatever the account.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn the_path_of_nssm_stays_as_it_is() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let manifest = format!("[[service]]\nname = 'quoted'\nexecutable = {}\nplain = true\n", toml_path(&program));
    let install = || ran.then_install().file("quoted.toml", &manifest).args(["--manifest", "quoted.toml"]);
    install().run();
    let nssm = nssm_does(&["get", "quoted", "ImagePath"]);
    for image in
        [nssm.clone(), format!("\"{nssm}\""), r#""C:\a folder\nssm.exe""#.into(), r"C:\a folder\nssm.exe".into()]
    {
        nssm_does(&["set", "quoted", "ImagePath", &image]);
        let before = others("quoted");
        for account in [r"NT SERVICE\*", r"LAB\pump$"] {
            install().args(["--account", account]).run();
            assert_eq!(others("quoted"), before, "{image} {account}");
        }
    }
    ran.then_manage().args(["quoted", "remove"]).run();
}

/// Whatever is in the folder of a test, and what the command said.
fn holds(ran: &Ran, secret: &str) -> Vec<String> {
    fn visit(folder: &Path, secret: &[u8], found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, secret, found);
            } else if fs::read(&path).is_ok_and(|bytes| bytes.windows(secret.len()).any(|part| part == secret)) {
                found.push(path.display().to_string());
            }
        }
    }
    let mut found = Vec::new();
    let utf16: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
    visit(ran.folder(), secret.as_bytes(), &mut found);
    visit(ran.folder(), &utf16, &mut found);
    if format!("{}{}", ran.stdout, ran.stderr).contains(secret) {
        found.push("its output".to_owned());
    }
    found
}

/// The command lines of all processes while `run` goes on: Wine has those of the system that it runs on below `Z:`.
fn command_lines<T>(run: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
    static ENDED: AtomicBool = AtomicBool::new(false);
    ENDED.store(false, Ordering::SeqCst);
    let watching = thread::spawn(|| {
        let mut seen = BTreeSet::new();
        while !ENDED.load(Ordering::SeqCst) {
            for process in fs::read_dir(r"Z:\proc").into_iter().flatten().flatten() {
                let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
                seen.insert(String::from_utf8_lossy(&line).replace('\0', " "));
            }
        }
        seen
    });
    let done = run();
    ENDED.store(true, Ordering::SeqCst);
    (done, watching.join().expect("the command lines"))
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn a_password_is_read_and_kept_nowhere() {
    const SECRET: &str = "Correct-horse-é-9271";
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let user = format!(r".\{}", user());
    let typed = |name: &str| {
        let test = ran.then_install().args(["--service_name", name, "--account", &user, "--account-password-stdin"]);
        test.stdin(format!("{SECRET}\r\nnot a word of this"))
    };
    let of_program = |test: Test| test.arg("--").arg(&program);
    let (done, lines) = command_lines(|| of_program(typed("secretive")).run());
    assert_eq!(account("secretive"), user);
    assert!(
        done.stderr.contains(&format!("sc.exe config secretive obj= {user} password= ********\n")),
        "{}",
        done.stderr
    );
    assert!(lines.iter().any(|line| line.contains("nssm.exe")), "{lines:#?}");
    assert!(lines.iter().all(|line| !line.contains("horse")), "{lines:#?}");
    assert_eq!(holds(&done, SECRET), [""; 0]);
    let in_registry = registry("secretive").join("\n");
    let bytes = |text: &str| format!("{:?}", text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>());
    assert!(!in_registry.contains(bytes("horse").trim_matches(['[', ']'])), "{in_registry}");
    assert!(in_registry.contains(bytes(&user).trim_matches(['[', ']'])), "{in_registry}");

    // It is not asked for again, and a new one is set though nothing else is to be done.
    let again = ran.then_install().args(["--service_name", "secretive", "--account", &user]);
    of_program(again).stdout("unchanged: secretive\n").run();
    let set = of_program(typed("secretive")).stdout_contains("updated: secretive\n").run();
    let risk = format!("note: `secretive` runs as `{user}` now, whose password nobody can read: if this is taken back");
    assert!(set.stderr.contains(&risk), "{}", set.stderr);
    // `PC\user` is the same account: the receipt says it otherwise, and that is all.
    let machine = std::env::var("COMPUTERNAME").expect("a name");
    let other = ran.then_install().args(["--service_name", "secretive", "--account", &user.replace('.', &machine)]);
    let other = of_program(other).stdout_contains("updated: secretive\n").run();
    assert!(!other.stderr.contains(".exe"), "{}", other.stderr);

    // A new name is a new service, so it needs the password.
    let rename = || ran.then_manage().args(["secretive", "rename", "reserved"]);
    let why = format!(
        "error: password of `{user}`: Windows needs it, and there is nobody to ask\n  help: `--account-password-stdin` reads it from standard input\n"
    );
    rename().status(2).stderr_contains(why).run();
    assert!(key("reserved").is_none());
    let renamed = rename().arg("--account-password-stdin").stdin(SECRET).run();
    assert_eq!((account("reserved"), key("secretive").is_none(), holds(&renamed, SECRET)), (user, true, Vec::new()));
    ran.then_manage().args(["reserved", "remove"]).run();
}

#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn what_is_no_password_is_refused() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let user = format!(r".\{}", user());
    let typed = |account: &str| ran.then_install().args(["--service_name", "none", "--account", account]);
    let of_program = |test: Test| test.arg("--").arg(&program);
    for (line, reason) in [
        (&b""[..], "must not be empty: Windows lets no such account log on as a service"),
        (b"\r\n", "must not be empty: Windows lets no such account log on as a service"),
        (b"a\tb", "must be one line without control characters"),
        (b"caf\xe9", "must be UTF-8 text"),
    ] {
        let expected = format!("error: option `--account-password-stdin`: {reason}\n");
        let refused = typed(&user).arg("--account-password-stdin").stdin(line).status(2).stderr_contains(expected);
        of_program(refused).run();
    }
    let gone = format!(r"error: option `--account` `.\nobody-{}`: there is no such account", std::process::id());
    of_program(typed(&format!(r".\nobody-{}", std::process::id())).status(2).stderr_contains(gone)).run();
    assert!(key("none").is_none());
}

/// A change that does not come up is taken back with the account: of one with a password it is said before that nobody
/// brings that back.
#[test]
#[ignore = "needs Windows or Wine, and NSSM: tests/run"]
fn an_undo_brings_the_account_back() {
    let test = install();
    let program = probe(&test.folder().join("app"));
    let ran = test.arg("--version").run();
    let user = format!(r".\{}", user());
    let typed = |account: &str| ran.then_install().args(["--service_name", "back", "--account", account]);
    typed(r"NT SERVICE\*").arg("--").arg(&program).run();
    // A log that the earlier account has written.
    fs::write(ran.folder().join("back_ERROR_LOG.txt"), "x").unwrap();
    for (earlier, next) in [(r"NT SERVICE\back", user.as_str()), (user.as_str(), r"LAB\pump$")] {
        assert_eq!(account("back"), earlier);
        let before = registry("back");
        let failing = typed(next).arg("--start");
        let failing = match next == user {
            true => failing.arg("--account-password-stdin").stdin("a password"),
            false => failing,
        };
        let failed = failing.args(["--", r"C:\windows\system32\cmd.exe", "/c", "exit 3"]).status(1).run();
        assert_eq!(registry("back"), before, "{}", failed.stderr);
        let risk = format!("`back` runs as `{user}` now, whose password nobody can read");
        assert_eq!(failed.stderr.contains(&risk), earlier == user, "{}", failed.stderr);
        let listed = if next == user { std::env::var("USERNAME").expect("a name") } else { next.to_owned() };
        let granted = format!("icacls.exe [TMP]\\back_ERROR_LOG.txt /grant {listed}:M");
        assert!(failed.stderr.contains(&granted), "{granted}\n{}", failed.stderr);
        if earlier != user {
            let test = typed(&user).arg("--account-password-stdin").stdin("a password").arg("--").arg(&program);
            test.stdout_contains("updated: back\n").run();
        }
    }
    let told = r"password has to be typed in services.msc, on the page";
    ran.then_manage().args(["back", "remove"]).stderr_contains(told).run();
}
