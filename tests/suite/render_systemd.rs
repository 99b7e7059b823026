//! What systemd's renderer promises for every service: nothing is added, nothing is dropped, and
//! what cannot be carried is refused by name.

use std::collections::BTreeMap;

use install_service::model::artifact::Artifact;
use install_service::model::environment_file;
use install_service::model::place::Place;
use install_service::model::span::Span;
use install_service::model::spec::{
    Argument, Hardening, Order, Ours, Output, Restart, Run, Scope, SecretStore, ServiceSpec, StopCommand,
};
use install_service::model::systemd_table::{Directive, KnownDirective};
use install_service::model::systemd_version::SystemdVersion;
use install_service::model::text::Text;
use install_service::render::{is_ours, systemd};
use proptest::prelude::*;

use crate::corpus;

fn place() -> Place {
    Place { unit_dir: "/etc/systemd/system".into(), state_dir: "/var/lib/install-service".into(), home: None }
}

fn web() -> ServiceSpec {
    ServiceSpec {
        name: "web".parse().unwrap(),
        display_name: Default::default(),
        description: "A web server".parse().unwrap(),
        run: Run::Executable { path: "/usr/bin/web".into(), arguments: literals(&["--port", "80"]) },
        is_script_of_python: false,
        ctrl_c: true,
        working_directory: "/srv/web".into(),
        environment: Default::default(),
        secrets: Vec::new(),
        secrets_in: SecretStore::File,
        account: None,
        restart: Restart::Always,
        restart_sec: Span::seconds(10),
        stop_timeout: Span::seconds(90),
        stop_command: None,
        network: true,
        order: Order::default(),
        environment_file: None,
        output: Output::Usual,
        log_keep: None,
        timer: None,
        at_boot: true,
        hardening: Hardening::None,
        path: Vec::new(),
        writes: Vec::new(),
        scope: Scope::System,
        systemd: 252.into(),
        ours: Ours::All,
        directives: Vec::new(),
        parameters: Vec::new(),
    }
}

fn python(arguments: Vec<Argument>) -> Run {
    let entry = "package.module:main".parse().unwrap();
    Run::Python { interpreter: "/usr/bin/python3".into(), entry, arguments }
}

fn literals(texts: &[&str]) -> Vec<Argument> {
    texts.iter().map(|text| Argument::Literal((*text).into())).collect()
}

fn files(spec: &ServiceSpec) -> BTreeMap<String, String> {
    systemd::artifacts(spec, &place()).unwrap().into_iter().map(named).collect()
}

fn named(file: Artifact) -> (String, String) {
    let path = file.path.to_string();
    (path.rsplit_once('/').unwrap().1.to_owned(), String::from_utf8_lossy(&file.contents).into_owned())
}

