//! A service behaves as the command does in a shell, or says why not: `fixtures/behaviour/CASE/` holds something that
//! people met, with `case.toml`, which says what runs, what a shell makes of it and what the service must ([`Case`]),
//! and the files that it takes.
//!
//! The folder is copied to `/srv/behaviour/CASE`, and what is typed runs there twice: as the login of its account
//! (`su - ACCOUNT`), which Ctrl-C ends as soon as there is a file `ready`, and as a service, which is stopped then.
//! Either time it leaves a file `out`.
//!
//! One more case is one more folder, and its name below.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::support::booted::{Named, named, services_of};
use crate::support::{Ran, Test, checkout, difference, system, wait_for};

macro_rules! cases {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(
            #[test]
            #[ignore = "needs a booted systemd: tests/run"]
            fn $name() {
                hold(stringify!($name));
            }
        )*
    };
}

cases! {
    another_interpreter_on_the_callers_path
    asked_by_a_command
    asks_systemd
    background
    big_output
    both_signals_of_node
    bubblewrap
    bubblewrap_of_a_user
    bubblewrap_of_root
    bytes_that_are_no_text
    child_in_a_session_of_its_own
    code_made_while_it_runs
    conda_like
    container_without_root
    crontab_of_an_account
    ctrl_c_alone
    ctrl_c_alone_behind_a_shell
    ctrl_c_alone_in_a_loop_of_bash
    ctrl_c_alone_of_bash
    ctrl_c_alone_of_node
    device
    directory_that_is_gone
    directory_with_blanks
    does_not_stop
    ends_by_a_failure
    ends_by_itself
    exit_status_of_ctrl_c
    group_of_a_setgid_directory
    handed_over_mail
    home_that_has_to_be_set
    input_that_ends
    installed_setgid_directory
    interpreter_as_typed
    interpreter_by_env_split
    interpreter_given_to_env
    interpreter_nowhere
    interpreter_of_an_interpreter
    interpreter_on_the_callers_path
    interpreter_on_the_callers_path_of_an_account
    interpreter_on_the_callers_path_through_sudo
    job_of_at
    killed_at_its_limit_of_memory
    language
    language_of_its_own
    launcher_that_waits
    library_only_in_the_shell
    library_that_is_given
    limit_of_memory
    limits
    line_ends_of_windows
    listens_to_a_port
    listens_to_a_socket
    login_of_a_user
    login_of_an_account
    login_of_root
    login_through_sudo
    long_line
    mail_command
    mail_command_under_a_profile
    makes_a_device
    mount_that_executes_nothing
    mounts
    name_of_the_host
    network
    nicer
    no_network
    no_terminal
    nothing_to_clean_up
    output_by_its_name
    ping_of_an_account
    pipe_whose_reader_has_ended
    pipeline
    pipeline_typed_directly
    port_in_use
    program_in_a_closed_home
    program_in_the_home_of_another
    program_of_32_bits
    program_on_the_callers_path
    program_with_a_capability
    python_atexit
    python_before_another_line
    python_behind_a_shell
    python_behind_bash
    python_buffered_by_choice
    python_by_its_first_line
    python_children
    python_exit_status
    python_finally
    python_finally_of_a_user
    python_finally_of_an_account
    python_function
    python_in_a_loop_of_bash
    python_interrupted
    python_lines_at_once
    python_lines_at_once_behind_a_shell
    python_module
    python_module_lines_at_once
    python_of_an_environment
    python_over_and_over
    python_started_by_env
    python_with
    python_with_a_handler
    python_with_a_handler_behind_bash
    raw_packets
    reads_a_fifo
    real_time
    runs_as_another
    sandbox_of_a_browser
    sees_other_processes
    setgid_directory
    setuid_program
    several_workers
    shared_repository
    shares_tmp
    shell_script_in_front
    shell_script_in_front_of_a_user
    shell_script_in_front_of_an_account
    sudo_of_an_account
    sudo_that_is_refused
    supplementary_groups
    system_tools
    table_hardening_line
    table_kill_mode
    table_on_failure
    table_oneshot
    table_sigpipe
    table_start_limit
    table_stop_post
    table_stop_timeout
    table_success
    table_timeout
    table_type
    table_wanted_by
    tar_of_setgid_files
    tilde
    traces_a_program
    trap_around_a_child
    user_namespace
    variable_of_the_shell
    variable_that_is_given
    waits_for_enter
    without_random_addresses
    working_directory_with_blanks
    writes_elsewhere
    wrong_architecture
}

