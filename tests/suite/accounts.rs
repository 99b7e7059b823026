//! The account of a service of Windows: as it is shown, what is refused with the words to type, and that no password is
//! asked for where nothing is installed.

use crate::support::Test;

/// A preview of a service with that account.
fn preview(account: &str) -> Test {
    let test = Test::install().args(["--target", "nssm", "--dry-run", "--service_name", "web", "--account", account]);
    test.args(["--working-directory", r"C:\lab"])
}

fn of_program(test: Test) -> Test {
    test.args(["--", r"C:\lab\web.exe"])
}

/// What is told of the working directory.
fn may_write(account: &str, listed: &str) -> String {
    let once = if account.starts_with("NT SERVICE") { ", once it is installed" } else { "" };
    let grant = if listed.contains(' ') {
        format!(r#"icacls C:\lab /grant "{listed}:(OI)(CI)M""#)
    } else {
        format!(r"icacls C:\lab /grant {listed}:(OI)(CI)M")
    };
    format!("note: `web`: `{account}` must be allowed to write in `C:\\lab`; `{grant}` allows it{once}\n")
}

#[test]
fn a_preview_shows_the_account_and_what_sets_it() {
    let right = r#"which an install does not give to a managed account: add it in secpol.msc, "Local Policies", "User Rights Assignment""#;
    for (typed, account, listed, set, more) in [
        (r"NT SERVICE\*", r"NT SERVICE\web", r"NT SERVICE\web", r#"sc.exe config web obj= "NT SERVICE\web""#, ""),
        (r"nt service\WEB", r"NT SERVICE\web", r"NT SERVICE\web", r#"sc.exe config web obj= "NT SERVICE\web""#, ""),
        (r"LAB\pump$", r"LAB\pump$", r"LAB\pump$", r"sc.exe config web obj= LAB\pump$", right),
        (r".\joe", r".\joe", "joe", r"sc.exe config web obj= .\joe password= ********", ""),
        (
            "joe@lab.example",
            "joe@lab.example",
            "joe@lab.example",
            "sc.exe config web obj= joe@lab.example password= ********",
            "",
        ),
        (
            "LocalService",
            r"NT AUTHORITY\LocalService",
            "*S-1-5-19",
            r#"nssm.exe set web ObjectName "NT AUTHORITY\LocalService""#,
            "",
        ),
    ] {
        let ran = of_program(preview(typed)).run();
        for part in [format!("    as    {account}\n"), format!("{set}\n")] {
            assert!(ran.stdout.contains(&part), "`{part}` is not in\n{}", ran.stdout);
        }
        assert!(ran.stderr.contains(&may_write(account, listed)), "{}", ran.stderr);
        assert!(ran.stderr.contains(more), "{}", ran.stderr);
    }
    // Whose account may do everything is told nothing.
    of_program(preview("LocalSystem")).stderr("").run();
}

/// NSSM lets the account log on as a service, with a word in the place of the password, before that is set.
#[test]
fn the_right_comes_before_the_password() {
    let ran = of_program(preview(r"LAB\joe")).run();
    let right = ran.stdout.find(r"nssm.exe set web ObjectName LAB\joe -").expect("the right");
    assert!(ran.stdout[right..].contains(r"sc.exe config web obj= LAB\joe password= ********"), "{}", ran.stdout);
}

#[test]
fn the_account_of_a_service_can_read_its_secrets() {
    let python = |account| preview(account).args(["--python", r"C:\py\python.exe", "--env", "TOKEN", "lab.web:main"]);
    for (account, listed) in
        [(r"NT SERVICE\*", r#""NT SERVICE\web:R""#), (r"LAB\pump$", r"LAB\pump$:R"), (r".\joe", "joe:R")]
    {
        let ran = python(account).run();
        let grant = format!("web_env_vars.txt /grant {listed}");
        let at = ran.stdout.find(&grant).unwrap_or_else(|| panic!("`{grant}` is not in\n{}", ran.stdout));
        // Before the service is there, nobody knows its own account.
        assert!(ran.stdout[..at].contains("sc.exe config web"), "{}", ran.stdout);
    }
}

#[test]
fn what_no_service_runs_as_is_refused_with_what_to_type() {
    for (account, reason, help) in [
        ("joe", "must say whose account it is", r"`.\joe` is one of this machine, `DOMAIN\joe` one of a domain"),
        (
            r"NT SERVICE\other",
            "must be the account of this service: that of `other` is for `other` alone",
            r"`NT SERVICE\*` is the service's own, here `NT SERVICE\web`",
        ),
        (
            r".\pump$",
            "must be a managed account of a domain, or one without `$` at its end",
            r"`DOMAIN\NAME$` is how Windows writes a managed account",
        ),
        (
            r"BUILTIN\Users",
            "is no account that a service can run as",
            r"`NT SERVICE\*` is the service's own; LocalSystem, LocalService and NetworkService are those of Windows",
        ),
    ] {
        let expected = format!("InstallService: error: option `--account` `{account}`: {reason}\n  help: {help}\n");
        of_program(preview(account)).status(2).stderr(expected).run();
    }
}

/// A line of standard input is the password of one account; where there is none, it was meant for something else.
#[test]
fn a_password_needs_an_account() {
    let option = "InstallService: error: option `--account-password-stdin`: ";
    let none = format!(
        "{option}there is no account with a password that it could be of\n  \
         help: `--account 'DOMAIN\\USER'` names one; only those of users of Windows have a password\n"
    );
    for account in [r"NT SERVICE\*", "LocalSystem", r"LAB\pump$"] {
        of_program(preview(account).arg("--account-password-stdin")).status(2).stderr(none.clone()).run();
    }
    let of_linux = ["--dry-run", "--account-password-stdin", "--service_name", "web", "--", "/bin/true"];
    Test::install().args(of_linux).args([""; 0]).status(2).stderr_contains(none).run();
    let manifest = "[[service]]\nname = 'a'\nexecutable = 'C:\\a.exe'\naccount = 'LAB\\joe'\n\
                    [[service]]\nname = 'b'\nexecutable = 'C:\\b.exe'\naccount = 'LAB\\ann'\n";
    let two =
        Test::install().file("two.toml", manifest).args(["--target", "nssm", "--dry-run", "--manifest", "two.toml"]);
    two.args(["--working-directory", r"C:\lab", "--account-password-stdin"])
        .status(2)
        .stderr_contains(format!("{option}must be of one account, and these are two: `LAB\\joe` and `LAB\\ann`\n"))
        .run();
    let export = Test::install().args(["--target", "nssm", "--output", "tree", "--no-nssm", "--account", r"LAB\joe"]);
    export
        .args([
            "--working-directory",
            r"C:\lab",
            "--account-password-stdin",
            "--service_name",
            "web",
            "--",
            r"C:\a.exe",
        ])
        .status(2)
        .stderr_contains(format!("{option}cannot be combined with `--output`\n"))
        .run();
}

/// A preview neither asks nor reads, and nothing of what is there is shown.
#[test]
fn a_preview_takes_no_password() {
    let ran = of_program(preview(r"LAB\joe").arg("--account-password-stdin").stdin("hunter2\n")).run();
    assert!(!format!("{}{}", ran.stdout, ran.stderr).contains("hunter2"));
}

/// The registration of a service is its manifest, but for the password.
#[test]
fn an_import_names_the_account() {
    let registered = |account: &str| {
        format!(
            "Windows Registry Editor Version 5.00\n\n[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\web]\n\
             \"DisplayName\"=\"web\"\n\"ObjectName\"=\"{}\"\n\"Start\"=dword:00000002\n\
             [HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\web\\Parameters]\n\
             \"Application\"=\"C:\\\\lab\\\\web.exe\"\n\"AppDirectory\"=\"C:\\\\lab\"\n",
            account.replace('\\', r"\\")
        )
    };
    let import = |account: &str| Test::install().file("web.reg", registered(account)).args(["import", "web.reg"]);
    for (account, said) in [(r"NT SERVICE\web", r"account = 'NT SERVICE\*'"), (r"LAB\pump$", r"account = 'LAB\pump$'")]
    {
        import(account).stdout_contains(said).run();
    }
    import(r"LAB\joe")
        .status(10)
        .stdout_contains(r"account = 'LAB\joe'")
        .stderr_contains("`--account-password-stdin`")
        .run();
}