fn refusals(spec: &ServiceSpec) -> Vec<String> {
    systemd::artifacts(spec, &place()).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The directives of a unit as systemd splits it: at line feeds and carriage returns, with lines
/// joined behind a backslash.
fn directives(unit: &str) -> Vec<(String, String)> {
    let (mut section, mut found) = (String::new(), Vec::new());
    let joined = unit.replace("\\\n", " ").replace("\\\r", " ");
    for line in joined.split(['\n', '\r', '\0']) {
        match line.trim().chars().next() {
            None | Some('#' | ';') => {}
            Some('[') => section = line.trim().to_owned(),
            Some(_) => found.push((section.clone(), line.split('=').next().unwrap().trim().to_owned())),
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The same service with harmless texts has the same directives, but for those that went
    /// into the launcher.
    #[test]
    fn no_text_can_add_a_directive(spec in corpus::spec(), version in prop::sample::select(vec![239, 241, 247, 252])) {
        let spec = ServiceSpec { systemd: version.into(), ..spec };
        let Ok(files) = systemd::artifacts(&spec, &place()) else { return Ok(()) };
        let harmless = systemd::artifacts(&tame(&spec), &place()).unwrap();
        let unit = |files: &[Artifact]| directives(std::str::from_utf8(&files[0].contents).unwrap());
        let (mut found, wanted) = (unit(&files), unit(&harmless));
        let launched = files.iter().any(|file| file.path.to_string().ends_with(".sh"));
        for directive in wanted {
            if let Some(at) = found.iter().position(|other| *other == directive) {
                found.remove(at);
            } else {
                let absent = directive.1.as_str();
                let in_launcher = launched && ["WorkingDirectory", "Environment", "LimitSTACK"].contains(&absent);
                let optional = ["RequiresMountsFor", "ReadWritePaths", "PrivateTmp"].contains(&absent);
                prop_assert!(in_launcher || optional, "{} is missing", absent);
            }
        }
        prop_assert_eq!(found, []);
        for file in &files {
            prop_assert!(is_ours(&file.contents) && file.contents.ends_with(b"\n"));
            prop_assert_eq!(file.mode, 0o644);
        }
    }

    #[test]
    fn secrets_come_back_from_their_file(values in prop::collection::vec(corpus::text(), 0..5)) {
        let secrets: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(index, value)| (format!("S{index}").parse().unwrap(), Text::from(value.as_str())))
            .collect();
        let file = systemd::environment_file(&web().name, &place(), SecretStore::File, SystemdVersion::USUAL, &secrets).unwrap();
        prop_assert_eq!(file.mode, 0o600);
        prop_assert!(is_ours(&file.contents));
        let read = environment_file::read(&file.contents);
        let wanted: Vec<_> = secrets.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
        prop_assert_eq!(read, wanted);
    }
}

/// The same service, with texts that mean nothing anywhere.
fn tame(spec: &ServiceSpec) -> ServiceSpec {
    let argument = |argument: &Argument| match argument {
        Argument::Literal(_) => Argument::Literal("x".into()),
        Argument::Reference { variable, .. } => Argument::Reference { before: "x".into(), variable: variable.clone() },
    };
    let mut tame = spec.clone();
    tame.description = "x".parse().unwrap();
    tame.working_directory = "/x".into();
    let mut distinct: Vec<Text> = Vec::new();
    for path in &spec.writes {
        if *path != spec.working_directory && !distinct.contains(path) {
            distinct.push(path.clone());
        }
    }
    tame.writes = (0..distinct.len()).map(|index| Text::from(format!("/w{index}"))).collect();
    tame.environment.values_mut().for_each(|value| *value = "x".into());
    match &mut tame.run {
        Run::Executable { path, arguments } => {
            *path = "/x".into();
            *arguments = arguments.iter().map(argument).collect();
        }
        Run::Python { arguments, .. } => *arguments = arguments.iter().map(argument).collect(),
        Run::Commands { .. } => unreachable!("the corpus has none"),
    }
    // Names that go into the launcher by themselves would hide a difference.
    tame.environment.retain(|name, _| name.is_identifier());
    if tame.account.is_some() {
        tame.environment.retain(|name, _| name.as_str() != "LD_LIBRARY_PATH");
    }
    tame
}

#[test]
fn a_plain_service() {
    let mut spec = web();
    spec.environment.insert("LANG".parse().unwrap(), "C.UTF-8".into());
    spec.secrets = vec!["TOKEN".parse().unwrap()];
    spec.account = Some("www".into());
    spec.order.after = vec!["postgresql".parse().unwrap()];
    spec.path = vec!["/opt/web/bin".into()];
    let directive = |key: &str, value: &str| KnownDirective::find(key).unwrap().with(value).unwrap();
    spec.directives = vec![directive("LimitNOFILE", "65536"), directive("Unit.OnFailure", "mail@%n.service")];
    let files = files(&spec);
    assert_eq!(files.keys().collect::<Vec<_>>(), ["web.service", "web_error_log.sh", "web_stop.sh"]);
    let unit = &files["web.service"];
    let (head, rest) = unit.split_once("ExecStopPost=").unwrap();
    let (_, tail) = rest.split_once('\n').unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        head,
        format!(
            "# Generated by InstallService {version}; edit with `systemctl edit web`, not here.\n\
             [Unit]\n\
             Description=A web server\n\
             Wants=network-online.target\n\
             After=network-online.target remote-fs.target\n\
             After=postgresql.service\n\
             RequiresMountsFor=\"/srv/web\"\n\
             OnFailure=mail@%n.service\n\
             \n\
             [Service]\n\
             Type=exec\n\
             User=www\n\
             WorkingDirectory=/srv/web\n\
             Environment=\"LANG=C.UTF-8\"\n\
             Environment=\"PATH=/opt/web/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"\n\
             EnvironmentFile=/var/lib/install-service/web_env_vars.txt\n\
             ExecStart=:\"/usr/bin/web\" \"--port\" \"80\"\n\
             ExecStop=-:\"/bin/sh\" \"/var/lib/install-service/web_stop.sh\"\n"
        )
    );
    assert_eq!(
        tail,
        "Restart=always\nRestartSec=10\nKillMode=control-group\nIgnoreSIGPIPE=no\nTimeoutStopSec=90\nSuccessExitStatus=130 143\nSyslogIdentifier=web\nLimitNOFILE=65536\n\
         UnsetEnvironment=BASHOPTS BASH_ENV GCONV_PATH GETCONF_DIR GLIBC_TUNABLES LD_ASSUME_KERNEL LD_AUDIT LD_BIND_NOT \
         LD_BIND_NOW LD_DEBUG LD_DEBUG_OUTPUT LD_DYNAMIC_WEAK LD_HWCAP_MASK LD_LIBRARY_PATH LD_ORIGIN_PATH \
         LD_POINTER_GUARD LD_PREFER_MAP_32BIT_EXEC LD_PRELOAD LD_PROFILE LD_PROFILE_OUTPUT LD_SHOW_AUXV \
         LD_TRACE_LOADED_OBJECTS LD_TRACE_PRELINKING LD_USE_LOAD_BIAS LD_VERBOSE LD_WARN LOCPATH MALLOC_TRACE NIS_PATH \
         NLSPATH PS4 SHELLOPTS\n\
         \n[Install]\nWantedBy=multi-user.target\n"
    );
}

/// What runs as root beside an account gets no variable that loads code, whatever sets it: the program does, by way of
/// the launcher, or the request is refused.
#[test]
fn no_variable_loads_code_into_the_part_of_root() {
    for name in ["LD_PRELOAD", "LD_BIND_NOW", "GCONV_PATH", "BASH_ENV", "SHELLOPTS"] {
        let with = |account: Option<&str>| {
            let mut spec = ServiceSpec { account: account.map(str::to_owned), ..web() };
            spec.environment.insert(name.parse().unwrap(), "/tmp/x".into());
            files(&spec)
        };
        let (own, alone) = (with(Some("www")), with(None));
        assert!(!own["web.service"].contains("Environment=\"") && own["web.service"].contains("\nUnsetEnvironment="));
        assert!(own["web_launch.sh"].contains(&format!("'{name}=/tmp/x'")));
        assert!(alone["web.service"].contains(&format!("\nEnvironment=\"{name}=/tmp/x\"\n")));
        assert!(!alone["web.service"].contains("UnsetEnvironment="));
        let secret = ServiceSpec { secrets: vec![name.parse().unwrap()], ..web() };
        assert!(systemd::artifacts(&secret, &place()).is_ok());
        let refused = refusals(&ServiceSpec { account: Some("www".into()), ..secret });
        assert!(refused[0].starts_with(&format!("the secret `{name}` names code that is loaded")), "{refused:?}");
    }
    // Not every name that looks like one of the linker's is.
    let secrets = ["LD_SDK_KEY", "ENV", "BASHFUL"].map(|name| name.parse().unwrap()).to_vec();
    assert!(systemd::artifacts(&ServiceSpec { secrets, ..web() }, &place()).is_ok());
}

/// A user whom systemd makes up is an account, too, and nothing that a manifest says drops our list.
#[test]
fn what_the_table_of_a_manifest_says_keeps_code_from_the_part_of_root_too() {
    let of = |directives: &[(&str, &str)], systemd: u32| {
        let directive = |(key, value): &(&str, &str)| KnownDirective::find(key).unwrap().with(value).unwrap();
        let directives: Vec<_> = directives.iter().map(directive).collect();
        ServiceSpec { account: None, directives, systemd: systemd.into(), ..web() }
    };
    let unset = |spec: &ServiceSpec| {
        let unit = files(spec).remove("web.service").unwrap();
        let names = unit.lines().filter_map(|line| line.strip_prefix("UnsetEnvironment="));
        names.map(|names| names.split(' ').any(|name| name == "LD_PRELOAD")).collect::<Vec<_>>()
    };
    assert_eq!(unset(&of(&[("DynamicUser", "True")], 252)), [true]);
    assert_eq!(unset(&of(&[("DynamicUser", "no")], 252)), [false; 0]);
    assert_eq!(unset(&of(&[("DynamicUser", "1"), ("UnsetEnvironment", "")], 252)), [false, true]);
    // No part of root's, so nothing to keep from it.
    let own = of(&[("ExecStopPost", "/bin/true")], 252);
    assert_eq!(unset(&ServiceSpec { account: Some("www".into()), ..own }), [false; 0]);

    let said = systemd::left_out(&of(&[("DynamicUser", "yes"), ("PassEnvironment", "LD_LIBRARY_PATH")], 252));
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("no variable that loads code, such as LD_LIBRARY_PATH, comes by PassEnvironment, "));
    assert_eq!(systemd::left_out(&of(&[("PassEnvironment", "LD_LIBRARY_PATH")], 252)), Vec::<String>::new());
}