#[test]
#[ignore = "needs a booted systemd: tests/run"]
fn every_folder_is_a_case() {
    let folders = fs::read_dir(checkout().join("fixtures/behaviour")).unwrap();
    let mut folders: Vec<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    folders.sort();
    let mut names = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(folders, names);
}

/// A case, as its `case.toml` says it. `{here}` is the folder that it runs in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What people met, in one sentence.
    #[expect(dead_code, reason = "for whoever reads the case")]
    about: String,
    /// What is not yet as it is to be, if something is: the case holds what is so.
    #[serde(default)]
    #[expect(dead_code, reason = "for whoever reads the case")]
    later: String,
    /// What is typed in a shell, and behind `--` of `InstallService`.
    run: Vec<String>,
    /// What is typed in a shell, where that differs.
    shell: Option<Vec<String>>,
    /// What `InstallService` is given besides.
    #[serde(default)]
    options: Vec<String>,
    /// All that `InstallService` is given but `--start`, instead.
    install: Option<Vec<String>>,
    /// Whose login it is; the service has the same account.
    #[serde(default = "root")]
    account: String,
    /// Who types the install, if not root.
    by: Option<String>,
    /// Whether it is a service of that account's own (`--user`).
    #[serde(default)]
    user: bool,
    /// What the shell has in its environment, besides what a login gives.
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// A shell script that makes the folder ready, as root.
    #[serde(default)]
    setup: String,
    /// A shell script that does something while the program runs, as root.
    #[serde(default)]
    during: String,
    /// A shell script that adds to `out` when the program has ended, as root.
    #[serde(default)]
    after: String,
    /// What ends it.
    #[serde(default)]
    end: End,
    /// When the service is stopped: as soon as this shell script succeeds.
    #[serde(default = "is_ready")]
    until: String,
    /// What `out` holds in the end.
    out: String,
    /// What it holds of the service, where that differs.
    service: Option<String>,
    /// Parts of the notes of the install: each note has one of them, and each of them is in a note.
    #[serde(default)]
    notes: Vec<String>,
    /// Parts of what the install says when the service does not start, and is undone.
    #[serde(default)]
    fails: Vec<String>,
    /// What the journal has of the service while it runs.
    #[serde(default)]
    logs: Vec<String>,
    /// What `ManageService NAME logs` shows of it.
    #[serde(default)]
    shown: Vec<String>,
    /// What systemd says of the service while it runs.
    #[serde(default)]
    properties: BTreeMap<String, String>,
    /// Parts of what `ManageService NAME stop` says.
    #[serde(default)]
    stop_says: Vec<String>,
    /// Its exit code.
    #[serde(default)]
    stop_exits: i32,
    /// How it ended, in the word of systemd.
    #[serde(default = "success")]
    result: String,
}

/// What ends a program in a shell.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum End {
    /// Ctrl-C.
    #[default]
    Int,
    /// `kill`.
    Term,
    /// Nothing: it ends by itself.
    Itself,
}

fn root() -> String {
    "root".to_owned()
}

fn is_ready() -> String {
    "test -e ready".to_owned()
}

fn success() -> String {
    "success".to_owned()
}