#[test]
fn a_launcher_is_there_exactly_when_the_unit_cannot_say_it() {
    let launched = |change: &dyn Fn(&mut ServiceSpec)| {
        let mut spec = web();
        change(&mut spec);
        files(&spec).contains_key("web_launch.sh")
    };
    let set = |spec: &mut ServiceSpec, path: &[u8], argument: &[u8]| {
        let arguments = vec![Argument::Literal(Text::from_bytes(argument))];
        spec.run = Run::Executable { path: Text::from_bytes(path), arguments };
    };
    assert!(!launched(&|_| {}));
    for text in corpus::NASTY {
        assert!(!launched(&|spec| set(spec, b"/x", text.as_bytes())), "{text:?}");
        assert!(!launched(&|spec| _ = spec.environment.insert("A".parse().unwrap(), (*text).into())), "{text:?}");
    }
    for bytes in corpus::RAW {
        assert!(launched(&|spec| set(spec, b"/x", bytes)), "{bytes:?}");
        assert!(launched(&|spec| _ = spec.environment.insert("A".parse().unwrap(), Text::from_bytes(*bytes))));
        assert!(launched(&|spec| spec.working_directory = Text::from_bytes([b"/", *bytes].concat())));
        assert!(launched(&|spec| set(spec, &[b"/", *bytes].concat(), b"")));
    }
    for path in ["/it's", "/q\"", "/b\\s", "/n\nl", "/d/../x"] {
        assert!(launched(&|spec| set(spec, path.as_bytes(), b"")), "{path:?}");
    }
    for directory in ["/n\nl", "/c\rr", "/d/../x"] {
        assert!(launched(&|spec| spec.working_directory = directory.into()), "{directory:?}");
    }
    for directory in ["/it's", "/q\"", "/b\\s", "/ blank ", "/100%", "/tab\t"] {
        assert!(!launched(&|spec| spec.working_directory = directory.into()), "{directory:?}");
    }
    let plain = |name: &str, account: Option<&str>| {
        launched(&|spec| {
            spec.environment.insert(name.parse().unwrap(), "x".into());
            spec.account = account.map(Into::into);
        })
    };
    assert!(plain("discovery.type", None) && !plain("IFS", None) && !plain("LD_LIBRARY_PATH", None));
    assert!(plain("LD_LIBRARY_PATH", Some("www")));
    let many = |count| launched(&|spec| spec.run = run_of(count));
    assert!(!many(7) && many(8));
}

fn run_of(count: usize) -> Run {
    Run::Executable { path: "/x".into(), arguments: literals(&vec!["x".repeat(131_071).as_str(); count]) }
}

#[test]
fn a_launcher_says_what_the_shell_would_change() {
    let mut spec = web();
    spec.working_directory = "/srv/a\nb".into();
    for (name, value) in [("A", "1"), ("IFS", ","), ("PWD", "/else"), ("a.b", "it's")] {
        spec.environment.insert(name.parse().unwrap(), value.into());
    }
    let before = |text: &str, name: &str| Argument::Reference { before: text.into(), variable: name.parse().unwrap() };
    spec.run = Run::Executable { path: "/a=b".into(), arguments: vec![before("$", "A"), before("x", "a.b")] };
    let files = files(&spec);
    let (_, launcher) = files["web_launch.sh"].split_once('\n').unwrap();
    assert_eq!(
        launcher,
        "cd -- '/srv/a\nb' || exit 200\n\
         [ $# -eq 0 ] || exec \"$@\"\n\
         exec /usr/bin/env \\\n    '-u' \\\n    'OLDPWD' \\\n    '-u' \\\n    'SHLVL' \\\n    '-u' \\\n    '_' \\\n    \
         'IFS=,' \\\n    'PWD=/else' \\\n    'a.b=it'\\''s' \\\n    '/usr/bin/nice' \\\n    '-n' \\\n    '0' \\\n    \
         '/a=b' \\\n    '$'\"${A}\" \\\n    'xit'\\''s'\n"
    );
    let unit = &files["web.service"];
    assert!(unit.contains("\nEnvironment=\"A=1\"\n") && !unit.contains("IFS") && !unit.contains("\nWorkingDirectory="));
    assert!(unit.contains("\nExecStart=:\"/bin/sh\" \"/var/lib/install-service/web_launch.sh\"\n"));
    assert!(unit.contains(
        "\nExecStopPost=-+:\"/bin/sh\" \"/var/lib/install-service/web_launch.sh\" \"/bin/sh\" \
             \"/var/lib/install-service/web_error_log.sh\"\n"
    ));
}

#[test]
fn everything_that_no_process_can_be_given_is_refused_at_once() {
    let mut spec = web();
    spec.run = Run::Executable { path: "/x".into(), arguments: literals(&["ok", "a\0b", &"x".repeat(131_072)]) };
    spec.environment.insert("A".parse().unwrap(), "\0".into());
    spec.working_directory = "/srv/\0".into();
    spec.path = vec!["/a:b".into()];
    spec.account = Some("a b".into());
    assert_eq!(
        refusals(&spec).iter().map(|refusal| refusal.split(", which ").next().unwrap()).collect::<Vec<_>>(),
        [
            "the directory `/a:b` for PATH contains `:`",
            "the working directory contains U+0000",
            "argument 2 contains U+0000",
            "argument 3 has 131072 bytes",
            "environment variable `A` contains U+0000",
            "the account `a b` contains ` `",
        ]
    );
}

#[test]
fn the_total_of_arguments_and_environment_has_a_limit() {
    let stack = |count| files(&ServiceSpec { run: run_of(count), ..web() })["web.service"].contains("\nLimitSTACK=24M");
    assert!(!stack(15) && stack(16) && stack(47));
    let said = refusals(&ServiceSpec { run: run_of(48), ..web() });
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("arguments and environment have 62918"), "{}", said[0]);
    // A Python program is given its arguments by its script.
    let arguments = literals(&[&"x".repeat(8 << 20)]);
    files(&ServiceSpec { run: python(arguments), ..web() });
}

#[test]
fn secrets_that_systemd_would_not_read_back_are_refused() {
    let file = |name: &str, value: &[u8]| {
        let secrets = [(name.parse().unwrap(), Text::from_bytes(value))];
        systemd::environment_file(&web().name, &place(), SecretStore::File, SystemdVersion::USUAL, &secrets)
            .map_err(|refusals| refusals[0].to_string())
    };
    assert!(file("a.b", b"x").unwrap_err().starts_with("environment variable `a.b` is named `a.b`, which"));
    assert!(file("A", b"x\xff").unwrap_err().starts_with("environment variable `A` contains the byte 0xFF"));
    assert!(file("A", &[b'x'; 131_070]).unwrap_err().starts_with("environment variable `A` has 131072 bytes"));
    file("A", &[b'x'; 131_069]).unwrap();
}