/// Runs a case both ways, and holds both to what it says.
fn hold(name: &'static str) {
    let source = checkout().join("fixtures/behaviour").join(name);
    let folder = Path::new("/srv/behaviour").join(name);
    let text = fs::read_to_string(source.join("case.toml")).expect("case.toml");
    let case: Case = toml::from_str(&text.replace("{here}", folder.to_str().unwrap())).expect("a case");
    let scene = Scene { state: folder.with_extension("state"), folder, source, name, unit: named(name), case };

    scene.set();
    scene.in_a_shell();
    let shell = scene.left(&scene.case.out, "in a shell");
    scene.set();
    scene.as_a_service();
    let service = scene.left(scene.case.service.as_ref().unwrap_or(&scene.case.out), "as a service");
    let faults: Vec<String> = [shell, service].into_iter().flatten().collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A case in its folder; nothing of it is left when this goes.
struct Scene {
    case: Case,
    name: &'static str,
    source: PathBuf,
    folder: PathBuf,
    state: PathBuf,
    unit: Named,
}

impl Scene {
    /// A new copy of the folder.
    fn set(&self) {
        self.clear();
        let path = |path: &Path| path.to_str().unwrap().to_owned();
        fs::create_dir_all(self.folder.parent().unwrap()).unwrap();
        system("cp", &["--recursive", "--preserve=mode,links", &path(&self.source), &path(&self.folder)]);
        fs::remove_file(self.folder.join("case.toml")).unwrap();
        fs::create_dir_all(&self.state).unwrap();
        system("chown", &["--recursive", &format!("{}:", self.case.account), &path(&self.folder)]);
        if self.case.user {
            system("chown", &[&self.case.account, &path(&self.state)]);
        }
        self.script(&self.case.setup);
    }

    /// Ends what runs in the folder, and removes it.
    fn clear(&self) {
        while let Some(process) = self.processes().first() {
            drop(Command::new("kill").args(["-KILL", process]).output());
            std::thread::sleep(Duration::from_millis(20));
        }
        // What a case has mounted, too.
        drop(Command::new("sh").args(["-c", "umount --lazy \"$0\"/*", &self.folder.to_string_lossy()]).output());
        drop(fs::remove_dir_all(&self.folder));
        drop(fs::remove_dir_all(&self.state));
    }

    /// The processes that run in the folder.
    fn processes(&self) -> Vec<String> {
        let processes = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
            let process = entry.ok()?.path();
            let folder = fs::read_link(process.join("cwd")).ok()?;
            folder.starts_with(&self.folder).then(|| process.file_name().unwrap().to_string_lossy().into_owned())
        });
        processes.collect()
    }

    fn script(&self, script: &str) {
        let output = self.shell(script);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}\n{}\n{said}", output.status);
    }

    fn shell(&self, script: &str) -> std::process::Output {
        let mut shell = Command::new("sh");
        shell.args(["-euc", script]).current_dir(&self.folder).stdin(Stdio::null());
        shell.output().expect("sh")
    }

    /// Waits until a shell script succeeds, or panics with what the program has said.
    fn wait_until(&self, script: &str, said: impl Fn() -> String) {
        let end = Instant::now() + Duration::from_secs(100);
        while !self.shell(script).status.success() {
            assert!(Instant::now() < end, "waited in vain until `{script}`\n{}", said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What differs in `out`.
    fn left(&self, expected: &str, how: &str) -> Option<String> {
        let out = fs::read(self.folder.join("out")).unwrap_or_default();
        difference(&format!("out, {how}"), expected, &String::from_utf8_lossy(&out))
    }

    /// As the login of the account, at a terminal at which nobody types.
    fn in_a_shell(&self) {
        let said = self.folder.with_extension("said");
        let file = fs::File::create(&said).unwrap();
        let mut login = Command::new("su");
        // A session of its own, and so a group, which Ctrl-C is for; it notes which. What it says may be emptied.
        let group = self.folder.with_extension("group");
        fs::write(&group, "").unwrap();
        system("chown", &[&self.case.account, group.to_str().unwrap()]);
        let script = r#"exec setsid --wait sh -c 'echo $$ > "$0"; cd "$1" && shift && exec env "$@"' "$@""#;
        login.args(["--login", "--command", script, "--", &self.case.account, "sh"]).arg(&group).arg(&self.folder);
        login.args(self.case.environment.iter().map(|(name, value)| format!("{name}={value}")));
        login.args(self.case.shell.as_ref().unwrap_or(&self.case.run));
        login.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut login = Killed(login.spawn().expect("su"));
        let said = || String::from_utf8_lossy(&fs::read(&said).unwrap_or_default()).into_owned();
        let whole = || fs::read_to_string(&group).ok()?.strip_suffix('\n').map(str::to_owned);
        let group = wait_for("the shell", 20, whole);
        self.wait_until(&format!("test -e ready || ! kill -0 {group}"), said);
        self.script(&self.case.during);
        if self.case.end != End::Itself {
            let signal = if self.case.end == End::Int { "INT" } else { "TERM" };
            self.script(&format!("kill -{signal} -{group}"));
        }
        wait_for("the end of the shell", 20, || login.0.try_wait().unwrap());
        if self.case.end != End::Itself {
            self.wait_until(&format!("! pgrep --pgroup {group}"), said);
        }
        self.script(&self.case.after);
    }

    /// Installed, started, stopped and removed.
    fn as_a_service(&self) {
        let case = &self.case;
        let test = self.as_typed(Test::install().cwd(&self.folder)).env("INSTALLSERVICE_WORKING_DIR", &self.state);
        let test = case.environment.iter().fold(test, |test, (name, value)| test.env(name, value));
        let test = match &case.install {
            Some(words) => test.arg("--start").args(words),
            None => {
                let test = test.args(["--service_name", self.name, "--start"]).args(&case.options);
                let test = match case.account.as_str() {
                    _ if case.user => test.arg("--user"),
                    "root" => test,
                    account => test.args(["--account", account]),
                };
                test.arg("--").arg(self.absolute(&case.run[0])).args(&case.run[1..])
            }
        };
        let (status, ran) = test.run_to_any_end();
        self.notes(&ran);
        if !case.fails.is_empty() {
            assert_eq!(status, 1, "{}", ran.stderr);
            for part in &case.fails {
                assert!(ran.stderr.contains(part), "not said: {part}\n{}", ran.stderr);
            }
            self.nothing_is_left(&ran);
            return;
        }
        assert_eq!(status, 0, "{}\n{}", ran.stderr, self.journal(&ran));
        self.wait_until("test -e ready", || self.journal(&ran));
        self.script(&case.during);
        self.wait_until(&case.until, || self.journal(&ran));
        for line in &case.logs {
            // Of this run alone: an earlier one may have failed this very case.
            let run = format!("_SYSTEMD_INVOCATION_ID={}", self.unit.property("InvocationID"));
            let shown =
                || Command::new("journalctl").args(["--all", "--quiet", "--output=cat", &run]).output().unwrap();
            let has_line = || String::from_utf8_lossy(&shown().stdout).contains(line);
            wait_for(&format!("`{line}` in the log"), 10, || has_line().then_some(()));
        }
        if !case.shown.is_empty() {
            let logs = self.manage(&ran, "logs");
            case.shown.iter().fold(logs, Test::stdout_contains).run();
        }
        for (property, value) in &case.properties {
            assert_eq!(&self.unit.property(property), value, "{property}\n{}", self.unit.unit_text());
        }
        let stop = self.manage(&ran, "stop").status(case.stop_exits);
        case.stop_says.iter().fold(stop, Test::stderr_contains).run();
        if !case.user {
            assert_eq!(self.unit.property("Result"), case.result, "{}", self.journal(&ran));
        }
        self.script(&case.after);
        self.manage(&ran, "remove").args(["--remove_env_vars", "--remove_install_args"]).run();
        self.nothing_is_left(&ran);
    }

    /// A program, without the `./` that a shell wants: a service has no directory that it is typed in.
    fn absolute(&self, program: &str) -> PathBuf {
        if program.contains('/') { self.folder.join(program.trim_start_matches("./")) } else { program.into() }
    }

    /// A command, typed by who installs.
    fn as_typed(&self, test: Test) -> Test {
        if self.case.user {
            system("loginctl", &["enable-linger", &self.case.account]);
        }
        match self.case.by.as_ref().or(self.case.user.then_some(&self.case.account)) {
            None => test.env("HOME", "/root"),
            Some(person) => test.by_person(person).env("HOME", format!("/home/{person}")),
        }
    }

    fn manage(&self, ran: &Ran, mode: &str) -> Test {
        self.as_typed(ran.then_manage()).env("INSTALLSERVICE_WORKING_DIR", &self.state).args([self.name, mode])
    }

    /// What the service has said.
    fn journal(&self, ran: &Ran) -> String {
        let (_, logs) = self.manage(ran, "logs").args(["-n", "30"]).run_to_any_end();
        format!("{}{}", logs.stdout, logs.stderr)
    }

    /// Holds the notes of the install to those that the case names.
    fn notes(&self, ran: &Ran) {
        let notes: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("note: ")).collect();
        let expected = &self.case.notes;
        let odd = notes.iter().any(|note| !expected.iter().any(|part| note.contains(part)));
        let missing = expected.iter().any(|part| !notes.iter().any(|note| note.contains(part)));
        assert!(!odd && !missing, "the notes have to be {expected:#?}\nand are {notes:#?}\n{}", ran.stderr);
    }

    fn nothing_is_left(&self, ran: &Ran) {
        let processes = self.processes();
        assert!(processes.is_empty(), "{processes:?} still run\n{}", self.journal(ran));
        let files: Vec<_> = self.unit.host(&self.state).into_keys().collect();
        assert!(files.is_empty(), "{files:?}");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.case.user {
            let run = |words: &[&str]| drop(services_of(&self.case.account, words).output());
            let units = format!("/home/{}/.config/systemd/user", self.case.account);
            let unit = Path::new(&units).join(format!("{}.service", self.name));
            if unit.exists() {
                run(&["disable", "--now", self.name]);
                drop(fs::remove_file(unit));
                run(&["daemon-reload"]);
            }
        } else if self.unit.unit().exists() {
            drop(Command::new("systemctl").args(["kill", "--signal=KILL", self.name]).output());
        }
        self.clear();
        for extension in ["said", "group"] {
            drop(fs::remove_file(self.folder.with_extension(extension)));
        }
    }
}

/// A process that does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