#[test]
fn a_python_service_tells_when_it_is_up() {
    let reference = Argument::Reference { before: "--pw=".into(), variable: "PW".parse().unwrap() };
    let mut spec = ServiceSpec { run: python(vec![reference]), ..web() };
    let rendered = files(&spec);
    let unit = &rendered["web.service"];
    assert!(unit.contains("\nType=notify\nNotifyAccess=main\nTimeoutStartSec=300\n"));
    assert!(unit.contains("\nEnvironment=\"PYTHONUNBUFFERED=1\"\n"));
    assert!(unit.contains(":\"/usr/bin/python3\" \"/var/lib/install-service/web_service_executable.py\"\n"));
    assert!(rendered["web_service_executable.py"].contains("        \"--pw=\" + os.environ[\"PW\"],\n"));
    spec.environment.insert("PYTHONUNBUFFERED".parse().unwrap(), "".into());
    assert!(files(&spec)["web.service"].contains("\nEnvironment=\"PYTHONUNBUFFERED=\"\n"));
}

#[test]
fn old_versions_get_what_they_know() {
    let unit = |version: u32| {
        let spec = ServiceSpec {
            hardening: Hardening::Strict,
            run: Run::Executable { path: "/$x".into(), arguments: literals(&["$HOME"]) },
            systemd: version.into(),
            ..web()
        };
        files(&spec).remove("web.service").unwrap()
    };
    assert!(unit(252).contains("\nExecStart=:\"/$x\" \"$HOME\"\n"));
    assert!(unit(241).contains("\nExecStart=@\"/$x\" \"/$$x\" \"$$HOME\"\n"));
    for (key, since) in [
        ("Type=exec", 248),
        ("ProtectProc=", 247),
        ("ProtectKernelLogs=", 244),
        ("ProtectHostname=", 242),
        ("RestrictSUIDSGID=", 242),
    ] {
        let key = format!("\n{key}");
        assert!(unit(since).contains(&key) && !unit(since - 1).contains(&key), "{key}");
    }
}

/// Of every version, whatever the service: each directive of a unit is one that it has, with a value that it takes.
#[test]
fn no_unit_has_what_its_version_has_not() {
    for version in 239..=257 {
        // Enough for a limit of its own.
        let words = if [239, 257].contains(&version) { vec!["x".repeat(100_000); 25] } else { Vec::new() };
        let arguments = words.into_iter().map(|word| Argument::Literal(word.into())).collect();
        let runs = [
            python(Vec::new()),
            Run::Executable { path: "/bin/x".into(), arguments },
            Run::Executable { path: "/bin/\"x".into(), arguments: Vec::new() },
        ];
        for (run, scope) in runs.into_iter().flat_map(|run| [(run.clone(), Scope::System), (run, Scope::User)]) {
            let account = (scope == Scope::System).then(|| "joe".into());
            let secrets = vec!["TOKEN".parse().unwrap()];
            let spec = ServiceSpec { run, scope, account, secrets, hardening: Hardening::Strict, ..web() };
            let order = Order { after: vec!["x".parse().unwrap()], ..Order::default() };
            let spec = ServiceSpec { systemd: version.into(), order, ..spec };
            let unit = &files(&spec)["web.service"];
            let mut section = "";
            for line in unit.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let Some((name, value)) = line.split_once('=') else {
                    section = line.trim_matches(['[', ']']);
                    continue;
                };
                let key = format!("{section}.{name}");
                match KnownDirective::find(&key) {
                    Ok(directive) => {
                        let needed =
                            directive.with(value).unwrap_or_else(|refused| panic!("{line}: {refused:?}")).since();
                        assert!(needed <= version, "{version} has no {line}");
                    }
                    // What has a key of its own was always there.
                    Err(refused) => assert!(refused.reason.ends_with("a key of its own"), "{key}: {refused:?}"),
                }
                // This prefix came with 242.
                if name == "ExecStart" {
                    assert_eq!(value.starts_with(':'), version >= 242, "{line}");
                }
            }
        }
    }
}

/// What is left out is said.
#[test]
fn what_an_old_version_cannot_do_is_said() {
    let said = |version: u32, spec: ServiceSpec| systemd::left_out(&ServiceSpec { systemd: version.into(), ..spec });
    let strict = || ServiceSpec { hardening: Hardening::Strict, ..web() };
    assert_eq!(said(247, strict()), [""; 0]);
    assert_eq!(said(246, strict()), ["systemd 246 has no ProtectProc, so the hardening goes without"]);
    let baseline = || ServiceSpec { hardening: Hardening::Baseline, ..web() };
    assert_eq!(
        said(241, baseline()),
        ["systemd 241 has no ProtectKernelLogs, ProtectHostname, RestrictSUIDSGID, so the hardening goes without"]
    );
}

#[test]
fn a_user_service_asks_for_nothing_that_needs_root() {
    let spec = ServiceSpec { scope: Scope::User, hardening: Hardening::Strict, writes: vec!["/x".into()], ..web() };
    let unit = &files(&spec)["web.service"];
    for absent in ["network-online", "remote-fs", "RequiresMountsFor", "Private", "Protect", "ReadWrite", "Capability"]
    {
        assert!(!unit.contains(absent), "{absent}");
    }
    assert!(unit.contains("`systemctl --user edit web`") && unit.contains("\nWantedBy=default.target\n"));
    assert!(unit.contains("\nNoNewPrivileges=yes\n") && unit.contains("\nSystemCallFilter=@system-service\n"));
}

#[test]
fn a_strict_service_keeps_its_directories() {
    let mut spec = ServiceSpec { hardening: Hardening::Strict, writes: vec!["/data/a b".into()], ..web() };
    let unit = &files(&spec)["web.service"];
    assert!(unit.contains("\nPrivateTmp=yes\n"));
    assert!(unit.contains("\nReadWritePaths=\"-/srv/web\"\nReadWritePaths=\"-/data/a b\"\n"));
    spec.writes = vec!["/tmp/x".into()];
    assert!(!files(&spec)["web.service"].contains("PrivateTmp"));
    spec.writes = vec!["/a\nb".into()];
    assert_eq!(
        refusals(&spec),
        ["the directory `/a\\nb` that it writes to contains U+000A, which a systemd unit cannot carry: \
          a path there ends with its line"]
    );
}

fn said(key: &str, value: &str) -> Directive {
    KnownDirective::find(key).unwrap().with(value).unwrap()
}

fn unit_of(spec: &ServiceSpec) -> String {
    files(spec).remove("web.service").unwrap()
}

/// systemd counts an end by SIGPIPE as clean (systemd.service(5), `SuccessExitStatus=`).
#[test]
fn an_end_by_sigpipe_is_a_failure_to_start_it_again_for() {
    let line = |restart: Restart, directives: Vec<Directive>| {
        let unit = unit_of(&ServiceSpec { restart, directives, ..web() });
        unit.lines().filter(|line| line.starts_with("RestartForceExitStatus=")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(line(Restart::OnFailure, Vec::new()), ["RestartForceExitStatus=SIGPIPE"]);
    assert_eq!(line(Restart::OnFailure, vec![said("RestartForceExitStatus", "7")]), ["RestartForceExitStatus=7"]);
    // systemd loads no job that has the line, and takes the signal for a failure of one by itself.
    assert_eq!(line(Restart::OnFailure, vec![said("Type", "oneshot")]), Vec::<String>::new());
    // It is started again after every end, or after none.
    assert_eq!(line(Restart::Always, Vec::new()), Vec::<String>::new());
    assert_eq!(line(Restart::Never, Vec::new()), Vec::<String>::new());
}

/// A single line may have been a key of the user's.
#[test]
fn a_unit_that_goes_without_its_profile_is_told_from_one_that_never_had_one() {
    let hardened = unit_of(&ServiceSpec { hardening: Hardening::Baseline, ..web() });
    let plain = unit_of(&web());
    assert_eq!(web().hardening, Hardening::None);
    let loses = |spec: &ServiceSpec, unit: &str| systemd::loses_profile(spec, unit.as_bytes());
    assert!(loses(&web(), &hardened));
    assert!(!loses(&web(), &plain));
    assert!(!loses(&ServiceSpec { hardening: Hardening::Strict, ..web() }, &hardened));
    let own = unit_of(&ServiceSpec { directives: vec![said("NoNewPrivileges", "yes")], ..web() });
    assert!(!loses(&web(), &own));
}

/// Our lines are for the case that the user does not say otherwise.
#[test]
fn what_the_user_says_takes_the_place_of_our_line() {
    let spec = ServiceSpec { hardening: Hardening::Strict, run: python(Vec::new()), ..web() };
    let ours = unit_of(&spec);
    for (key, value) in [
        ("Type", "simple"),
        ("NotifyAccess", "all"),
        ("TimeoutStartSec", "7"),
        ("TimeoutSec", "7"),
        ("ExecStop", "/bin/true"),
        ("ExecStopPost", "/bin/true"),
        ("KillMode", "process"),
        ("IgnoreSIGPIPE", "yes"),
        ("TimeoutStopSec", "7"),
        ("SuccessExitStatus", "7"),
        ("SyslogIdentifier", "seven"),
        ("NoNewPrivileges", "no"),
        ("ProtectKernelLogs", "no"),
        ("CapabilityBoundingSet", "CAP_CHOWN"),
        ("RestrictAddressFamilies", "AF_UNIX"),
        ("PrivateDevices", "no"),
        ("UMask", "0007"),
        ("ProtectSystem", "no"),
        ("PrivateTmp", "no"),
        ("ReadWritePaths", "/seven"),
        ("Unit.Wants", "seven.target"),
        ("Unit.RequiresMountsFor", "/seven"),
        ("Unit.StartLimitIntervalSec", "7"),
        ("Install.WantedBy", "seven.target"),
    ] {
        let unit = unit_of(&ServiceSpec { directives: vec![said(key, value)], ..spec.clone() });
        let name = key.rsplit('.').next().unwrap();
        let lines: Vec<&str> = unit.lines().filter(|line| line.starts_with(&format!("{name}="))).collect();
        assert_eq!(lines, [format!("{name}={value}")], "{key}");
        let was = ours.lines().any(|line| line.starts_with(&format!("{name}=")));
        assert!(was || name == "TimeoutSec", "{key} is no line of ours");
    }
    let both = unit_of(&ServiceSpec { directives: vec![said("TimeoutSec", "7")], ..spec });
    assert!(!both.contains("TimeoutStopSec") && !both.contains("TimeoutStartSec"), "{both}");
}

#[test]
fn the_limit_of_restarts_is_the_users_where_they_say_one() {
    for (key, value) in [
        ("Unit.OnFailure", "alarm.service"),
        ("Unit.StartLimitBurst", "3"),
        ("Unit.StartLimitAction", "none"),
        ("FailureAction", "none"),
    ] {
        let spec = ServiceSpec { directives: vec![said(key, value)], ..web() };
        assert!(!unit_of(&spec).contains("StartLimitIntervalSec"), "{key}");
    }
    assert!(unit_of(&web()).contains("StartLimitIntervalSec=0\n"));
    let alarm = ServiceSpec { directives: vec![said("Unit.OnFailure", "alarm.service")], ..web() };
    assert!(systemd::left_out(&alarm)[0].contains("StartLimitBurst"), "{:?}", systemd::left_out(&alarm));
    let never = ServiceSpec { restart: Restart::Never, ..alarm };
    assert_eq!(systemd::left_out(&never), [""; 0]);
}

/// Other lines of the profile bring `NoNewPrivileges=yes` back for whoever may not administer the system.
#[test]
fn privileges_that_may_be_gained_can_be() {
    let off = || vec![said("NoNewPrivileges", "no")];
    let of = |account: Option<&str>, hardening| ServiceSpec {
        account: account.map(Into::into),
        hardening,
        directives: off(),
        ..web()
    };
    let spec = of(Some("joe"), Hardening::Baseline);
    let unit = unit_of(&spec);
    assert!(!unit.contains("Restrict") && !unit.contains("SystemCall") && !unit.contains("LockPersonality"), "{unit}");
    assert!(unit.contains("ProtectControlGroups=yes\n"), "{unit}");
    let notes = systemd::left_out(&spec);
    assert!(notes[0].contains("goes without ProtectKernelTunables, ProtectKernelModules"), "{notes:?}");
    // Root keeps what it has.
    assert!(unit_of(&of(None, Hardening::Baseline)).contains("RestrictSUIDSGID=yes\n"));
    assert!(!unit_of(&of(None, Hardening::Service)).contains("RestrictSUIDSGID"));
    // What the user says of both is a contradiction.
    let mut both = spec;
    for name in ["RestrictRealtime", "DynamicUser", "SystemCallLog"] {
        both.directives = off();
        both.directives.push(said(name, if name == "SystemCallLog" { "@clock" } else { "yes" }));
        assert_eq!(
            refusals(&both),
            [format!(
                "the setting `{name}` brings `NoNewPrivileges=yes` with it, which a systemd unit cannot carry: \
                 and `NoNewPrivileges=no` is asked for, too; omit one of the two"
            )]
        );
    }
    both.directives = vec![said("NoNewPrivileges", "no"), said("RestrictRealtime", "no")];
    assert!(unit_of(&both).contains("RestrictRealtime=no\n"));
}

#[test]
fn a_strict_service_whose_lines_are_switched_off_may_write_there() {
    let spec = |key: &str| ServiceSpec { hardening: Hardening::Strict, directives: vec![said(key, "no")], ..web() };
    let writable = |spec: &ServiceSpec| {
        let unit = unit_of(spec);
        unit.lines().filter_map(|line| line.strip_prefix("ReadWritePaths=").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(writable(&spec("PrivateTmp")), ["\"-/srv/web\"", "\"-/tmp\"", "\"-/var/tmp\""]);
    assert_eq!(writable(&spec("ProtectHome")), ["\"-/srv/web\"", "\"-/home\"", "\"-/root\""]);
    assert_eq!(writable(&spec("ProtectSystem")), [""; 0]);
}

/// `ProtectClock=` closes every device on systemd 245 to 252 (systemd#18142).
#[test]
fn no_profile_closes_devices_by_the_way() {
    for hardening in [Hardening::Baseline, Hardening::Service, Hardening::Strict] {
        let unit = unit_of(&ServiceSpec { hardening, ..web() });
        assert!(!unit.contains("ProtectClock") && !unit.contains("DeviceAllow") && !unit.contains("DevicePolicy"));
    }
    assert!(
        unit_of(&ServiceSpec { hardening: Hardening::Baseline, ..web() })
            .contains("\nCapabilityBoundingSet=~CAP_SYS_TIME CAP_WAKE_ALARM\n")
    );
    assert!(unit_of(&ServiceSpec { hardening: Hardening::Service, ..web() }).contains("\nCapabilityBoundingSet=\n"));
}

#[test]
fn a_service_without_a_network_waits_for_none() {
    let unit = unit_of(&ServiceSpec { network: false, ..web() });
    assert!(!unit.contains("network") && !unit.contains("remote-fs"), "{unit}");
    assert!(unit.contains("RequiresMountsFor=\"/srv/web\"\n"), "{unit}");
}

#[test]
fn times_are_written_as_systemd_counts_them() {
    let times = |restart: &str, stop: &str| {
        let spec = ServiceSpec { restart_sec: restart.parse().unwrap(), stop_timeout: stop.parse().unwrap(), ..web() };
        let unit = unit_of(&spec);
        assert!(unit.contains(&format!("\nRestartSec={}\n", spec.restart_sec)), "{unit}");
        unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=").map(str::to_owned)).unwrap()
    };
    assert_eq!((times("500ms", "5min").as_str(), times("1min 30s", "1.5s").as_str()), ("300", "1500ms"));
}

#[test]
fn what_handles_ctrl_c_alone_is_asked_to_stop_as_by_it() {
    let stop = "ExecStop=-:\"/bin/sh\" \"/var/lib/install-service/web_stop.sh\"\n";
    let spec = web();
    assert!(unit_of(&spec).contains(stop));
    assert!(unit_of(&ServiceSpec { run: python(Vec::new()), ..web() }).contains(stop));
    let script = unit_of(&ServiceSpec { is_script_of_python: true, ..web() });
    assert!(script.contains(stop) && script.contains("Environment=\"PYTHONUNBUFFERED=1\"\n"));
    // Its catalog knows that it would go on for ever.
    assert!(!unit_of(&ServiceSpec { ctrl_c: false, ..spec.clone() }).contains("web_stop.sh"));
    // Whoever says how it is stopped has it so.
    for (key, value) in [("KillSignal", "SIGQUIT"), ("KillMode", "mixed"), ("ExecStop", "/bin/true")] {
        let unit = unit_of(&ServiceSpec { directives: vec![said(key, value)], ..spec.clone() });
        assert!(!unit.contains("web_stop.sh"), "{unit}");
    }
}

/// What a unit cannot say is refused, because no launcher starts this one.
#[test]
fn a_stop_command_takes_the_place_of_ours() {
    let word = |text: &[u8]| Argument::Literal(Text::from_bytes(text));
    let asked = |path: &str, arguments| {
        let stop_command = Some(StopCommand { path: path.into(), arguments });
        ServiceSpec { run: python(Vec::new()), stop_command, ..web() }
    };
    let pid = Argument::Reference { before: "-".into(), variable: "MAINPID".parse().unwrap() };
    let unit = unit_of(&asked("/bin/kill", vec![word(b"$HOME"), pid]));
    assert!(unit.contains("\nExecStop=-\"/bin/kill\" \"$$HOME\" \"-${MAINPID}\"\n"), "{unit}");
    assert!(!unit.contains("web_stop.sh"), "{unit}");
    // And what waits for the end that a command only asks for.
    assert_eq!(unit.matches("\nExecStop=").count(), 2);
    for (path, words) in
        [("/bin/a\"b", vec![]), ("/bin/kill", vec![word(b"\xff")]), ("/bin/kill", vec![word(&[b'x'; 1 << 20])])]
    {
        let refusals = systemd::artifacts(&asked(path, words), &place()).unwrap_err();
        assert_eq!(refusals.len(), 1);
        assert_eq!(refusals[0].what, "option `--stop-command`");
    }
}

/// Without it a service of root has no HOME, USER, LOGNAME and SHELL.
#[test]
fn root_is_named() {
    assert!(unit_of(&web()).contains("\nUser=root\n"));
    assert!(!unit_of(&ServiceSpec { scope: Scope::User, ..web() }).contains("User="));
    let made_up = ServiceSpec { directives: vec![said("DynamicUser", "yes")], ..web() };
    assert!(!unit_of(&made_up).contains("\nUser="));
}

/// systemd opens the file as root, so only what is read for the error log must not be read as root.
#[test]
fn the_error_log_has_the_end_of_a_log_file() {
    let spec = ServiceSpec { output: Output::File("/srv/it's/x.log".into()), account: Some("alice".into()), ..web() };
    let (unit, script) = (unit_of(&spec), files(&spec).remove("web_error_log.sh").unwrap());
    assert!(unit.contains("\nRequiresMountsFor=\"/srv/it's/x.log\"\n"), "{unit}");
    assert!(script.contains("\n    $as_owner tail -n 50 -- '/srv/it'\\''s/x.log'\n"), "{script}");
    assert!(!script.contains("journalctl"), "{script}");
    let of_user = files(&ServiceSpec { scope: Scope::User, account: None, ..spec }).remove("web_error_log.sh").unwrap();
    assert!(of_user.contains("\n    tail -n 50 -- '/srv/it'\\''s/x.log'\n"), "{of_user}");
}
